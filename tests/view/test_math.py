"""LaTeX becomes MathML and nothing else: in Markdown, in outputs, and when it is hostile."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

pytest.importorskip("latex2mathml")
pytest.importorskip("mdit_py_plugins")

from rnb.view.clean import latex, markdown
from rnb.view.math import ATTRIBUTES, TAGS, formula


@pytest.mark.parametrize(
    ("text", "formulas", "stays"),
    [
        (r"Euler: $e^{i\pi} + 1 = 0$.", 1, "Euler:"),
        ("$$\n\\frac{1}{2}\n$$", 1, ""),
        ("\\begin{align} a &= b \\end{align}", 1, ""),
        ("It costs $5 and then $6.", 0, "It costs $5 and then $6."),
        (r"\$x\$ is money", 0, "$x$ is money"),
        ("`$x$` is code", 0, "<code>$x$</code>"),
        ("$6, and `$x$`", 0, "$6, and"),
        ("a $$x$$ b", 1, "a"),
    ],
)
def test_dollars_in_markdown(text: str, formulas: int, stays: str) -> None:
    html = markdown(text)
    assert html.count("<math ") == formulas and stays in html


@pytest.mark.parametrize(
    ("text", "block"),
    [
        (r"$\displaystyle x^2$", False),
        ("$$x$$", True),
        (r"\[x\]", True),
        (r"\(x\)", False),
        (r"\begin{cases}x\end{cases}", True),
    ],
)
def test_outputs(text: str, block: bool) -> None:
    assert latex(text).count("<math ") == 1 and ('display="block"' in latex(text)) == block


def test_text_with_formulas_is_text() -> None:
    assert latex("so $x$ it <b>is</b>").startswith("<p>so <math ")


def test_what_cant_be_read_is_shown_as_its_source() -> None:
    assert formula("{" * 3000, False) == '<code class="latex">' + "{" * 3000 + "</code>"
    assert formula("x" * 10_000, False).startswith('<code class="latex">')
    assert formula(r"\frac", False).startswith(("<math", "<code"))


@given(st.text(alphabet=r"\{}$&<>\"'=/ \nabfrctexhij_^|`[]()#%~", max_size=80))
@example(r"\href{javascript:alert(1)}{x}")
@example(r"\style{background:url(x)}{x}")
@example(r"\text{</mtext><img src=x onerror=alert(1)>}")
@example(r"\class{x\" onclick=\"y}{z}")
@example("\ue0f00000000000000000-0\ue0f0")
def test_nothing_but_a_formula_comes_out(text: str) -> None:
    html = formula(text, True)
    for tag, given_ in re.findall(r"<(\w[\w-]*)((?:\s[^>]*)?)>", html):
        assert tag in TAGS | {"code"}, html
        names = set(re.findall(r'\s([\w:-]+)="', re.sub(r'="[^"]*"', '=""', given_)))
        assert names <= ATTRIBUTES | {"xmlns", "title", "display", "class"}, html
    assert "<script" not in html and "<img" not in html
    markdown(f"a ${text}$ b")
