"""The documentation is true: its examples run and print what it says, and it names all that there is to name."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from rnb import messages
from tests.doc_pages import PAGES, ROOT, Step, agrees, anchors, dialogue, section, steps

DOCS = ROOT / "docs"
BIN = Path(sys.executable).parent
ENV = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1", "COLUMNS": "100"}
ERRORS = "syntax cycle duplicate shadowed unresolved ambiguous returns-differ parameter-conflict writes-global option"
WARNINGS = "stale-signature mutates-ref star-import process-state"
LINTS = "dead-cell unused-parameter heavy-setup secret local-path"
STATUSES = "queued running done failed killed cancelled cached unchanged blocked"
REASONS = "new code setup ref file module parameter unfinished mutation lost asked"
NAMED = ("notebook", "file")


def having(*kinds: str) -> list[Path]:
    return [page for page in PAGES if any(set(kinds) & {*step.marks, step.language} for step in steps(page))]


def by_name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def put(step: Step, folder: Path) -> None:
    for kind in NAMED:
        if kind in step.marks:
            (folder / step.marks[kind]).write_text(step.text)


@pytest.mark.parametrize("page", having("console"), ids=by_name)
def test_commands_print_what_the_page_says(page: Path, tmp_path: Path) -> None:
    for step in steps(page):
        put(step, tmp_path)
        for command, expected in dialogue(step.text) if step.language == "console" else ():
            done = subprocess.run(
                ["bash", "-c", command], cwd=tmp_path, env=ENV, capture_output=True, text=True, timeout=60
            )
            assert agrees(expected, done.stdout), f"{step}: {command}\n{done.stdout}{done.stderr}"


def test_a_page_that_lies_is_noticed() -> None:
    assert agrees("✓ a 0 ms\n...end\n", "✓ a 12 ms\nx\ny\nthe end\n")
    assert agrees("2 done in 57 ms\n", "2 done in 1 min 03 s\n")
    assert not agrees("✓ a 0 ms\n", "✗ a failed 0 ms\n")
    assert not agrees("exit 1\n", "exit 0\n")
    assert not agrees("", "more\n")


# ---------------------------------------------------------------------------- watch


class Watch:
    """A real `rnb watch --json`; `round()` gives the events up to the next `finished`."""

    def __init__(self, notebook: Path) -> None:
        command = [sys.executable, "-m", "rnb", "watch", notebook.name, "--json"]
        self.process = subprocess.Popen(
            command, cwd=notebook.parent, env=ENV, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
        )

    def round(self) -> list[dict[str, Any]]:
        assert self.process.stdout is not None
        events: list[dict[str, Any]] = []
        while not events or events[-1]["type"] != "finished":
            line = self.process.stdout.readline()
            assert line, f"the watch ended with {self.process.wait()}"
            events.append(json.loads(line))
        return events

    def close(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=30)


def edited(step: Step) -> tuple[str, str, str]:
    """(file, old, new) of `name.py: old => new`."""
    name, _, change = step.marks["edit"].partition(": ")
    old, _, new = change.partition(" => ")
    return name, old, new


@pytest.fixture
def watches() -> Iterator[dict[str, Watch]]:
    running: dict[str, Watch] = {}
    yield running
    for watch in running.values():
        watch.close()


@pytest.mark.parametrize("page", having("edit"), ids=by_name)
def test_an_edit_runs_what_the_page_says(page: Path, tmp_path: Path, watches: dict[str, Watch]) -> None:
    for step in steps(page):
        put(step, tmp_path)
        if "edit" not in step.marks:
            continue
        name, old, new = edited(step)
        file = tmp_path / name
        if name not in watches:
            watches[name] = Watch(file)
            watches[name].round()
        before = file.read_text()
        after = before.replace(old, new)
        assert before != after, f"{step}: nothing to edit"
        shown = [set(re.findall(rf"^\{sign}(.*)$", step.text, re.M)) for sign in "-+"]
        lines = [set(text.splitlines()) for text in (before, after)]
        assert shown == [lines[0] - lines[1], lines[1] - lines[0]], f"{step}: the diff shown is not the edit"
        beside = tmp_path / "saving"
        beside.write_text(after)
        beside.replace(file)
        ran = [e["cell"] for e in watches[name].round() if e["type"] == "cell" and e["status"] == "running"]
        assert ran == [cell.strip() for cell in step.marks["ran"].split(",") if cell.strip()], str(step)


# ---------------------------------------------------------------------------- faults

CODES = [*ERRORS.split(), *WARNINGS.split(), *LINTS.split()]
EXAMPLES = [step for code in CODES for step in steps(DOCS / "faults" / f"{code}.md") if step.language == "python"]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """The faults of each example: one process looks at all."""
    folder = tmp_path_factory.mktemp("faults")
    for number, step in enumerate(EXAMPLES):
        (folder / f"{number}.py").write_text(step.text)
    command = [sys.executable, "-m", "rnb", "check", *(f"{number}.py" for number in range(len(EXAMPLES))), "--json"]
    out = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60).stdout
    return {str(step): json.loads(line)["faults"] for step, line in zip(EXAMPLES, out.splitlines(), strict=True)}


@pytest.mark.parametrize("step", EXAMPLES, ids=lambda step: f"{step.page.stem}-{step.line}")
def test_an_example_has_its_fault_and_no_other(step: Step, found: dict[str, list[dict[str, Any]]]) -> None:
    faults = found[str(step)]
    assert {fault["code"] for fault in faults} == ({step.marks["fault"]} if "fault" in step.marks else set())
    here = [number for number, line in enumerate(step.text.splitlines(), 1) if "# here" in line]
    if here:
        assert here[0] in {fault["line"] for fault in faults}
    assert all(fault["hint"] for fault in faults), "every fault says how to mend it"
    if faults:
        form = "example.py:{line}:{column}: {severity}[{code}]: {message}\n  hint: {hint}\n"
        below = next(each for each in steps(step.page) if each.line > step.line)
        assert below.text == "".join(form.format_map(fault) for fault in faults), "what is printed stands below it"


def test_every_code_has_a_page_in_the_order_of_the_contract() -> None:
    assert re.findall(r"\]\(faults/(.*)\.md\)", (DOCS / "faults.md").read_text()) == CODES
    for code in CODES:
        marks = [next(iter(step.marks.items())) for step in EXAMPLES if step.page.stem == code]
        assert marks in ([("fault", code), ("fine", "")] * times for times in (1, 2)), "a faulty one, then a mended one"


# ---------------------------------------------------------------------------- the contract


def fields(struct: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(struct)} - {"seq", "time", "run"}


@pytest.mark.parametrize("event", get_args(messages.AnyEvent), ids=lambda event: event.__struct_config__.tag)
def test_every_field_of_an_event_is_explained(event: type[msgspec.Struct]) -> None:
    text = section(DOCS / "events.md", str(event.__struct_config__.tag))
    assert {name for name in fields(event) - {"notebook", "worker"} if f"`{name}`" not in text} == set()


def test_every_status_and_reason_is_explained() -> None:
    for page, words in (("cell", STATUSES), ("plan", REASONS), ("What every event has", "seq time run type notebook")):
        text = section(DOCS / "events.md", page)
        assert [word for word in words.split() if f"`{word}`" not in text] == []


def help_of(*args: str) -> str:
    command = [sys.executable, "-m", "rnb", *args, "--help"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def test_commands_and_options_are_those_of_help() -> None:
    listed = re.findall(r"^  (\w+) ", help_of().partition("Commands:")[2], re.M)
    page = DOCS / "commands.md"
    assert set(re.findall(r"^## rnb (\w+)$", page.read_text(), re.M)) == set(listed)
    for command in listed:
        text, told = help_of(command), section(page, f"rnb {command}")
        below = re.findall(r"^  (\w+) ", text.partition("Commands:")[2], re.M)
        texts = [text, *(help_of(command, one) for one in below)]
        found = "".join(one.partition("Options:")[2] for one in texts)
        options = set(re.findall(r"(?<![\w-])--[a-z-]+", found)) - {"--help"}
        assert {option for option in options if option not in told} == set(), command
        assert set(re.findall(r"--[a-z][a-z-]*", told)) - options - {"--help"} == set(), command
        assert "Example" in text, f"rnb {command} --help has an example"


# ---------------------------------------------------------------------------- the pages


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path) if path else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


def test_every_page_is_reached_from_the_index() -> None:
    linked = set(re.findall(r"\]\((\w[\w-]*\.md)", (DOCS / "index.md").read_text()))
    assert {page.name for page in DOCS.glob("*.md")} - {"index.md"} == linked


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_every_example_is_python(page: Path) -> None:
    for step in steps(page):
        if step.language == "python" and step.marks.get("fault") != "syntax":
            compile(step.text, str(step), "exec")
        if step.language == "json":
            json.loads(step.text)
