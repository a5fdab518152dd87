"""Every text tool on every kind of bad or odd file: a clear fault or the right answer; the input is never harmed."""

from __future__ import annotations

import os
import random
import resource
import subprocess
from pathlib import Path

import pytest

from rnb.cli.guard import guarded
from rnb.cli.main import entry
from tests.driver import RNB

BODY = "import rnb\n\n\n@rnb.cell\ndef f():\n    xé = 1\n    text = 'ü'\n\n\n@rnb.cell\ndef g(xé):\n    print(xé)\n"
GOOD = {
    "byte order mark": b"\xef\xbb\xbf" + BODY.encode(),
    "crlf": BODY.replace("\n", "\r\n").encode(),
    "cr": BODY.replace("\n", "\r").encode(),
    "tabs": BODY.replace("    ", "\t").encode(),
    "latin-1 with a coding line": ("# coding: latin-1\n" + BODY).encode("latin-1"),
    "cp1252, emacs style": ("# -*- coding: cp1252 -*-\n" + BODY).encode("cp1252"),
    "no newline at the end": BODY.rstrip("\n").encode(),
    "form feeds": BODY.replace("\n\n\n", "\n\x0c\n\n").encode(),
    "a long line": BODY.encode() + b"DATA = '" + b"x" * 500_000 + b"'\n",
    "many lines": BODY.encode() + b"".join(b"x%d = %d\n" % (n, n) for n in range(1_000)),
    "a lone surrogate": BODY.replace("'ü'", "'\\ud800'").encode(),
    "nested brackets": BODY.encode() + b"x = " + b"(" * 60 + b"1" + b")" * 60 + b"\n",
}
EMPTY = {"empty": b"", "blank": b" \n\t\n\n", "a comment": b"# nothing\n"}
BAD = {
    "mixed indentation": b"import rnb\n@rnb.cell\ndef f():\n\tx = 1\n        y = 2\n",
    "not utf-8": b"import rnb\nx = '\xe9'\n",
    "utf-16": BODY.encode("utf-16"),
    "an unknown coding": b"# coding: nonsense\nimport rnb\n",
    "a wrong coding": b"\xef\xbb\xbf# coding: latin-1\nimport rnb\n",
    "a null byte": b"import rnb\nx = 1\x00\n",
    "binary": random.Random(5).randbytes(5_000),
    "deep brackets": b"x = " + b"(" * 5_000 + b")" * 5_000,
    "deep suites": b"".join(b" " * n + b"if 1:\n" for n in range(150)) + b" " * 150 + b"pass\n",
    "an open string": b'import rnb\nx = """\n',
    "a continuation at the end": BODY.encode() + b"\\\n",
    "cut in a cell": BODY.encode()[:50] + b"(",
}
TOOLS = {
    "fmt": ["fmt", "IN"],
    "fix": ["check", "--fix", "IN"],
    "check": ["check", "IN"],
    "graph": ["graph", "IN"],
    "diff": ["diff", "IN", "OTHER"],
    "split": ["split", "IN", "-o", "OUT"],
    "convert": ["convert", "IN", "OUT.ipynb"],
    "add to it": ["add", "IN", "BLOCK"],
    "add it": ["add", "OTHER", "IN"],
}
WRITES = {"fmt", "fix", "add to it"}


def tool(name: str, folder: Path, data: bytes, capfd: pytest.CaptureFixture[str]) -> tuple[int, str, bytes]:
    """(exit code, all that it said, what is in the file then)."""
    files = {"IN": "in put.py", "OTHER": "other.py", "BLOCK": "block.txt", "OUT": "out.py", "OUT.ipynb": "out.ipynb"}
    paths = {key: folder / file for key, file in files.items()}
    paths["IN"].write_bytes(data)
    paths["OTHER"].write_bytes(BODY.encode())
    paths["BLOCK"].write_text("added = 3\nprint(added)\n")
    code = guarded(lambda: entry([str(paths.get(each, each)) for each in TOOLS[name]]))
    said = "".join(capfd.readouterr())
    assert "Traceback" not in said
    assert [each for each in os.listdir(folder) if each.endswith(".tmp")] == []
    if name == "add it":
        data = BODY.encode() if code else paths["OTHER"].read_bytes()
        assert paths["OTHER"].read_bytes() == data
    return code, said, paths["IN"].read_bytes()


def as_script(data: bytes) -> bytes:
    """Without cells: what has some is not split."""
    return data.replace(b"@rnb.cell", b"# a step")


@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.parametrize("kind", BAD)
def test_bad(name: str, kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, said, after = tool(name, tmp_path, BAD[kind], capfd)
    assert code == 2 and "error" in said and "in put.py" in said, said[:300]
    assert after == BAD[kind] and not (tmp_path / "out.py").exists() and not (tmp_path / "out.ipynb").exists()


@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.parametrize("kind", [*GOOD, *EMPTY])
def test_odd(name: str, kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = {**GOOD, **EMPTY}[kind]
    if name == "split":
        data = as_script(data)
    code, said, after = tool(name, tmp_path, data, capfd)
    if kind in GOOD and name != "add it":
        assert code == 0, said[:300]
    if name not in WRITES or code:
        assert after == data
    elif kind in GOOD:
        newline = b"\r\n" if b"\r\n" in data else b"\r" if b"\r" in data else b"\n"
        assert after != data and after.count(newline) > data.count(newline)
        assert after.startswith(data[:18]) and (newline == b"\n") == (b"\r" not in after)


@pytest.mark.parametrize("name", ["fmt", "convert", "split", "add to it"])
def test_a_full_disk_harms_nothing(name: str, tmp_path: Path) -> None:
    """Writing stops in the middle: the old file stands, and nothing is left beside it."""
    big = BODY.encode() + b"print('" + b"x" * 200_000 + b"')\n"
    big = as_script(big) if name == "split" else big
    paths = {"IN": tmp_path / "in.py", "OUT": tmp_path / "out.py", "OUT.ipynb": tmp_path / "out.ipynb"}
    paths["BLOCK"] = tmp_path / "block.txt"
    paths["BLOCK"].write_text("added = 3\n")
    for key in ("IN", "OUT", "OUT.ipynb"):
        paths[key].write_bytes(big)
    force = ["--force"] if name in ("convert", "split") else []
    done = subprocess.run(
        [*RNB, *(str(paths.get(each, each)) for each in TOOLS[name]), *force],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )
    assert done.returncode == 2 and "File too large" in done.stderr and "Traceback" not in done.stderr
    assert all(paths[key].read_bytes() == big for key in ("IN", "OUT", "OUT.ipynb"))
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != ".rnb") == sorted(
        path.name for path in paths.values()
    )
