"""The house: which way code may look, how large a file may grow, and what a process may load.

The floors themselves stand in `pyproject.toml`, under `[tool.importlinter]`; here they are checked, with what no import
linter can see: what is really in memory once a command or a kernel has run.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "rnb").rglob("*.py"))
HEAVY = {"libcst", "networkx", "starlette", "uvicorn", "rich", "asyncio"}


def loaded(code: str, *, cwd: Path = ROOT) -> set[str]:
    """Top-level modules that a fresh process has after this code, beside those of an empty one."""
    tell = "\nimport sys; print('LOADED', *{m.partition('.')[0] for m in sys.modules})"
    out = subprocess.run(
        [sys.executable, "-c", code + tell], cwd=cwd, capture_output=True, text=True, check=True
    ).stdout
    return set(out.rpartition("LOADED ")[2].split())


def test_imports_look_down_only() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_file_states_its_rule_and_stays_small(file: Path) -> None:
    text = file.read_text()
    assert ast.get_docstring(ast.parse(text)), "a file opens with what it owns"
    assert text.count("\n") <= 400, "what second thing has moved in?"


def test_a_notebook_imports_the_standard_library_only() -> None:
    assert loaded("import rnb") - loaded("") <= {"rnb"} | sys.stdlib_module_names


def test_a_kernel_knows_two_small_packages() -> None:
    """All that the kernel may ever import, imported at once."""
    names = [
        ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for file in FILES
        if "kernel" in file.parts and file.stem not in ("__init__", "__main__")
    ]
    assert names, "there is a kernel"
    news = loaded("\n".join(f"import {name}" for name in names)) - loaded("")
    assert news <= {"rnb", "msgspec", "xxhash"} | sys.stdlib_module_names


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["run", "one.py"]], ids=lambda args: args[0])
def test_a_warm_command_loads_nothing_heavy(args: list[str], tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("import rnb\n\n\n@rnb.cell\ndef one():\n    return 1\n")
    code = f"from rnb.cli import main\ntry:\n    main({args!r})\nexcept SystemExit as end:\n    assert not end.code, end.code"
    loaded(code, cwd=tmp_path)  # the first time may analyse
    news = loaded(code, cwd=tmp_path)
    assert not news & HEAVY
    if args[0] == "run":  # each of these takes a millisecond or more, of some forty
        assert not news & {"pathlib", "hashlib", "sqlite3", "socket", "ast", "inspect", "json", "click", "dataclasses"}
