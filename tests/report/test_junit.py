"""What a CI server reads, also of a job that was killed half-way."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from report_events import error, fault, finished, notebook, out, show, turn

from rnb.messages import AnyEvent
from rnb.report.junit import JUnit


def suite(path: Path) -> ElementTree.Element:
    found = ElementTree.parse(path).getroot().find("testsuite")
    assert found is not None
    return found


def test_a_whole_run(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "report.xml"
    sink = JUnit(path)
    told: list[AnyEvent] = [
        notebook("load", "fit", "plot", "heavy", faults=(fault(),)),
        turn("load", "running"),
        out("load", "a < b & \x1b[31mred\x1b[0m \x00\n"),
        out("load", "careful", "stderr"),
        show("load", "table"),
        turn("load", "done", 0.41),
        turn("fit", "running"),
        error("fit"),
        turn("fit", "failed", 2.0),
        turn("plot", "blocked", reason="fit failed"),
        turn("heavy", "running"),
        turn("heavy", "killed", 1.0, "signal 9"),
        finished(3.5, ok=False),
    ]
    for event in told:
        sink.event(event)
    sink.close()
    found = suite(path)
    assert found.attrib == {
        "name": "nb.py",
        "tests": "5",
        "failures": "1",
        "errors": "2",
        "skipped": "1",
        "time": "3.500",
    }
    cases = {case.attrib["name"]: case for case in found}
    assert list(cases) == ["fault unresolved line 3", "load", "fit", "plot", "heavy"]
    assert cases["load"].attrib | {"time": "0.410", "file": "nb.py", "line": "10"} == cases["load"].attrib
    assert cases["load"].findtext("system-out") == "a < b & red \\x00\ntable\n"
    assert cases["load"].findtext("system-err") == "careful"
    failure = cases["fit"].find("failure")
    assert failure is not None
    assert failure.attrib == {"type": "KeyError", "message": "KeyError: 'a'"}
    assert (failure.text or "").startswith("nb.py:7:1: error[KeyError]: 'a'\nTraceback")
    assert "2 frames in pandas" in (failure.text or "")
    assert [(child.tag, child.attrib["message"]) for name in ("plot", "heavy") for child in cases[name]] == [
        ("skipped", "blocked: fit failed"),
        ("error", "signal 9"),
    ]


def test_a_job_that_is_killed_leaves_what_it_had(tmp_path: Path) -> None:
    path = tmp_path / "report.xml"
    sink = JUnit(path)
    told: list[AnyEvent] = [notebook("a", "b"), turn("a", "running"), turn("a", "done", 0.1), turn("b", "running")]
    for event in told:
        sink.event(event)
    assert [case.attrib["name"] for case in suite(path)] == ["a"]
    assert [item.name for item in tmp_path.iterdir()] == ["report.xml"]


def test_a_setup_that_failed_does_not_look_green(tmp_path: Path) -> None:
    sink = JUnit(tmp_path / "report.xml")
    told: list[AnyEvent] = [
        notebook("a"),
        error(None),
        turn("a", "blocked", reason="the setup failed"),
        finished(ok=False),
    ]
    for event in told:
        sink.event(event)
    found = suite(tmp_path / "report.xml")
    assert (found.attrib["errors"], found.attrib["skipped"]) == ("1", "1")


def test_several_notebooks_share_a_file(tmp_path: Path) -> None:
    sink = JUnit(tmp_path / "report.xml")
    for path in ("one.py", "two.py"):
        told: list[AnyEvent] = [notebook("a"), turn("a", "done", 0.1)]
        for event in told:
            event.notebook = path
            sink.event(event)
        sink.close()
    assert [len(one) for one in ElementTree.parse(tmp_path / "report.xml").getroot()] == [1, 1]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=[])))
def test_any_text_makes_valid_xml(tmp_path: Path, text: str) -> None:
    sink = JUnit(tmp_path / "report.xml")
    told: list[AnyEvent] = [
        notebook("a"),
        out(None, text + "."),
        turn("a", "running"),
        out("a", text),
        error("a", traceback=text),
        turn("a", "failed", 0.1),
        turn("a", "blocked", reason=text),
    ]
    for event in told:
        sink.event(event)
    sink.close()
    assert len(suite(tmp_path / "report.xml")) == 2
