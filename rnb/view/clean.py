"""What of a notebook's text and HTML may stand in our own page: cleaned Markdown, and tables that are only tables.

Everything else goes into a sandboxed frame (`static/frame.html`). markdown-it-py and nh3 live here and nowhere else.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import nh3
from markdown_it import MarkdownIt

from rnb.view.math import formula, whole

SCHEMES = {"http", "https", "mailto"}
_WORDS = "p br hr h1 h2 h3 h4 h5 h6 strong em b i s u code pre kbd sub sup blockquote ul ol li dl dt dd a img"
_BOXES = "div span small del ins mark details summary figure figcaption abbr"
_TABLE = "table thead tbody tfoot tr th td caption colgroup col"
TAGS = set(f"{_WORDS} {_BOXES} {_TABLE}".split())
ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height"},
    "th": {"colspan", "rowspan", "scope", "align"},
    "td": {"colspan", "rowspan", "align"},
    "ol": {"start"},
    "abbr": {"title"},
    "table": {"class"},
}
LIVELY = re.compile(
    r"<\s*(?:script|iframe|object|embed|link|meta|base|form|input|button|select|textarea|svg|math|canvas|video|audio"
    r"|template|portal|frame|slot)\b|\son\w+\s*=|javascript:|\sstyle\s*=",
    re.I,
)
STYLE = re.compile(r"<style\b.*?</style\s*>", re.I | re.S)
HARMLESS = re.compile(r"""\sstyle\s*=\s*(["'])\s*(?:text-align:\s*\w+;?\s*|min-width:\s*\w+;?\s*)*\1""", re.I)
LARGEST = 2_000_000  # characters of HTML that we clean; more goes into a frame
PLACE = re.compile("\ue0f0([0-9a-f]{16})-(\\d+)\ue0f0")


def _reader() -> MarkdownIt:
    found = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable(["table", "strikethrough"])
    if find_spec("mdit_py_plugins") is not None:
        with_math(found)
    return found


def with_math(reader: MarkdownIt) -> None:
    """`$x$` and `$$x$$` become places, which the formulas take when all around them is clean."""
    from mdit_py_plugins.amsmath import amsmath_plugin
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    reader.use(dollarmath_plugin, allow_digits=False, allow_space=False, double_inline=True)
    reader.use(amsmath_plugin)
    inner = next(rule.fn for rule in reader.inline.ruler.__rules__ if rule.name == "math_inline")

    def no_code(state: Any, silent: bool) -> bool:
        """Dollars on both sides of a piece of code are money."""
        start = state.pos
        found = inner(state, True) and "`" not in state.src[start : state.pos]
        state.pos = start
        return bool(found and inner(state, silent))

    reader.inline.ruler.at("math_inline", no_code)
    for kind in ("math_inline", "math_inline_double", "math_block", "math_block_label", "amsmath"):
        display = kind != "math_inline"
        reader.add_render_rule(
            kind, lambda _self, tokens, at, _options, env, display=display: _place(env, tokens[at].content, display)
        )


def _place(env: Any, latex: str, display: bool) -> str:
    env["formulas"].append((latex, display))
    return f"\ue0f0{env['key']}-{len(env['formulas']) - 1}\ue0f0"


_markdown = _reader()


def _attribute(tag: str, name: str, value: str) -> str | None:
    if tag == "table" and name == "class":
        return "dataframe" if "dataframe" in value else None
    if tag == "img" and name == "src" and not value.startswith(("data:image/", "http://", "https://")):
        return None
    return value


def _clean(html: str) -> str:
    return nh3.clean(
        html,
        tags=TAGS,
        clean_content_tags={"script", "style", "iframe", "svg", "math", "template"},
        attributes=ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes=SCHEMES | {"data"},
        link_rel="noopener noreferrer nofollow",
    )


@lru_cache(maxsize=1024)
def markdown(text: str) -> str:
    """Markdown as HTML that is safe to stand in the page. Links lead to http, https and mailto only."""
    env: dict[str, Any] = {"key": os.urandom(8).hex(), "formulas": []}
    html = re.sub(r'(<a\b[^>]*\shref=")data:[^"]*', r"\1#", _clean(_markdown.render(text, env)))

    def put(found: re.Match[str]) -> str:
        return formula(*env["formulas"][int(found[2])]) if found[1] == env["key"] else ""

    return PLACE.sub(put, html)


def latex(text: str) -> str:
    """A `text/latex` output: one formula, or text with formulas in it."""
    one = whole(text)
    return f"<p>{formula(*one)}</p>" if one is not None else markdown(text)


@lru_cache(maxsize=256)
def table(html: str) -> str | None:
    """HTML that is a table and nothing that lives or looks different, cleaned; None for everything else."""
    if len(html) > LARGEST or "<table" not in html[:4000].lower():
        return None
    bare = HARMLESS.sub("", STYLE.sub("", html))
    if LIVELY.search(bare):
        return None
    return re.sub(r'(<a\b[^>]*\shref=")data:[^"]*', r"\1#", _clean(bare))
