"""Percent scripts (`# %%`, of jupytext, VS Code, Spyder and sphinx-gallery) as linear code, and back."""

from __future__ import annotations

import re

from rnb.rewrite.flatten import CODE, Flat
from rnb.rewrite.magics import plain
from rnb.rewrite.split_model import Block, Linear
from rnb.rewrite.split_text import commented
from rnb.rewrite.sql_magics import Session

MARK = re.compile(r"^# ?%%(?!%)(.*)$", re.MULTILINE)
_TAG = re.compile(r"\[(\w+)\]")
_HEADER = re.compile(r"\A((?:#!.*\n)?(?:#.*coding[:=].*\n)?)(# ---\n(?:#.*\n)*?# ---\n)?")


def is_percent(text: str) -> bool:
    return MARK.search(text) is not None


def linear_of(text: str) -> Linear:
    """The cells of a percent script."""
    linear = Linear([], whole=True)
    found = _HEADER.match(text)
    assert found is not None
    linear.header = "\n".join(line for line in found[1].splitlines() if "coding" not in line)
    body = text[found.end() :]
    marks = list(MARK.finditer(body))
    ends = [*(mark.start() for mark in marks[1:]), len(body)][: len(marks)]
    before = body[: marks[0].start()] if marks else body
    if before.strip():
        _first(linear, before)
    waiting: list[Block] = []
    session = Session()
    session.learn(before)
    for mark, end in zip(marks, ends, strict=True):
        _cell(linear, waiting, mark[1], body[mark.end() : end].strip("\n"), session)
    linear.blocks += waiting
    session.settle(linear.blocks, linear.notes)
    first = linear.blocks[0] if linear.blocks else None
    if not linear.doc and first is not None and first.doc and (first.code.strip() or not first.name):
        linear.doc, linear.blocks[0].doc = linear.blocks[0].doc, ""
        if not linear.blocks[0].code.strip():
            linear.blocks.pop(0)
    if not linear.blocks:
        linear.blocks.append(Block(""))
    return linear


def _first(linear: Linear, text: str) -> None:
    """What stands before the first mark: a docstring and code."""
    from rnb.rewrite.split_main import head

    header, doc, code = head(text)
    linear.header = "\n".join(filter(None, [linear.header, header]))
    linear.doc = doc
    if code.strip():
        linear.blocks.append(Block(code, shows=True))


def _cell(linear: Linear, waiting: list[Block], title: str, text: str, session: Session) -> None:
    tag = _TAG.search(title)
    kind = tag[1].lower() if tag else ""
    name = re.sub(r"\s*\w+=(\"[^\"]*\"|\[[^\]]*\]|\S+)", "", _TAG.sub("", title)).strip().strip("%").strip()
    if kind in ("markdown", "md", "raw"):
        doc = _uncomment(text)
        if doc:
            waiting.append(Block("", doc=doc, name=name))
        return
    made = plain("\n".join(line[2:] if re.match(r"# [%!]\w", line) else line for line in text.split("\n")), session)
    linear.notes += made.notes
    prose, code = _leading_prose(made.code)
    if made.imports:
        linear.blocks.insert(0, Block("\n".join(f"import {each}" for each in sorted(made.imports))))
    doc = made.doc or prose
    if not code.strip():
        if doc:
            waiting.append(Block("", doc=doc, name=name))
        return
    if not doc and waiting and not waiting[-1].name:
        doc = waiting.pop().doc
    linear.blocks += waiting
    waiting.clear()
    given = name if name.isidentifier() else ""
    if name and not given:
        doc = f"## {name}\n\n{doc}".strip() if doc else f"## {name}"
    linear.blocks.append(Block(code, doc=doc, name=given, shows=True, parameters="parameters" in title))


def _leading_prose(code: str) -> tuple[str, str]:
    """A comment block right below the mark, apart from the code by a blank line: sphinx-gallery's text."""
    lines = code.strip("\n").split("\n")
    stop = 0
    while stop < len(lines) and lines[stop].startswith("#"):
        stop += 1
    if stop and (stop == len(lines) or not lines[stop].strip()):
        return _uncomment("\n".join(lines[:stop])), "\n".join(lines[stop:])
    return "", code


def _uncomment(text: str) -> str:
    if re.match(r'\s*r?"""', text) and text.rstrip().endswith('"""'):
        return re.sub(r'^\s*r?"""\n?|\n?"""\s*$', "", text)
    return "\n".join(re.sub(r"^# ?", "", line) for line in text.split("\n")).strip("\n")


def to_percent(flat: Flat) -> str:
    """The notebook as a percent script."""
    out = []
    if flat.header:
        out.append(flat.header.rstrip() + "\n")
    if flat.doc:
        out.append(_markdown(flat.doc))
    for piece in flat.pieces:
        if piece.kind == CODE:
            if piece.doc:
                out.append(_markdown(piece.doc))
            tags = ' tags=["parameters"]' if piece.parameters else ""
            out.append(f"# %%{' ' + piece.name if piece.name else ''}{tags}\n{piece.code.rstrip()}\n")
        else:
            out.append(_markdown(piece.doc, piece.name))
    return "\n".join(out)


def _markdown(doc: str, name: str = "") -> str:
    return f"# %% {name + ' ' if name else ''}[markdown]\n{commented(doc)}\n"
