"""rnb fmt, rule by rule: what it writes, what it keeps, what it leaves and says."""

from __future__ import annotations

import pytest

from rnb.notebook.read import read
from rnb.rewrite.fmt import fmt, format_notebook
from rnb.rewrite.lint import lint

HEAD = "import rnb\n\n\n@rnb.cell\n"
READER = "\n\n@rnb.cell\ndef reader(x):\n    print(x)\n"
MAKER = "\n\n@rnb.cell\ndef maker():\n    x = 1\n    return x\n"

# (name, the cell before, the cell after); MAKER shares x
SIGNATURES = [
    ("empty", "def f():\n    print(x)", "def f(x):\n    print(x)"),
    ("after others", "def f(y: int):\n    print(x, y)", "def f(y: int, x):\n    print(x, y)"),
    ("before defaults", "def f(y=1):\n    print(x, y)", "def f(x, y=1):\n    print(x, y)"),
    ("between", "def f(z, y = 1):\n    print(x, y, z)", "def f(z, x, y = 1):\n    print(x, y, z)"),
    ("before the star", "def f(*, y=1):\n    print(x, y)", "def f(x, *, y=1):\n    print(x, y)"),
    ("after the slash", "def f(z, /, y=1):\n    print(x, y, z)", "def f(z, /, x, y=1):\n    print(x, y, z)"),
    ("trailing comma", "def f(z, ):\n    print(x, z)", "def f(z, x):\n    print(x, z)"),
    (
        "own lines",
        "def f(\n    z,\n    y=1,\n):\n    print(x, y, z)",
        "def f(\n    z,\n    x,\n    y=1,\n):\n    print(x, y, z)",
    ),
    ("hugging", "def f(\n    z, y=1\n):\n    print(x, y, z)", "def f(\n    z,\n    x, y=1\n):\n    print(x, y, z)"),
    ("aligned", "def f(z,\n      w):\n    print(x, w, z)", "def f(z,\n      w,\n      x):\n    print(x, w, z)"),
    (
        "comments",
        "def f(\n    z,  # the z\n    # and a y\n    y=1,  # last\n):\n    print(x, y, z)",
        "def f(\n    z,  # the z\n    x,\n    # and a y\n    y=1,  # last\n):\n    print(x, y, z)",
    ),
    (
        "no last comma",
        "def f(\n    z  # the z\n):\n    print(x, z)",
        "def f(\n    z,  # the z\n    x\n):\n    print(x, z)",
    ),
    (
        "bracket comment",
        "def f(  # c\n    y=1,\n):\n    print(x, y)",
        "def f(  # c\n    x,\n    y=1,\n):\n    print(x, y)",
    ),
    ("lambda", "def f(y=lambda a, b: a):\n    print(x, y)", "def f(x, y=lambda a, b: a):\n    print(x, y)"),
    ("one line", "def f(): print(x)", "def f(x): print(x)"),
    ("async", "async def f(): print(x)", "async def f(x): print(x)"),
    ("annotated", "def f( ) -> None :  # c\n    print(x)", "def f(x) -> None :  # c\n    print(x)"),
    (
        "nested",
        "def f():\n    def g():\n        return x\n    g()",
        "def f(x):\n    def g():\n        return x\n    g()",
    ),
    ("comprehension", "def f():\n    [x for _ in ()]", "def f(x):\n    [x for _ in ()]"),
    ("class", "def f():\n    class A:\n        y = x\n", "def f(x):\n    class A:\n        y = x\n"),
    ("drop one", "def f(x):\n    pass", "def f():\n    pass"),
    (
        "asked for by a query",
        'def f(x):\n    duckdb.sql("SELECT 1 FROM x")',
        'def f(x):\n    duckdb.sql("SELECT 1 FROM x")',
    ),
    ("no query", 'def f(x):\n    print("select x")', 'def f():\n    print("select x")'),
    ("drop first", "def f(q, x):\n    print(x)", "def f(x):\n    print(x)"),
    ("drop last", "def f(x, q):\n    print(x)", "def f(x):\n    print(x)"),
    ("drop with comma", "def f(x, q,):\n    print(x)", "def f(x,):\n    print(x)"),
    ("drop line", "def f(\n    q: int,\n    x,\n):\n    print(x)", "def f(\n    x,\n):\n    print(x)"),
    ("drop all lines", "def f(\n    q,\n):\n    pass", "def f():\n    pass"),
    (
        "drop keeps comment",
        "def f(\n    q,  # why\n    x,\n):\n    print(x)",
        "def f(\n    # why\n    x,\n):\n    print(x)",
    ),
    ("drop the star", "def f(x, *, q):\n    print(x)", "def f(x):\n    print(x)"),
    ("drop the slash", "def f(q, /, x):\n    print(x)", "def f(x):\n    print(x)"),
    ("drop and add", "def f(q):\n    print(x)", "def f(x):\n    print(x)"),
    ("drop a ref with default", "def f(x=3):\n    pass", "def f():\n    pass"),
    ("keep a parameter", "def f(q=3):\n    pass", "def f(q=3):\n    pass"),
    ("keep for locals", "def f(x):\n    locals()", "def f(x):\n    locals()"),
]

# (name, the cell before, the cell after); READER takes x
RETURNS = [
    ("end", "def f():\n    x = 1", "def f():\n    x = 1\n    return (x,)"),
    ("after what is shown", "def f():\n    x = 1\n    x + 1", "def f():\n    x = 1\n    x + 1\n    return (x,)"),
    ("bare", "def f():\n    x = 1\n    return  # c", "def f():\n    x = 1\n    return (x,)  # c"),
    ("None", "def f():\n    x = 1\n    return None", "def f():\n    x = 1\n    return (x,)"),
    ("early", "def f():\n    x = 1\n    if x:\n        return\n    x", "def f():\n    x = 1\n    if x:\n        return (x,)\n    x\n    return (x,)"),
    ("one line", "def f(): x = 1", "def f(): x = 1; return (x,)"),
    ("semicolon", "def f(): x = 1;  # c", "def f(): x = 1; return (x,)  # c"),
    ("tabs", "def f():\n\tx = 1", "def f():\n\tx = 1\n\treturn (x,)"),
    ("nested end", "def f():\n  x = 1\n  if x:\n     print()", "def f():\n  x = 1\n  if x:\n     print()\n  return (x,)"),
    ("string", 'def f():\n    x = """\n"""', 'def f():\n    x = """\n"""\n    return (x,)'),
    ("comment in the body", "def f():\n    x = 1\n    # c\n# d", "def f():\n    x = 1\n    # c\n    return (x,)\n# d"),
    ("both shown", "def f():\n    x = y = 1\n    return y", "def f():\n    x = y = 1\n    y\n    return y, x"),
    ("shown before", "def f():\n    x = y = 1\n    [x]\n    return y", "def f():\n    x = y = 1\n    [x]\n    return y, x"),
    ("printed before", "def f():\n    x = y = 1\n    print()\n    return y", "def f():\n    x = y = 1\n    print()\n    y\n    return y, x"),
    ("docstring before", 'def f():\n    "d"\n    return (y := 1), (x := 2)', None),
    ("one on a line", "def f(): x = y = 1; return y", "def f(): x = y = 1; y; return y, x"),
    ("parentheses", "def f():\n    x = y = 1\n    return (y)", "def f():\n    x = y = 1\n    y\n    return (y), x"),
    ("tuple", "def f():\n    x = y = z = 1\n    return y, z", "def f():\n    x = y = z = 1\n    return y, z, x"),
    ("one-tuple", "def f():\n    x = y = 1\n    return (y,)", "def f():\n    x = y = 1\n    return (y, x)"),
    ("open one-tuple", "def f():\n    x = y = 1\n    return y,", "def f():\n    x = y = 1\n    return y, x"),
    ("wrapped items", "def f():\n    x = y = z = 1\n    return (y), (z)", "def f():\n    x = y = z = 1\n    return (y), (z), x"),
    (
        "lines",
        "def f():\n    x = y = 1\n    return (\n        y,  # c\n    )",
        "def f():\n    x = y = 1\n    return (\n        y,  # c\n        x,\n    )",
    ),
    ("try", "def f():\n    try:\n        x = 1\n    except E:\n        x = 2", "def f():\n    try:\n        x = 1\n    except E:\n        x = 2\n    return (x,)"),
    ("maybe unbound", "def f():\n    if f:\n        x = 1", None),
    ("loop", "def f():\n    for x in ():\n        pass", None),
    ("deleted", "def f():\n    x = 1\n    del x", None),
    ("suppressed", "def f():\n    with suppress(E):\n        x = 1", None),
    ("unbound early", "def f():\n    if f:\n        return\n    x = 1", None),
    ("own name", "def f():\n    x = 1\n    return x + 1", None),
    ("unknown shown", "def f():\n    x = y = 1\n    f(x)\n    return y", None),
    ("early shown", "def f():\n    x = y = 1\n    if x:\n        return y\n    return y", None),
    ("never ends", "def f():\n    x = 1\n    raise E", None),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), [pytest.param(b, a, id=n) for n, b, a in SIGNATURES])
def test_signature(before: str, after: str) -> None:
    assert fmt((HEAD + before + MAKER).encode()).decode() == HEAD + after + MAKER


@pytest.mark.parametrize(("before", "after"), [pytest.param(b, a, id=n) for n, b, a in RETURNS])
def test_return(before: str, after: str | None) -> None:
    text = "from contextlib import suppress\nE = OSError\n" + HEAD + before + READER
    done = format_notebook(text.encode())
    assert done.data.decode() == (text if after is None else text.replace(before, after))
    if after is None:
        assert [note.code for note in done.notes] == ["stale-signature"], "it says why"
    else:
        assert not [fault for fault in read(done.data).faults if fault.code == "stale-signature"]


def test_ambiguous_names_stay_and_are_told() -> None:
    text = (
        HEAD + "def a():\n    x = 1\n\n\n@rnb.cell\ndef b():\n    x = 2\n" + READER.replace("(x)", "()", 1)
    ).encode()
    done = format_notebook(text)
    assert done.data == text
    assert [note.code for note in done.notes] == ["ambiguous"]


def test_a_parameter_elsewhere_would_read_the_new_def() -> None:
    text = (HEAD + "def a():\n    x = 1\n" + READER + "\n\n@rnb.cell\ndef c(x: int = 4):\n    print(x)\n").encode()
    assert fmt(text) == text


def test_one_name_in_the_way_does_not_hold_up_the_others() -> None:
    text = HEAD + "def a():\n    x = y = z = 1\n    if x:\n        w = 1\n"
    text += "\n\n@rnb.cell\ndef b(x, y, z=2):\n    return x, z\n\n\n@rnb.cell\ndef c(y, w):\n    print(y, w)\n"
    done = format_notebook(text.encode())
    assert "        w = 1\n    return (y,)\n" in done.data.decode()
    assert sorted(note.message.split("`")[1] for note in done.notes) == ["w", "x"]


def test_only_a_dropped_parameter_took_the_name() -> None:
    text = HEAD + "def a():\n    x = 1\n\n\n@rnb.cell\ndef b(x):\n    pass\n"
    assert fmt(text.encode()).decode() == text.replace("b(x)", "b()")


def test_global_keeps_the_name_out_of_the_signature() -> None:
    text = (HEAD + "def a():\n    global x\n    print(x)\n" + MAKER).encode()
    done = format_notebook(text)
    assert done.data == text
    assert "global" in done.notes[0].message


LATIN = "# coding: latin-1\n# é\n" + HEAD + "def f():\n    print('é', x)\n" + MAKER
KEPT = [
    (
        "crlf",
        (HEAD + "def f():\n    y = x\n\n" + MAKER + READER.replace("x", "y")).replace("\n", "\r\n").encode(),
        b"return (y,)\r\n\r\n",
    ),
    ("cr", (HEAD + "def f():\n    print(x)" + MAKER).replace("\n", "\r").encode(), b"def f(x):\r    print"),
    ("mark", b"\xef\xbb\xbf" + (HEAD + "def f():\n    print(x)" + MAKER).encode(), b"def f(x):"),
    ("latin-1", LATIN.encode("latin-1"), b"def f(x):\n    print('\xe9'"),
    (
        "no last newline",
        (HEAD + "def maker():\n    x = 1\n    return x" + READER.replace("(x)", "()", 1)[:-1]).encode(),
        b"def reader(x):",
    ),
    (
        "wide",
        (HEAD + "def f(ä='é\U0001f600'):\n    'é'; print(x, ä)" + MAKER).encode(),
        "def f(x, ä='é\U0001f600'):".encode(),
    ),
    ("form feed", (HEAD + "def f():\n    print(x)\n\x0c" + MAKER).encode(), b"def f(x):"),
]


@pytest.mark.parametrize(("before", "piece"), [pytest.param(b, p, id=n) for n, b, p in KEPT])
def test_bytes_are_kept(before: bytes, piece: bytes) -> None:
    after = fmt(before)
    assert piece in after
    assert after.count(b"\r") == before.count(b"\r") + (before.count(b"\r\n") > 0)
    assert after[:3] == before[:3]
    assert after.endswith(b"\n") == before.endswith(b"\n")
    assert fmt(after) == after


@pytest.mark.parametrize(
    "data", [b"", b"\x00\xff", b"\xff\xfe\x00", b"def f(:\n", b"(" * 5000, b"# coding: nonsense\n", b"\xef\xbb\xbf"]
)
def test_what_is_no_python_comes_back(data: bytes) -> None:
    assert fmt(data) == data


def test_a_cell_with_a_fault_of_its_own_is_left_and_told() -> None:
    done = format_notebook((HEAD + "def f(*more):\n    print(x)\n" + MAKER).encode())
    assert done.changed == ()
    assert "option" in done.notes[0].message


def test_a_markdown_cell_reads_nothing() -> None:
    assert (
        fmt((HEAD + 'def f(x):\n    """Text."""\n' + MAKER).encode())
        == (HEAD + 'def f():\n    """Text."""\n' + MAKER).encode()
    )


def test_depth_is_no_traceback() -> None:
    chain = "if x:\n        x\n" + "".join(f"    elif x == {n}:\n        x\n" for n in range(2000))
    data = (HEAD + "def f():\n    x = 1\n    " + chain + READER).encode()
    done = format_notebook(data)
    assert done.data == data or b"return (x,)" in done.data
    long = ("import rnb\nx = " + "+".join(["1"] * 3000) + "\n").encode()
    assert fmt(long) == long
    assert lint(long, read(long)) == []
