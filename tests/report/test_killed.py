"""A run that is killed by force leaves reports that hold every cell that had ended, however fast those came."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from xml.etree import ElementTree

from tests.driver import PATIENCE, RNB

CELLS = 40
NOTEBOOK = (
    "import time\n\nimport rnb\n"
    + "".join(f"\n\n@rnb.cell\ndef quick{n}():\n    print('said {n}.')\n" for n in range(CELLS))
    + "\n\n@rnb.cell\ndef long():\n    time.sleep(60)\n"
)


def cells_in(folder: Path) -> list[int]:
    """How many quick cells each report holds, 0 for one that is not there."""
    if not all((folder / f"out.{kind}").exists() for kind in ("xml", "ipynb", "html")):
        return [0, 0, 0]
    cases = ElementTree.parse(folder / "out.xml").iter("testcase")
    cells = json.loads((folder / "out.ipynb").read_bytes())["cells"]
    page = (folder / "out.html").read_text()
    assert page.rstrip().endswith("</html>")
    return [
        sum("said" in (case.findtext("system-out") or "") for case in cases),
        sum(bool(cell.get("outputs")) for cell in cells),
        sum(f'"said {n}.\\n"' in page.replace("\\u0022", '"') for n in range(CELLS)),
    ]


def test_killed_by_force(tmp_path: Path) -> None:
    (tmp_path / "nb.py").write_text(NOTEBOOK)
    reports = [word for kind in ("junit", "ipynb", "html") for word in (f"--{kind}", kind)]
    reports = [f"out.{'xml' if word == 'junit' else word}" if not word.startswith("-") else word for word in reports]
    command = subprocess.Popen([*RNB, "run", "nb.py", *reports], cwd=tmp_path, stdout=subprocess.DEVNULL)
    end = time.monotonic() + PATIENCE
    while cells_in(tmp_path) != [CELLS] * 3 and time.monotonic() < end:
        time.sleep(0.02)  # until all is written, which it is while the long cell runs
    assert command.poll() is None
    command.kill()
    command.wait()
    assert cells_in(tmp_path) == [CELLS] * 3
    assert sorted(name for name in os.listdir(tmp_path) if name[0] != ".") == [
        "nb.py",
        "out.html",
        "out.ipynb",
        "out.xml",
    ]


def test_a_pipe_is_written_once_and_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "nb.py").write_text("import rnb\n\n\n@rnb.cell\ndef a():\n    print(1)\n")
    (tmp_path / "there").mkdir()
    (tmp_path / "link.xml").symlink_to("there/real.xml")
    (tmp_path / "link.html").symlink_to("there/real.html")
    run = [*RNB, "run", "nb.py", "--json", "--junit", "link.xml", "--html", "link.html", "--ipynb", "/dev/stderr"]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, check=True)
    assert (tmp_path / "link.xml").is_symlink() and (tmp_path / "link.html").is_symlink()
    assert ElementTree.parse(tmp_path / "there" / "real.xml").find(".//testcase") is not None
    assert len(json.loads(done.stderr)["cells"]) == 2
