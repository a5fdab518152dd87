"""Who may look, and how often: everything that is checked before a request reaches a route.

In order: size and method, Host and Origin (DNS rebinding), rate, then the token or the JWT. The answers say what is
wrong and nothing else. Libraries and the frame for outputs are public: they hold nothing of a notebook.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import sys
import time
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode

import msgspec
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rnb.errors import HTTP_CODES
from rnb.view.jwt import Keys

PUBLIC = ("/static/", "/assets/")
POLICY = (
    "default-src 'none'; script-src 'self' {import_map}; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; frame-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Limits(msgspec.Struct, frozen=True):
    """Bounds for all clients together and for each address."""

    headers: int = 100
    target: int = 8192  # bytes of path and query
    burst: float = 3000  # requests at once, per address
    rate: float = 300  # requests a second after that
    streams: int = 4096  # open streams
    streams_each: int = 2048  # … of one address
    clients: int = 10_000  # addresses that are remembered


class Access(msgspec.Struct):
    """Who may look. Without token and keys: everyone who reaches us."""

    names: frozenset[str]  # host names that are ours, besides IP addresses
    token: str | None = None
    keys: Keys | None = None
    cookie: str = "rnb"


class Guard:
    """The outermost ASGI layer."""

    def __init__(self, app: ASGIApp, access: Access, import_map: str, limits: Limits | None = None) -> None:
        self.app, self.access, self.limits = app, access, limits or Limits()
        self.buckets: dict[str, tuple[float, float]] = {}  # address -> (what is left, when)
        self.open: dict[str, int] = {}
        self.policy = POLICY.format(import_map=import_map).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._answer(scope, receive, send)
        except Exception as error:  # the viewer has had the answer 500 already
            from rnb.host.internal import in_passing

            in_passing(error)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        refused = self._refusal(scope) or await self._stranger(scope)
        if refused is not None:
            await self._refuse(refused, scope, receive, send)
            return
        client = _client(scope)
        stream = scope["type"] == "websocket" or scope["path"].endswith("/stream") or scope["path"].endswith("/events")
        if not stream:
            await self.app(scope, receive, self._hardened(scope, send))
            return
        if self.open.get(client, 0) >= self.limits.streams_each or sum(self.open.values()) >= self.limits.streams:
            await self._refuse(_plain(503, "too many open streams"), scope, receive, send)
            return
        self.open[client] = self.open.get(client, 0) + 1
        try:
            await self.app(scope, receive, self._hardened(scope, send))
        finally:
            self.open[client] -= 1
            if not self.open[client]:
                del self.open[client]

    async def _refuse(self, response: Response, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await response(scope, receive, self._hardened(scope, send))

    # ------------------------------------------------------------------ what can be said without knowing who it is

    def _refusal(self, scope: Scope) -> Response | None:
        limits, headers = self.limits, Headers(scope=scope)
        if len(scope["headers"]) > limits.headers:
            return _plain(431, "too many headers")
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > limits.target:
            return _plain(414, "the address is too long")
        if scope["type"] == "http":
            if scope["method"] not in ("GET", "HEAD"):
                return _plain(405, "this server is read-only", {"allow": "GET, HEAD"})
            if headers.get("content-length", "0").strip() != "0" or "transfer-encoding" in headers:
                return _plain(413, "a request here has no body")
        if not self._is_ours(headers.getlist("host")):
            return _plain(421, "this host name is not served here (see --name)")
        if not _same_origin(headers, scope["path"]):
            return _plain(403, "another site may not read this")
        if not self._within_rate(_client(scope)):
            return _plain(429, "too many requests", {"retry-after": "1"})
        return None

    def _is_ours(self, hosts: list[str]) -> bool:
        if len(hosts) != 1:
            return False
        name = _host_name(hosts[0])
        return name is not None and (name in self.access.names or _is_address(name))

    def _within_rate(self, client: str) -> bool:
        now = time.monotonic()
        left, then = self.buckets.pop(client, (self.limits.burst, now))
        left = min(self.limits.burst, left + (now - then) * self.limits.rate)
        if len(self.buckets) >= self.limits.clients:
            self.buckets.pop(next(iter(self.buckets)))
        self.buckets[client] = (max(0.0, left - 1), now)  # last used stands last
        return left >= 1

    # ------------------------------------------------------------------ who it is

    async def _stranger(self, scope: Scope) -> Response | None:
        """None for someone who may look; else the answer."""
        access = self.access
        if (access.token is None and access.keys is None) or scope["path"].startswith(PUBLIC):
            return None
        headers, query = (
            Headers(scope=scope),
            parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True),
        )
        given = [value for name, value in query if name == "token"]
        if access.token is not None:
            bearer = headers.get("authorization", "").partition(" ")[2]
            if _same(_cookie(headers, access.cookie), pass_of(access.token)) or _same(bearer, access.token):
                return None
            if any(_same(value, access.token) for value in given):
                return self._let_in(scope, query) if scope["type"] == "http" else None
        if access.keys is not None and await asyncio.to_thread(access.keys.accept, headers):
            return None
        return _plain(401, "a token is needed: open the address that rnb printed", {"www-authenticate": "Bearer"})

    def _let_in(self, scope: Scope, query: list[tuple[str, str]]) -> Response:
        """The token goes from the address into a cookie that no script can read."""
        rest = urlencode([(name, value) for name, value in query if name != "token"])
        path = "/" + scope["path"].lstrip("/\\")
        response = RedirectResponse(path + (f"?{rest}" if rest else ""), 303)
        assert self.access.token is not None
        secure = scope["scheme"] == "https"
        response.set_cookie(
            self.access.cookie, pass_of(self.access.token), httponly=True, samesite="lax", secure=secure
        )
        return response

    # ------------------------------------------------------------------ what every answer says

    def _hardened(self, scope: Scope, send: Send) -> Send:
        async def hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", []))
                present = {name.lower() for name, _ in headers}
                headers += [(name, value) for name, value in self._headers() if name not in present]
                code = HTTP_CODES.get(message["status"])
                if "rnb.host.logs" in sys.modules:
                    _log(scope, message["status"], code)
                headers += [(b"rnb-error", code.encode())] if code else []
                message = {**message, "headers": headers}
            await send(message)

        return hardened

    def _headers(self) -> list[tuple[bytes, bytes]]:
        return [
            (b"content-security-policy", self.policy),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"x-frame-options", b"DENY"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"cross-origin-resource-policy", b"same-origin"),
            (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
        ]


def _plain(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    return PlainTextResponse(text + "\n", status, headers={"cache-control": "no-store", **(headers or {})})


def _log(scope: Scope, status: int, code: str | None) -> None:
    from rnb.host.logs import log

    level = "warning" if code else "info"
    log("request", level=level, process="server", path=scope["path"], status=status, code=code, client=_client(scope))


def _client(scope: Scope) -> str:
    return str(scope["client"][0]) if scope.get("client") else ""


def _same_origin(headers: Headers, path: str) -> bool:
    """A page of ours asks, or a program, or somebody follows a link; the frames of outputs ask for libraries only."""
    origin = headers.get("origin")
    if path.startswith(PUBLIC):
        return True
    if origin is not None:
        return origin.partition("://")[2].lower() == headers["host"].lower()
    foreign = headers.get("sec-fetch-site") in ("cross-site", "same-site")
    return not foreign or headers.get("sec-fetch-mode") == "navigate"


def _host_name(host: str) -> str | None:
    """`name`, `name:port`, `[::1]:port` without the port; None for what is none of these."""
    name, colon, port = host.rpartition(":")
    if host.startswith("["):
        name, bracket, rest = host[1:].partition("]")
        return name if bracket and (not rest or (rest[0] == ":" and rest[1:].isdigit())) else None
    if not colon:
        return host.lower().rstrip(".") or None
    return name.lower().rstrip(".") if port.isdigit() and ":" not in name and name else None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _same(given: str | None, token: str) -> bool:
    return given is not None and hmac.compare_digest(given.encode(), token.encode())


def pass_of(token: str) -> str:
    """What the cookie says: it proves the token and does not tell it."""
    return hashlib.sha256(b"rnb view " + token.encode()).hexdigest()


def _cookie(headers: Headers, name: str) -> str | None:
    try:
        cookies: SimpleCookie = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return None
    return cookies[name].value if name in cookies else None
