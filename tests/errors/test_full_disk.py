"""A disk that is full takes from a run what can't be written there, says so, and nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.driver import RNB, text_run

NOTEBOOK = "import rnb\n\n\n@rnb.cell\ndef a():\n    return 1\n\n\n@rnb.cell\ndef b(a):\n    print('b ran')\n"


def test_a_report_that_cannot_be_written_stops_neither_the_run_nor_other_reports(tmp_path: Path) -> None:
    (tmp_path / "nb.py").write_text(NOTEBOOK)
    (tmp_path / "full.ipynb").symlink_to("/dev/full")
    options = ["--ipynb", "full.ipynb", "--junit", "nb.xml", "--html", "nb.html", "--log-file", "/dev/full"]
    done = text_run("run", "nb.py", *options, cwd=tmp_path)
    assert (done.returncode, "b ran" in done.stdout) == (2, True)
    assert "error[system]: full.ipynb: No space left on device" in done.stderr
    assert done.stderr.count("nothing more is logged: No space left on device") == 1
    assert len(ElementTree.parse(tmp_path / "nb.xml").findall(".//testcase")) == 2
    assert (tmp_path / "nb.html").read_text().rstrip().endswith("</html>")


def test_a_report_that_cannot_be_written_for_a_while(tmp_path: Path) -> None:
    later = "\n\n@rnb.cell\ndef c(a):\n    import os\n    os.rmdir('nb.xml')\n"
    (tmp_path / "nb.py").write_text(NOTEBOOK + later)
    (tmp_path / "nb.xml").mkdir()
    done = text_run("run", "nb.py", "--junit", "nb.xml", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(ElementTree.parse(tmp_path / "nb.xml").findall(".//testcase")) == 3


@pytest.mark.parametrize("line", ["run nb.py", "run nb.py --json", "check nb.py", "graph nb.py"])
def test_standard_output_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "nb.py").write_text(NOTEBOOK)
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*RNB, *line.split()], cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert done.stderr.startswith("rnb: error[system]: standard output: No space left on device\n  hint: make room")
