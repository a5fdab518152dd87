"""marimo files under the real command: run, check, graph, fmt, watch. Those that import marimo say so."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests import driver
from tests.marimo.book import write

needs_marimo = pytest.mark.skipif(importlib.util.find_spec("marimo") is None, reason="marimo is not installed")

BASIC = """
    with app.setup(hide_code=True):
        import math
        _scale = 2
        SCALE = (
            _scale
        )
        try:
            import tomllib
        except ImportError:
            tomllib = None
        else:
            WHERE = "else"


    @app.function
    def double(x):
        return x * SCALE


    @app.class_definition
    class Pair:
        one = 1
        def both(self):
            return self.one, WHERE


    @app.cell
    def _(stale, y):
        z = double(y) + _offset() if False else double(y)
        z
        return


    @app.cell(hide_code=True, column=1)
    def source():
        _x = 4
        y = int(math.sqrt(_x))
        print("source")
        return


    @app.cell
    async def _():
        import asyncio
        await asyncio.sleep(0)
        pair = Pair().both()
        pair
        return
    """


def test_runs_what_marimo_runs(tmp_path: Path) -> None:
    result = driver.run(write(tmp_path, BASIC.replace(" + _offset() if False else double(y)", "")))
    assert result.fault_codes() == []
    assert result.status() == {"_1": "done", "source": "done", "_2": "done"}
    assert (result.shown("_1"), result.shown("_2")) == (["4"], ["(1, 'else')"])
    event = result.of("notebook")[0]
    assert [(cell["id"], cell["refs"], cell["defs"], cell["hide"]) for cell in event["cells"]] == [
        ("_1", ["y"], ["z"], False),
        ("source", [], ["y"], True),
        ("_2", [], ["asyncio", "pair"], False),
    ]
    assert event["edges"] == [["source", "_1", "y"]]


def test_a_cell_that_is_no_python_stops_itself_alone(tmp_path: Path) -> None:
    body = """
        app._unparsable_cell(
            r\"\"\"
            a = = 1
            \"\"\",
            name="broken",
        )


        @app.cell
        def fine():
            print("fine")
            return
        """
    result = driver.run(write(tmp_path, body))
    assert (result.code, result.status()) == (2, {"broken": "blocked", "fine": "done"})
    assert result.fault_codes() == ["option"]
    assert "invalid syntax" in result.of("notebook")[0]["faults"][0]["message"]


def test_errors_point_into_the_file(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        with app.setup:
            def helper(a):
                return 1 / a


        @app.cell
        def _(zero):
            helper(
                zero
            )
            return


        @app.cell
        def _():
            zero = 0
            return (zero,)
        """,
    )
    result = driver.run(path)
    [error] = result.of("error")
    lines = path.read_text().split("\n")
    assert lines[error["line"] - 1] == "        return 1 / a"
    assert f"line {lines.index('    helper(') + 1}, in _" in error["traceback"]
    assert "           ~~^~~" in error["traceback"]


def test_duplicates_block_those_that_take_part_and_disabled_cells_are_skipped(tmp_path: Path) -> None:
    body = """
        @app.cell
        def one():
            n = 1
            return (n,)

        @app.cell
        def two():
            n = 2
            return

        @app.cell(disabled=True)
        def off():
            m = 1
            return

        @app.cell
        def below():
            m
            return

        @app.cell
        def free():
            return
        """
    result = driver.run(write(tmp_path, body))
    assert result.status() == {"one": "blocked", "two": "blocked", "off": "blocked", "below": "blocked", "free": "done"}
    assert result.fault_codes() == ["duplicate"]


def test_fmt_and_check_leave_it_alone(tmp_path: Path) -> None:
    path = write(tmp_path, BASIC.replace(" + _offset() if False else double(y)", ""))
    before = path.read_bytes()
    for command in (["fmt"], ["fmt", "--check"], ["check", "--fix"], ["check"]):
        done = driver.text_run(*command, path)
        assert (done.returncode, path.read_bytes()) == (0, before), (command, done.stdout, done.stderr)


@needs_marimo
def test_stop_ends_a_cell_and_blocks_those_below(tmp_path: Path) -> None:
    body = """
        @app.cell
        def _():
            import marimo as mo
            return (mo,)

        @app.cell
        def stops(mo):
            mo.stop(True, mo.md("**why**"))
            after = 1
            return

        @app.cell
        def below(after):
            after
            return

        @app.cell
        def ui(mo):
            slider = mo.ui.slider(1, 9, value=4)
            slider
            return (slider,)

        @app.cell
        def value(slider, mo):
            [slider.value, isinstance(mo.Html("<b>x</b>"), mo.Html)]
            return
        """
    result = driver.run(write(tmp_path, body))
    assert result.code == 0
    reasons = {event["cell"]: event.get("reason") for event in result.of("cell") if event["status"] in driver.END}
    assert (reasons["stops"], reasons["below"]) == ("stopped", "stopped")
    assert (result.status()["stops"], result.status()["below"]) == ("done", "blocked")
    [why] = [event["data"] for event in result.of("display") if event["cell"] == "stops"]
    assert "<strong>why</strong>" in why["text/html"]
    [widget] = [event["data"] for event in result.of("display") if event["cell"] == "ui"]
    assert "marimo-slider" in widget["text/html"]
    assert result.shown("value") == ["[4, True]"]


@needs_marimo
@pytest.mark.skipif(importlib.util.find_spec("duckdb") is None, reason="DuckDB is not installed")
def test_sql_reads_frames_and_tables_of_other_cells(tmp_path: Path) -> None:
    body = """
        @app.cell
        def reads(mo):
            total = mo.sql("SELECT sum(a) AS s FROM frame JOIN made USING (a)", output=False)
            print(total["s"][0])
            return

        @app.cell
        def makes(mo):
            mo.sql("CREATE TABLE made AS SELECT 2 AS a", output=False)
            return

        @app.cell
        def _():
            import marimo as mo
            import pandas as pd
            frame = pd.DataFrame({"a": [1, 2]})
            return
        """
    result = driver.run(write(tmp_path, body))
    assert result.printed("reads").strip() in ("2", "2.0"), result.of("error")


WATCHED = """
    with app.setup:
        import os

        def log(name):
            out = os.open("runs.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.write(out, f"{name} ".encode())
            os.close(out)

        LIMIT = 3
        OTHER = 4

    @app.cell
    def low():
        log("low")
        a = 1
        return (a,)

    @app.cell
    def middle(a):
        log("middle")
        b = a > 0
        return (b,)

    @app.cell
    def top(b):
        log("top")
        print(b, LIMIT)
        return

    @app.cell
    def alone():
        log("alone")
        def f():
            return OTHER
        print(f())
        return
    """


@pytest.mark.parametrize(
    ("old", "new", "ran"),
    [
        ("        a = 1\n", "        a = 2\n", ["low", "middle"]),  # b has the same value
        ("        a = 1\n", "        # one\n        a = (1)\n", []),
        ("def middle(a):", "def central(a, unread):", []),
        ("        return (b,)", "        return", []),
        ("LIMIT = 3", "LIMIT = 5", ["top"]),
        ("OTHER = 4", "OTHER = 5", ["alone"]),
        ("        a = 1\n", "        a = 1\n        c = 2\n", ["low"]),
        ("        b = a > 0\n", "        b2 = a > 0\n", ["middle"]),  # `top` is blocked: nothing binds b
    ],
)
def test_a_save_runs_the_minimum(tmp_path: Path, old: str, new: str, ran: list[str]) -> None:
    path = write(tmp_path, WATCHED)
    with driver.Watching(path) as watching:
        watching.settled()
        log = tmp_path / "runs.log"
        assert log.read_text().split() == ["low", "middle", "top", "alone"]
        log.unlink()
        text = path.read_text()
        changed = text.replace(dedent_by_four(old), dedent_by_four(new))
        assert changed != text
        watching.save(changed)
        assert (log.read_text().split() if log.exists() else []) == ran
        assert watching.fold.view() == driver.run(path).fold.view()


def dedent_by_four(text: str) -> str:
    return "\n".join(line.removeprefix("    ") for line in text.split("\n"))


@needs_marimo
def test_what_asks_marimos_runtime_gives_what_a_script_gets(tmp_path: Path) -> None:
    path = tmp_path / "app.py"
    path.write_text(
        "import marimo\n\napp = marimo.App()\n\n\n"
        "@app.cell\ndef _():\n    import marimo as mo\n    return (mo,)\n\n\n"
        "@app.cell\ndef _(mo):\n    print(dict(mo.query_params()), mo.cli_args().get('n', 3))\n    return\n\n\n"
        "@app.cell\ndef _(mo):\n    with mo.persistent_cache('x'):\n        v = 5\n    mo.output.append(v)\n    return (v,)\n\n\n"
        "@app.cell\ndef _(mo, v):\n    get, put = mo.state(v)\n    put(6)\n    print(get())\n    return\n"
    )
    ran = driver.run(path)
    assert ran.code == 0, ran.of("error")
    assert [ran.printed(f"_{n}") for n in (2, 4)] == ["{} 3\n", "6\n"]
