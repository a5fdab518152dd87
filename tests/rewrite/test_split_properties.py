"""A random linear program and its notebook print the same and leave the same values; the notebook has no fault."""

from __future__ import annotations

import contextlib
import io

from hypothesis import example, given, settings
from hypothesis import strategies as st

from rnb.host.verify import PROBE, as_functions
from rnb.notebook.read import read
from rnb.rewrite.split import split_script

NAMES = st.sampled_from("abcd")
VALUE = st.sampled_from(["1", "2", "[]", "[3]", "{}"])
STATEMENT = st.one_of(
    st.builds("{} = {}".format, NAMES, VALUE),
    st.builds("{} = {}".format, NAMES, NAMES),
    st.builds("{} = [{}, {}]".format, NAMES, NAMES, NAMES),
    st.builds("{} = str({})".format, NAMES, NAMES),
    st.builds("{0} = [{0}]".format, NAMES),
    st.builds("{} = list(map(str, [{}]))".format, NAMES, NAMES),
    st.builds("{} += {}".format, NAMES, st.sampled_from(["1", "[7]", "a"])),
    st.builds("{}.append({})".format, NAMES, NAMES),
    st.builds("{}[0] = {}".format, NAMES, VALUE),
    st.builds("print({}, {})".format, NAMES, NAMES),
    st.builds("for i in range(2):\n    print(i, {})\n    {} = {}".format, NAMES, NAMES, NAMES),
    st.builds("for {} in [1, 2]:\n    print({})".format, NAMES, NAMES),
    st.builds("for x in [{}]:\n    if isinstance(x, list):\n        x.append(5)".format, NAMES),
    st.builds("if len(str({})) > 2:\n    {} = {}".format, NAMES, NAMES, VALUE),
    st.builds("def f(x={}):\n    return [x, {}]".format, VALUE, NAMES),
    st.builds("def g():\n    global {}\n    {} = {}".format, st.just("c"), st.just("c"), VALUE),
    st.builds("def h(x):\n    x.append(9)\n    return x".format),
    st.just("g()"),
    st.builds("h({})".format, NAMES),
    st.builds("{} = h({})".format, NAMES, NAMES),
    st.builds("{} = f()".format, NAMES),
    st.builds("{} = (y for y in [1, 2])".format, NAMES),
    st.builds("{} = list({})".format, NAMES, NAMES),
    st.builds("del {}".format, NAMES),
    st.builds("{}, {} = {}, {}".format, NAMES, NAMES, NAMES, NAMES),
)
PROGRAM = st.lists(st.tuples(STATEMENT, st.booleans()), min_size=2, max_size=14)


def run(code: str) -> tuple[dict[str, object], str, bool]:
    """(names, output, whether it came to its end)."""
    space: dict[str, object] = {"__name__": "program"}
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            exec(compile(code, "<program>", "exec"), space)
        except (TypeError, NameError, AttributeError, IndexError, KeyError, ValueError, RecursionError):
            return space, out.getvalue(), False
    return space, out.getvalue(), True


@settings(max_examples=150, deadline=None)
@given(PROGRAM)
@example([("a = []", True), ("b = a", True), ("print(b, b)", True), ("a.append(1)", True), ("print(a, b)", True)])
def test_the_notebook_does_what_the_program_does(program: list[tuple[str, bool]]) -> None:
    start = "a = [1]\nb = [2]\nc = 3\nd = 'x'\ndef f(x=1):\n    return x\ndef g():\n    pass\ndef h(x):\n    return x\n"
    code = start + "".join(("\n" if gap else "") + text + "\n" for text, gap in program)
    before, printed, ended = run(code)
    if not ended:
        return
    made = split_script(code)
    errors = [fault for fault in read(made.text.encode()).faults if fault.severity == "error"]
    assert not errors, (code, made.text, errors)
    space, _out, fine = run(as_functions(made))
    assert fine, (code, made.text)
    probe = space[PROBE]
    assert callable(probe)
    cells = io.StringIO()
    with contextlib.redirect_stdout(cells):
        try:
            values = probe(lambda: None)
        except Exception as error:
            raise AssertionError(f"{code}\n-----\n{made.text}\n{error!r}") from error
    assert cells.getvalue() == printed or "generator" in printed, f"{code}\n-----\n{made.text}"
    for name, value in values.items():
        if name in before and not callable(value) and "generator" not in repr(before.get(name)):
            assert repr(value) == repr(before[name]), f"{name}\n{code}\n-----\n{made.text}"
