"""What stands between the manager and the hub's API server: a relay whose connections can be cut or go silent."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import threading

from . import network

BLOCK = 65536


class Front:
    """Listens at `address` from its start until the run ends, in a thread of its own."""

    def __init__(self, address: str, tls: ssl.SSLContext | None = None):
        self.address, self.tls = address, tls
        self.writers: set[asyncio.StreamWriter] = set()
        self.loop = asyncio.new_event_loop()
        ready = threading.Event()
        threading.Thread(target=self._listen, args=(ready,), daemon=True).start()
        ready.wait()

    def cut(self) -> int:
        """Resets every connection; returns how many."""
        return self._in_loop(self._cut())

    def _in_loop(self, task):
        return asyncio.run_coroutine_threadsafe(task, self.loop).result()

    def _listen(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self.loop)
        host, port = self.address.rsplit(":", 1)
        self.loop.run_until_complete(asyncio.start_server(self._accept, host, int(port), ssl=self.tls))
        ready.set()
        self.loop.run_forever()

    async def _cut(self) -> int:
        cut = [writer for writer in self.writers if not writer.is_closing()]
        for writer in cut:
            if connection := writer.get_extra_info("socket"):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        return len(cut)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened = [writer]
        self.writers.add(writer)
        try:
            await self.serve(reader, writer, opened)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # one side has ended, or was cut
        finally:
            for one in opened:
                self.writers.discard(one)
                one.close()

    async def dial(self, opened: list[asyncio.StreamWriter], tls: ssl.SSLContext | None = None):
        """A connection to the API server that ends with the client's."""
        reader, writer = await asyncio.open_connection(network.HUB, network.API_PORT, ssl=tls)
        opened.append(writer)
        self.writers.add(writer)
        return reader, writer

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, opened: list[asyncio.StreamWriter]) -> None:
        raise NotImplementedError


class Relay(Front):
    """Passes bytes, so TLS and HTTP/2 are the API server's own. It has the address of the Service `kubernetes`."""

    def __init__(self):
        self.flowing = asyncio.Event()
        self.flowing.set()
        super().__init__(f"{network.API_SERVICE}:443")

    def silence(self) -> None:
        """No byte passes any more, on open connections and on new ones, and nobody is told."""
        self.loop.call_soon_threadsafe(self.flowing.clear)

    def resume(self) -> None:
        self.loop.call_soon_threadsafe(self.flowing.set)

    async def serve(self, reader, writer, opened) -> None:
        upstream = await self.dial(opened)
        ways = [asyncio.ensure_future(self._pump(*way)) for way in ((reader, upstream[1]), (upstream[0], writer))]
        _, pending = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in pending:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(BLOCK):
            await self.flowing.wait()
            writer.write(data)
            await writer.drain()
