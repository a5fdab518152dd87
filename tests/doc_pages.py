"""How the tests read a page of the documentation: as a list of steps, in the order in which a reader takes them.

A comment above a code block says what the block is:

    <!-- notebook: name.py -->    this file stands in the reader's folder (so does `<!-- file: name -->`)
    <!-- edit: name.py: old => new -->  and  <!-- ran: a, b -->    under `rnb watch`, this edit runs these cells
    <!-- fault: code -->          `rnb check` finds this fault, at the line marked `# here`
    <!-- fine -->                 `rnb check` finds nothing

A `console` block needs none: its commands are run, and what they print is compared. `...` stands for anything, and one time
is as good as another.
"""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "notebooks" / "data" / "README.md"]

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!-- (\w+)(?:: (.*?))?\s*-->")
_TIME = re.compile(r"\b\d+(\.\d+)? (ms|s|min|h)\b( \d\d (s|min)\b)?")


@dataclass(frozen=True)
class Step:
    """One code block: what its comments say (`marks`), and where it stands."""

    page: Path
    line: int
    language: str
    text: str
    marks: dict[str, str]

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def steps(page: Path) -> list[Step]:
    text = page.read_text()
    found, last = [], 0
    for block in _BLOCK.finditer(text):
        above, last = text[last : block.start()].rstrip("\n").split("\n\n")[-1], block.end()
        marks = dict(_COMMENT.findall(above))
        line = text.count("\n", 0, block.start()) + 1
        found.append(Step(page, line, block[1], block[2], marks))
    return found


def dialogue(console: str) -> list[tuple[str, str]]:
    """(command, what it prints) of a console block."""
    turns: list[tuple[str, str]] = []
    for line in console.splitlines():
        if line.startswith("$ "):
            turns.append((line[2:], ""))
        else:
            command, expected = turns.pop()
            turns.append((command, f"{expected}{line}\n"))
    return turns


def agrees(expected: str, got: str) -> bool:
    """Whether what was printed is what the page says, times and `...` aside. A busy machine may add which was slowest."""
    if "slowest:" not in expected:
        got = re.sub(r"^slowest: .*\n", "", got, flags=re.M)
    pattern = "".join(
        r"[\s\S]*" if part == "..." else re.escape(_TIME.sub("<time>", part))
        for part in re.split(r"(\.\.\.)", expected)
    )
    return re.fullmatch(pattern, _TIME.sub("<time>", got)) is not None


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def section(page: Path, title: str) -> str:
    """The text under `## title`."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", page.read_text(), re.M | re.S)
    assert found, f"{page.name} has no section {title}"
    return found[1]
