"""The graph as SVG: one file, no script, legible in light and dark, names of cells and of what goes between them."""

from __future__ import annotations

import itertools
from html import escape

from rnb.notebook.layout import Page, lay_out
from rnb.notebook.model import Cell, Notebook

LETTER = 7.25  # width of a letter at 12 px, monospaced
LINE, PAD, GAP, BETWEEN, MARGIN, ASIDE = 16.0, 10.0, 28.0, 48.0, 20.0, 40.0
LONGEST = 34  # letters of a line

STYLE = """
svg{background:#fff;font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace}
.box{fill:#f6f8fa;stroke:#8c959f;stroke-width:1.2}
.sql .box{fill:#e8f4ff;stroke:#4c8dca}
.markdown .box{fill:#fffbe8;stroke:#c9b458}
.faulty .box{stroke:#cf222e;stroke-width:2}
.name{fill:#1f2328;font-weight:600}
.defs{fill:#57606a}
.set{fill:#8250df}
.edge{fill:none;stroke:#8c959f;stroke-width:1.3}
.cycle{stroke:#cf222e;stroke-dasharray:5 4}
.head{fill:#8c959f}
.label{fill:#57606a;font-size:11px;text-anchor:middle;stroke:#fff;stroke-width:4px;paint-order:stroke}
@media (prefers-color-scheme:dark){svg{background:#0d1117}.box{fill:#161b22;stroke:#6e7681}
.sql .box{fill:#0c2238;stroke:#3b7cba}.markdown .box{fill:#272115;stroke:#8a7a33}.name{fill:#e6edf3}.defs{fill:#9198a1}
.set{fill:#c297ff}.edge{stroke:#6e7681}.head{fill:#6e7681}.label{fill:#9198a1;stroke:#0d1117}.faulty .box,.cycle{stroke:#f85149}}
""".strip()


def svg(notebook: Notebook) -> str:
    """The drawing of a notebook's cells."""
    cells = {id: notebook.cell(id) for id in notebook.order}
    lines = {id: _lines(cell) for id, cell in cells.items()}
    widths = {id: max(len(text) for text, _ in each) * LETTER + 2 * PAD for id, each in lines.items()}
    edges = notebook.joined_edges()
    page = lay_out(widths, list(edges), GAP)
    tops = _tops(page, lines)
    height = tops[-1] - BETWEEN + MARGIN if page.layer else 2 * MARGIN
    beside = ASIDE if len(page.bends) < len(edges) else 0.0  # where the way back of a cycle goes
    out = [_head(notebook, page.width + beside + 2 * MARGIN, height)]
    out += [
        _edge(page, tops, lines, edge, names, cells)
        if edge in page.bends
        else _back(page, tops, lines, widths, edge, names)
        for edge, names in edges.items()
    ]
    out += [_box(page, tops, lines[id], widths[id], cell) for id, cell in cells.items()]
    return "\n".join([*out, "</svg>", ""])


def _head(notebook: Notebook, width: float, height: float) -> str:
    title = escape(notebook.title or notebook.path)
    arrow = '<marker id="to" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    arrow += '<path class="head" d="M0 0.5 8 4 0 7.5Z"/></marker>'
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>'
    return f"{head}\n<title>{title}</title>\n<style>\n{STYLE}\n</style>\n<defs>{arrow}</defs>"


def _lines(cell: Cell) -> list[tuple[str, str]]:
    """The lines in a cell's box: (text, class)."""
    lines = [(_short(cell.id), "name")]
    shared = [name for name in cell.defs if name != cell.id]
    if shared:
        lines.append((_short("→ " + ", ".join(shared)), "defs"))
    if cell.parameters:
        lines.append((_short(", ".join(f"{each.name}={each.default}" for each in cell.parameters)), "set"))
    return lines


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _height(lines: list[tuple[str, str]]) -> float:
    return len(lines) * LINE + PAD


def _tops(page: Page, lines: dict[str, list[tuple[str, str]]]) -> list[float]:
    """The top of each layer, and the one that would come next."""
    heights = [0.0] * (max(page.layer.values(), default=-1) + 1)
    for id, layer in page.layer.items():
        heights[layer] = max(heights[layer], _height(lines[id]))
    tops = [MARGIN]
    for height in heights:
        tops.append(tops[-1] + height + BETWEEN)
    return tops


def _box(page: Page, tops: list[float], lines: list[tuple[str, str]], width: float, cell: Cell) -> str:
    x, y = page.x[cell.id] + MARGIN, tops[page.layer[cell.id]]
    kind = escape(cell.kind) + (" faulty" if cell.faults else "")
    told = f"{cell.id}, line {cell.line}" + (f": {', '.join(cell.faults)}" if cell.faults else "")
    rect = f'<rect class="box" x="{x - width / 2:.1f}" y="{y:.1f}" width="{width:.1f}" height="{_height(lines):.1f}" rx="7"/>'
    texts = [
        f'<text class="{style}" x="{x - width / 2 + PAD:.1f}" y="{y + PAD / 2 + LINE * (number + 0.75):.1f}">{escape(text)}</text>'
        for number, (text, style) in enumerate(lines)
    ]
    return f'<g class="{kind}"><title>{escape(told)}</title>{rect}{"".join(texts)}</g>'


def _edge(
    page: Page,
    tops: list[float],
    lines: dict[str, list[tuple[str, str]]],
    edge: tuple[str, str],
    names: list[str],
    cells: dict[str, Cell],
) -> str:
    """A curve from the bottom of the owner to the top of the reader, round what lies between."""
    owner, reader = edge
    start = (page.x[owner] + MARGIN, tops[page.layer[owner]] + _height(lines[owner]))
    end = (page.x[reader] + MARGIN, tops[page.layer[reader]])
    points = [start]
    for x, layer in page.bends.get(edge, []):
        low = tops[layer + 1] - BETWEEN
        points += [(x + MARGIN, tops[layer]), (x + MARGIN, low)]
    points.append(end)
    path = f'<path class="edge" marker-end="url(#to)" d="{_curve(points)}">{_told(edge, names)}</path>'
    if len(cells[owner].defs) < 2 or len(names) == len(cells[owner].defs):
        return path
    x, y = (points[0][0] + points[1][0] * 2) / 3, (points[0][1] + points[1][1] * 2) / 3
    return path + f'<text class="label" x="{x:.1f}" y="{y:.1f}">{escape(_short(", ".join(names)))}</text>'


def _back(
    page: Page,
    tops: list[float],
    lines: dict[str, list[tuple[str, str]]],
    widths: dict[str, float],
    edge: tuple[str, str],
    names: list[str],
) -> str:
    """What closes a cycle: dashed, from side to side."""
    (x, y), (to_x, to_y) = (
        (page.x[id] + MARGIN + widths[id] / 2, tops[page.layer[id]] + _height(lines[id]) / 2) for id in edge
    )
    out = max(x, to_x) + ASIDE
    curve = f"M{x:.1f} {y:.1f} C{out:.1f} {y:.1f} {out:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"
    return f'<path class="edge cycle" marker-end="url(#to)" d="{curve}">{_told(edge, names)}</path>'


def _told(edge: tuple[str, str], names: list[str]) -> str:
    return "<title>" + escape(f"{edge[1]} reads {', '.join(names)} of {edge[0]}") + "</title>"


def _curve(points: list[tuple[float, float]]) -> str:
    """A path that leaves and reaches every point vertically."""
    parts = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x, y), (to_x, to_y) in itertools.pairwise(points):
        if x == to_x and to_y > y:
            parts.append(f"V{to_y:.1f}")
        else:
            reach = (to_y - y) / 2 if to_y > y else BETWEEN
            parts.append(f"C{x:.1f} {y + reach:.1f} {to_x:.1f} {to_y - reach:.1f} {to_x:.1f} {to_y:.1f}")
    return " ".join(parts)
