"""One dialogue after the other, as acts through the HTTP API: by many clients at once, while the server is killed again and again."""
import queue, threading, time

from server import Client


class Replay:
    def __init__(self, port, plans):
        self.port, self.todo, self.lock = port, queue.Queue(), threading.Lock()
        self.done, self.differs, self.open = 0, [], []
        for plan in plans:
            self.todo.put(plan)

    def play(self, clients):
        """Starts, and gives back the threads."""
        threads = [threading.Thread(target=self.client, daemon=True) for _ in range(clients)]
        for thread in threads:
            thread.start()
        return threads

    def client(self):
        client = Client(self.port)
        while True:
            try:
                dialogue, steps = self.todo.get_nowait()
            except queue.Empty:
                return
            try:
                self.begin(client, dialogue)
                for what, of in steps:
                    getattr(self, what)(client, dialogue, of)
                self.over(client, dialogue)
            except Exception as error:
                self.differ(f"{dialogue}: {type(error).__name__}: {error}")
            with self.lock:
                self.done += 1

    def differ(self, text):
        with self.lock:
            self.differs.append(text)

    def begin(self, client, dialogue):
        people = [{"id": "user", "type": "human"}, {"id": "agent", "type": "ai"}]
        made = {"id": f"conv_{dialogue}", "participants": people}
        self.keyed(client, "/v1/conversations", f"begin-{dialogue}", made, 201)

    def over(self, client, dialogue):
        self.keyed(client, f"/v1/conversations/conv_{dialogue}/end", f"end-{dialogue}", {}, 200)

    def keyed(self, client, path, key, body, wanted):
        status, document = client.insist("POST", path, lambda _: body, {"idempotency-key": key})
        if status != wanted:
            raise ValueError(f"{path}: {status} {document}")

    def say(self, client, dialogue, acts):
        for answer in client.acts(dialogue, lambda _: acts):
            if answer["result"]["status"] not in ("applied", "recorded"):
                self.differ(f"{dialogue}: {answer['processedAct']['id']} was answered {answer['result']}")

    def committed(self, client, commit, wait=None):
        """Commits; what breaks is committed again under the same key, as another act."""
        commit.times += 1
        name = f"act_{commit.reference}_{commit.times}"
        document = client.acts(commit.conversation, lambda attempt: {
            "id": f"{name}_{attempt}", "timestamp": "2019-03-01T10:00:00Z", "speaker": "agent", "source": "ai", "type": "commit",
            "entity": commit.entity, "action": "execute", "system": commit.system, "idempotency_key": commit.reference}, wait)
        found = document["integrations"][0]
        with self.lock:
            commit.runs.add(found.get("run"))
        return document, found

    def commit(self, client, dialogue, commit):
        """Commits a transaction, and waits until the flow asks."""
        end = time.monotonic() + 60
        while True:
            document, found = self.committed(client, commit)
            asked = [a for a in document["nextActions"] if a["type"] == "confirm" and a["text"] == commit.question]
            if asked or not commit.transaction:
                return
            if found["status"] not in ("pending", "in_progress") or time.monotonic() > end:
                raise ValueError(f"{commit.reference} was never asked about: {document}")
            time.sleep(0.02)

    def answer(self, client, dialogue, commit):
        act = {"id": f"act_{commit.reference}_answer", "timestamp": "2019-03-01T10:00:00Z", "speaker": "user", "source": "human", "type": "confirm",
               "entity": commit.entity, "summary": commit.question, "awaiting": False, "confirmed": commit.verdict != "rejected"}
        document = client.acts(dialogue, lambda _: act)
        told = [w["code"] for w in document.get("warnings", []) if w["code"].startswith("question.")]
        if told:
            self.differ(f"{commit.reference}: the answer was no answer: {told}")

    def end(self, client, dialogue, commit):
        """Waits until the run is over, by committing again under the same key, and compares what is told with the corpus."""
        end = time.monotonic() + 90
        while True:
            _, found = self.committed(client, commit, wait=20)
            if found["status"] in ("success", "error", "failed"):
                break
            if time.monotonic() > end:
                with self.lock:
                    self.open.append(f"{commit.reference}: {found}")
                return
        commit.told = found
        if told(found) != commit.verdict:
            self.differ(f"{commit.reference}: {commit.verdict} in the corpus, told {found}")
        elif commit.verdict == "success" and not commit.transaction and found["result"]["found"] != len(commit.found):
            self.differ(f"{commit.reference}: {len(commit.found)} found in the corpus, told {found}")


def told(found):
    if found["status"] == "success":
        return "success"
    return {"flow.rejected": "rejected", "call.invalid": "failed"}.get(found.get("code"), "?")
