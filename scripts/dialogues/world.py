"""The stand-in for every business system. It honours idempotency keys, keeps a ledger of its own, and misbehaves in a share of
its answers: lost before or after the work, cut, late, or 409 "in progress" with `Retry-After` while the work is still to be done."""
import collections, hashlib, http.server, json, socketserver, threading, time

LATE = 0.55   # longer than an attempt may take (0.4 s), shorter than what is said to settle (1 s)
FAULTS = ["lost before", "lost after", "cut", "late", "in progress"]


class World(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads, request_queue_size = True, 256

    def __init__(self, seed, share, script):
        super().__init__(("127.0.0.1", 0), Handler)
        self.seed, self.share, self.script, self.lock = seed, share, script, threading.Lock()
        self.requests, self.faults, self.wrong = collections.Counter(), collections.Counter(), []
        self.effects = collections.defaultdict(list)   # (reference, operation) -> ids of what was done
        self.struck, self.keys = collections.Counter(), {}
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    url = property(lambda self: f"http://127.0.0.1:{self.server_address[1]}")

    def handle_error(self, *_):
        pass  # a caller that was killed

    def fault(self, reference, operation):
        """The fault of this request, by chance that only hangs on the seed and on which request of its kind it is."""
        with self.lock:
            self.requests[reference, operation] += 1
            n = self.requests[reference, operation]
        text = f"{self.seed}/{reference}/{operation}/{n}".encode()
        chance = int.from_bytes(hashlib.sha256(text).digest()[:8], "big") / 2**64
        found = FAULTS[int(chance / self.share * len(FAULTS))] if chance < self.share else None
        with self.lock:
            self.faults[found] += 1
        return found

    def begin(self, key):
        """(whether this is the first request under the key, what is known of it)."""
        with self.lock:
            first = key not in self.keys
            return first, self.keys.setdefault(key, {"answer": None})

    def do(self, path, body):
        """Does the work, once for each time it is called: (status, answer)."""
        reference, operation = body["reference"], path.rsplit("/", 1)[1]
        commit = self.script[reference]
        if operation == "strike":
            with self.lock:
                good = body["note"] in self.effects[reference, "note"]
                self.struck[reference] += 1
            return (200, {"id": f"struck-{reference}"}) if good else (404, {"title": "no such note"})
        if operation != "note":
            self.compare(commit, path, body["given"])
            if commit.verdict != "success":
                return 422, {"title": "not possible"}
            if not commit.transaction:
                return 200, {"results": commit.found}
        with self.lock:
            done = self.effects[reference, operation]
            done.append(f"{operation}-{reference}-{len(done) + 1}")
            return 201, {"id": done[-1]}

    def compare(self, commit, path, given):
        wanted = f"/{commit.service}/{commit.intent}"
        differing = {s: (v, given.get(s)) for s, v in commit.given.items() if given.get(s) != v}
        if differing or path != wanted:
            with self.lock:
                self.wrong.append(f"{commit.reference}: {path} was called with {differing or given}")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version, disable_nagle_algorithm = "HTTP/1.1", True

    def log_message(self, *_):
        pass

    def do_POST(self):
        world = self.server
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        fault = world.fault(body["reference"], self.path)
        if fault == "lost before":
            self.close_connection = True
        elif world.script[body["reference"]].transaction:
            self.keyed(world, body, fault)
        else:
            time.sleep(LATE if fault in ("late", "in progress") else 0)
            self.reply(fault, *world.do(self.path, body))

    def keyed(self, world, body, fault):
        key = self.headers.get("idempotency-key")
        if key is None:
            world.wrong.append(f"{body['reference']}: {self.path} came without a key")
            return self.reply(None, 400, {"title": "no key"})
        path = self.path  # of this request: the connection may carry the next one when the work is done
        first, entry = world.begin(f"{path} {key}")
        if first and fault == "in progress":
            threading.Timer(LATE, lambda: entry.update(answer=world.do(path, body))).start()
        elif first:
            time.sleep(LATE if fault == "late" else 0)
            entry["answer"] = world.do(path, body)
        elif fault == "late":
            time.sleep(LATE)
        if entry["answer"] is None:
            return self.reply(None, 409, {"title": "a request with this key is in progress"}, {"retry-after": "1"})
        self.reply(fault, *entry["answer"])

    def reply(self, fault, status, document, headers={}):
        if fault == "lost after":
            self.close_connection = True
            return
        text = json.dumps(document).encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", "content-length": str(len(text)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if fault == "cut":
            text, self.close_connection = text[:len(text) // 2], True
        self.wfile.write(text)
