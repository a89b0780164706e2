"""The Cardan that is tried, in a folder of its own, and the client that insists on an answer."""
import http.client, json, os, signal, socket, subprocess, threading, time


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """`cardan serve`, which can be killed at any moment and started again."""

    def __init__(self, binary, folder, port):
        self.binary, self.folder, self.port, self.process = binary, folder, port, None

    def start(self, seconds=60):
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen([self.binary, "serve", "cardan.yaml"], cwd=self.folder, stdout=log, stderr=log)
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if Client(self.port).once("GET", "/ready")[0] == 200:
                    return
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.02)
        self.end()
        raise SystemExit("cardan is not ready:\n" + open(os.path.join(self.folder, "log"), errors="replace").read()[-3000:])

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self):
        if self.process and self.process.poll() is None:
            self.kill()


class Client:
    """One connection. What breaks, or is refused because the server is busy, is sent again as it is, until it is answered."""
    counts, lock = {"acts": 0, "again": 0}, threading.Lock()

    def __init__(self, port, patience=90):
        self.port, self.patience, self.connection = port, patience, None

    def once(self, method, path, body=None, headers=None):
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=40)
        try:
            self.connection.request(method, path, body, headers or {})
            answer = self.connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        except (OSError, http.client.HTTPException, ValueError):
            self.connection.close()
            self.connection = None
            raise

    def insist(self, method, path, make=lambda attempt: None, headers=None):
        """`make(attempt)` says what is sent: the same each time, or the same under another act id."""
        end, attempt = time.monotonic() + self.patience, 0
        while True:
            body = make(attempt)
            text = None if body is None else json.dumps(body)
            try:
                status, document = self.once(method, path, text, {"content-type": "application/json", **(headers or {})} if text else {})
                if status not in (429, 503):
                    return status, document
            except (OSError, http.client.HTTPException, ValueError):
                pass
            if time.monotonic() > end:
                raise TimeoutError(f"{method} {path} was not answered in {self.patience} s")
            attempt += 1
            with Client.lock:
                Client.counts["again"] += 1
            time.sleep(0.05)

    def acts(self, conversation, make, wait=None):
        headers = {"prefer": f"wait={wait}"} if wait else None
        status, document = self.insist("POST", f"/v1/conversations/conv_{conversation}/acts", make, headers)
        if status not in (200, 202):
            raise ValueError(f"{status} {json.dumps(document)[:600]}")
        with Client.lock:
            body = make(0)
            Client.counts["acts"] += len(body) if isinstance(body, list) else 1
        return document

    def not_over(self):
        """(run, status) of every run that is not over."""
        found, after = [], ""
        while after is not None:
            _, page = self.insist("GET", "/v1/runs?limit=100" + after)
            found += [(r["id"], r["status"]) for r in page["runs"] if r["status"] not in ("succeeded", "failed", "compensated", "cancelled")]
            after = f"&after={page['next']}" if page.get("next") else None
        return found
