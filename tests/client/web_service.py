"""What a web service does beside giving files, and a client of its WebSocket.

web_service.py server PORT                    PUT tells how much came; /chunked in chunks (not to HTTP/1.0); /upper a WebSocket
                                              that says what it hears in capitals
web_service.py client PROXY HOST:PORT         each line of standard input goes to that WebSocket, each answer is printed
"""
import base64
import hashlib
import http.server
import os
import socket
import sys


def accept_key(key):
    return base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()


def read_text(stream):
    """The text of a frame of at most 125 bytes, "" at the end."""
    head = stream.read(2)
    if len(head) < 2 or head[0] & 0xF == 8:
        return ""
    mask = stream.read(4) if head[1] & 0x80 else bytes(4)
    return bytes(b ^ mask[i % 4] for i, b in enumerate(stream.read(head[1] & 0x7F))).decode()


def frame(text, mask=None):
    data = text.encode()
    head = bytes([0x81, len(data) | (0x80 if mask else 0)])
    return head + (mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)) if mask else data)


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.headers.get("Upgrade") == "websocket":
            return self.web_socket()
        chunked = self.request_version == "HTTP/1.1"
        self.send_response(200)
        self.send_header(*(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", "6")))
        self.end_headers()
        self.wfile.write(b"6\r\nhello\n\r\n0\r\n\r\n" if chunked else b"hello\n")

    def do_PUT(self):
        total = 0
        while size := int(self.rfile.readline(), 16):
            total += len(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        body = b"%d\n" % total
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def web_socket(self):
        self.send_response(101)
        for name, value in (("Upgrade", "websocket"), ("Connection", "Upgrade"),
                            ("Sec-WebSocket-Accept", accept_key(self.headers["Sec-WebSocket-Key"]))):
            self.send_header(name, value)
        self.end_headers()
        while text := read_text(self.rfile):
            self.wfile.write(frame(text.upper()))
        self.close_connection = True


def client(proxy, where):
    host, port = proxy.rsplit(":", 1)
    connection = socket.create_connection((host, int(port)))
    stream, key = connection.makefile("rwb"), base64.b64encode(os.urandom(16)).decode()
    stream.write((f"GET http://{where}/upper HTTP/1.1\r\nHost: {where}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                  f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n").encode())
    stream.flush()
    head = b"".join(iter(stream.readline, b"\r\n")).decode()
    if " 101 " not in head or accept_key(key) not in head:
        sys.exit(f"no WebSocket: {head}")
    for line in sys.stdin:
        stream.write(frame(line.rstrip("\n"), os.urandom(4)))
        stream.flush()
        print(read_text(stream), flush=True)


if sys.argv[1] == "server":
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Service).serve_forever()
else:
    client(*sys.argv[2:])
