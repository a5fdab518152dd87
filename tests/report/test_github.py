"""What GitHub's runner gets of a run: annotations and the job's summary."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import driver

NOTEBOOK = '''"""Prices | now"""
import rnb


@rnb.cell
def load():
    return [1]


@rnb.cell
def bad(load):
    raise ValueError("50%, or\\nso | `x`")
    return 1


@rnb.cell
def dead():
    import os

    os._exit(3)


@rnb.cell
def below(bad):
    bad


@rnb.cell
def faulty(nowhere):
    nowhere
'''


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    (tmp_path / "summary.md").write_text("before\n")
    (tmp_path / "nb").mkdir()
    (tmp_path / "nb" / "prices.py").write_text(NOTEBOOK)
    return tmp_path


def test_annotations_and_summary(runner: Path) -> None:
    done = driver.text_run("run", str(runner / "nb" / "prices.py"))
    said = [line for line in done.stdout.splitlines() if line.startswith("::error")]
    assert done.returncode == 2
    assert "::error file=nb/prices.py,line=12,title=bad%3A ValueError::50%25, or%0Aso | `x`" in said
    assert any(line.startswith("::error file=nb/prices.py,line=16,title=dead%3A killed::") for line in said)
    assert sum("unresolved" in line for line in said) == 1
    assert len(said) == 3
    summary = (runner / "summary.md").read_text()
    assert summary.startswith("before\n### Prices | now\n")
    assert r"| bad | ✗ failed | " in summary
    assert r"ValueError: 50%, or so \| \`x\` |" in summary
    assert "| below | - blocked |" in summary
    assert "| load |" not in summary


def test_events_keep_standard_output_to_themselves(runner: Path) -> None:
    ran = driver.run(runner / "nb" / "prices.py")
    assert ran.code == 2
    assert "### Prices" in (runner / "summary.md").read_text()


def test_elsewhere_nothing_is_written(runner: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert "::error" not in driver.text_run("run", str(runner / "nb" / "prices.py")).stdout
    assert (runner / "summary.md").read_text() == "before\n"
