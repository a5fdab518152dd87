"""A `Diff` for people: plain text for terminals and `git diff`, Markdown for pull requests."""

from __future__ import annotations

from collections.abc import Iterable

from rnb.messages import Why
from rnb.rewrite.diff import CellDiff, Diff, ParameterDiff
from rnb.rewrite.diff_runs import Rerun

_WORDS = {
    "new": "new",
    "code": "its code",
    "setup": "{}",
    "ref": "{}",
    "parameter": "the parameter {}",
}


def text(diff: Diff) -> str:
    """All that differs, the cells first."""
    out = [_title(diff), _summary(diff)]
    for cell in diff.cells:
        if not cell.same:
            out += ["", f"{cell.kind}: {_names(cell)} (line {cell.line})", *_indented(cell)]
    for each in diff.setup:
        word = "added" if each.old is None else "removed" if each.new is None else "changed"
        out += [
            "",
            f"{word} at module level: {each.name} (line {each.new or each.old})",
            *(f"  {line}" for line in each.diff),
        ]
    out += _part("edges", _edges(diff))
    out += _part("parameters", [_parameter(each) for each in diff.parameters])
    out += _part(
        "faults", [*(f"+ {each}" for each in diff.faults_added), *(f"- {each}" for each in diff.faults_removed)]
    )
    out += _part("what would run again", _reruns(diff.reruns))
    return "\n".join([*out, ""])


def _title(diff: Diff) -> str:
    return diff.old if diff.old == diff.new else f"{diff.old} → {diff.new}"


def _summary(diff: Diff) -> str:
    counts: dict[str, int] = {}
    for cell in diff.cells:
        counts[cell.kind] = counts.get(cell.kind, 0) + 1
    same = counts.pop("same", 0)
    said = [f"{number} {kind}" for kind, number in counts.items()]
    cells = "cell" if len(diff.cells) == 1 else "cells"
    if not said:
        return f"{same} {cells}, all the same"
    return f"{len(diff.cells)} {cells}: {'; '.join([*said, f'{same} the same'] if same else said)}"


def _names(cell: CellDiff) -> str:
    return f"{cell.old} → {cell.new}" if cell.renamed else str(cell.new or cell.old)


def _indented(cell: CellDiff) -> list[str]:
    return [f"  {line}" for line in cell.diff]


def _part(title: str, lines: list[str]) -> list[str]:
    return ["", title, *(f"  {line}" for line in lines)] if lines else []


def _edges(diff: Diff) -> list[str]:
    lines = [f"+ {owner} → {reader} ({name})" for owner, reader, name in diff.edges_added]
    return lines + [f"- {owner} → {reader} ({name})" for owner, reader, name in diff.edges_removed]


def _parameter(each: ParameterDiff) -> str:
    if each.old is None or each.new is None:
        return f"+ {each.new}" if each.old is None else f"- {each.old}"
    return f"{each.old} → {each.new}"


def _reruns(cells: Iterable[Rerun]) -> list[str]:
    lines = []
    for each in cells:
        said = ", ".join(dict.fromkeys(_word(why) for why in each.why))
        lines.append(f"{each.cell}: {said}" if each.certain else f"{each.cell}, if {said} differs")
    return lines


def _word(why: Why) -> str:
    return _WORDS[why.kind].format(why.name or "module-level code")


# ---------------------------------------------------------------------------- Markdown


def markdown(diff: Diff) -> str:
    """For a pull request: the summary, a table of what would run again, the code folded away."""
    out = [f"### `{_title(diff)}`", "", _summary(diff), ""]
    for cell in diff.cells:
        if not cell.same:
            out += _folded(f"<code>{_html(_names(cell))}</code>: {cell.kind}", cell.diff)
    for each in diff.setup:
        out += _folded(f"module level: <code>{_html(each.name)}</code>", each.diff)
    for title, lines in (
        ("Edges", _edges(diff)),
        ("Parameters", [_parameter(each) for each in diff.parameters]),
        ("Faults", [*(f"+ {each}" for each in diff.faults_added), *(f"- {each}" for each in diff.faults_removed)]),
    ):
        if lines:
            out += [f"**{title}**", "", *_fence(lines), ""]
    if diff.reruns:
        out += ["| would run again | because of |", "| --- | --- |"]
        for rerun in diff.reruns:
            said = ", ".join(dict.fromkeys(_word(why) for why in rerun.why))
            out.append(f"| `{rerun.cell}` | {_cell(said)}{'' if rerun.certain else ', if it differs'} |")
        out.append("")
    return "\n".join(out)


def _folded(title: str, lines: list[str]) -> list[str]:
    if not lines:
        return [f"- {title}", ""]
    return ["<details>", f"<summary>{title}</summary>", "", *_fence(lines), "", "</details>", ""]


def _fence(lines: list[str]) -> list[str]:
    """A code block whose fence is longer than any in it."""
    ticks = "```"
    while any(ticks in line for line in lines):
        ticks += "`"
    return [f"{ticks}diff", *lines, ticks]


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
