"""An Arrow table as text and HTML: its first and last rows, its types, its size."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ROWS, COLUMNS, WIDTH = 60, 30, 60  # shown of a table; characters of a value in text


def table(value: Any) -> dict[str, Any]:
    """The bundle of a pyarrow Table or RecordBatch."""
    shown = min(value.num_columns, COLUMNS)
    names = [str(name) for name in value.schema.names[:shown]]
    types = [str(field.type) for field in value.schema][:shown]
    cut = value.num_rows > ROWS
    parts = [value.slice(0, ROWS // 2), value.slice(value.num_rows - ROWS // 2)] if cut else [value]
    rows = [[[_text(part.column(n)[row]) for n in range(shown)] for row in range(part.num_rows)] for part in parts]
    size = f"{value.num_rows} rows x {value.num_columns} columns"
    return {"text/plain": _plain(names, types, rows, size), "text/html": _html(names, types, rows, size)}


def _text(scalar: Any) -> str:
    found = scalar.as_py()
    return "null" if found is None else found if type(found) is str else str(found)


def _plain(names: list[str], types: list[str], parts: list[list[list[str]]], size: str) -> str:
    lines = [names, types, *(row for part in parts for row in part)]
    lines = [[_short(text) for text in line] for line in lines]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    told = ["  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True)) for line in lines]
    if len(parts) > 1:
        told.insert(2 + len(parts[0]), "…")
    return "\n".join([*told, "", f"[{size}]"])


def _short(text: str) -> str:
    text = text.replace("\n", "\\n")
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"


def _html(names: list[str], types: list[str], parts: list[list[list[str]]], size: str) -> str:
    from html import escape

    def line(tag: str, texts: list[str]) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(text)}</{tag}>" for text in texts) + "</tr>"

    gap = line("td", ["…"] * len(names))
    body = gap.join("".join(line("td", row) for row in part) for part in parts)
    head = line("th", names) + line("td", types)
    return (
        f'<table border="1" class="dataframe"><thead>{head}</thead><tbody>{body}</tbody></table><p>{escape(size)}</p>'
    )
