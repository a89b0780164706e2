"""`make dialogues`: replays recorded human dialogues through Cardan, and compares what became of them with the corpus.

  CARDAN_BIN      the binary to try; else target/release/cardan, then target/debug/cardan (below CARGO_TARGET_DIR)
  CARDAN_JUDGES   where the data is (default: ../shared/judges beside the checkout)
  DIALOGUES       the share of the dialogues (default 1)
  SEED KILLS FAULTS CLIENTS   default 1, 20, 0.3, 24
  KEEP            do not remove the server's folder
"""
import collections, os, random, shutil, sys, tempfile, time

from audit import audit
from corpus import Corpus, Planner
from replay import Replay
from server import Client, Server, free_port
from systems import configuration
from world import LATE, World

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def number(name, default):
    return type(default)(os.environ.get(name) or default)


def binary():
    target = os.path.join(ROOT, os.environ.get("CARGO_TARGET_DIR") or "target")
    named = os.environ.get("CARDAN_BIN")
    for path in [named] if named else [f"{target}/release/cardan", f"{target}/debug/cardan"]:
        if os.access(path, os.X_OK):
            return os.path.abspath(path)
    raise SystemExit("no binary: build Cardan, or set CARDAN_BIN")


def kill_now_and_then(server, replay, threads, total, kills):
    """Kills the server after each of `kills` equal parts of the dialogues."""
    killed = 0
    while any(t.is_alive() for t in threads):
        if killed < kills and replay.done >= total * (killed + 0.5) / kills:
            server.kill()
            server.start()
            killed += 1
        time.sleep(0.01)
    return killed


def main():
    folder = os.path.join(os.path.abspath(os.environ.get("CARDAN_JUDGES") or os.path.join(ROOT, "..", "shared", "judges")), "sgd")
    if not os.path.exists(os.path.join(folder, "dev-schema.json")):
        print("skipped: dialogues (the Schema-Guided Dialogue data is not there: set CARDAN_JUDGES)")
        return 0
    share, seed, kills = number("DIALOGUES", 1.0), number("SEED", 1), number("KILLS", 20)
    print(f"seed {seed}; again: DIALOGUES={share:g} SEED={seed} KILLS={kills} FAULTS={number('FAULTS', 0.3):g} make dialogues", flush=True)
    corpus, unsaid = Corpus(folder), collections.Counter()
    chosen = corpus.dialogues if share >= 1 else random.Random(seed).sample(corpus.dialogues, max(1, round(share * len(corpus.dialogues))))
    plans = [(d["id"], Planner(corpus, d, unsaid).plan()) for d in chosen]
    commits = [of for _, steps in plans for what, of in steps if what == "commit"]
    world = World(seed, number("FAULTS", 0.3), {c.reference: c for c in commits})
    home = tempfile.mkdtemp(prefix="cardan-dialogues-")
    server = Server(binary(), home, free_port())
    with open(os.path.join(home, "cardan.yaml"), "w", encoding="utf-8") as file:
        file.write(configuration(corpus, server.port, world.url))
    try:
        server.start()
        return run(server, world, plans, commits, unsaid, kills)
    finally:
        server.end()
        if not os.environ.get("KEEP"):
            shutil.rmtree(home, ignore_errors=True)


def run(server, world, plans, commits, unsaid, kills):
    began = time.monotonic()
    replay = Replay(server.port, plans)
    killed = kill_now_and_then(server, replay, replay.play(number("CLIENTS", 24)), len(plans), kills)
    seconds = time.monotonic() - began
    time.sleep(2 * LATE)  # what is still on its way lands
    intents, standing, wrong = audit(world, commits)
    not_over = Client(server.port).not_over()
    faults = sum(n for kind, n in world.faults.items() if kind)
    print(f"dialogues {len(plans)}, acts {Client.counts['acts']}, commits {len(commits)}")
    print(f"calls {sum(world.faults.values())}, misbehaved {faults} ({', '.join(f'{k} {n}' for k, n in sorted(world.faults.items(), key=str) if k)})")
    print(f"kills {killed}, requests sent again by the clients {Client.counts['again']}")
    print(f"effects per intent {standing / max(1, intents):.3f} ({standing} of {intents})")
    print(f"effects that are not as they should be {len(wrong)}")
    print(f"verdicts that differ from the corpus {len(replay.differs)}")
    print(f"runs that are not over {max(len(not_over), len(replay.open))}")
    print(f"acts/s {Client.counts['acts'] / seconds:.0f}, seconds {seconds:.1f}")
    for text in (replay.differs + wrong + replay.open + [str(r) for r in not_over])[:20]:
        print("WRONG " + str(text)[:700])
    if os.environ.get("UNSAID"):
        for what, times in unsaid.most_common():
            print(f"not said in acts: {times} {what}")
    bad = wrong or replay.differs or replay.open or not_over or standing != intents or killed != kills or replay.done != len(plans)
    print("dialogues: " + ("WRONG" if bad else "ok"))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(main())
