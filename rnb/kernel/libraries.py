"""How values of well-known libraries are shown, where their own conventions do not do. By top-level package and class
name, so that nothing is imported that the notebook did not."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

ROWS, COLUMNS = 60, 30  # of a data frame


def frame(value: Any) -> dict[str, Any]:
    """A pandas DataFrame: HTML and text, both cut in the middle."""
    return {
        "text/plain": value.to_string(max_rows=ROWS, max_cols=COLUMNS, show_dimensions="truncate"),
        "text/html": value.to_html(max_rows=ROWS, max_cols=COLUMNS, show_dimensions=True, notebook=True),
    }


def series(value: Any) -> dict[str, Any]:
    """A pandas Series: its text, and a table of one column."""
    table = value.to_frame(value.name if value.name is not None else "")
    return {
        "text/plain": value.to_string(max_rows=ROWS, dtype=True, name=value.name is not None, length=len(value) > ROWS),
        "text/html": table.to_html(max_rows=ROWS, notebook=True),
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


RENDERERS: dict[str, dict[str, Callable[[Any], dict[str, Any]]]] = {
    "pandas": {"DataFrame": frame, "Series": series},
    "pyarrow": {"Table": arrow, "RecordBatch": arrow},
    "PIL": {"Image": pillow},
    "plotly": {"BaseFigure": plotly},
    "altair": {"TopLevelMixin": altair},
    "matplotlib": {"Figure": figure},
}
