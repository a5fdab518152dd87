"""A `Diff` for people: plain text for terminals and `git diff`, Markdown for pull requests."""

from __future__ import annotations

from collections.abc import Iterable

from rnb.messages import Why
from rnb.rewrite.diff import CellDiff, Diff, ParameterDiff
from rnb.rewrite.diff_outputs import WIDTH, OutputDiff, OutputsDiff, side_by_side
from rnb.rewrite.diff_runs import Rerun

_WORDS = {
    "new": "new",
    "code": "its code",
    "setup": "{}",
    "ref": "{}",
    "parameter": "the parameter {}",
}


def text(diff: Diff, width: int = WIDTH) -> str:
    """All that differs, the cells first, the outputs last, in two columns within `width` characters."""
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
    out += _outputs(diff, width)
    return "\n".join([*out, ""])


def _outputs(diff: Diff, width: int) -> list[str]:
    found = diff.outputs
    if found is None or found.old is None or found.new is None:
        return ["", f"outputs: {_not_run(diff, found)}"] if found is not None else []
    out = ["", f"outputs: {_said(found)}"]
    for each in found.cells:
        out += [f"  {each.name}", *(f"    {line}" for line in side_by_side(each, width - 4))]
    return out


def _not_run(diff: Diff, found: OutputsDiff) -> str:
    which = diff.old if found.old is None else diff.new
    if diff.old == diff.new:
        which = f"the {'old' if found.old is None else 'new'} text of {which}"
    return f"not compared: the history has no run of {which}"


def _said(found: OutputsDiff) -> str:
    """How many differ, and of which runs."""
    number = len(found.cells)
    told = "no cell showed anything else" if not number else f"{number} cell{'s' * (number > 1)} showed something else"
    runs = [
        f"{run}{' with ' + ', '.join(given) if given else ''}"
        for run, given in ((found.old, found.given_old), (found.new, found.given_new))
    ]
    return f"{told} (run {runs[0]} | run {runs[1]})"


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
    if diff.outputs is not None:
        out += _markdown_outputs(diff, diff.outputs)
    return "\n".join(out)


def _markdown_outputs(diff: Diff, found: OutputsDiff) -> list[str]:
    """A table of two columns, which GitHub and GitLab draw side by side."""
    if found.old is None or found.new is None:
        return [f"**Outputs**: {_not_run(diff, found)}", ""]
    out = [f"**Outputs**: {_said(found)}", ""]
    for each in found.cells:
        out += [f"<table><tr><th colspan=2>{_html(each.name)}</th></tr>", *_row(each), "</table>", ""]
    return out


def _row(each: OutputDiff) -> list[str]:
    # a blank line would end the HTML block; its character reference doesn't
    sides = ["&#10;".join(_html(line) for line in lines) for lines in (each.before, each.after)]
    return ["<tr>", *(f"<td><pre>{side}</pre></td>" for side in sides), "</tr>"]


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
