"""What `rnb check` prints: text for people, `notebook` events, annotations of GitHub, SARIF. One class for each form."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO, Protocol
from urllib.parse import quote

from rnb.host.emit import Emitter
from rnb.host.explain import gist, pages
from rnb.messages import Fault
from rnb.notebook.model import Notebook
from rnb.notebook.render import describe
from rnb.report.github import fault_command
from rnb.report.json_lines import JsonLines
from rnb.report.text import fault_lines, faults_text

DOCS = "https://pypi.org/project/rnb-notebook/"
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


class Form(Protocol):
    """Takes notebooks one by one; what must wait for the last is written at the end."""

    def notebook(self, notebook: Notebook) -> None: ...

    def close(self) -> None: ...


def report(notebooks: Iterable[Notebook], form: Form) -> int:
    """Print all; 2 if there is an error, else 0."""
    code = 0
    for notebook in notebooks:
        form.notebook(notebook)
        if any(fault.severity == "error" for fault in notebook.faults):
            code = 2
    form.close()
    return code


def form_of(name: str, out: BinaryIO, several: bool) -> Form:
    """The form called text, json, github or sarif."""
    if name == "json":
        return Json(out, several)
    forms: dict[str, Callable[[BinaryIO], Form]] = {"text": Text, "github": GitHub, "sarif": Sarif}
    return forms[name](out)


class Text:
    """`path:line:column: error[code]: message` and the hint, then a summary."""

    def __init__(self, out: BinaryIO) -> None:
        self.out = out
        self.files = 0
        self.faults: list[Fault] = []

    def notebook(self, notebook: Notebook) -> None:
        self.files += 1
        self.faults += notebook.faults
        for fault in notebook.faults:
            _write(self.out, fault_lines(fault))

    def close(self) -> None:
        said = faults_text(self.faults) or "no faults"
        _write(self.out, [f"{self.files} notebook{'' if self.files == 1 else 's'} checked: {said}"])
        if self.faults and self.out.isatty():
            _write(self.out, [f"`rnb explain {self.faults[-1].code}` says more, with an example; so for every code"])
        self.out.flush()


class Json:
    """One `notebook` event a file."""

    def __init__(self, out: BinaryIO, several: bool) -> None:
        self.sink = JsonLines(out)
        self.several = several
        self.numbers = itertools.count(1)

    def notebook(self, notebook: Notebook) -> None:
        emitter = Emitter([self.sink], lambda event: None, self.numbers, notebook.path if self.several else None)
        emitter.emit(describe(notebook))

    def close(self) -> None:
        self.sink.close()


class GitHub:
    """Workflow commands, which GitHub shows beside the lines of a pull request."""

    def __init__(self, out: BinaryIO) -> None:
        self.out = out

    def notebook(self, notebook: Notebook) -> None:
        _write(self.out, map(fault_command, notebook.faults))

    def close(self) -> None:
        self.out.flush()


class Sarif:
    """One SARIF 2.1.0 log of all files, for code scanning."""

    def __init__(self, out: BinaryIO) -> None:
        self.out = out
        self.faults: list[Fault] = []

    def notebook(self, notebook: Notebook) -> None:
        self.faults += notebook.faults

    def close(self) -> None:
        codes = sorted({fault.code for fault in self.faults})
        told = pages()
        rules = [_rule(code, told.get(code, code)) for code in codes]
        driver = {"name": "rnb", "informationUri": DOCS, "rules": rules}
        results = [_result(fault, codes.index(fault.code)) for fault in self.faults]
        run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
        log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
        _write(self.out, [json.dumps(log, indent=2)])
        self.out.flush()


def _rule(code: str, told: str) -> dict[str, Any]:
    help = {"text": told, "markdown": told}
    return {"id": code, "name": code, "helpUri": DOCS, "shortDescription": {"text": gist(told)}, "help": help}


def _result(fault: Fault, rule: int) -> dict[str, Any]:
    region = {"startLine": fault.line, "startColumn": fault.column}
    if (fault.end_line, fault.end_column) > (fault.line, fault.column):
        region |= {"endLine": fault.end_line, "endColumn": fault.end_column}
    uri = {"uri": quote(fault.path.replace("\\", "/"))}
    return {
        "ruleId": fault.code,
        "ruleIndex": rule,
        "level": fault.severity,
        "message": {"text": fault.message + (f"\n{fault.hint}" if fault.hint else "")},
        "locations": [{"physicalLocation": {"artifactLocation": uri, "region": region}}],
    }


def _write(out: BinaryIO, lines: Iterable[str]) -> None:
    out.write("".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))
