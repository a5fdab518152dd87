"""Our HTML around the page's files: jinja2 lives here and nowhere else."""

from __future__ import annotations

import functools
import json
import re
from typing import Any

import jinja2
from markupsafe import Markup

from rnb.view import assets


@functools.cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("rnb.view"), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )


def _drawn(template: str, **parts: Any) -> str:
    return _environment().get_template(f"{template}.html").render(**parts)


def script_json(value: Any) -> Markup:
    """JSON that can stand in a `<script>`: no `<` ends it early."""
    return script_safe(json.dumps(value, ensure_ascii=False))


def script_safe(text: str) -> Markup:
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))


def live_page(title: str, config: dict[str, Any], first: bytes | None) -> str:
    """The page of a notebook, to be filled by its stream. `first`: messages that draw its first screen."""
    return _drawn(
        "page",
        title=title,
        config=script_json(config),
        import_map=Markup(assets.import_map()),
        css=assets.address("page.css"),
        main=assets.address("page.bundle.js"),
        state=config["base"] + "/state",
        first=script_safe(first.decode("utf-8", "replace")) if first is not None else None,
        static=None,
    )


def compare_page(**parts: Any) -> str:
    """The page of a sweep, which holds everything it needs."""
    return _drawn("compare", **parts)


def index_page(items: list[dict[str, Any]]) -> str:
    """The list of notebooks."""
    return _drawn(
        "index",
        items=items,
        import_map=Markup(assets.import_map()),
        css=assets.address("page.css"),
        module=assets.address("index.bundle.js"),
    )


def static_page(title: str, config: dict[str, Any], events: bytes, libraries: dict[str, str]) -> str:
    """A page that holds everything it needs."""
    script = re.sub(r"<(?=/script|!--|script)", r"\\x3c", assets.files()["page.bundle.js"].decode(), flags=re.I)
    return _drawn(
        "page",
        title=title,
        config=script_json(config),
        import_map=script_safe(assets.static_import_map()),
        css=None,
        main=None,
        state=None,
        first=None,
        static={
            "css": Markup(assets.files()["page.css"].decode()),
            "script": Markup(script),
            "events": script_safe(events.decode()),
            "frame": script_json(assets.files()["frame.html"].decode()),
            "libraries": script_json(libraries),
        },
    )
