"""One tree of errors: a code for each, the same everywhere, and a page of the docs."""

from __future__ import annotations

import asyncio
import importlib
import json
import pickle
import pkgutil
import re
from pathlib import Path

import httpx
import pytest

import rnb
from rnb.errors import HTTP_CODES, INTERNAL, SYSTEM, MissingExtra, RnbError
from rnb.redact import hidden
from tests.doc_pages import steps
from tests.driver import text_run
from tests.test_docs import DOCS


def tree(root: type[RnbError] = RnbError) -> list[type[RnbError]]:
    return [root, *(each for sub in root.__subclasses__() for each in tree(sub))]


def test_every_code_is_one_errors_and_has_a_page() -> None:
    for module in pkgutil.walk_packages(rnb.__path__, "rnb."):
        if not module.name.startswith(("rnb.view", "rnb.cli.pytest", "rnb.__main__")):
            importlib.import_module(module.name)
    codes = [each.code for each in tree()[1:] if "code" in vars(each)]  # others are finer cases of their parent
    assert len(codes) == len(set(codes))
    listed = re.findall(r"^- \[(.*)\]", (DOCS / "errors.md").read_text(), re.M)
    assert set(listed) == {*codes, SYSTEM, INTERNAL, *HTTP_CODES.values()} and len(listed) == len(set(listed))
    for code in {*codes, SYSTEM, INTERNAL}:
        said = re.findall(r"error\[(.*?)\]", (DOCS / "errors" / f"{code}.md").read_text())
        assert said == ["MutationError"] if code == "mutation" else set(said) == {code}
    assert (
        f"rnb: error[missing-extra]: {MissingExtra('a log', 'log')}\n" in (DOCS / "errors/missing-extra.md").read_text()
    )


ANSWERS = sorted({*HTTP_CODES.values()} - {INTERNAL})
STRICT = {"too-many-requests": {"burst": 0}, "too-many-streams": {"streams": 0}}


@pytest.mark.parametrize("code", ANSWERS)
def test_the_view_answers_as_the_page_says(code: str) -> None:
    pytest.importorskip("starlette")
    from rnb.view.app import application
    from rnb.view.guard import Access, Limits
    from rnb.view.shelf import Shelf

    shown = next(step.text for step in steps(DOCS / "errors" / f"{code}.md") if step.language == "http")
    asked, head, body = shown.split("\n\n")
    method, path, _ = asked.splitlines()[0].split()
    headers = dict(line.split(": ") for line in asked.splitlines()[1:])
    access = Access(frozenset(), token="s3cret" if code == "no-token" else None)
    transport = httpx.ASGITransport(application(Shelf(), access, None, Limits(**STRICT.get(code, {}))))

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.request(method, path, headers=headers)

    answer = asyncio.run(ask())
    status, told = head.splitlines()
    assert status.startswith(f"HTTP/1.1 {answer.status_code} ") and told == f"rnb-error: {answer.headers['rnb-error']}"
    assert (answer.headers["rnb-error"], answer.text.strip()) == (code, body.strip())


def test_they_survive_pickling() -> None:
    for each in tree()[1:]:
        names = ("x", "y") if each.__name__ == "MissingExtra" else ("x",)
        error = each(*names)
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), again.code) == (each, str(error), each.code)


BOOK = "import rnb\n\n\n@rnb.cell\ndef a():\n    print(1)\n"
WRONG = [
    (["run", "nope.py", "--json"], "no-notebook", 1),
    (["run", "book.py", "--json", "--only", "b"], "usage", 2),
    (["run", "book.py", "--json", "--no-such-option"], "usage", 1),
    (["run", "book.py", "--json", "--limit", "speed=1"], "usage", 1),
    (["run", "book.py/x.py", "--json"], "system", None),
    (["nope", "--json"], "usage", 1),
    (["run", "book.py", "--json", "--html", "./book.py"], "usage", 1),
    (["run", "book.py", "--json", "--log-file", "book.py"], "usage", 1),
    (["sweep", "book.py", "--json", "-p", "n=1,2", "--html", "book.py", "--force"], "usage", 1),
]


@pytest.mark.parametrize(("args", "code", "seq"), WRONG)
def test_the_code_is_the_same_for_people_and_programs(
    tmp_path: Path, args: list[str], code: str, seq: int | None
) -> None:
    (tmp_path / "book.py").write_text(BOOK)
    done = text_run(*args, cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.startswith(f"rnb: error[{code}]: ")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    problem = events[-1]
    assert (problem["type"], problem["code"], problem["exit_code"]) == ("problem", code, 2)
    assert problem["message"] in done.stderr and problem["run"] == events[0]["run"]
    assert seq is None or problem["seq"] == seq
    assert (tmp_path / "book.py").read_text() == BOOK


HINTS = [
    (["run", "book.py", "--cache"], "`rnb run --help` shows what it takes"),
    (["cache", "list", "--cache"], "`rnb cache list --help` shows what it takes"),
    (["run", "book.py", "-P", "nope.toml"], "name a .toml, .yaml or .json file that can be read"),
    (["run", "book.py", "-P", "wrong.json"], "by its ending it is read as JSON, in UTF-8"),
    (["sweep", "book.py", "-p", "x=1,2", "-o", "t.txt"], "the name of the table says its form"),
    (["add", "book.py", "empty.py"], "`rnb explain rewrite` says more"),
    (["new", "."], "rnb new analysis.py"),
    (["new", "my own.ipynb"], "rnb new 'my own.py'"),
]


@pytest.mark.parametrize(("args", "hint"), HINTS)
def test_every_error_says_what_to_do(tmp_path: Path, args: list[str], hint: str) -> None:
    for name, text in {"book.py": BOOK, "wrong.json": "{", "empty.py": ""}.items():
        (tmp_path / name).write_text(text)
    done = text_run(*args, cwd=tmp_path)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (2, f"  hint: {hint}"), done.stderr


HIDDEN = [
    ("postgresql://me:pw@h/x", "postgresql://me:***@h/x"),
    ("a mysql://me:p/w@%40@h/x?ssl=1 b", "a mysql://me:***@h/x?ssl=1 b"),
    ("x://h/d?user=me&password=pw&db_token=t#f", "x://h/d?user=me&password=***&db_token=***"),
    ("see http://localhost:8080/@scope/pkg", "see http://localhost:8080/@scope/pkg"),
    ("https://example.com/a?key=1 and me@example.com", "https://example.com/a?key=1 and me@example.com"),
    ("postgresql://$USER:$PASSWORD@h", "postgresql://$USER:$PASSWORD@h"),
    ("{'a': 'redis://:pw@h', 'b': 1}", "{'a': 'redis://:***@h', 'b': 1}"),
]


@pytest.mark.parametrize(("text", "told"), HIDDEN)
def test_passwords_in_urls_are_hidden_and_nothing_else(text: str, told: str) -> None:
    assert hidden(text) == told
