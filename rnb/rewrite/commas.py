"""Lists written with commas (parameters, tuples): add and drop items, and keep the people's own breaking of lines.

A list is cut into items and the white space and comments between them; what is not touched is joined as it was. A
comment after an item, on its line, belongs to that item; it is kept even where the item goes.
"""

from __future__ import annotations

import token
import tokenize
from collections.abc import Iterator


class Item:
    """One item. `lead` stands before it, `gap` between it and its comma, `after` between the comma and the line's end."""

    __slots__ = ("after", "code", "comma", "gap", "lead")

    def __init__(self, lead: str, code: str, gap: str = "", comma: bool = True, after: str = "") -> None:
        self.lead, self.code, self.gap, self.comma, self.after = lead, code, gap, comma, after

    def text(self) -> str:
        return self.lead + self.code + self.gap + ("," if self.comma else "") + self.after


class Commas:
    """The inside of a pair of brackets (`wrapped`), or of a tuple without any."""

    def __init__(self, text: str, wrapped: bool = True) -> None:
        self.wrapped = wrapped
        self.items: list[Item] = []
        at = 0
        for start, end, comma in _pieces(text):
            stop = comma if comma is not None else end
            self.items.append(Item(text[at:start], text[start:end], text[end:stop], comma is not None))
            at = stop + (comma is not None)
        self.tail = text[at:]
        self._comments_to_items()

    def _comments_to_items(self) -> None:
        """Give what follows a comma on its line, if it is a comment, to the item before."""
        for item, after in zip(self.items, [*self.items[1:], None], strict=False):
            space = self.tail if after is None else after.lead
            line, newline, rest = space.partition("\n")
            if newline and "#" in line:
                item.after = line
                if after is None:
                    self.tail = newline + rest
                else:
                    after.lead = newline + rest

    def text(self) -> str:
        return "".join(item.text() for item in self.items) + self.tail

    def names(self) -> list[str]:
        return [item.code for item in self.items]

    def insert(self, place: int, code: str) -> None:
        """Put an item at `place`; on a line of its own where its neighbour has one."""
        ends = self.items[-1].comma if self.items else False
        if (ends or not self.items) and not self.tail.strip(" \t"):
            self.tail = ""
        if place:
            beside = self.items[place - 1]
            new = Item(self._lead_after(place), code)
            beside.comma = True
        elif self.items:
            after = self.items[0]
            head, newline, rest = after.lead.partition("\n")
            own = _own_line(after.lead)
            if "#" in head:  # a comment beside the bracket stays there
                new, after.lead = Item(head + own, code), newline + rest
            else:
                new = Item(own if "#" in rest else after.lead, code)
                if not (self.wrapped and newline):
                    after.lead = " "
        else:
            new = Item("", code)
        self.items.insert(place, new)
        self.items[-1].comma = ends and not (len(self.items) == 2 and "\n" not in self.items[0].lead + self.tail)

    def _lead_after(self, place: int) -> str:
        """The white space before an item that comes to stand at `place`, after others."""
        before = self.items[place - 1]
        if self.wrapped and "\n" in before.lead:
            return _own_line(before.lead)
        if not (before.after or before.gap.strip()):
            return " "
        after = self.items[place].lead if place < len(self.items) else self.tail  # a comment ends the line
        return _own_line(after) if place < len(self.items) and "\n" in after else "\n    "

    def drop(self, place: int) -> None:
        """Take an item out, with its comma; its comments stay."""
        item = self.items.pop(place)
        ends = item.comma if place == len(self.items) else self.items[-1].comma
        kept = _comments(item)
        last = place == len(self.items)
        rest = self.tail if last else self.items[place].lead
        if kept and not rest.lstrip(" \t").startswith("\n"):
            rest = _own_line(kept.rpartition("#")[0]) + rest.lstrip(" \t")  # a comment ends its line
        elif not kept and not last and "#" not in rest:
            rest = item.lead
        if last:
            self.tail = kept + rest
        else:
            self.items[place].lead = kept + rest
        if self.items:
            self.items[-1].comma = ends
            if "#" in self.items[-1].after + self.items[-1].gap and not self.tail.lstrip(" \t").startswith("\n"):
                self.tail = "\n" + self.tail
        elif "#" not in self.tail:
            self.tail = ""


def _comments(item: Item) -> str:
    """The comments of an item that goes, with the white space before them."""
    lines = item.lead.split("\n")
    while lines and "#" not in lines[-1]:
        lines.pop()
    kept = "\n".join(lines)
    for part in (item.gap, item.after):
        if "#" in part:
            kept += (_own_line(item.lead) if kept else item.lead) + part.strip()
    return kept


def _own_line(lead: str) -> str:
    return "\n" + lead.rpartition("\n")[2]


def _pieces(text: str) -> Iterator[tuple[int, int, int | None]]:
    """(start, end, place of the comma or None) of each item."""
    starts = [0]
    lines = [line + "\n" for line in f"({text})".split("\n")]
    for each in lines:
        starts.append(starts[-1] + len(each))
    feed = iter(lines)
    first: int | None = None
    last = 0
    depth = 0
    lambdas: list[int] = []
    for kind, string, (line, column), (end_line, end_column), _ in tokenize.generate_tokens(lambda: next(feed, "")):
        if kind in (token.NL, token.NEWLINE, token.COMMENT, token.INDENT, token.DEDENT, token.ENDMARKER):
            continue
        at = starts[line - 1] + column - 1
        if kind == token.OP:
            depth += (string in ("(", "[", "{")) - (string in (")", "]", "}"))
            if depth == 0:
                break
            if at < 0:
                continue
            if string == ":" and lambdas and lambdas[-1] == depth:
                lambdas.pop()
            elif string == "," and depth == 1 and not lambdas:
                assert first is not None
                yield first, last, at
                first = None
                continue
        elif string == "lambda":
            lambdas.append(depth)
        first = at if first is None else first
        last = starts[end_line - 1] + end_column - 1
    if first is not None:
        yield first, last, None
