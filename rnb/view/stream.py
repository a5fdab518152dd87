"""How events travel: server-sent events for pages, a WebSocket for programs. Both only send.

A viewer pulls from the log at its own pace; what it holds in the server is one chunk of bytes, of a WebSocket one
message, which a snapshot is as a whole. One that takes nothing for `STALL` seconds is let go: it comes back by itself
and goes on where it was.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine

from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from rnb.view.log import EPOCH, Entry, EventLog, Snapshot

STALL = 30.0
PIECE = 64 << 10  # bytes of a snapshot handed over at once
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
END: Message = {"type": "http.response.body", "body": b""}


async def follow(log: EventLog, position: int | None, page: bool) -> AsyncIterator[Snapshot | list[Entry]]:
    """Snapshots and batches of entries as they come, to the end of the log; an empty list as a sign of life."""
    while True:
        if position is None or log.behind(position):
            snapshot = log.recent(page)
            position = snapshot.position
            yield snapshot
            continue  # much may happen until the viewer has it
        entries, position = log.since(position)
        if entries:
            yield entries
            continue
        if log.over:
            return
        if await log.changed():
            yield []


def frames(entries: list[Entry], page: bool) -> bytes:
    """Entries as server-sent events; only an event's last message moves the id on."""
    if len(entries) == 1 and len(entries[0].page) == 1:
        return b"id: %d\ndata: %b\n\n" % (entries[0].seq, entries[0].page[0] if page else entries[0].data)
    parts: list[bytes] = []
    for entry in entries:
        messages = entry.page if page else (entry.data,)
        parts += [b"data: %b\n\n" % message for message in messages[:-1]]
        parts.append(b"id: %d\ndata: %b\n\n" % (entry.seq, messages[-1]))
    return b"".join(parts)


def place(log: EventLog, last: str | None, epoch: str | None) -> int | None:
    """Where a viewer goes on that has seen the event numbered `last` of the process `epoch`; None for a snapshot."""
    if last is None or not (last.isascii() and last.isdigit()) or epoch not in (None, EPOCH):
        return None
    return log.position_after(int(last[:18]))


async def _attend(log: EventLog, leaves: Coroutine[None, None, None], sends: Coroutine[None, None, None]) -> None:
    """Send until the viewer is gone or takes nothing more."""
    gone, sending = asyncio.ensure_future(leaves), asyncio.ensure_future(sends)
    log.viewers += 1
    try:
        await asyncio.wait({gone, sending}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        log.viewers -= 1
        gone.cancel()
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError, TimeoutError, WebSocketDisconnect, RuntimeError, OSError):
            await sending


class EventStream:
    """An ASGI response that never ends by itself."""

    def __init__(self, log: EventLog, *, page: bool, last: str | None, epoch: str | None) -> None:
        self.log, self.page = log, page
        self.position = place(log, last, epoch)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await _attend(self.log, disconnected(receive), self._send(send))

    async def _send(self, send: Send) -> None:
        await _body(send, b"retry: 1000\n\n")
        async for item in follow(self.log, self.position, self.page):
            if isinstance(item, Snapshot):
                await _body(send, b"event: snapshot\nid: %d\ndata: " % item.seq)
                for start in range(0, len(item.body), PIECE):
                    await _body(send, item.body[start : start + PIECE])
                    await asyncio.sleep(0)  # a viewer that is gone takes everything at once: let that be seen
                await _body(send, b"\n\n")
            else:
                await _body(send, frames(item, self.page) if item else b"event: beat\ndata: {}\n\n")
        await send(END)


async def _body(send: Send, data: bytes) -> None:
    message: Message = {"type": "http.response.body", "body": data, "more_body": True}
    async with asyncio.timeout(STALL):
        await send(message)


async def disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def socket_events(socket: WebSocket, log: EventLog, after: str | None, epoch: str | None) -> None:
    """The same over a WebSocket: first `{"type": "snapshot", …}` or what was missed, then one message an event."""
    await socket.accept()
    await _attend(log, _left(socket), _send_socket(socket, log, place(log, after, epoch)))


async def _send_socket(socket: WebSocket, log: EventLog, position: int | None) -> None:
    async for item in follow(log, position, page=False):
        if isinstance(item, Snapshot):
            await _text(socket, item.message)
        else:
            for entry in item:
                await _text(socket, entry.data.decode())


async def _text(socket: WebSocket, text: str) -> None:
    async with asyncio.timeout(STALL):
        await socket.send_text(text)


async def _left(socket: WebSocket) -> None:
    """Until the other side closes. What it says is not for us."""
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass
