"""Traces at a real collector: Cardan exports over gRPC and over HTTP to `rotel`, which passes on what it understood to a receiver that
decodes with libraries of others; and to that receiver itself. Then the collector is killed under an order, and comes back.
Environment: CARDAN_BIN."""
import json, os, pathlib, signal, socket, subprocess, sys, sysconfig, tempfile, time, urllib.request

import rotel
from receiver import Receiver

ROOT = pathlib.Path(__file__).resolve().parents[2]
CARDAN = os.path.abspath(os.environ.get("CARDAN_BIN", ROOT / "target/debug/cardan"))
CALLER = "00f067aa0ba902b7"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Process:
    def __init__(self, command, folder, name, env=None):
        self.command, self.folder, self.env, self.log = command, folder, env, os.path.join(folder, name + ".log")
        self.start()

    def start(self):
        with open(self.log, "ab") as log:
            env = {**os.environ, **(self.env or {})}
            self.process = subprocess.Popen(self.command, cwd=self.folder, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def answers(self, port, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            try:
                return socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.02)
        raise SystemExit(f"{self.command[0]} is not ready:\n" + open(self.log, errors="replace").read()[-2000:])

    def end(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.wait(60)


AGENT = os.path.join(os.path.dirname(rotel.__file__), "rotel-agent")
# It is linked with the interpreter that it was made for.
LINKED = {"LD_LIBRARY_PATH": sysconfig.get_config_var("LIBDIR") or ""}


def collector(folder, receiver, ports):
    """`rotel`, which listens at these two ports and passes everything on."""
    command = [AGENT, "start", "--otlp-grpc-endpoint", f"127.0.0.1:{ports[0]}", "--otlp-http-endpoint", f"127.0.0.1:{ports[1]}",
               "--exporter", "otlp", "--otlp-exporter-endpoint", receiver.grpc, "--batch-timeout", "50ms",
               "--pid-file", os.path.join(folder, "pid"), "--log-file", os.path.join(folder, "rotel.log")]
    started = Process(command, folder, "rotel", LINKED)
    for port in ports:
        started.answers(port)
    return started


class House:
    """`cardan serve` with the pizza example and its simulated systems."""

    def __init__(self, folder, endpoint, protocol):
        self.port, systems = free_port(), free_port()
        text = (ROOT / "examples/pizza-orders/cardan.yaml").read_text()
        text = text.replace("127.0.0.1:8080", f"127.0.0.1:{self.port}").replace("127.0.0.1:7101", f"127.0.0.1:{systems}")
        text += f"""
secrets: {{ collector: {{ env: COLLECTOR_TOKEN }} }}
telemetry:
  otlp:
    endpoint: {endpoint}
    protocol: {protocol}
    interval: 50ms
    headers: {{ authorization: {{ secret: collector }}, x-scope: kitchen }}
"""
        pathlib.Path(folder, "cardan.yaml").write_text(text)
        self.systems = Process([CARDAN, "simulate", "--listen", f"127.0.0.1:{systems}"], folder, "systems")
        self.systems.answers(systems)
        self.server = Process([CARDAN, "serve", "cardan.yaml"], folder, "serve", {"COLLECTOR_TOKEN": "Bearer let-me-in"})
        self.server.answers(self.port)
        behave = {"operation": "charge", "fail": {"status": 503}, "times": 1}
        self.ask(f"http://127.0.0.1:{systems}/_sim/payments/behave", behave)

    def ask(self, url, body=None, headers=None):
        request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(),
                                         {"content-type": "application/json", **(headers or {})})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def order(self, number, trace_id):
        """Orders a pizza as part of a trace, and waits until it is made: the run."""
        entity = f"order_{number}"
        fields = {"customer_id": "cust_ada", "items": [{"product_id": "margherita", "quantity": 1}], "total_amount": 9.5, "currency": "EUR",
                  "delivery_address": "Via Roma 12", "email": "ada@example.com", "payment_method": "tok_visa"}
        facts = [{"type": "fact", "field": field, "value": value} for field, value in fields.items()]
        acts = [{"id": f"act_{entity}_{n}", "timestamp": "2026-01-01T00:00:00Z", "speaker": "ada", "entity": entity, **act}
                for n, act in enumerate(facts + [{"type": "commit", "system": "order_management", "action": "create"}])]
        base = f"http://127.0.0.1:{self.port}"
        answer = self.ask(f"{base}/v1/conversations/conv_{entity}/acts", acts, {"traceparent": f"00-{trace_id}-{CALLER}-01"})
        run, end = answer[-1]["integrations"][0]["run"], time.monotonic() + 60
        while self.ask(f"{base}/v1/runs/{run}")["status"] != "succeeded":
            assert time.monotonic() < end, run
            time.sleep(0.05)
        return run

    def log(self):
        lines = open(self.server.log, errors="replace").read().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def end(self):
        self.server.end()
        self.systems.end()


def check(spans, run):
    """The whole trace, from the request to each attempt at a system."""
    by_id = {span["id"]: span for span in spans}
    assert len(by_id) == len(spans), "an id twice"
    named = lambda name: [span for span in spans if span["name"] == name]
    (request,), (commit,) = named("POST /v1/conversations/{id}/acts"), named("process-commit")
    assert (request["kind"], request["parent"], request["flags"]) == ("server", CALLER, 0x301), request
    assert request["said"]["http.response.status_code"] == 202 and request["whose"]["service.name"] == "cardan", request
    acts = {span["id"]: span for span in named("process-act")}
    assert len(acts) == 8 and all(act["parent"] == request["id"] for act in acts.values())
    assert all({"act.type", "act.id", "conversation.id", "speaker.id"} <= act["said"].keys() for act in acts.values())
    assert acts[commit["parent"]]["said"]["act.type"] == "commit" and commit["status"] == "ok"
    said = commit["said"]
    wanted = {"commit.action": "create", "commit.system": "order_management", "commit.status": "success", "flow.run": run}
    assert wanted.items() <= said.items() and said["commit.entity"].startswith("order_") and said["commit.transaction_id"], said
    steps = {span["id"]: span for span in spans if span["parent"] == commit["id"]}
    executes, attempts = named("integration.execute"), [span for span in spans if span["kind"] == "client"]
    for execute in executes:
        assert {"adapter.id", "adapter.version", "correlation.id", "tenant.id"} <= execute["said"].keys(), execute
        step = steps[execute["parent"]]
        assert step["said"]["integration.name"] == execute["said"]["adapter.id"], (step, execute)
    for attempt in attempts:
        said = attempt["said"]
        assert attempt["name"] == f"{said['integration.name']}.{said['integration.operation']}" and isinstance(said["integration.success"], bool)
        assert by_id[attempt["parent"]]["name"] == "integration.execute"
        assert by_id[attempt["parent"]]["start"] <= attempt["start"] <= attempt["end"]
    first, second = sorted(named("payments.charge"), key=lambda span: span["start"])
    assert (first["status"], second["status"], first["said"]["integration.error"]) == ("error", "ok", "unavailable"), first
    assert [name for name, _ in first["events"]] == ["exception"] and first["events"][0][1]["exception.message"], first
    assert (first["said"]["integration.attempt"], second["said"]["integration.attempt"]) == (1, 2)
    return len(spans)


def is_whole(spans):
    """The run's and the message's spans come last, in any order."""
    names = [span["name"] for span in spans]
    return {"process-commit", "email.send", "POST /v1/conversations/{id}/acts"} <= set(names)


def story(name, protocol, through):
    receiver, trace_id = Receiver(), os.urandom(16).hex()
    with tempfile.TemporaryDirectory() as folder:
        ports = (free_port(), free_port())
        between = collector(folder, receiver, ports) if through else None
        own = {"grpc": f"http://127.0.0.1:{ports[0]}", "http": f"http://127.0.0.1:{ports[1]}"}
        endpoint = own[protocol] if through else getattr(receiver, protocol)
        house = House(folder, endpoint, protocol)
        try:
            run = house.order(1, trace_id)
            count = check(receiver.wait(trace_id, is_whole), run)
            if not through:
                assert all(h["authorization"] == "Bearer let-me-in" and h["x-scope"] == "kitchen" for h in receiver.headers)
            else:
                restarted(house, between, receiver, ports)
        except AssertionError:
            print(open(house.server.log, errors="replace").read()[-3000:])
            raise
        finally:
            house.end()
            if between:
                between.end(signal.SIGKILL)
        assert "let-me-in" not in open(house.server.log).read()
    print(f"ok  {name}: {count} spans of one order", flush=True)


def restarted(house, between, receiver, ports):
    """Orders go on while the collector is gone, and what is done after it came back is exported."""
    between.end(signal.SIGKILL)
    house.order(2, os.urandom(16).hex())
    between.start()
    for port in ports:
        between.answers(port)
    trace_id = os.urandom(16).hex()
    check_again = house.order(3, trace_id)
    spans = receiver.wait(trace_id, is_whole)
    assert any(span["said"].get("flow.run") == check_again for span in spans)


def main():
    os.chmod(AGENT, 0o755)
    tried = subprocess.run([AGENT, "version"], env={**os.environ, **LINKED}, capture_output=True, text=True)
    if tried.returncode != 0:
        print(f"skipped: the collector does not run here: {tried.stderr.strip()[-200:]}")
        return 77
    for through in (False, True):
        for protocol in ("grpc", "http"):
            story(f"{protocol} to {'rotel' if through else 'the receiver'}", protocol, through)
    print("4 passed, 0 failed")


if __name__ == "__main__":
    sys.exit(main())
