"""Sends prepared bytes on a real socket, whatever is posted: what proxies, old servers and dying ones really send.

with raw_server([b"HTTP/1.1 502 Bad Gateway\\r\\n\\r\\n<html>", answer(body)]) as (url, asked):
    ... the first request gets the first of them, the last one is sent again and again; `asked` counts them. A look at
    anything (GET) finds nothing and counts for nothing.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
PAUSE = 0.02  # seconds between two pieces
Sent = bytes | Sequence[bytes]  # one piece, or several with a pause between them; b"" closes the connection at once


def answer(body: bytes, status: str = "200 OK", kind: str = "application/json", *more: str) -> bytes:
    """A whole HTTP response that keeps the connection."""
    head = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *more]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def chunked(pieces: Sequence[bytes], kind: str = "text/event-stream", *, whole: bool = True) -> list[bytes]:
    """A response in chunks, one for each piece; without `whole` the last one, which ends it, never comes."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    return [head, *(b"%x\r\n%s\r\n" % (len(one), one) for one in pieces), b"0\r\n\r\n" if whole else b""]


class _Server:
    def __init__(self, sent: Sequence[Sent]) -> None:
        self.sent = sent
        self.asked = [0]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                await reader.readexactly(int(length[1]) if length else 0)
                if head.startswith(b"GET "):
                    writer.write(answer(b"{}", "404 Not Found"))
                    continue
                pieces = self.sent[min(self.asked[0], len(self.sent) - 1)]
                self.asked[0] += 1
                for piece in [pieces] if isinstance(pieces, bytes) else pieces:
                    if not piece:
                        return
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(PAUSE)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            return  # the client is done, or the server is
        finally:
            writer.close()


@contextmanager
def raw_server(sent: Sequence[Sent]) -> Iterator[tuple[str, list[int]]]:
    """Serves these responses, one a request, on a free port of this machine; gives the address and the count."""
    loop = asyncio.new_event_loop()
    made = _Server(sent)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listening = asyncio.run_coroutine_threadsafe(asyncio.start_server(made.serve, "127.0.0.1", 0), loop).result()
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", made.asked
    finally:
        asyncio.run_coroutine_threadsafe(_closed(listening), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _closed(listening: asyncio.Server) -> None:
    listening.close()
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    await asyncio.sleep(0)
