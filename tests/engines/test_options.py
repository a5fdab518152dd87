"""Where the engine comes from, and what is said when there is none."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.driver import text_run
from tests.engines.conftest import Dask

BOOK = """
@rnb.cell
def where():
    time.sleep(0)
    print(os.environ.get("WORKER", "here"))
"""


@pytest.mark.parametrize(
    ("args", "env", "project", "words"),
    [
        (["--engine", "spark"], "", "", "--engine: there is no engine 'spark'"),
        ([], "tcp://there:1", "", "RNB_ENGINE: there is no engine 'tcp://there:1'"),
        ([], "", "engine = 3", "pyproject.toml: there is no engine 3"),
        (["--engine", "dask+tcp://127.0.0.1:1"], "spark", "", "no Dask scheduler answers at tcp://127.0.0.1:1"),
        (["--engine", "dask+nothing://127.0.0.1:1"], "", "", "no Dask scheduler answers at nothing://127.0.0.1:1"),
        (["--engine", "dask", "--sandbox"], "", "", "a sandbox is on this machine"),
    ],
)
def test_what_is_no_engine_is_one_word(
    args: list[str], env: str, project: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "nb.py"
    path.write_text("import os, time, rnb\n" + BOOK)
    (tmp_path / "pyproject.toml").write_text(f"[tool.rnb]\n{project}\n")
    if env:
        monkeypatch.setenv("RNB_ENGINE", env)
    result = text_run("run", str(path), *args)
    assert (result.returncode, result.stdout) == (2, "")
    assert words in result.stderr and result.stderr.count("\n") <= 2
    assert not list(tmp_path.glob(".rnb/dask/*+*"))


def test_settings_count_in_their_order(
    dask: Dask, write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(BOOK)
    (path.parent / "pyproject.toml").write_text(f'[tool.rnb]\nengine = "dask+{dask.address}"\n')
    assert went(path)
    monkeypatch.setenv("RNB_ENGINE", "local")
    assert not went(path)
    assert went(path, "--engine", f"dask+{dask.address}")


def went(path: Path, *args: str) -> bool:
    """Whether the cell ran on a worker of the cluster."""
    result = text_run("run", str(path), *args)
    (path.parent / ".rnb" / "dask" / "seconds.json").unlink(missing_ok=True)  # it is small
    assert result.returncode == 0, result.stderr
    return "there" in result.stdout


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "distributed").mkdir()
    (tmp_path / "distributed" / "__init__.py").write_text("raise ImportError('not here')\n")
    path = tmp_path / "nb.py"
    path.write_text("import rnb\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    result = text_run("run", str(path), "--engine", "dask")
    assert result.returncode == 2
    assert "pip install 'rnb-notebook[dask]'" in result.stderr
