"""The page's files, read once: what is not in the table can't be asked for, so no path leads out of it.

The same table serves a live page (by address, with the content's hash, so that browsers may keep it for ever) and a
static one (by `data:` addresses in the import map): one page, two ways of delivering it.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import importlib.util
import json
from pathlib import Path

from rnb.view.bundle import bundle

HERE = Path(__file__).parent / "static"
BUNDLES = {"page.js": "page.bundle.js", "index.js": "index.bundle.js"}
LATER = "vendor/dagre.js"  # fetched when it is used
TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}


@functools.cache
def files() -> dict[str, bytes]:
    """Every file of the page by its name below `static/`."""
    places = sorted(path for path in HERE.rglob("*") if path.suffix in TYPES)
    found = {path.relative_to(HERE).as_posix(): path.read_bytes() for path in places}
    return found | {whole: bundle(found, main) for main, whole in BUNDLES.items()}


def media_type(name: str) -> str:
    return TYPES[Path(name).suffix] + "; charset=utf-8"


@functools.cache
def version(name: str) -> str:
    return hashlib.sha256(files()[name]).hexdigest()[:12]


def address(name: str) -> str:
    return f"/static/{name}?v={version(name)}"


@functools.cache
def import_map() -> str:
    """What a live page loads later."""
    return json.dumps({"imports": {f"rnb/{LATER}": address(LATER)}})


def import_map_source() -> str:
    """How a content security policy allows the import map and no other inline script."""
    digest = base64.b64encode(hashlib.sha256(import_map().encode()).digest()).decode()
    return f"'sha256-{digest}'"


@functools.cache
def static_import_map() -> str:
    """The same for a page without a server."""
    data = "data:text/javascript;base64," + base64.b64encode(files()[LATER]).decode()
    return json.dumps({"imports": {f"rnb/{LATER}": data}})


@functools.cache
def library(name: str) -> bytes | None:
    """A library that an installed Python package ships for its own figures; None if that package is not here."""
    if name == "plotly.js":
        found = importlib.util.find_spec("plotly")
        if found is None or not found.submodule_search_locations:
            return None
        path = Path(found.submodule_search_locations[0]) / "package_data" / "plotly.min.js"
        return path.read_bytes() if path.exists() else None
    if name == "vega.js" and importlib.util.find_spec("vl_convert") is not None:
        bundle = importlib.import_module("vl_convert").javascript_bundle("window.vegaEmbed = vegaEmbed;")
        return str(bundle).encode()
    return None
