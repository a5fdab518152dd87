"""What the docs say of a code: the section of it in `errors.md` or `faults.md`, which a wheel carries along."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

from rnb.errors import UsageError

PAGES = ("faults", "errors")
PLACES = (Path(__file__).parents[1] / "pages", Path(__file__).parents[2] / "docs")  # of a wheel, of a clone


def sections() -> dict[str, str]:
    """Markdown by code, in the order of the pages; without marks for our tests and without links. Raises OSError."""
    found: dict[str, str] = {}
    for page in PAGES:
        place = next((place for place in PLACES if (place / f"{page}.md").exists()), PLACES[0])
        text = (place / f"{page}.md").read_text(encoding="utf-8")
        text = re.sub(r"<!--.*?-->\n", "", text)
        text = re.sub(r"\[([^\]]*)\]\([^)\s]*\)", r"\1", text)
        for part in re.split(r"^## ", text, flags=re.M)[1:]:
            code, _, body = part.partition("\n")
            found[code] = body.strip()
    return found


def gist(section: str) -> str:
    """Its first sentence, in one line."""
    text = re.sub(r"^Warning[^.]*\. ", "", " ".join(section.split()))
    return re.split(r"(?<=\.)\s", text, maxsplit=1)[0].rstrip(".")


def explain(code: str) -> str:
    """Raises UsageError for a code that does not exist, and OSError."""
    known = sections()
    if code not in known:
        near = difflib.get_close_matches(code, known, n=1)
        hint = f"did you mean `rnb explain {near[0]}`?" if near else "`rnb explain` lists them"
        raise UsageError(f"there is no code `{code}`", hint)
    return known[code]
