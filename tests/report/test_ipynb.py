"""The notebook as Jupyter opens it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from report_events import PNG, error, finished, notebook, out, show, turn

from rnb.host.source import Sources
from rnb.messages import AnyEvent
from rnb.report.ipynb import Ipynb
from tests.driver import text_run

CELLS = {
    "load": '@rnb.cell\ndef load():\n    """Reads."""\n    return 1\n',
    "été": "@rnb.cell\ndef été(load): ...\n",
}


def written(path: Path, *events: AnyEvent) -> dict[str, Any]:
    sink = Ipynb(path, lambda: Sources("T", "import pandas as pd\n", CELLS))
    for event in events:
        sink.event(event)
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


@pytest.fixture
def document(tmp_path: Path) -> dict[str, Any]:
    info: dict[str, Any] = {
        "load": {"doc": "Reads."},
        "words": {"kind": "markdown", "doc": "*words*"},
        "été": {"hide": True},
    }
    return written(
        tmp_path / "out.ipynb",
        notebook("load", "words", "été", "name#2", "name-2", **info),
        out(None, "setup speaks\n"),
        turn("load", "running"),
        out("load", "a"),
        out("load", "b\n"),
        out("load", "c\n", "stderr"),
        show("load", "table", text_html="<b>", image_png=PNG),
        turn("load", "done", 0.4),
        turn("words", "done", 0.0),
        turn("été", "running"),
        error("été"),
        turn("été", "failed", 0.1),
        turn("name#2", "blocked", reason="été failed"),
        turn("name-2", "done"),
        finished(),
    )


def test_it_is_valid(document: dict[str, Any]) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbformat.validate(document)
    assert (document["nbformat"], document["nbformat_minor"]) == (4, 5)


def test_cells_in_file_order_with_what_they_showed(document: dict[str, Any]) -> None:
    cells = [
        (cell["id"], cell["cell_type"], "".join(cell["source"]), cell.get("execution_count"))
        for cell in document["cells"]
    ]
    assert cells == [
        ("introduction", "markdown", "# T", None),
        ("setup", "code", "import pandas as pd", None),
        ("load-doc", "markdown", "Reads.", None),
        ("load", "code", CELLS["load"].rstrip(), 1),
        ("words", "markdown", "*words*", None),
        ("-t-", "code", CELLS["été"].rstrip(), 2),
        ("name-2", "code", "", None),
        ("name-2-2", "code", "", None),
    ]
    outputs = {cell["id"]: cell.get("outputs") for cell in document["cells"]}
    assert outputs["setup"] == [{"output_type": "stream", "name": "stdout", "text": "setup speaks\n"}]
    assert outputs["load"] == [
        {"output_type": "stream", "name": "stdout", "text": "ab\n"},
        {"output_type": "stream", "name": "stderr", "text": "c\n"},
        {
            "output_type": "display_data",
            "data": {"text/plain": "table", "text/html": "<b>", "image/png": PNG},
            "metadata": {},
        },
    ]
    assert (outputs["-t-"][0]["ename"], outputs["-t-"][0]["evalue"]) == ("KeyError", "'a'")
    assert outputs["name-2"][0]["text"] == "[rnb] blocked: été failed\n"


def test_states_and_times_stand_in_the_metadata(document: dict[str, Any]) -> None:
    cells = {cell["id"]: cell["metadata"] for cell in document["cells"]}
    assert cells["load"]["rnb"] == {"id": "load", "name": "load", "status": "done", "seconds": 0.4}
    assert cells["load"]["execution"]["iopub.execute_input"] == "2025-10-09T08:53:20Z"
    assert cells["-t-"]["jupyter"] == {"source_hidden": True}


def test_the_introduction_is_text(tmp_path: Path) -> None:
    text = '"""What flew?\n\nBirds.\n"""\nimport rnb\n\n\n@rnb.cell\ndef a():\n    pass\n'
    (tmp_path / "nb.py").write_text(text)
    assert text_run("run", "nb.py", "--ipynb", "nb.ipynb", cwd=tmp_path).returncode == 0
    cells = json.loads((tmp_path / "nb.ipynb").read_bytes())["cells"]
    assert [(cell["cell_type"], "".join(cell["source"])) for cell in cells[:2]] == [
        ("markdown", "# What flew?\n\nBirds."),
        ("code", "import rnb"),
    ]


def test_a_job_that_is_killed_leaves_what_it_had(tmp_path: Path) -> None:
    document = written(
        tmp_path / "out.ipynb", notebook("a", "b"), turn("a", "running"), out("a", "1"), turn("a", "done")
    )
    assert [cell["outputs"] for cell in document["cells"][2:]] == [
        [{"output_type": "stream", "name": "stdout", "text": "1"}],
        [],
    ]
