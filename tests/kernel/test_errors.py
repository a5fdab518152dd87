"""What people read when a cell fails."""

from __future__ import annotations

import sys

import pytest

from rnb import messages
from tests.kernel.driver import Driver

# body, class, message, line (the body begins at line 3)
FAILURES = [
    ("1/0", "ZeroDivisionError", "division by zero", 3),
    ("x = 1\ny = (x +\n     None)", "TypeError", "unsupported operand type(s) for +: 'int' and 'NoneType'", 4),
    ("raise SystemExit(3)", "SystemExit", "3", 3),
    ("import sys; sys.exit('bye')", "SystemExit", "bye", 3),
    ("raise KeyError('k')", "KeyError", "'k'", 3),
    ("raise GeneratorExit", "GeneratorExit", "", 3),
    ("import asyncio\nraise asyncio.CancelledError()", "CancelledError", "", 4),
    ("raise BaseException('odd')", "BaseException", "odd", 3),
    ("raise MemoryError", "MemoryError", "", 3),
    ("return undefined", "NameError", "name 'undefined' is not defined", 3),
    ("exec('1 +')", "SyntaxError", "invalid syntax (<string>, line 1)", 3),
    ("import json\n\njson.loads('{')", "JSONDecodeError",
     "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)", 5),
    ("class E(Exception):\n    def __str__(self):\n        1/0\nraise E", "E", "<exception str() failed>", 6),
    ("def f():\n    return f()\nf()", "RecursionError", "maximum recursion depth exceeded", 4),
    ("raise ExceptionGroup('both', [ValueError(1), TypeError(2)])", "ExceptionGroup", "both (2 sub-exceptions)", 3),
    ("sorted([1, 'a'])", "TypeError", "'<' not supported between instances of 'str' and 'int'", 3),
]  # fmt: skip


@pytest.mark.parametrize(("prefix", "first"), [("def", 1), ("async def", 1), ("def", 500)])
def test_failures(kernel: Driver, prefix: str, first: int) -> None:
    wrong = []
    for body, name, message, line in FAILURES:
        ran = kernel.cell(f"@cell\n{prefix} a():\n    " + body.replace("\n", "\n    ") + "\n", line=first, slots=[""])
        got = (ran.outcome, ran.error.name, ran.error.message, ran.error.line)
        if got != ("failed", name, message, line + first - 1) or "rnb/kernel" in ran.error.traceback:
            wrong.append((got, ran.error.traceback))
    assert wrong == []


def test_a_traceback_begins_in_the_cell_and_shows_what_ran(kernel: Driver) -> None:
    kernel.setup("def helper(x):\n    return x / 0")
    kernel.path.write_text("the file\nhas changed\nsince\n" * 20)
    ran = kernel.cell("@cell\ndef a():\n    y = 1\n    return helper(y)\n", slots=[""], line=30)
    lines = [line for line in ran.error.traceback.splitlines() if line.strip(" ^~")]  # the carets are Python's own
    assert lines == [
        "Traceback (most recent call last):",
        f'  File "{kernel.path}", line 33, in a',
        "    return helper(y)",
        f'  File "{kernel.path}", line 2, in helper',
        "    return x / 0",
        "ZeroDivisionError: division by zero",
    ]
    assert ran.error.line == 2


def test_library_frames_stay_below_the_users(kernel: Driver) -> None:
    ran = kernel.cell("@cell\ndef a():\n    import json\n    return json.loads('{')\n", slots=[""])
    assert ran.error.line == 4
    assert "json/decoder.py" in ran.error.traceback
    assert f'File "{kernel.path}", line 4, in a' in ran.error.traceback


def test_causes_contexts_notes_and_groups(kernel: Driver) -> None:
    ran = kernel.cell(
        "@cell\ndef a():\n    try:\n        1/0\n    except ZeroDivisionError as e:\n"
        "        error = ValueError('outer')\n        error.add_note('look here')\n        raise error from e\n"
    )
    for text in ("ZeroDivisionError: division by zero", "direct cause", "ValueError: outer", "look here", "line 4"):
        assert text in ran.error.traceback
    ran = kernel.cell("@cell\ndef a():\n    try:\n        1/0\n    except Exception:\n        [][1]\n")
    assert "During handling" in ran.error.traceback
    ran = kernel.cell("@cell\ndef a():\n    raise ExceptionGroup('g', [ValueError('one'), OSError('two')])\n")
    assert "ValueError: one" in ran.error.traceback
    assert "OSError: two" in ran.error.traceback


def test_deep_recursion_is_bounded(kernel: Driver) -> None:
    kernel.setup("import sys")
    bodies = [
        "def f():\n        return f()\n    f()",
        "def f(): return g()\n    def g(): return h()\n    def h(): return f()\n    f()",
        "sys.setrecursionlimit(50_000)\n    def f(n): return g(n)\n    def g(n): return f(n + 1) if n < 20_000 else 1/0\n    f(0)",
    ]
    for body in bodies:
        ran = kernel.cell(f"@cell\ndef a():\n    {body}\n")
        assert ran.error.name in ("RecursionError", "ZeroDivisionError")
        assert len(ran.error.traceback) < 20_000
        assert "in a\n" in ran.error.traceback


def test_setup_goes_up_to_the_first_failure(kernel: Driver) -> None:
    ran = kernel.setup("a = 1", "print(a)\nb = a / 0", "c = 3")
    assert [(one.ok, one.skipped) for one in ran.end.statements] == [(True, False), (False, False), (False, True)]
    assert ran.out == "1\n"
    assert (ran.error.cell, ran.error.line, ran.error.name) == (None, 3, "ZeroDivisionError")
    assert f'File "{kernel.path}", line 3, in <module>' in ran.error.traceback
    assert kernel.value("'c' in globals()") == "False"


def test_setup_is_dropped_and_run_again(kernel: Driver) -> None:
    kernel.setup("a = 1\nb = 2", "def f():\n    return a")
    kernel.setup("a = 5", drop=["a", "b"])
    assert kernel.value("[f(), 'b' in globals()]") == "[5, False]"


def test_future_imports_reach_every_piece(kernel: Driver) -> None:
    import __future__

    flags = __future__.annotations.compiler_flag
    kernel.setup("from __future__ import annotations", "def f(x: nowhere): pass", future=flags)
    assert kernel.cell("@cell\ndef a():\n    def g(x: nowhere): pass\n", future=flags).outcome == "done"
    if sys.version_info < (3, 14):  # from then on no piece evaluates it
        assert kernel.cell("@cell\ndef a():\n    def g(x: nowhere): pass\n").error.name == "NameError"


def test_an_interrupt_while_the_setup_runs(kernel: Driver) -> None:
    import os
    import signal

    kernel.send(
        messages.RunSetup(
            statements=[messages.SetupStatement(key="s", source="print(1)\nwhile True: pass", line=1, binds=())]
        )
    )
    kernel.until(messages.Stream)
    os.kill(kernel.process.pid, signal.SIGINT)
    ran = kernel.until(messages.SetupEnded)
    assert (ran.error.name, ran.end.statements[0].ok) == ("KeyboardInterrupt", False)


def test_mo_stop_is_no_failure(kernel: Driver) -> None:
    kernel.setup("class MarimoStopError(BaseException): pass")
    ran = kernel.cell("@cell\ndef a():\n    print('x')\n    raise MarimoStopError\n")
    assert (ran.outcome, ran.out, ran.of(messages.CellError)) == ("stopped", "x\n", [])


def test_a_warning_quotes_the_line_that_ran(kernel: Driver) -> None:
    kernel.path.write_text("the file\nhas changed\nsince\n" * 20)
    body = "@cell\ndef a():\n    import warnings\n    warnings.warn('first')\n"
    for line in (10, 30):
        assert "warnings.warn('first')" in kernel.cell(body, line=line).err
    kernel.send(messages.Place(text="# moved\n" + body))
    assert "warnings.warn('first')" in kernel.cell(body, line=2).err
