"""Names for cells, from their heading, else from what they define or do: `load_penguins`, `plot_bills`, `fit_model`."""

from __future__ import annotations

import ast
import builtins
import itertools
import keyword
import re
import unicodedata

from rnb.notebook.shape import last_name
from rnb.rewrite.split_model import Unit

_SMALL = frozenset([
    "a", "an", "the", "of", "in", "on", "to", "for", "and", "or", "is", "are", "it", "this", "that", "we", "our",
    "with", "by", "at", "from", "as", "be", "can", "let", "us", "now", "how",
])  # fmt: skip
_VERBS = (
    (
        "load",
        re.compile(r"\b(read_\w+|load\w*|open(?!\([^()]*, *[\"'][wax])|fetch_\w+|urlopen|genfromtxt|imread)\s*\("),
    ),
    ("fit", re.compile(r"\.(fit|fit_transform|train)\s*\(")),
)
_OTHER_VERB = {"load": "read", "fit": "train", "make": "build", "plot": "draw", "show": "print"}
_COMMENT = re.compile(r"#+\s*([A-Za-z][A-Za-z0-9 ,'&/()_-]{2,50}?)\s*[.:]?$")
_TALK = frozenset([
    "we", "i", "you", "it", "this", "these", "that", "now", "here", "if", "because", "so", "is", "are", "was",
    "may", "should", "note", "todo", "fixme",
])  # fmt: skip
_PLOT = re.compile(r"\b(plt|sns|ax|axes|axs|fig|px|go|alt)\b\.|\.(plot|hist|boxplot)\b")
_SAVE = re.compile(
    r"\.(to_csv|to_parquet|to_excel|to_json|to_pickle|savefig|dump|save|write_text|write_bytes|write)\s*\("
)
_PRINT = re.compile(r"\b(print|display|pprint)\s*\(|\.(head|describe|info|show)\s*\(")


def slug(text: str, words: int = 5) -> str:
    """Text as an identifier, "" where nothing is left: `2. Load the data` is `load_the_data`."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    plain = re.sub(r"`|\*|\[([^\]]*)\]\([^)]*\)", r"\1", plain)
    parts = re.findall(r"[a-z0-9]+", plain.lower().replace("'", ""))
    while parts and (parts[0].isdigit() or parts[0] in ("step", "part", "section", "chapter", "exercise")):
        parts.pop(0)
    if len(parts) > words:
        parts = [part for part in parts if part not in _SMALL] or parts
    name = "_".join(parts[:words])
    if not name or name[0].isdigit():
        return ""
    return name[:48].rstrip("_")


def title_of(doc: str) -> str:
    """The heading or the short first line of Markdown; "" for running text."""
    for line in doc.splitlines():
        line = line.strip()
        if line.startswith("#"):
            return line.strip("# ")
        if line:
            return line if len(line) <= 50 and not line.startswith(("-", "*", "!", "<", "|", ">")) else ""
    return ""


def wanted_name(units: list[Unit], shares: list[str], given: str, doc: str) -> str:
    """The best name for a cell, not yet made unique."""
    heading = units[0].heading if units else ""
    for text in (given, heading, title_of(doc)):
        name = slug(text)
        if name:
            return name
    name = slug(_said(units))
    if name:
        return name
    code = "\n".join(unit.text for unit in units)
    bound = list(shares) or _bound(units)
    if shares:
        return _made(units, shares)
    if _PLOT.search(code):
        return f"plot_{_subject(units, bound)}"
    if _SAVE.search(code):
        return f"save_{_subject(units, bound)}"
    if _PRINT.search(code):
        return f"show_{_subject(units, bound)}"
    verb = _called(units)
    return f"make_{_joined(bound)}" if bound else verb or "step"


def _said(units: list[Unit]) -> str:
    """The short comments that stand above its paragraphs: one over the whole cell, or two that tell it all."""
    above = [_comment(unit) for unit in units if unit.comments and (unit.gap or unit is units[0])]
    if not all(above) or not 0 < len(above) < 3:
        return ""
    if len(above) == 1:
        return above[0] if units[0].comments else ""
    both = "_and_".join(_without_small(slug(each)) for each in above)
    paragraphs = sum(unit.gap for unit in units[1:])
    return both if len(both) <= 40 and paragraphs <= 2 else ""


def _comment(unit: Unit) -> str:
    found = _COMMENT.match(unit.comments[0]) if len(unit.comments) == 1 else None
    parts = found[1].lower().split() if found else []
    return found[1] if found and len(parts) <= 6 and not _TALK & set(parts) else ""


def _without_small(name: str) -> str:
    return "_".join(part for part in name.split("_") if part not in _SMALL)


def _made(units: list[Unit], shares: list[str]) -> str:
    """What a cell that shares something does: what it loads or fits tells more than the rest."""
    for verb, pattern in _VERBS:
        for unit in units:
            if pattern.search(unit.text):
                made = [name for name in shares if re.sub(r"_(raw|\d+)$", "", name) in unit.binds | unit.changes]
                return f"{verb}_{_joined(made or shares)}"
    return f"make_{_joined(shares)}"


def is_loaded(unit: Unit) -> bool:
    """Whether a statement reads something in from outside."""
    return bool(_VERBS[0][1].search(unit.text))


def _joined(names: list[str]) -> str:
    clean = list(
        dict.fromkeys(re.sub(r"(_raw|_\d+)$", "", name.strip("_").lower()) for name in names if name.strip("_"))
    )
    if len(clean) > 2:
        return f"{clean[0]}_and_more" if len(clean) > 3 else "_".join(clean[:3])
    return "_and_".join(clean) or "values"


def _bound(units: list[Unit]) -> list[str]:
    return [name for unit in units for name in sorted(unit.binds) if not name.startswith(("_", "<"))]


def _subject(units: list[Unit], bound: list[str]) -> str:
    """What a cell that only shows something is about: a title in it, else the first value that it reads."""
    for unit in units:
        for node in ast.walk(unit.node):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("title", "set_title", "suptitle")
            ):
                text = node.args[0] if node.args else None
                if isinstance(text, ast.Constant) and isinstance(text.value, str) and slug(text.value, 3):
                    return slug(text.value, 3)
    if not any(
        unit.binds or any(not hasattr(builtins, each) for each in unit.reads) for unit in units
    ):  # it only says something: that is its name
        texts = [node.value for unit in units for node in ast.walk(unit.node) if isinstance(node, ast.Constant)]
        said = next((slug(text, 4) for text in texts if isinstance(text, str) and slug(text, 4)), "")
        if said:
            return said
    for unit, least in itertools.product(units, (3, 2)):
        for name in sorted(unit.reads, key=unit.text.find):
            if (
                len(name) >= least
                and not hasattr(builtins, name)
                and name not in bound
                and name not in _IMPORTS
                and not unit.is_def
            ):
                return slug(name) or "values"
    return _joined(bound[:2]) if bound else "results"


_IMPORTS = frozenset([
    "plt", "sns", "pd", "np", "pl", "nx", "alt", "json", "math", "random", "time", "sys", "itertools", "datetime",
    "matplotlib", "subprocess", "display", "os", "numpy", "pandas",
])  # fmt: skip


def _called(units: list[Unit]) -> str:
    """The name of the first function that is called."""
    for unit in units:
        for node in ast.walk(unit.node):
            if isinstance(node, ast.Call):
                name = last_name(node.func)
                if name == "run" and "subprocess" in ast.unparse(node.func):
                    return "run_command"
                if slug(name):
                    return f"run_{slug(name)}" if "_" not in name else slug(name)
    return ""


class CellNames:
    """Hands out cell names that clash with nothing."""

    def __init__(self, taken: set[str]) -> None:
        self.variables = frozenset(taken)
        self.taken = set(taken)

    def take(self, wanted: str) -> str:
        name = wanted if wanted.isidentifier() else slug(wanted) or "cell"
        if keyword.iskeyword(name) or keyword.issoftkeyword(name) or hasattr(builtins, name):
            name = f"{name}_cell"
        if name in self.variables:
            verb, _, rest = name.partition("_")
            name = f"{_OTHER_VERB[verb]}_{rest}" if verb in _OTHER_VERB and rest else f"make_{name}"
        base, number = name, 2
        while name in self.taken:
            name, number = f"{base}_{number}", number + 1
        self.taken.add(name)
        return name
