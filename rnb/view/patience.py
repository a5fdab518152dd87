"""Connections that say nothing, or too little: each takes a descriptor, and whoever opens many takes them all.

uvicorn closes a connection that is idle between two requests, but waits for ever for the rest of one. And where no
descriptor is left, asyncio tells each of thousands of attempts with a traceback.
"""

from __future__ import annotations

import asyncio
import errno
import sys
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD = 10.0  # seconds for the whole head of a request
NO_MORE = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Impatient(H11Protocol):
    """Closes a connection whose request does not come to its end in time."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEAD, transport.close)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        asked = self.cycle is not None and not self.cycle.response_complete
        if asked or self.transport.get_protocol() is not self:  # it is answered, or has become a WebSocket
            self._relax()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(HEAD, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._relax()
        super().connection_lost(exc)

    def _relax(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def hush(loop: asyncio.AbstractEventLoop) -> None:
    """Say once, in one line, that no connection can be taken any more; it goes on when others end."""
    told = False

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        nonlocal told
        error = context.get("exception")
        if not (isinstance(error, OSError) and error.errno in NO_MORE):
            loop.default_exception_handler(context)
        elif not told:
            told = True
            print(f"rnb: warning: the view takes no more connections: {error.strerror}", file=sys.stderr, flush=True)

    loop.set_exception_handler(handle)
