"""`rnb sweep --html F`: one file that compares the points of a sweep: a table that sorts, and what cells showed, side by
side. No server, no network; foreign HTML stands in sandboxed frames, as on the page of a notebook.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from markupsafe import Markup

from rnb.host.outcome import Outcome, row
from rnb.host.paths import write_beside
from rnb.plan.panels import Output, Picture, Problem, Text
from rnb.view import assets
from rnb.view.dress import display_html
from rnb.view.render import compare_page
from rnb.view.shelf import peek_title

LARGEST = 40_000_000  # characters of outputs in the page; later points are in the table only
PICTURES = ("image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp")


class ComparePage:
    """Takes outcomes as they come and writes the page when it is closed."""

    def __init__(self, file: str, path: str, names: list[str], taken: list[str]) -> None:
        self.file, self.path, self.names, self.taken = file, path, names, taken
        self.rows: dict[int, dict[str, Any]] = {}
        self.shown: dict[str, dict[int, list[dict[str, str]]]] = {}  # cell -> place -> outputs
        self.points: dict[int, str] = {}
        self.size = self.left_out = 0

    def add(self, place: int, outcome: Outcome) -> None:
        self.rows[place] = row(outcome, self.names, [])
        self.points[place] = ", ".join(f"{name} = {text}" for name, text in outcome.point.items())
        made = {id: [piece(output) for output in outputs] for id, outputs in outcome.shown.items()}
        size = sum(len(each["body"]) for pieces in made.values() for each in pieces)
        if self.size + size > LARGEST:
            self.left_out += 1
            return
        self.size += size
        for id, pieces in made.items():
            self.shown.setdefault(id, {})[place] = pieces

    def _field(self, place: int, name: str) -> object:
        value = self.rows[place].get(name, "")
        return round(value, 3) if name == "seconds" else value  # the file of `-o` has them to the microsecond

    def close(self) -> None:
        write_beside(Path(self.file), self.page().encode("utf-8", "replace"))

    def page(self) -> str:
        places = sorted(self.rows)
        columns = list(dict.fromkeys(name for place in places for name in self.rows[place]))
        return compare_page(
            title=peek_title(self.path),
            path=os.path.basename(self.path),
            css=Markup(assets.files()["page.css"].decode()),
            names=self.names,
            columns=columns,
            texts={name for name in columns if any(not number(self.rows[place].get(name)) for place in places)},
            rows=[(place, [self._field(place, name) for name in columns]) for place in places],
            points=self.points,
            shown={id: sorted(by_place.items()) for id, by_place in self.shown.items()},
            left_out=self.left_out,
        )


def number(value: object) -> bool:
    """Whether it stands in the table as a number does: to the right. A point's values come as texts."""
    try:
        float(str(value))
    except ValueError:
        return value is None
    return True


def piece(output: Output) -> dict[str, str]:
    """One output: `kind` is text, error, picture (`body` is its address), html (clean) or frame (anything)."""
    if isinstance(output, Text):
        return {"kind": "text", "body": output.text}
    if isinstance(output, Problem):
        return {"kind": "error", "body": f"{output.name}: {output.message}"}
    return _picture(output)


def _picture(output: Picture) -> dict[str, str]:
    data = output.data
    for kind in PICTURES:
        content = data.get(kind)
        if isinstance(content, str):
            return {"kind": "picture", "body": _address(kind, content)}
    html = display_html(data)
    if html is not None:
        return {"kind": "html", "body": html}
    if isinstance(data.get("text/html"), str):
        return {"kind": "frame", "body": data["text/html"]}
    return {"kind": "text", "body": str(data.get("text/plain", ""))}


def _address(kind: str, content: str) -> str:
    if kind == "image/svg+xml":
        from urllib.parse import quote

        return f"data:{kind},{quote(content)}"
    return f"data:{kind};base64,{''.join(content.split())}"
