"""How values of well-known libraries are shown, where their own conventions do not do. By top-level package and class
name, so that nothing is imported that the notebook did not."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

COLUMNS = 30  # of a data frame, where pandas' own option leaves it to the width of a terminal


def _bounds(value: Any) -> tuple[int | None, int | None]:
    """Rows and columns to show, by pandas' own options `display.max_rows`, `min_rows` and `max_columns`."""
    import pandas

    option = pandas.get_option
    most = 60 if option("display.max_rows") == 0 else option("display.max_rows")  # 0: as the terminal has
    if most is not None and len(value) > most:
        most = min(option("display.min_rows") or most, most) or 1
    columns = option("display.max_columns")
    return most, COLUMNS if columns == 0 else columns


def frame(value: Any) -> dict[str, Any]:
    """A pandas DataFrame: HTML and text, both cut in the middle."""
    rows, columns = _bounds(value)
    return {
        "text/plain": value.to_string(max_rows=rows, max_cols=columns, show_dimensions="truncate"),
        "text/html": value.to_html(max_rows=rows, max_cols=columns, show_dimensions=True, notebook=True),
    }


def series(value: Any) -> dict[str, Any]:
    """A pandas Series: its text, and a table of one column."""
    table = value.to_frame(value.name if value.name is not None else "")
    rows, _ = _bounds(value)
    cut = rows is not None and len(value) > rows
    return {
        "text/plain": value.to_string(max_rows=rows, dtype=True, name=value.name is not None, length=cut),
        "text/html": table.to_html(max_rows=rows, notebook=True),
    }


def pillow(value: Any) -> dict[str, Any]:
    """A PIL image as PNG."""
    import io

    target = io.BytesIO()
    image = value if value.mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16") else value.convert("RGB")
    image.save(target, "PNG")
    return {
        "text/plain": f"<{type(value).__name__} {value.mode} {value.width}×{value.height}>",
        "image/png": target.getvalue(),
    }


def plotly(value: Any) -> dict[str, Any]:
    """A plotly figure as its own MIME type."""
    return {"text/plain": _summary(value), "application/vnd.plotly.v1+json": value.to_plotly_json()}


def _summary(value: Any) -> str:
    traces = ", ".join(trace.type for trace in value.data)
    return f"<plotly {type(value).__name__}: {traces or 'empty'}>"


def altair(value: Any) -> dict[str, Any]:
    """An altair chart as Vega-Lite."""
    spec = value.to_dict()
    schema = str(spec.get("$schema", "")).rsplit("/", 1)[-1]  # v5.20.1.json
    major = schema.partition(".")[0] or "v5"
    return {"text/plain": f"<altair {type(value).__name__}>", f"application/vnd.vegalite.{major}+json": spec}


def figure(value: Any) -> dict[str, Any]:
    """A matplotlib figure as PNG."""
    from rnb.kernel.figures import render

    return render(value)


def arrow(value: Any) -> dict[str, Any]:
    """An Arrow table, as rows."""
    from rnb.kernel.rows import table

    return table(value)


def marimo_text(value: Any) -> dict[str, Any]:
    """What `mo.md` makes: its own HTML, and the Markdown that was written."""
    source = value._repr_markdown_()
    return {"text/plain": source, "text/markdown": source, "text/html": value.text}


def marimo_element(value: Any) -> dict[str, Any]:
    """A slider, a table, a form … of marimo: nobody can move it here, so its value is what counts."""
    return {"text/plain": f"{type(value).__name__}: {value.value!r}", "text/html": value.text}


RENDERERS: dict[str, dict[str, Callable[[Any], dict[str, Any]]]] = {
    "pandas": {"DataFrame": frame, "Series": series},
    "pyarrow": {"Table": arrow, "RecordBatch": arrow},
    "PIL": {"Image": pillow},
    "plotly": {"BaseFigure": plotly},
    "altair": {"TopLevelMixin": altair},
    "matplotlib": {"Figure": figure},
    "marimo": {"_md": marimo_text, "UIElement": marimo_element},
}
