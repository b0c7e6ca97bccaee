#!/usr/bin/env python3
"""Both ends of what is led through port forwarding.

usage: tunnels.py serve PORT NAME     a service whose clients say in their first line what they want
       tunnels.py ready PORT          answers 200 to everybody, as a ready proxy-agent does
       tunnels.py CHECK PORT          a check against the forwarded port; exits with 1 and a word on failure
       tunnels.py outlives PORT PID   a tunnel goes on while the agent PID ends
       CHECK: echo, many, half-close, half-close-far, flood, stalled
"""

import hashlib
import http.server
import os
import signal
import socket
import socketserver
import sys
import threading
import time
import urllib.error
import urllib.request

PATIENCE = 60  # seconds for anything that has to happen
PATTERN = bytes(range(256)) * 256


class Service(socketserver.StreamRequestHandler):
    """One connection: `echo`, `digest` (of all bytes up to the end), `flood N`, `goodbye` or `name`."""

    def handle(self) -> None:
        word, *rest = self.rfile.readline().decode().split()
        getattr(self, word)(*rest)

    def echo(self) -> None:
        while data := self.rfile.read1(65536):
            self.wfile.write(data)

    def digest(self) -> None:
        sha = hashlib.sha256()
        while data := self.rfile.read1(65536):
            sha.update(data)
        self.wfile.write(sha.hexdigest().encode())

    def flood(self, size: str) -> None:
        left = int(size)
        while left > 0:
            part = PATTERN[:left]
            self.wfile.write(part)
            left -= len(part)

    def goodbye(self) -> None:
        self.wfile.write(b"bye")

    def name(self) -> None:
        self.wfile.write(self.server.name.encode())


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256


class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_) -> None:
        pass


def connect(port: int, request: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), PATIENCE)
    connection.sendall(request.encode() + b"\n")
    return connection


def read_all(connection: socket.socket) -> bytes:
    parts = []
    while data := connection.recv(65536):
        parts.append(data)
    return b"".join(parts)


def expect(actual, wanted, what: str) -> None:
    if actual != wanted:
        sys.exit(f"{what}: got {str(actual)[:80]!r}, wanted {str(wanted)[:80]!r}")


def echo_once(port: int, payload: bytes) -> None:
    with connect(port, "echo") as connection:
        connection.sendall(payload)
        connection.shutdown(socket.SHUT_WR)
        expect(read_all(connection), payload, "echo")


def check_echo(port: int) -> None:
    echo_once(port, b"hello")


def check_many(port: int) -> None:
    """A hundred at once, each opened before any is used."""
    connections = [connect(port, "echo") for _ in range(100)]
    for number, connection in enumerate(connections):
        connection.sendall(f"number {number}".encode() * 100)
    for number, connection in enumerate(connections):
        connection.shutdown(socket.SHUT_WR)
        expect(read_all(connection), f"number {number}".encode() * 100, f"connection {number}")


def check_half_close(port: int) -> None:
    """The answer comes only after the end of a large upload."""
    payload = PATTERN * 128
    with connect(port, "digest") as connection:
        connection.sendall(payload)
        connection.shutdown(socket.SHUT_WR)
        expect(read_all(connection).decode(), hashlib.sha256(payload).hexdigest(), "digest of the upload")


def check_half_close_far(port: int) -> None:
    """The far end has ended; the connection ends here too, though we have not."""
    with connect(port, "goodbye") as connection:
        expect(read_all(connection), b"bye", "the last words")


def check_flood(port: int) -> None:
    size = 32 << 20
    with connect(port, f"flood {size}") as connection:
        expect(hashlib.sha256(read_all(connection)).digest(),
               hashlib.sha256((PATTERN * (size // len(PATTERN) + 1))[:size]).digest(), "the download")


def check_stalled(port: int) -> None:
    """One reader takes nothing of a large download; another's goes on, new ones are served."""
    stalled = connect(port, f"flood {256 << 20}")
    stalled.recv(1)
    began = time.monotonic()
    for _ in range(10):
        check_flood(port)
        echo_once(port, b"beside")
    print(f"ten downloads beside a stalled one took {time.monotonic() - began:.1f} s")
    stalled.close()


def check_outlives(port: int, agent: int) -> None:
    """SIGTERM comes while a tunnel is open: it goes on, no other is taken, and the agent is alive but not ready."""
    with connect(port, "echo") as held:
        held.sendall(b"before")
        expect(held.recv(64), b"before", "echo")
        os.kill(agent, signal.SIGTERM)
        while takes(port):
            pass
        expect((status("healthz"), status("readyz")), (200, 500), "health while draining")
        held.sendall(b"after")
        expect(held.recv(64), b"after", "echo after SIGTERM")


def takes(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), PATIENCE).close()
    except (ConnectionRefusedError, ConnectionResetError):  # the latter where the port closes meanwhile
        return False
    return True


def status(path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:8888/{path}", timeout=PATIENCE) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def main() -> None:
    verb, port = sys.argv[1], int(sys.argv[2])
    if verb == "serve":
        with Server(("127.0.0.1", port), Service) as server:
            server.name = sys.argv[3]
            server.serve_forever()
    elif verb == "ready":
        http.server.HTTPServer(("127.0.0.1", port), Ready).serve_forever()
    elif verb == "name":
        with connect(port, "name") as connection:
            print(read_all(connection).decode())
    elif verb == "outlives":
        check_outlives(port, int(sys.argv[3]))
    elif check := globals().get("check_" + verb.replace("-", "_")):
        threading.Timer(PATIENCE * 3, lambda: sys.exit("gave up")).daemon = True
        check(port)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
