"""Small servers for programs in a sandbox to talk to, on the loopback of the tests' own network namespace."""

from __future__ import annotations

import contextlib
import http.server
import pathlib
import socket
import socketserver
import struct
import subprocess
import threading
import time


@contextlib.contextmanager
def serving(server: socketserver.BaseServer):
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def web(answer: bytes, port: int = 0):
    """An HTTP server that gives one answer to everything."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    return serving(http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler))


def dns(names: dict[str, str]):
    """A name server on port 53 that knows these IPv4 addresses, and nothing else."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            query, reply = self.request
            end = query.index(b"\0", 12) + 5
            name, kind = question(query)
            address = names.get(name) if kind == 1 else None
            flags = 0x8180 if name in names else 0x8183
            head = query[:2] + struct.pack("!5H", flags, 1, 1 if address else 0, 0, 0) + query[12:end]
            body = b"\xc0\x0c" + struct.pack("!2HIH", 1, 1, 1, 4) + socket.inet_aton(address) if address else b""
            reply.sendto(head + body, self.client_address)

    return serving(socketserver.ThreadingUDPServer(("127.0.0.1", 53), Handler))


def question(query: bytes) -> tuple[str, int]:
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode())
        at += 1 + query[at]
    return ".".join(labels), struct.unpack("!H", query[at + 1 : at + 3])[0]


def free_ports(number: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait_for_port(port: int, process: subprocess.Popen, log: pathlib.Path, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"nobody listens on port {port}; the log: {log.read_text()}") from None
            time.sleep(0.02)


def certificates(folder: pathlib.Path, names: list[str]) -> None:
    """ca.crt, and pair.crt with pair.key for these names, readable to everybody."""
    folder.mkdir()
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    run("openssl", "req", "-x509", *key, "-subj", "/CN=test", "-keyout", folder / "ca.key", "-out", folder / "ca.crt")
    run("openssl", "req", "-x509", *key, "-subj", "/CN=pair", "-keyout", folder / "pair.key", "-out", folder / "pair.crt",
        "-CA", folder / "ca.crt", "-CAkey", folder / "ca.key", "-addext", "basicConstraints=critical,CA:FALSE",
        "-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in names))
    (folder / "pair.key").chmod(0o644)


def run(*command: object) -> None:
    subprocess.run([str(each) for each in command], check=True, capture_output=True)
