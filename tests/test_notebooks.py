"""The shipped notebooks: they run, to the end and as they say, and they are good modules as well."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.py"))
each = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)


def rnb(*args: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rnb", *map(str, args)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)


def events(*args: object, cwd: Path) -> list[dict[str, Any]]:
    done = rnb(*args, cwd=cwd)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def statuses(log: list[dict[str, Any]]) -> dict[str, str]:
    """The last status of each cell."""
    return {event["cell"]: event["status"] for event in log if event["type"] == "cell"}


def said(log: list[dict[str, Any]], cell: str) -> str:
    """All that a cell printed and showed, as text."""
    texts = {"stream": lambda e: e["text"], "display": lambda e: e["data"]["text/plain"] + "\n"}
    return "".join(texts[e["type"]](e) for e in log if e["type"] in texts and e["cell"] == cell)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The notebooks in a folder with a space in its name, so that nothing is written beside the originals."""
    return Path(
        shutil.copytree(FOLDER, tmp_path / "my notebooks", ignore=shutil.ignore_patterns(".rnb", "__pycache__"))
    )


def test_all_in_one_command_from_elsewhere(copy: Path) -> None:
    """The README's promise: they all run. One command, another folder, a path with a space."""
    log = events("run", *(copy / notebook.name for notebook in NOTEBOOKS), "--json", cwd=copy.parent)
    assert [event["seq"] for event in log] == list(range(1, len(log) + 1))
    ends: dict[tuple[str, str], str] = {}
    for event in log:
        if event["type"] == "cell":
            ends[Path(event["notebook"]).stem, event["cell"]] = event["status"]
    assert {notebook for notebook, _ in ends} == {notebook.stem for notebook in NOTEBOOKS}
    assert {cell: status for cell, status in ends.items() if status != "done"} == {("tour", "publish"): "blocked"}


def test_penguins_says_what_its_text_claims(copy: Path) -> None:
    log = events("run", "penguins.py", "--json", cwd=copy)
    assert said(log, "clean").startswith("11 dropped")
    assert said(log, "classify") == "97.0% right\n"
    pictures = {event["cell"] for event in log if event["type"] == "display" and "image/png" in event["data"]}
    assert pictures == {"bills", "sexes"}
    tables = {event["cell"] for event in log if event["type"] == "display" and "text/html" in event["data"]}
    assert tables >= {"load", "where", "confusion", "sexes"}
    assert "species" in said(log, "summary")


def test_a_parameter_of_penguins(copy: Path) -> None:
    log = events("run", "penguins.py", "--json", "--only", "summary", "-p", "column=body_mass_g", cwd=copy)
    assert set(statuses(log)) == {"load", "clean", "summary"}
    assert "5092.4" in said(log, "summary")


def test_tour_shows_each_thing_once(copy: Path) -> None:
    log = events("run", "tour.py", "--json", cwd=copy)
    assert said(log, "whole") == "0.079\n"
    assert said(log, "faster").startswith("Since 1980 it has warmed 2.5 times")  # through implicit sharing
    assert any("image/svg+xml" in e["data"] for e in log if e["type"] == "display" and e["cell"] == "decades")
    assert statuses(log)["publish"] == "blocked"
    assert not (copy / "decades.csv").exists()


@pytest.mark.parametrize(
    ("parameters", "cell", "expected"),
    [
        ([], "choose", "856 days in April, May, June, July, August, September, October\n"),
        (["months=7,8"], "choose", "248 days in July, August\n"),
        (["months=[12]", "until=2013-01-01"], "choose", "31 days in December\n"),
        (["since=2014-01-01", "months=7", "until=none"], "choose", "62 days in July\n"),
        (["warm=99"], "judge", "77% dry, 0% warm, 0% good\n"),
        (["top=1", "trip=30", "rank_by=dry"], "weeks", "from 10 July        96% dry\n"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_parameters_of_seattle(copy: Path, parameters: list[str], cell: str, expected: str) -> None:
    given = [word for parameter in parameters for word in ("-p", parameter)]
    assert said(events("run", "seattle.py", "--json", *given, cwd=copy), cell) == expected


def test_a_wrong_parameter_is_named_with_what_was_expected(copy: Path) -> None:
    done = rnb("run", "seattle.py", "-p", "rank_by=luck", cwd=copy)
    assert done.returncode == 2
    assert "rank_by" in done.stderr
    assert "good, dry, warm" in done.stderr
    assert "100% good" not in done.stdout


def test_help_lists_the_parameters(copy: Path) -> None:
    text = rnb("run", "seattle.py", "--help", cwd=copy).stdout
    for name in ("data", "since", "until", "months", "wet_from", "warm", "never", "trip", "rank_by", "top"):
        assert name in text


@each
def test_it_has_no_error(notebook: Path) -> None:
    (event,) = events("check", notebook, "--json", cwd=ROOT)
    assert [fault for fault in event["faults"] if fault["severity"] == "error"] == []
    warned = {fault["code"] for fault in event["faults"]}
    assert warned <= ({"stale-signature"} if notebook.stem == "tour" else set())  # the tour shows implicit sharing


@each
def test_importing_it_runs_no_cell(notebook: Path) -> None:
    code = f"import {notebook.stem} as m; print(callable(getattr(m, 'read', None) or m.load))"
    done = subprocess.run([sys.executable, "-c", code], cwd=FOLDER, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
    assert done.stderr == ""


@each
def test_it_passes_a_type_checker(notebook: Path) -> None:
    pytest.importorskip("mypy")
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--no-incremental",
        "--config-file=",
        "--check-untyped-defs",
        str(notebook),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_every_data_file_has_a_licence_and_a_source() -> None:
    table = (FOLDER / "data" / "README.md").read_text()
    for file in (FOLDER / "data").iterdir():
        assert f"`{file.name}`" in table or file.name == "README.md"
        assert file.stat().st_size < 100_000
