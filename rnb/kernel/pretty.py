"""A value as text of bounded size: `repr`, wrapped to the width, cut where a container is large.

Only plain containers are walked; all else speaks for itself through `repr`, cut at LONGEST characters.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

MOST = 1000  # items of one container
LONGEST = 200_000  # characters in all
DEEPEST = 20

BRACKETS: dict[type, tuple[str, str]] = {list: ("[", "]"), tuple: ("(", ")"), set: ("{", "}"), dict: ("{", "}")}


def pretty(value: Any, columns: int = 80) -> str:
    """The text of `value` for a page `columns` wide. What its `__repr__` raises is raised."""
    return "\n".join(_Printer(columns).lines(value, 0, 0, set()))


class _Printer:
    def __init__(self, columns: int) -> None:
        self._columns = max(columns, 20)
        self._left = LONGEST

    def lines(self, value: Any, indent: int, depth: int, above: set[int]) -> list[str]:
        """`value` as lines, to be put at column `indent`: on one line where that fits, else an item a line."""
        kind = type(value)
        if kind is frozenset and value:
            inner = self.lines(set(value), indent + 10, depth, above)
            return (
                [f"frozenset({inner[0]}", *inner[1:-1], f"{inner[-1]})"]
                if len(inner) > 1
                else [f"frozenset({inner[0]})"]
            )
        if kind not in BRACKETS or not value:
            return self._leaf(value)
        if id(value) in above or depth > DEEPEST:
            return [f"{BRACKETS[kind][0]}…{BRACKETS[kind][1]}"]
        parts = self._items(value, indent + 1, depth + 1, above | {id(value)})
        return self._join(kind, parts, indent)

    def _leaf(self, value: Any) -> list[str]:
        kind, room = type(value), max(self._left, 20)
        size = len(value) if kind is str or kind is bytes else 0
        text = repr(value[:room] if size > room else value)
        if size > room or len(text) > room + 2:
            text = f"{text[:room]}… ({max(size, len(text)):,} characters)"
        self._left -= len(text)
        return text.split("\n")

    def _items(self, value: Any, indent: int, depth: int, above: set[int]) -> list[list[str]]:
        parts: list[list[str]] = []
        items: Iterable[Any] = value.items() if type(value) is dict else value
        for count, item in enumerate(items):
            if count >= MOST or self._left <= 0:
                parts.append([f"… {len(value) - count:,} more"])
                break
            if type(value) is dict:
                key = " ".join(self.lines(item[0], indent, depth, above))
                rest = self.lines(item[1], indent + len(key) + 2, depth, above)
                parts.append([f"{key}: {rest[0]}", *(" " * (len(key) + 2) + line for line in rest[1:])])
            else:
                parts.append(self.lines(item, indent, depth, above))
        return parts

    def _join(self, kind: type, parts: list[list[str]], indent: int) -> list[str]:
        opening, closing = BRACKETS[kind]
        if kind is tuple and len(parts) == 1:
            closing = ",)"
        if all(len(part) == 1 for part in parts):
            flat = f"{opening}{', '.join(part[0] for part in parts)}{closing}"
            if indent + len(flat) <= self._columns:
                return [flat]
            if kind is not dict and all(len(part[0]) <= 12 for part in parts):
                return self._fill(opening, closing, [part[0] for part in parts], indent)
        lines = []
        for part in parts:
            lines += [" " + line for line in part[:-1]]
            lines.append(f" {part[-1]},")
        lines[0] = opening + lines[0][1:]
        lines[-1] = lines[-1][:-1] + closing
        return lines

    def _fill(self, opening: str, closing: str, parts: list[str], indent: int) -> list[str]:
        """Short items, as many on a line as fit."""
        lines, line = [], opening
        for place, part in enumerate(parts):
            piece = part + (", " if place + 1 < len(parts) else closing)
            if len(line) > 1 and indent + len(line) + len(piece.rstrip()) > self._columns:
                lines.append(line.rstrip())
                line = " "
            line += piece
        return [*lines, line]
