"""What the docs say of a code: its page in `faults/` or `errors/`, which a wheel carries along."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

from rnb.errors import UsageError

LISTS = ("faults", "errors")
PLACES = (Path(__file__).parents[1] / "pages", Path(__file__).parents[2] / "docs")  # of a wheel, of a clone


def pages() -> dict[str, str]:
    """Markdown by code, in the order of the lists; without title, links and marks for our tests. Raises OSError."""
    place = next((place for place in PLACES if (place / f"{LISTS[0]}.md").exists()), PLACES[0])
    found: dict[str, str] = {}
    for name in LISTS:
        for code in re.findall(rf"\]\({name}/(.+?)\.md\)", (place / f"{name}.md").read_text(encoding="utf-8")):
            found[code] = _plain((place / name / f"{code}.md").read_text(encoding="utf-8"))
    return found


def _plain(page: str) -> str:
    body = re.sub(r"<!--.*?-->\n", "", page.partition("\n")[2])
    return re.sub(r"\[([^\]]*)\]\([^)\s]*\)", r"\1", body).strip()


def gist(page: str) -> str:
    """Its first sentence, in one line."""
    return re.split(r"\.\s", " ".join(page.split()), maxsplit=1)[0].rstrip(".")


def explain(code: str) -> str:
    """Raises UsageError for a code that does not exist, and OSError."""
    known = pages()
    if code not in known:
        near = difflib.get_close_matches(code, known, n=1)
        hint = f"did you mean `rnb explain {near[0]}`?" if near else "`rnb explain` lists them"
        raise UsageError(f"there is no code `{code}`", hint)
    return known[code]
