"""`rnb doctor` and its bundle: facts, and nothing that is the user's."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from rnb.host.doctor import _imported, numbers, requirement
from rnb.host.internal import sentence
from tests.driver import run, text_run

BOOK = '''"""A hidden title"""
import rnb

TOKEN = "hunter2"


@rnb.cell
def load():
    """A hidden docstring."""
    print("hidden output")
    return {"hidden": "value"}


@rnb.sql(engine="postgresql+psycopg://me:hunter2@localhost:1/hidden")
def asks():
    """SELECT hidden"""
'''


def test_doctor_and_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    sentence(
        "ValueError: hidden", 'Traceback …\n  File "/x/rnb/y.py", line 1, in z\n    hidden()\nValueError: hidden\n'
    )
    book = tmp_path / "book.py"
    book.write_text(BOOK)
    (tmp_path / "pyproject.toml").write_text("[tool.rnb.limits]\nmemory = '2GB'\n")
    assert run(book).code == 1
    env = {"RNB_TOKEN": "hunter2", "PYTHONDONTWRITEBYTECODE": "1"}
    done = text_run("doctor", "book.py", "--json", "--bundle", "b.zip", cwd=tmp_path, env=env, timeout=120)
    found = {finding["topic"]: finding for finding in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == int(any(finding["state"] == "wrong" for finding in found.values()))
    assert {"rnb", "system", "packages", "extra sql", "extra view", "sandbox", "limits", "project", "a run"} <= set(
        found
    )
    assert found["packages"]["state"] in ("fine", "slow") and "limits in [tool.rnb]" in found["project"]["words"]
    assert found["bytecode"]["state"] == "slow" and found["a run"]["state"] in ("fine", "slow")
    with zipfile.ZipFile(tmp_path / "b.zip") as bundle:
        parts = {name: bundle.read(name).decode() for name in bundle.namelist()}
    assert set(parts) == {"README.txt", "doctor.json", "packages.json", "last_run.json", "internal.json"}
    assert found["internal errors"]["words"].endswith(": ValueError") and "rnb/y.py" in parts["internal.json"]
    whole = "".join(parts.values())
    assert not any(secret in whole for secret in ("hunter2", "hidden", str(Path.home()) + "/"))
    events = json.loads(parts["last_run.json"])
    assert [event["type"] for event in events][:1] == ["notebook"] and events[-1]["type"] == "finished"
    assert ("asks", "failed") in {(event.get("cell"), event.get("status")) for event in events}


def test_what_is_missing_old_or_broken_is_told(tmp_path: Path) -> None:
    assert requirement("duckdb>=1.4,<3; python_version > '3' and extra == 'sql'") == ("duckdb", "1.4", "sql")
    assert requirement('PyJWT[crypto]>=2.8; extra == "jwt"') == ("PyJWT", "2.8", "jwt")
    assert requirement("click>=8.1") == ("click", "8.1", "")
    assert numbers("1.10.2rc1") > numbers("1.9") and numbers("2.0") > numbers("1.99")
    broken, _ = _imported(["json", "nosuchpackage"])
    assert broken == "`import nosuchpackage` fails: ModuleNotFoundError No module named 'nosuchpackage'"
    done = text_run("doctor", "nope.py", "--bundle", str(tmp_path / "b.zip"), cwd=tmp_path, timeout=120)
    assert done.returncode == 2 and "nope.py has no history" in done.stderr


COMPLETE = """
{setup}
COMP_WORDS=({words})
COMP_CWORD={number}
_rnb_completion rnb
echo "${{COMPREPLY[@]}}"
"""


def completed(*words: str, cwd: Path) -> list[str]:
    """What bash offers for the last word."""
    setup = text_run("completion", "bash").stdout
    quoted = " ".join(f"'{word}'" for word in ("rnb", *words))
    script = COMPLETE.format(setup=setup, words=quoted, number=len(words))
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    done = subprocess.run(
        ["bash", "-c", script], cwd=cwd, env={"PATH": path}, capture_output=True, text=True, timeout=60
    )
    return done.stdout.split()


def test_a_shell_completes_commands_options_and_cells(tmp_path: Path) -> None:
    (tmp_path / "book.py").write_text(BOOK)
    assert completed("wa", cwd=tmp_path) == ["watch"]
    assert "--only" in completed("run", "--on", cwd=tmp_path)
    assert completed("run", "book.py", "--only", "", cwd=tmp_path) == ["load", "asks"]
    assert completed("run", "book.py", "--only", "lo", cwd=tmp_path) == ["load"]
    assert completed("why", "book.py", "a", cwd=tmp_path) == ["asks"]
    assert completed("why", "nope.py", "a", cwd=tmp_path) == []
    assert completed("cache", "why", "book.py", "lo", cwd=tmp_path) == ["load"]
    assert completed("explain", "unre", cwd=tmp_path) == ["unresolved"]


def test_the_scripts_are_valid(tmp_path: Path) -> None:
    for shell, check in (("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")):
        script = text_run("completion", shell)
        assert script.returncode == 0 and "_RNB_COMPLETE" in script.stdout
        file = tmp_path / f"rnb.{shell}"
        file.write_text(script.stdout)
        if shutil.which(shell):
            assert subprocess.run([shell, check, str(file)], check=False).returncode == 0
    assert text_run("completion", "tcsh").returncode == 2
