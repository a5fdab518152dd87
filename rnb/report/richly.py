"""What rich renders for the terminal: tables, Markdown, source lines. The one home of rich; text in, text out."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from rich import box
from rich.console import Console, RenderableType
from rich.markdown import Markdown
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

_NUMBER = re.compile(r"[-+−]?[\d,_]*\.?\d+(?:[eE][-+]?\d+)?%?|NaN|nan|inf|-inf|None|null|<NA>|")
_FRAME = re.compile(r'(?P<indent>[\s|]*)File "(?P<file>.+)", line (?P<line>\d+)(?P<rest>.*)')


def _render(what: RenderableType, columns: int) -> str:
    console = Console(force_terminal=True, width=columns, highlight=False)
    with console.capture() as captured:
        console.print(what)
    return captured.get().rstrip("\n")


def document(markdown: str, columns: int) -> str:
    return _render(Markdown(markdown), columns)


def table(html: str, columns: int) -> str | None:
    """An HTML table as the terminal shows it; None where it is no plain table, or wider than the screen."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    if not reader.plain or not reader.rows:
        return None
    head = reader.rows[: reader.heads] or [[]]
    drawn = _table(head, reader.rows[reader.heads :], reader.row_labels)
    console = Console(width=10_000)
    if console.measure(drawn).maximum > columns:
        return None
    text = _render(drawn, columns)
    return f"{text}\n\x1b[2m{reader.note}\x1b[0m" if reader.note else text


def _table(head: list[list[str]], rows: list[list[str]], labels: int) -> Table:
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, show_header=any(map(any, head)))
    for index in range(max(map(len, [*head, *rows]))):
        cells = [row[index] for row in rows if index < len(row)]
        names = [row[index] for row in head if index < len(row)]
        number = all(_NUMBER.fullmatch(cell) for cell in cells)
        drawn.add_column(
            Text("\n".join(name for name in names if name)),
            justify="right" if number else "left",
            style="dim" if index < labels else "",
            no_wrap=True,
        )
    for row in rows:
        drawn.add_row(*map(Text, row))
    return drawn


class _Reader(HTMLParser):
    """Rows of the one table of a document. What spans cells, nests or repeats is not plain."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.heads = 0  # rows of the head
        self.row_labels = 0  # columns of <th> in the body
        self.note = ""  # what stands beside the table: its shape
        self.plain = True
        self._tables = 0
        self._where = ""  # thead, tbody
        self._cell: list[str] | None = None
        self._skip = 0  # inside <style> or <script>

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._tables += 1
            self.plain = self.plain and self._tables == 1
        elif tag in ("thead", "tbody", "tfoot"):
            self._where = tag
        elif tag == "tr":
            self.rows.append([])
            self.heads += self._where == "thead"
        elif tag in ("td", "th") and self.rows:
            self.plain = self.plain and all(
                value in (None, "", "1") for name, value in attrs if name in ("colspan", "rowspan")
            )
            if tag == "th" and self._where != "thead":
                self.row_labels = max(self.row_labels, len(self.rows[-1]) + 1)
            self._cell = []
        elif tag in ("style", "script"):
            self._skip += 1

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th") and self._cell is not None and self.rows:
            self.rows[-1].append("".join(self._cell).strip())
            self._cell = None
        elif tag in ("style", "script"):
            self._skip -= 1

    def handle_data(self, data: str) -> None:
        if self._skip:
            return
        if self._cell is not None:
            self._cell.append(data)
        elif data.strip():
            self.note = f"{self.note} {data.strip()}".strip()


def traceback(text: str) -> str:
    """A traceback with its places in colour and its source lines highlighted."""
    lines = []
    syntax = Syntax("", "python", theme="ansi_dark", background_color="default")
    source = False  # the line after a frame is source
    for line in text.splitlines():
        frame = _FRAME.match(line)
        if frame:
            lines.append(
                f'{frame["indent"]}File \x1b[36m"{frame["file"]}"\x1b[0m, line \x1b[36m{frame["line"]}\x1b[0m{frame["rest"]}'
            )
        elif source and line.startswith("    "):
            lines.append("    " + _one_line(syntax.highlight(line[4:])))
        elif not line.startswith((" ", "Traceback")) and line:
            name, mark, message = line.partition(":")
            lines.append(f"\x1b[31;1m{name}\x1b[0m{mark}{message}")
        else:
            lines.append(line)
        source = bool(frame)
    return "\n".join(lines)


def _one_line(text: Text) -> str:
    text.rstrip()
    return _render(text, 100_000)
