"""What is shown: bundles by convention, valid JSON, bounded text, figures once."""

from __future__ import annotations

import base64
import json
import math
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnb import messages
from rnb.kernel.jsonable import jsonable
from rnb.kernel.pretty import pretty
from tests.kernel.driver import Driver

PNG = base64.b64encode(b"\x89PNG").decode()

# the class's body, and the bundle of an instance
CONVENTIONS: list[tuple[str, dict[str, Any]]] = [
    ("def __repr__(self): return 'r'", {"text/plain": "r"}),
    ("def _repr_html_(self): return '<b>'", {"text/html": "<b>"}),
    ("def _repr_markdown_(self): return '# m'", {"text/markdown": "# m"}),
    ("def _repr_latex_(self): return '$x$'", {"text/latex": "$x$"}),
    ("def _repr_svg_(self): return '<svg/>'", {"image/svg+xml": "<svg/>"}),
    ("def _repr_png_(self): return b'\\x89PNG'", {"image/png": PNG}),
    ("def _repr_png_(self): return (b'\\x89PNG', {'width': 3})", {"image/png": PNG}),
    ("def _repr_jpeg_(self): return b'\\x89PNG'", {"image/jpeg": PNG}),
    ("def _repr_json_(self): return {'a': [1, float('nan')]}", {"application/json": {"a": [1, None]}}),
    ("def _repr_mimebundle_(self, include=None, exclude=None): return {'text/html': 'x', 'text/plain': 'p'}",
     {"text/html": "x", "text/plain": "p"}),
    ("def _repr_mimebundle_(self, **k): return {'text/html': 'x'}, {'meta': 1}", {"text/html": "x"}),
    ("def _mime_(self): return ('text/html', '<i>')", {"text/html": "<i>"}),
    ("def _repr_html_(self): return None", {}),
    ("def _repr_html_(self): return 5", {"text/html": "5"}),
    ("def _repr_mimebundle_(self, **k): return {'text/plain': 5, 'a/json': {1: 2}}",
     {"text/plain": "5", "a/json": {"1": 2}}),
    ("def __getattr__(self, name): return lambda *a, **k: 'everything'", {}),
]  # fmt: skip


def test_conventions(kernel: Driver) -> None:
    wrong = []
    for body, bundle in CONVENTIONS:
        (data,) = kernel.cell(f"@cell\ndef a():\n    class A:\n        {body}\n    A()\n").displays
        text = data.pop("text/plain")
        bundle = dict(bundle)
        if text != bundle.pop("text/plain", text) or data != bundle:
            wrong.append((body, text, data))
    assert wrong == []


def test_a_representation_that_fails_is_an_error_of_that_display(kernel: Driver) -> None:
    ran = kernel.cell("@cell\ndef a():\n    class A:\n        def __repr__(self): 1/0\n    A()\n")
    assert ran.outcome == "done"
    assert ran.texts == ["<A: repr failed: ZeroDivisionError: division by zero>"]
    assert "A.__repr__() raised ZeroDivisionError" in ran.err
    ran = kernel.cell("@cell\ndef a():\n    class A:\n        def _repr_html_(self): 1/0\n    A()\n")
    assert (ran.outcome, len(ran.texts)) == ("done", 1)
    assert "_repr_html_() raised" in ran.err


@pytest.mark.parametrize(("name", "gives"), [("mimebundle_", "7"), ("mimebundle_", "()"), ("html_", "()")])
def test_what_is_no_representation_is_as_one_that_fails(kernel: Driver, name: str, gives: str) -> None:
    ran = kernel.cell(f"@cell\ndef a():\n    class A:\n        def _repr_{name}(self, **k): return {gives}\n    A()\n")
    assert (ran.outcome, len(ran.texts)) == ("done", 1)
    assert f"A._repr_{name}() raised" in ran.err


def test_display_at_any_time(kernel: Driver) -> None:
    ran = kernel.cell(
        "@cell\ndef a():\n    import rnb\n    rnb.display(1, 'two')\n    rnb.display(None)\n    rnb.display(3, display_id='x')\n    return\n"
    )
    assert ran.texts == ["1", "'two'", "3"]
    assert [one.display_id for one in ran.of(messages.Display)] == [None, None, "x"]


def test_classes_and_functions_show_as_themselves(kernel: Driver) -> None:
    ran = kernel.cell("@cell\ndef a():\n    class A:\n        def _repr_html_(self): return 'x'\n    A\n")
    assert list(ran.displays[0]) == ["text/plain"]


def test_pandas(kernel: Driver) -> None:
    kernel.setup("import pandas as pd, numpy as np, rnb")
    (data,) = kernel.cell("@cell\ndef a():\n    pd.DataFrame({'a': range(10_000)})\n").displays
    assert "10000 rows" in data["text/html"]
    assert data["text/plain"].count("\n") == 13  # five rows, five rows, as pandas itself cuts
    option = "@cell\ndef a():\n    with pd.option_context('display.max_rows', {}, 'display.max_columns', 2):\n"
    frame = "rnb.display(pd.DataFrame(np.zeros((70, 3)), columns=list('abc')))"
    for rows, lines in [(4, 7), (70, 72), (None, 72), (0, 13)]:
        (data,) = kernel.cell(option.format(rows) + f"        {frame}\n").displays
        assert (data["text/plain"].count("\n"), "b" in data["text/plain"].split()) == (lines, False)
    (data,) = kernel.cell("@cell\ndef a():\n    pd.Series([1.5, 2], name='s')\n").displays
    assert "<table" in data["text/html"]
    assert "Name: s, dtype: float64" in data["text/plain"]
    ran = kernel.cell("@cell\ndef a():\n    df = pd.DataFrame({'a': [1, 2]})\n    return df\n", slots=["df"])
    value = ran.end.values["df"]
    assert (value.type, value.summary) == ("DataFrame", "2 × 1")
    assert value.size > 0
    assert kernel.cell("@cell\ndef a():\n    np.zeros((1000, 1000))\n").texts[0].count("\n") < 10


@pytest.mark.parametrize(
    ("setup", "value", "kind"),
    [
        ("import polars as pl", "pl.DataFrame({'a': [1]})", "text/html"),
        (
            "import altair as alt, pandas as pd",
            "alt.Chart(pd.DataFrame({'a': [1]})).mark_bar().encode(x='a')",
            "vegalite",
        ),
        ("import plotly.graph_objects as go", "go.Figure(go.Scatter(y=[1, float('nan'), 3]))", "plotly"),
        ("from PIL import Image", "Image.new('RGB', (2, 2))", "image/png"),
    ],
)
def test_libraries(kernel: Driver, setup: str, value: str, kind: str) -> None:
    kernel.setup(setup)
    ran = kernel.cell(f"@cell\ndef a():\n    {value}\n")
    (data,) = ran.displays
    assert any(kind in one for one in data), data.keys()
    assert len(data["text/plain"]) < 2000
    assert ran.err == ""
    json.dumps(data, allow_nan=False)


# body, and how many figures it shows
FIGURES = [
    ("plt.plot([1, 2])", 1),
    ("plt.plot([1, 2])\nplt.show()", 1),
    ("plt.plot([1, 2])\nplt.show()\nplt.plot([2, 1])\nplt.show()", 2),
    ("fig, ax = plt.subplots()\nax.plot([1])\nfig", 1),
    ("fig, ax = plt.subplots()\nax.plot([1])\nreturn fig", 1),
    ("fig, ax = plt.subplots()\nax.plot([1])\nreturn fig, ax", 1),
    ("fig, ax = plt.subplots()\nax.plot([1])\nfig.show()", 1),
    ("fig, ax = plt.subplots()\nax.plot([1])\ndisplay(fig)\nplt.close()", 1),
    ("fig, ax = plt.subplots()\nax.plot([1])\nplt.close()\nfig", 1),
    ("plt.figure()", 1),
    ("f = plt.figure()\nreturn (1,)", 0),
    ("ax = plt.gca()\nax.hist([1, 2])", 1),
    ("plt.bar([1], [2])", 1),
    ("plt.boxplot([1, 2, 3])", 1),
    ("plt.subplots(2)", 1),
    ("plt.title('t')", 1),
    ("import pandas as pd\npd.Series([1, 2]).plot()", 1),
    ("plt.plot([1])\nplt.figure()\nplt.plot([2])", 2),
    ("plt.plot([1])\n1/0", 1),
    ("from matplotlib.figure import Figure\nf = Figure()\nf.subplots()\nf", 1),
]


def test_figures(kernel: Driver) -> None:
    kernel.setup("import matplotlib.pyplot as plt\nfrom rnb import display")
    wrong = []
    for body, count in FIGURES:
        ran = kernel.cell("@cell\ndef a():\n    " + body.replace("\n", "\n    ") + "\n")
        shown = [one for one in ran.displays if "image/png" in one]
        if len(shown) != count or len(ran.displays) != count or ran.err:
            wrong.append((body, ran.displays, ran.err))
    assert wrong == []
    assert kernel.value("plt.get_backend().lower()") == "'agg'"


def test_a_figure_of_another_cell_is_not_shown_again(kernel: Driver) -> None:
    kernel.setup("import matplotlib.pyplot as plt")
    kernel.cell("@cell\ndef a():\n    fig, ax = plt.subplots()\n    return fig, ax\n", slots=["fig", "ax"])
    assert kernel.cell("@cell\ndef b(ax):\n    ax.plot([1])\n").displays == []
    assert len(kernel.cell("@cell\ndef c(fig):\n    fig\n").displays) == 1


def test_matplotlib_is_not_imported_for_the_user(kernel: Driver) -> None:
    assert kernel.value("[m for m in __import__('sys').modules if m.startswith(('matplotlib', 'numpy'))]") == "[]"


def test_huge_values_are_shown_at_once() -> None:
    for value in (
        list(range(10_000_000)),
        {i: [i] for i in range(1_000_000)},
        "x" * 100_000_000,
        [["y" * 10_000_000] * 99],
    ):
        started = time.process_time()
        assert len(pretty(value)) < 2_000_000
        assert time.process_time() - started < 1
    itself: list[Any] = []
    itself.append(itself)
    assert pretty(itself) == "[[…]]"


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=30) | st.binary(max_size=9),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(max_size=5) | st.integers(), inner)
    | st.sets(st.integers()) | st.frozensets(st.integers()),
    max_leaves=30,
)  # fmt: skip


@given(PLAIN, st.integers(20, 120))
def test_the_text_of_plain_values_reads_back(value: Any, columns: int) -> None:
    assert eval(pretty(value, columns)) == value


def test_text_is_wrapped_to_the_width() -> None:
    assert pretty([1, 2]) == "[1, 2]"
    lines = pretty(list(range(100)), 40).split("\n")
    assert max(map(len, lines)) <= 40
    assert len(lines) < 14
    assert pretty({"a" * 30: [1] * 4, "b" * 30: 2}, 50) == f"{{'{'a' * 30}': [1, 1, 1, 1],\n '{'b' * 30}': 2}}"


def test_anything_becomes_json() -> None:
    import datetime
    import decimal

    import numpy as np
    import pandas as pd

    class Odd:
        def tolist(self) -> None:
            raise ValueError

        def __str__(self) -> str:
            return "odd"

    value = {
        1: math.nan, "inf": [math.inf, -math.inf], "day": datetime.date(2024, 1, 31), "np": np.float32(0.5), "nan": np.float64("nan"),
        "array": np.arange(2), "stamp": pd.Timestamp("2024-01-31"), "big": 1 << 70, "odd": Odd(), "dec": decimal.Decimal("1.5"),
        "int": np.int8(3), "bool": np.bool_(True), "set": {1}, "nat": pd.NaT,
    }  # fmt: skip
    plain = jsonable(value)
    json.dumps(plain, allow_nan=False)
    assert plain["1"] is None
    assert plain["inf"] == [None, None]
    assert plain["day"] == "2024-01-31"
    assert (plain["np"], plain["nan"], plain["array"], plain["int"], plain["bool"]) == (0.5, None, [0, 1], 3, True)
    assert (plain["odd"], plain["big"]) == ("odd", float(1 << 70))
