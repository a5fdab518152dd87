"""The routes. All of them only read; each answers from the shelf of logs, from the history or from the assets."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from rnb.plan.panels import Text
from rnb.store.events import encode
from rnb.view import assets, frames, past
from rnb.view.first import first_screen
from rnb.view.frames import Asked, shown_frames
from rnb.view.guard import Access, Guard, Limits
from rnb.view.log import EPOCH
from rnb.view.render import index_page, live_page
from rnb.view.shelf import Item, Shelf
from rnb.view.stream import END, HEADERS, EventStream, disconnected, place, socket_events

FRAME_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' {origin}; "
    "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; media-src data: blob:; frame-ancestors 'self'"
)
KEEP = "public, max-age=31536000, immutable"
READERS = 2  # pages of tables that are read at once
SUMMARY_PAUSE = 0.3  # seconds between two lines of the list's stream


class View:
    """The routes over one shelf."""

    def __init__(self, shelf: Shelf, editor: str | None) -> None:
        self.shelf, self.editor = shelf, editor
        self.reading = asyncio.Semaphore(READERS)

    def routes(self) -> list[Any]:
        return [
            Route("/", self.index),
            Route("/stream", self.summaries),
            Route("/n/{id}", self.page),
            Route("/n/{id}/state", self.state),
            Route("/n/{id}/stream", self.stream),
            Route("/n/{id}/output/{cell}", self.output),
            Route("/n/{id}/frame/{name}", self.rows),
            Route("/n/{id}/runs", self.runs),
            Route("/n/{id}/runs/{run}", self.run),
            Route("/api/notebooks", self.notebooks),
            Route("/api/notebooks/{id}", self.notebook),
            Route("/api/notebooks/{id}/events", self.events),
            Route("/frame", self.frame),
            Route("/static/{name:path}", self.static),
            Route("/assets/{name}", self.library),
            Route("/healthz", self.health),
            WebSocketRoute("/ws", self.socket),
        ]

    def item(self, id: str) -> Item:
        if id not in self.shelf.items:
            raise HTTPException(404, "there is no such notebook")
        item = self.shelf.items[id]
        item.look()
        return item

    # ------------------------------------------------------------------ pages

    async def index(self, request: Request) -> Response:
        if len(self.shelf.items) == 1:
            return RedirectResponse(f"/n/{next(iter(self.shelf.items))}", 307)
        return HTMLResponse(index_page(self.overview()), headers={"cache-control": "no-cache"})

    async def page(self, request: Request) -> Response:
        item = self.item(request.path_params["id"])
        config = {
            "id": item.id,
            "base": f"/n/{item.id}",
            "path": item.path,
            "name": item.first_title,
            "file": os.path.abspath(item.path) if self.editor else "",
            "editor": self.editor or "",
            "several": len(self.shelf.items) > 1,
            "epoch": EPOCH,
        }
        title = item.log.state.title or item.first_title
        first = first_screen(item.log.state, item.log.dresser)
        return HTMLResponse(live_page(title, config, first), headers={"cache-control": "no-cache"})

    async def frame(self, request: Request) -> Response:
        """Where outputs live that bring their own HTML and script: a page without an origin and without a network."""
        origin = f"{request.url.scheme}://{request.headers['host']}"
        headers = {
            "content-security-policy": FRAME_POLICY.format(origin=origin),
            "x-frame-options": "SAMEORIGIN",
            "cache-control": "no-cache",
        }
        return HTMLResponse(assets.files()["frame.html"], headers=headers)

    # ------------------------------------------------------------------ streams

    async def stream(self, request: Request) -> ASGIApp:
        item = self.item(request.path_params["id"])
        last = request.headers.get("last-event-id", request.query_params.get("after"))
        return EventStream(item.log, page=True, last=last, epoch=request.query_params.get("epoch"))

    async def summaries(self, request: Request) -> ASGIApp:
        return SummaryStream(self)

    async def socket(self, socket: WebSocket) -> None:
        id = socket.query_params.get("notebook") or next(iter(self.shelf.items), "")
        if id not in self.shelf.items:
            await socket.close(1008, "there is no such notebook")
            return
        item = self.item(id)
        query = socket.query_params
        await socket_events(socket, item.log, query.get("after"), query.get("epoch"))

    # ------------------------------------------------------------------ data

    def overview(self) -> list[dict[str, Any]]:
        return [item.summary() for item in self.shelf.items.values()]

    async def notebooks(self, request: Request) -> Response:
        return JSONResponse({"notebooks": self.overview()}, headers={"cache-control": "no-cache"})

    async def notebook(self, request: Request) -> Response:
        """A snapshot: the same until something happens, so it can stand behind a cache."""
        item = self.item(request.path_params["id"])
        snapshot = item.log.snapshot(page=False)
        head = encode({**item.summary(), "epoch": EPOCH})[:-1]
        body = head + b',"events":' + snapshot.body.partition(b'"events":')[2]
        return _tagged(request, snapshot.seq, body)

    async def state(self, request: Request) -> Response:
        """The same for the page."""
        item = self.item(request.path_params["id"])
        snapshot = item.log.recent(page=True)
        return _tagged(request, snapshot.seq, snapshot.body)

    async def events(self, request: Request) -> ASGIApp:
        """What came after `?after=SEQ`, or a snapshot; as a stream where the client takes one."""
        item = self.item(request.path_params["id"])
        last = request.headers.get("last-event-id", request.query_params.get("after"))
        epoch = request.query_params.get("epoch")
        if "text/event-stream" in request.headers.get("accept", ""):
            return EventStream(item.log, page=False, last=last, epoch=epoch)
        log = item.log
        position = place(log, last, epoch)
        if position is None:
            body = log.snapshot(page=False).body
        else:
            found = b",".join(log.ring[i].data for i in range(position - log.first, len(log.ring)))
            body = encode({"epoch": EPOCH, "seq": log.seq})[:-1] + b',"events":[' + found + b"]}"
        return Response(body, media_type="application/json", headers={"cache-control": "no-cache"})

    async def output(self, request: Request) -> Response:
        """The whole text of a cell, also where the page shows a part."""
        panel = self.item(request.path_params["id"]).log.state.cells.get(request.path_params["cell"])
        if panel is None:
            raise HTTPException(404, "there is no such cell")
        text = "".join(part.text for part in panel.outputs if isinstance(part, Text))
        return Response(text.encode("utf-8", "replace"), media_type="text/plain; charset=utf-8")

    async def rows(self, request: Request) -> Response:
        """Some rows of a table that is shown, sorted if asked; read from its file, never from the kernel."""
        item, name = self.item(request.path_params["id"]), request.path_params["name"]
        told = next((frame for frame in shown_frames(item.log.state) if frame.name == name), None)
        if told is None:
            raise HTTPException(404, "this table is not shown any more")
        asked = Asked.of(request.query_params, told)
        async with self.reading:
            try:
                found = await asyncio.to_thread(frames.page, item.frames, told, asked)
            except frames.Unreadable as error:
                raise HTTPException(404, str(error)) from None
        return Response(encode(found), media_type="application/json", headers={"cache-control": "no-cache"})

    async def runs(self, request: Request) -> Response:
        item = self.item(request.path_params["id"])
        return JSONResponse(await asyncio.to_thread(past.runs, item.path), headers={"cache-control": "no-cache"})

    async def run(self, request: Request) -> Response:
        item = self.item(request.path_params["id"])
        body = await asyncio.to_thread(past.run, item.path, request.path_params["run"])
        if body is None:
            raise HTTPException(404, "there is no such run")
        return Response(body, media_type="application/json", headers={"cache-control": "no-cache"})

    # ------------------------------------------------------------------ files

    async def static(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in assets.files():
            raise HTTPException(404)
        headers = {
            "cache-control": KEEP if "v" in request.query_params else "no-cache",
            "etag": f'"{assets.version(name)}"',
        }
        return Response(assets.files()[name], media_type=assets.media_type(name), headers=headers)

    async def library(self, request: Request) -> Response:
        data = await asyncio.to_thread(assets.library, request.path_params["name"])
        if data is None:
            raise HTTPException(404)
        headers = {"cache-control": "public, max-age=86400", "cross-origin-resource-policy": "cross-origin"}
        return Response(data, media_type="text/javascript; charset=utf-8", headers=headers)

    async def health(self, request: Request) -> Response:
        return Response("ok\n", media_type="text/plain")


def _tagged(request: Request, seq: int, body: bytes) -> Response:
    """A snapshot under a tag that changes with every event."""
    tag = f'"{EPOCH}-{seq}"'
    headers = {"etag": tag, "cache-control": "no-cache"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


class SummaryStream:
    """The list of notebooks as it changes."""

    def __init__(self, view: View) -> None:
        self.view = view

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        gone = asyncio.ensure_future(disconnected(receive))
        try:
            while not gone.done() and not self.view.shelf.over:
                data = encode({"notebooks": self.view.overview()})
                await send({"type": "http.response.body", "body": b"data: " + data + b"\n\n", "more_body": True})
                changed = self.view.shelf.changed
                changed.clear()
                waiting = asyncio.ensure_future(changed.wait())
                await asyncio.wait({gone, waiting}, timeout=15, return_when=asyncio.FIRST_COMPLETED)
                waiting.cancel()
                await asyncio.wait({gone}, timeout=SUMMARY_PAUSE)
        finally:
            here = gone.cancel()
        if here:
            await send(END)


def application(shelf: Shelf, access: Access, editor: str | None, limits: Limits | None = None) -> ASGIApp:
    """The whole server as ASGI: the routes behind the guard."""
    routes = View(shelf, editor).routes()
    return Guard(Starlette(routes=routes), access, assets.import_map_source(), limits)
