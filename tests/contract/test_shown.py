"""What a cell shows and shares, by the rules of the format page; all in a few runs."""

from __future__ import annotations

import json
import re

from tests.contract.conftest import Book, cells

# body -> what is displayed, as text
SHOWN = {
    "1 + 1": ["2"],
    "x = 3": [],
    "x = 3\nreturn x": ["3"],
    "x = 3\nreturn x, ": [],
    "x = 3\nreturn (x,)": [],
    "x = 3\ny = 4\nreturn x, y": [],
    "return 3": ["3"],
    "return 3, 4": [],
    "return (3, 4)": [],
    "return [3, 4]": ["[3, 4]"],
    "x = 3\nreturn (x)": ["3"],
    "x = 3\n'first'\nreturn x": ["'first'"],
    "x = 3\nNone\nreturn x": ["3"],
    "x = 3\nNone\nreturn (x,)": [],
    "'doc'\nx = 1": [],
    "'doc'": [],
    "'doc'\n'shown'": ["'shown'"],
    "f'{1}'": ["'1'"],
    "if True:\n    5": [],
    "for i in [1]:\n    i": [],
    "5\npass": [],
    "5\nx = 1": [],
    "5\nreturn": ["5"],
    "5\nreturn None": ["5"],
    "None": [],
    "print('a')": [],
    "...": ["Ellipsis"],
    "x = 5\nx;": ["5"],
    "rnb.display(1)\nrnb.display(2)\n3": ["1", "2", "3"],
    "(1, 2)": ["(1, 2)"],
    "x = 1\nif x:\n    return x\nx = 2\nreturn x": ["1"],
    "x = 1\n'late'\nif x:\n    return x\n'later'\nreturn x": ["1"],
    "def g():\n    return 7\nreturn g()": ["7"],
    "return lambda: 1": None,
    "async def g():\n    return 8\nreturn 9": ["9"],
    "float('nan')": ["nan"],
    "import datetime\ndatetime.date(2024, 1, 31)": ["datetime.date(2024, 1, 31)"],
    "class A:\n    def __repr__(self): return 'é😀\\n' * 2\nA()": ["é😀\né😀\n"],
    "class A:\n    def _repr_html_(self): return '<b>x</b>'\n    def __repr__(self): return 'A!'\nA()": ["A!"],
}


def test_what_each_body_shows(book: Book) -> None:
    bodies = {f"c{i}": re.sub(r"\bx\b", f"x{i}", body) for i, body in enumerate(SHOWN)}
    ran = book.write(bodies).run()
    assert ran.code == 0, ran.of("error")
    wrong = {
        body: (ran.shown(f"c{i}"), expected)
        for i, (body, expected) in enumerate(SHOWN.items())
        if expected is not None and ran.shown(f"c{i}") != expected
    }
    assert not wrong


def test_a_failing_repr_is_an_error_of_that_display_only(book: Book) -> None:
    bad = "class A:\n    def __repr__(self): {}\n"
    ran = book.write(
        {
            "a": bad.format("return 1 / 0") + "x = 5\nrnb.display(A())\nprint('after')\nreturn x",
            "b": bad.format("return 3") + "A()",
            "c(x)": "x",
            "d": "class H:\n    def _repr_html_(self): raise ValueError('no')\n    def __repr__(self): return 'h'\nH()",
        }
    ).run()
    assert ran.printed("a") == "after\n"
    assert ran.shown("c") == ["5"]
    assert ran.shown("d") == ["h"]
    for shown in ran.of("display"):
        assert "text/plain" in shown["data"]
    assert ran.shown("a")[0].startswith("<A")


# name(signature) -> body; then what the readers print
SHARING = {
    "swapped": "p, q = 1, 2\nif p:\n    return q, p\nreturn p, q",
    "reads_swapped(p, q)": "print(p, q)",
    "one": "a1 = 1\nreturn a1",
    "pair": "a2, b2 = 2, 3\nreturn a2, b2",
    "single": "a3 = 4\nreturn (a3,)",
    "own": "return 5 + 0",
    "own_pair": "return 6, 7 + 0",
    "early(own)": "e = own\nif own:\n    return e\ne = 0\nreturn e",
    "unbound(own)": "if own > 100:\n    u = 1\n    return u",
    "implicit_one": "im = 8",
    "_": "return 9 + 0",
    "explicit(a1, a2, b2, a3, own, own_pair, e)": "print(a1, a2, b2, a3, own, own_pair, e)",
    "free": "print(a1, a2, b2, a3, own, own_pair, e, im)",
    "reads_unbound": "print(1)\nprint(u)",
    "nested": "def g():\n    return [a1 for _ in range(2)] + [im]\nprint(g())",
}


def test_sharing(book: Book) -> None:
    ran = book.write(SHARING).run()
    assert ran.printed("explicit") == "1 2 3 4 5 (6, 7) 5\n"
    assert ran.printed("free") == "1 2 3 4 5 (6, 7) 5 8\n"
    assert ran.printed("nested") == "[1, 1, 8]\n"
    assert ran.printed("reads_swapped") == "1 2\n"
    [error] = ran.of("error", cell="reads_unbound")
    line = book.path.read_text().splitlines().index("    print(u)") + 1
    assert (error["name"], error["line"]) == ("NameError", line)
    assert ran.code == 1
    info = {cell["id"]: cell for cell in ran.of("notebook")[0]["cells"]}
    assert info["own"]["defs"] == ["own"]
    assert info["own_pair"]["defs"] == ["own_pair"]
    assert info["implicit_one"]["defs"] == ["im"]
    assert info["_1"]["defs"] == []
    assert info["free"]["refs"] == ["a1", "a2", "b2", "a3", "own", "own_pair", "e", "im"]
    edges = ran.of("notebook")[0]["edges"]
    assert ["implicit_one", "free", "im"] in edges


def test_values_that_json_has_no_word_for(book: Book) -> None:
    ran = book.write(
        {
            "a": "class M:\n    def _repr_mimebundle_(self, **k):\n"
            "        import datetime\n"
            "        return {'application/json': {'n': float('nan'), 'i': float('inf'), 'd': datetime.date(2024, 1, 2)},"
            " 'image/png': b'\\x89PNG'}\nM()",
        }
    ).run()
    [shown] = ran.of("display")
    json.dumps(shown, allow_nan=False)
    assert shown["data"]["image/png"] == "iVBORw=="
    assert ran.code == 0


def test_hide_docstrings_and_markdown_cells(book: Book) -> None:
    text = cells({"a": '"""# Title\n\n    text"""', "_": "'''only words'''", "b": '"""doc"""\n1'}).replace(
        "@rnb.cell\ndef b", "@rnb.cell(hide=True, cache=False, retries=0, timeout=5.5)\ndef b"
    )
    ran = book.write('"""The title\n\nmore\n"""\n' + text).run()
    [event] = ran.of("notebook")
    assert event["title"] == "The title"
    assert [c["kind"] for c in event["cells"]] == ["markdown", "markdown", "python"]
    assert event["cells"][0]["doc"] == "# Title\n\ntext"
    assert [c["id"] for c in event["cells"]] == ["a", "_1", "b"]
    assert event["cells"][2]["hide"] is True
    assert ran.code == 0
    assert ran.status() == {"a": "done", "_1": "done", "b": "done"}
