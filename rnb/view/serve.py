"""The server in its own thread, beside the host's loop: uvicorn lives here and in patience.py."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import socket
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import msgspec
import uvicorn

from rnb.errors import UsageError
from rnb.view.app import application
from rnb.view.guard import Access, Limits
from rnb.view.jwt import Keys
from rnb.view.patience import Impatient, hush
from rnb.view.shelf import Shelf

LOOPBACK = ("127.0.0.1", "localhost", "::1")
EDITOR = "vscode://file/{path}:{line}:{column}"
PORT = 2719
END = 2.0  # seconds that streams may take to end


class Options(msgspec.Struct, kw_only=True):
    """How to serve."""

    host: str = "127.0.0.1"
    port: int | None = None  # None: the usual one or, if that is taken, a free one; 0: a free one
    token: str | None = None
    names: tuple[str, ...] = ()  # more host names under which it is reached
    editor: str | None = None
    jwks: str | None = None
    audience: str | None = None
    limits: Limits = Limits()


class _Uvicorn(uvicorn.Server):
    """Says when it can be reached."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self.ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready()


class Server:
    """Serves a shelf. `start` binds at once, so that a taken port is said where it was asked for."""

    def __init__(self, shelf: Shelf, options: Options) -> None:
        self.shelf, self.options = shelf, options
        self.loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._server: _Uvicorn | None = None
        self.token = options.token
        if self.token and not (self.token.isascii() and self.token.isprintable()):
            raise UsageError("the token can't stand in an address", "make one of letters and digits")
        local = options.host in LOOPBACK
        if not local and self.token is None and options.jwks is None:
            self.token = secrets.token_urlsafe(24)
        self._editor = options.editor or (EDITOR if local else None)
        self._keys = _keys(options)

    def start(self, ready: Callable[[str], None]) -> None:
        """Bind and serve. `ready(url)` is called in the server's thread. Raises UsageError, MissingExtra."""
        bound = _bind(self.options.host, self.options.port)
        port = bound.getsockname()[1]
        names = frozenset({"localhost", self.options.host.lower(), socket.gethostname().lower(), *self.options.names})
        access = Access(names=names, token=self.token, keys=self._keys, cookie=f"rnb_{port}")
        app = application(self.shelf, access, self._editor, self.options.limits)
        config: Any = uvicorn.Config(
            app,
            http=Impatient,
            ws="websockets-sansio",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            log_level="critical",  # a stranger's bad bytes are not worth a line on our standard error; faults of ours go past it
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws_max_size=4096,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=1,
            h11_max_incomplete_event_size=32 << 10,
        )
        url = self._url(port)
        self._server = _Uvicorn(config, lambda: ready(url))
        self._thread = threading.Thread(target=self._serve, args=(bound,), name="rnb-view", daemon=True)
        self._thread.start()

    def _url(self, port: int) -> str:
        host = self.options.host
        shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
        return f"http://{shown}:{port}/" + (f"?token={quote(self.token, safe='')}" if self.token else "")

    def _serve(self, bound: socket.socket) -> None:
        asyncio.run(self._main(bound))

    async def _main(self, bound: socket.socket) -> None:
        logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns of every viewer that left in mid-sentence
        self.loop = asyncio.get_running_loop()
        hush(self.loop)
        for item in self.shelf.items.values():
            item.log.attach(self.loop)
        assert self._server is not None
        await self._server.serve(sockets=[bound])

    def close(self) -> None:
        """Let the viewers go and end the thread."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            if self.loop is not None:
                with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                    self.loop.call_soon_threadsafe(self.shelf.end)
            self._thread.join(END)


def _keys(options: Options) -> Keys | None:
    if options.jwks is None:
        return None
    if not options.audience:
        raise UsageError("--jwks needs --audience", "the audience that your identity provider writes into its tokens")
    return Keys(options.jwks, options.audience)


def _bind(host: str, port: int | None) -> socket.socket:
    """A listening socket. Raises UsageError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    wanted = [port] if port is not None else [PORT, 0]
    for number in wanted:
        try:
            return socket.create_server((host, number), family=family, backlog=2048)
        except OSError as error:
            if number == wanted[-1]:
                hint = "choose another with --port, or --port 0 for a free one"
                raise UsageError(f"can't listen on {host}:{number}: {error.strerror}", hint) from None
    raise AssertionError("a port is always tried")
