"""A proxy in front of the hub's API server that answers some requests with an error.

It ends TLS with a certificate of the hub's authority and speaks HTTP/1.1 to both sides, so it suits clients with tokens.
"""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import json
import ssl
from collections.abc import Callable

from . import network
from .fronts import BLOCK, Front
from .hub import Hub

REASONS = {403: "Forbidden", 409: "Conflict", 410: "Expired", 429: "TooManyRequests", 500: "InternalError", 504: "Timeout"}


@dataclasses.dataclass
class Request:
    verb: str
    target: str
    head: bytes
    length: int

    @property
    def watches(self) -> bool:
        return "watch=true" in self.target or "watch=1" in self.target


Rule = Callable[[Request], int | None]  # the status to answer with, or None to pass the request on


class ErrorProxy(Front):
    """`rule` may be exchanged at any time; `injected` counts its answers by status."""

    def __init__(self, hub: Hub):
        self.rule: Rule = lambda _: None
        self.injected: collections.Counter[int] = collections.Counter()
        hub.certificate("errors", "/CN=errors", "serverAuth", f"IP:{network.ALIAS}")
        inward = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        inward.load_cert_chain(hub.pki / "errors.crt", hub.pki / "errors.key")
        self.outward = ssl.create_default_context(cafile=hub.pki / "ca.crt")
        super().__init__(f"{network.ALIAS}:{network.API_PORT}", inward)

    async def serve(self, reader, writer, opened) -> None:
        upstream = None
        while request := await read_request(reader):
            body = await reader.readexactly(request.length)
            if code := self.rule(request):
                self.injected[code] += 1
                writer.write(refusal(code))
                await writer.drain()
                continue
            upstream = upstream or await self.dial(opened, self.outward)
            upstream[1].write(request.head + body)
            await upstream[1].drain()
            if not await pass_answer(upstream[0], writer, request):
                return


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """None when the client has ended."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    verb, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ", 2)
    return Request(verb, target, head, int(header(head, b"content-length") or 0))


async def pass_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: Request) -> bool:
    """Whether the connection can serve another request."""
    head = await reader.readuntil(b"\r\n\r\n")
    writer.write(head)
    length = header(head, b"content-length")
    if length is not None:
        await copy(reader, writer, int(length) if request.verb != "HEAD" else 0)
    elif (header(head, b"transfer-encoding") or b"").lower() == b"chunked":
        await copy_chunks(reader, writer)
    elif head.split(b" ", 2)[1] != b"204":
        await copy(reader, writer, None)
        return False
    await writer.drain()
    return True


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, length: int | None) -> None:
    while length != 0:
        data = await reader.read(BLOCK if length is None else min(BLOCK, length))
        if not data:
            return
        writer.write(data)
        await writer.drain()
        length = None if length is None else length - len(data)


async def copy_chunks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    size = 1
    while size:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        writer.write(line)
        await copy(reader, writer, size + 2)


def header(head: bytes, name: bytes) -> bytes | None:
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.strip().lower() == name:
            return value.strip()
    return None


def refusal(code: int) -> bytes:
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": REASONS[code], "code": code, "message": "injected by the test"}
    body = json.dumps(status).encode()
    again = b"Retry-After: 1\r\n" if code == 429 else b""
    return b"HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s" % (
        code,
        REASONS[code].encode(),
        again,
        len(body),
        body,
    )
