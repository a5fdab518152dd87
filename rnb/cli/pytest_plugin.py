"""`pytest --rnb`: the cells of notebooks as test items, and their `test_…` functions as tests that may take defs.

This file is imported by every run of pytest on a machine that has rnb, so it imports nothing of rnb before it is asked.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("rnb", "reactive notebooks")
    group.addoption("--rnb", action="store_true", help="collect the cells of notebooks")
    group.addoption(
        "--rnb-parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set a notebook parameter; may be repeated, and RNB_PARAM_name=value does the same",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("rnb"):
        os.environ.setdefault("MPLBACKEND", "Agg")  # no cell opens a window


def _is_ours(path: Path, config: pytest.Config) -> bool:
    if path.suffix != ".py" or not config.getoption("rnb"):
        return False
    from rnb.host.find import is_notebook

    return is_notebook(os.fspath(path))


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """A notebook that pytest collects anyway, for its name or because it was given."""
    if not _is_ours(module_path, parent.config):
        return None
    from rnb.cli.pytest_cells import NotebookModule

    return NotebookModule.from_parent(parent, path=module_path)


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> Generator[None, list[Any], list[Any]]:
    """A notebook that pytest would pass over."""
    found = yield
    if not any(isinstance(one, pytest.Module) for one in found) and _is_ours(file_path, parent.config):
        found.append(parent.ihook.pytest_pycollect_makemodule(module_path=file_path, parent=parent))
    return found
