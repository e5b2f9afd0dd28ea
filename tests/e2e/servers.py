"""What stands between an agent and a collector in the tests: a scripted collector, relays and a proxy, each on a free
port of this machine and in threads of its own."""

import base64
import hashlib
import http.server
import json
import select
import socket
import ssl
import threading

import ed25519

COLLECTOR_SEED = bytes(range(32))


def signed(statement):
    """The statement with the scripted collector's signature, in canonical JSON as core/receipt.cpp writes it."""
    canonical = lambda value: json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    statement["collector_key"] = base64.b64encode(ed25519.public_key(COLLECTOR_SEED)).decode()
    statement["signature"] = base64.b64encode(ed25519.sign(COLLECTOR_SEED, canonical(statement))).decode()
    return canonical(statement)


def receipt_for(body, run_id=None):
    return signed(
        {
            "kind": "gpuassay-receipt-v1",
            "run_id": run_id or json.loads(body)["run_id"],
            "body_sha256": hashlib.sha256(body).hexdigest(),
            "received_at": "2026-11-26T00:00:00.000Z",
        }
    )


def tombstone_for(run_id):
    return signed({"kind": "gpuassay-tombstone-v1", "run_id": run_id, "deleted_at": "2026-11-26T00:00:00.000Z"})


class ScriptedCollector:
    """Answers each request with answer(request) = (status, headers, body); keeps the requests."""

    def __init__(self, answer):
        self.requests = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def reply(self):
                self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.requests.append(self)
                status, headers, body = answer(self)
                self.send_response_only(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_DELETE = reply

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def of(self, method):
        return [request for request in self.requests if request.command == method]


class Listener:
    """Hands every connection to serve(connection) in a thread."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            connection, _ = self.socket.accept()
            threading.Thread(target=self._serve_quietly, args=(connection,), daemon=True).start()

    def _serve_quietly(self, connection):
        try:
            with connection:
                self.serve(connection)
        except OSError:
            pass  # the other side went away, as some tests want


class TlsRelay(Listener):
    """HTTPS in front of a collector that speaks plain HTTP."""

    def __init__(self, collector_port, certificate, key):
        self.collector_port = collector_port
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        super().__init__()

    def serve(self, connection):
        with self.context.wrap_socket(connection, server_side=True) as client:
            request = b""
            while b"\r\n\r\n" not in request:
                request += client.recv(65536)
            head, _, body = request.partition(b"\r\n\r\n")
            length = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
            while length and len(body) < length[0]:
                body += client.recv(65536)
            with socket.create_connection(("127.0.0.1", self.collector_port)) as collector:
                collector.sendall(head + b"\r\n\r\n" + body)
                while data := collector.recv(65536):
                    client.sendall(data)


class ConnectProxy(Listener):
    """An HTTP proxy that opens tunnels for whoever gives the right credentials; every host name leads to this machine.
    Keeps the heads of the requests, and every byte that passes through."""

    def __init__(self, authorization=None):
        self.authorization = authorization
        self.heads, self.bytes_seen = [], bytearray()
        super().__init__()

    def serve(self, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(1)  # not a byte of what follows
        self.heads.append(head.decode())
        if self.authorization and f"Proxy-Authorization: {self.authorization}" not in head.decode():
            connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        port = int(head.split()[1].decode().rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port)) as server:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            while True:
                for source in select.select([connection, server], [], [])[0]:
                    data = source.recv(65536)
                    if not data:
                        return
                    self.bytes_seen += data
                    (server if source is connection else connection).sendall(data)


class AnswerHolder(Listener):
    """Passes requests on to a collector and calls on_answer() with the whole answer in hand before any of it goes back."""

    def __init__(self, collector_port, on_answer):
        self.collector_port, self.on_answer = collector_port, on_answer
        super().__init__()

    def serve(self, connection):
        with socket.create_connection(("127.0.0.1", self.collector_port)) as collector:
            answer = b""
            while True:
                for source in select.select([connection, collector], [], [])[0]:
                    data = source.recv(65536)
                    if source is connection:
                        collector.sendall(data)
                    elif data:
                        answer += data
                    else:
                        self.on_answer(answer)
                        connection.sendall(answer)
                        return


class Dripper(Listener):
    """Announces 10,000 bytes and sends one a second, until nobody listens."""

    def __init__(self):
        self.gone = threading.Event()
        self.connections = 0
        super().__init__()

    def serve(self, connection):
        self.connections += 1
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10000\r\n\r\n")
        # The pace of the attack; ends when the agent has hung up.
        while not select.select([connection], [], [], 1)[0] or connection.recv(65536):
            connection.sendall(b" ")
        self.gone.set()
