"""The rewriting keeps the meaning: whatever the body, the cell gives what the plain function gives."""

from __future__ import annotations

import ast
import re
from textwrap import indent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnb import messages
from rnb.kernel.function import Plan, parse

NAMES = ["a", "b", "c"]
name = st.sampled_from(NAMES)
atom = st.one_of(name, st.sampled_from(["1", "x", "f'{x}'", "len(log)", "[i for i in range(3)]", "(lambda: x)()"]))
expression = st.one_of(
    atom,
    st.tuples(atom, atom).map("[{0[0]}, {0[1]}]".format),
    name.map("(lambda {0}=7: {0})()".format),
    st.tuples(name, atom).map("({0[0]} := {0[1]})".format),
    atom.map("seen({})".format),
)
result = st.one_of(
    name,
    name.map("({},)".format),
    st.tuples(name, name).map("{0[0]}, {0[1]}".format),
    st.tuples(atom, atom).map("{0[0]}, seen({0[1]})".format),
    expression,
    st.sampled_from(["None", "()"]),
)


def block(statements: list[str]) -> str:
    return indent("\n".join(statements), "    ")


def compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    body = st.lists(inner, min_size=1, max_size=3).map(block)
    return st.one_of(
        st.tuples(expression, body, body).map("if {0[0]}:\n{0[1]}\nelse:\n{0[2]}".format),
        st.tuples(name, body, body).map("for {0[0]} in range(2):\n{0[1]}\nelse:\n{0[2]}".format),
        st.tuples(body, body).map("try:\n{0[0]}\nfinally:\n{0[1]}".format),
        st.tuples(body, name, body).map("try:\n{0[0]}\nexcept Exception as {0[1]}:\n{0[2]}".format),
        st.tuples(name, body).map("with ctx() as {0[0]}:\n{0[1]}".format),
        st.tuples(expression, name, body).map("match {0[0]}:\n    case [{0[1]}, *_]:\n{0[2]}\n    case _: pass".format),
        st.tuples(name, body).map("def {0[0]}():\n{0[1]}".format),
        st.tuples(name, body).map(lambda pair: f"class {pair[0]}:\n" + pair[1].replace("return", "v =")),
        st.tuples(name, body).map("async def {0[0]}():\n{0[1]}".format),
    )


simple = st.one_of(
    st.tuples(name, expression).map("{0[0]} = {0[1]}".format),
    expression,
    result.map("return {}".format),
    name.map("del {}".format),
    st.sampled_from(["return", "pass", "raise ValueError(1)", "log.append(x)", "global x", "'text'"]),
)
statement = st.recursive(simple, compound, max_leaves=12)


class Context:
    def __enter__(self) -> int:
        return 4

    def __exit__(self, *exc: object) -> None:
        return None


def told(value: Any) -> str:
    """Without addresses, and without the name of the cell in which something was made."""
    return re.sub(r"0x[0-9a-f]+|\bbox\.<locals>\.", "", repr(value))


def namespace(log: list[Any]) -> dict[str, Any]:
    def seen(value: Any) -> Any:
        log.append(told(value)[:20])
        return value

    return {"log": log, "ctx": Context, "seen": seen}


def outcome(call: Any) -> tuple[str, str, int | None]:
    """What a call gives or raises, and where: the line innermost in the cell."""
    try:
        return "value", told(call()), None
    except Exception as error:
        tb, line = error.__traceback__, None
        while tb is not None:
            line = tb.tb_lineno if tb.tb_frame.f_code.co_filename == "book.py" else line
            tb = tb.tb_next
        return type(error).__name__, str(error), line


@pytest.mark.filterwarnings("ignore:coroutine")
@given(st.lists(statement, min_size=1, max_size=6), st.booleans())
def test_a_cell_gives_what_the_plain_function_gives(statements: list[str], decorated: bool) -> None:
    deco = "@(lambda f: lambda *a, **k: f(*a, **k))\n" if decorated else ""
    source = f"@cell\n{deco}def box():\n{block(statements)}\n"
    plain_log: list[Any] = []
    plain = {**namespace(plain_log), "x": 5, "cell": lambda f: f}
    try:
        exec(compile(source, "book.py", "exec"), plain)
    except SyntaxError:
        return
    expected = outcome(plain["box"])

    log: list[Any] = []
    task = messages.RunCell(
        uid=1, id="box", source=source, line=1, refs=[], parameters=[], slots=shared(source), implicit=[], setup=[]
    )
    values = namespace(log)
    plan = Plan(parse(source, 1, "book.py", 0), "book.py", task, {"x": 5}, values)
    noted: list[Any] = []

    def note(head: Any, shown: Any, *parts: Any) -> Any:
        noted[:] = [head, shown, *parts]
        return parts[0] if head[0] == 1 else parts or None

    values["__rnb_return__"] = note
    function = plan.make(values)
    got = outcome(
        lambda: unpack(function(*[5 for _ in plan.positional], **dict.fromkeys(plan.keywords, 5)), decorated, noted)
    )
    assert (got, log) == (expected, plain_log), source


def unpack(returned: Any, decorated: bool, noted: list[Any]) -> Any:
    """The plain function's value, put together again from what the cell's function gives."""
    if decorated:
        returned = noted or None
    if returned is None:
        return None
    (kind, *names), _, *parts = returned
    if kind == 0:
        return None
    return parts[0] if kind == 1 or names == [""] else tuple(parts)


def shared(source: str) -> list[str]:
    """Whatever the returns name, so that every kind of return is taken at its word."""
    return [*NAMES, ""] if ast.parse(source) else []
