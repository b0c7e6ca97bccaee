#!/usr/bin/env python3
"""A connection through the tunnel that must not break: a number goes to an echo service ten times a second and back.

usage: held_stream.py PROXY_HOST:PORT CA CERT KEY PROGRESS

Writes the last number that came back into the file PROGRESS, and ends with 1 and a word as soon as one is missing.
"""

import os
import socket
import ssl
import sys
import threading
import time

PACE = 0.1  # seconds between numbers
PATIENCE = 10  # seconds for one to come back


def echo(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    while data := connection.recv(65536):
        connection.sendall(data)


def connect(proxy: str, ca: str, cert: str, key: str, target: str):
    context = ssl.create_default_context(cafile=ca)
    context.load_cert_chain(cert, key)
    host, port = proxy.rsplit(":", 1)
    stream = context.wrap_socket(socket.create_connection((host, int(port)), PATIENCE), server_hostname=host)
    stream.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    answer = stream.makefile("rb")
    status = answer.readline().decode()
    if " 200 " not in status:
        sys.exit(f"held_stream: the proxy answered {status.strip()!r}")
    while answer.readline().strip():
        pass
    return stream, answer


def write_progress(path: str, number: int) -> None:
    with open(path + ".new", "w", encoding="ascii") as file:
        file.write(f"{number}\n")
    os.replace(path + ".new", path)


def main() -> None:
    proxy, ca, cert, key, progress = sys.argv[1:]
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=echo, args=(listener,), daemon=True).start()
    stream, answer = connect(proxy, ca, cert, key, f"127.0.0.1:{listener.getsockname()[1]}")
    number = 0
    while True:
        number += 1
        stream.sendall(f"{number}\n".encode())
        back = answer.readline().decode().strip()
        if back != str(number):
            sys.exit(f"held_stream: sent {number}, got {back!r} back")
        write_progress(progress, number)
        time.sleep(PACE)


if __name__ == "__main__":
    main()
