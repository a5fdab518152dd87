"""LaTeX as MathML, which browsers draw themselves: no script, no font of ours. latex2mathml lives here and nowhere else.

The converter's tree is written out anew: only the tags and attributes below, all text escaped. So whatever the LaTeX
says, and whatever the converter makes of it, what comes out is a formula.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape, unescape
from importlib.util import find_spec
from xml.etree.ElementTree import Element

LONGEST = 8000  # characters of one formula
DEEPEST = 100  # tags in each other
_TAGS = (
    "math mrow mi mn mo mtext ms mspace msup msub msubsup mfrac msqrt mroot mover munder munderover "
    "mtable mtr mtd mstyle mpadded mphantom menclose mmultiscripts mprescripts none"
)
TAGS = frozenset(_TAGS.split())
_ATTRIBUTES = (
    "mathvariant stretchy fence form accent accentunder columnalign rowalign rowspacing "
    "columnspacing displaystyle linethickness lspace rspace minsize maxsize separator columnlines "
    "rowlines width height depth scriptlevel notation mathcolor largeop movablelimits symmetric "
    "columnspan rowspan"
)
ATTRIBUTES = frozenset(_ATTRIBUTES.split())
WHOLE = re.compile(r"(?s)\$\$(?P<a>.+)\$\$|\$(?P<b>[^$]+)\$|\\\[(?P<c>.+)\\\]|\\\((?P<d>.+)\\\)|(?P<e>\\begin\{.+)")


@lru_cache(maxsize=2048)
def formula(latex: str, display: bool) -> str:
    """LaTeX without its dollars as HTML: MathML, or its source where it can't be read."""
    latex = latex.strip()
    element = _converted(latex) if len(latex) <= LONGEST and find_spec("latex2mathml") is not None else None
    try:
        inner = None if element is None else "".join(_written(child, 0) for child in element)
    except RecursionError:
        inner = None
    if inner is None:
        return f'<code class="latex">{escape(latex)}</code>'
    how = ' display="block"' if display else ""
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML"{how} title="{escape(latex)}">{inner}</math>'


def _converted(latex: str) -> Element | None:
    from latex2mathml.converter import convert_to_element

    try:
        found: Element = convert_to_element(latex)
    except Exception:  # of many kinds, for LaTeX that it does not know: the source is shown
        return None
    return found


def _written(element: Element, depth: int) -> str:
    if depth > DEEPEST:
        raise RecursionError
    inner = escape(unescape(element.text or ""), quote=False) + "".join(_written(child, depth + 1) for child in element)
    tail = escape(unescape(element.tail or ""), quote=False)
    if element.tag not in TAGS:
        return inner + tail
    given = "".join(f' {name}="{escape(value)}"' for name, value in element.items() if name in ATTRIBUTES)
    return f"<{element.tag}{given}>{inner}</{element.tag}>{tail}"


def whole(text: str) -> tuple[str, bool] | None:
    """The LaTeX of a text that is one formula, and whether it stands on lines of its own; None for any other text."""
    found = WHOLE.fullmatch(text.strip())
    if found is None:
        return None
    return next(body for body in found.groups() if body), found["b"] is None and found["d"] is None
