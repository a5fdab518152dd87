"""Text of the command line becomes a value: one kind, one line."""

from __future__ import annotations

import datetime
import decimal
import enum
from pathlib import Path
from typing import Annotated, Any, Literal, Optional, Union

import pytest

from rnb.errors import ParameterError
from rnb.kernel.parameters import NO_ANNOTATION, convert


class Colour(enum.Enum):
    RED = 1


class Word(enum.StrEnum):
    ONE = "one"


class Number(enum.IntEnum):
    ONE = 1


GOOD: list[tuple[str, Any, Any]] = [
    ("5", int, 5), (" -5 ", int, -5), ("1_000", int, 1000), ("0x10", int, 16), ("5", float, 5.0), ("1e3", float, 1000.0),
    ("inf", float, float("inf")), ("true", bool, True), ("No", bool, False), ("1", bool, True), ("0", bool, False),
    ("", str, ""), (" a ", str, " a "), ("a/b", Path, Path("a/b")), ("2024-01-31", datetime.date, datetime.date(2024, 1, 31)),
    ("2024-01-31T10:00", datetime.datetime, datetime.datetime(2024, 1, 31, 10)), ("RED", Colour, Colour.RED),
    ("b", Literal["a", "b"], "b"), ("2", Literal[1, 2], 2), ("none", int | None, None), ("3", int | None, 3),
    ("None", Optional[str], None), ("x", Optional[str], "x"), ("3", Union[int, str], 3), ("x", str | int, "x"),  # noqa: UP007, UP045
    ("3", str | int, 3), ("1,2", list[int], [1, 2]), ("[1, 2]", list[int], [1, 2]), ("", list[int], []),
    ('["a,b", "c"]', list[str], ["a,b", "c"]), ("a, b", list, ["a", "b"]), ("1,2", tuple[int, ...], (1, 2)),
    ("1,x", tuple[int, str], (1, "x")), ("RED", list[Colour], [Colour.RED]), ("1.10", decimal.Decimal, decimal.Decimal("1.10")),
    ("5", Annotated[int, "doc"], 5), ('{"a": 1}', dict, {"a": 1}), ("x", Any, "x"), ("ONE", Word, Word.ONE), ("ONE", Number, Number.ONE), ("true", Literal[True, None], True),
    ("none", Literal["a", None], None), ('["none", "2"]', list[int | None], [None, 2]),
]  # fmt: skip

BAD: list[tuple[str, Any, str]] = [
    ("x", int, "expected a whole number, got 'x'"),
    ("1.5", int, "expected a whole number, got '1.5'"),
    ("maybe", bool, "expected true or false, got 'maybe'"),
    ("31.1.2024", datetime.date, "expected a date like 2024-01-31, got '31.1.2024'"),
    ("one", Word, "expected one of ONE, got 'one'"),
    ("x" * 999, int, "expected a whole number, got '" + "x" * 200 + "'… (999 characters)"),
    (
        "[" * 9999,
        list[int],
        "expected a JSON list or values separated by commas, got '" + "[" * 200 + "'… (9,999 characters)",
    ),
    ("BLUE", Colour, "expected one of RED, got 'BLUE'"),
    ("c", Literal["a", "b"], "expected one of a, b, got 'c'"),
    ("x", int | None, "expected a whole number or none, got 'x'"),
    ("1,x", list[int], "expected a list, separated by commas or as JSON, each a whole number, got '1,x'"),
    ("[1", list[int], "expected a JSON list or values separated by commas, got '[1'"),
    ("x", object, "expected a value of object, a type that can't be given on the command line, got 'x'"),
]


@pytest.mark.parametrize(("text", "kind", "value"), GOOD)
def test_what_fits(text: str, kind: Any, value: Any) -> None:
    got = convert(text, kind, None)
    assert (got, type(got)) == (value, type(value))


@pytest.mark.parametrize(("text", "kind", "message"), BAD)
def test_what_does_not_fit_says_what_would(text: str, kind: Any, message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        convert(text, kind, None)
    assert str(caught.value) == message
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("text", "default", "value"), [("5", 1, 5), ("5", 1.0, 5.0), ("no", True, False), ("5", "a", "5"), ("5", None, "5")]
)
def test_without_an_annotation_the_default_decides(text: str, default: Any, value: Any) -> None:
    got = convert(text, NO_ANNOTATION, default)
    assert (got, type(got)) == (value, type(value))
