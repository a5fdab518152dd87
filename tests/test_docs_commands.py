"""No page promises a command or an option that is not there; YAML that readers copy is YAML."""

import re
import tomllib
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner

from rnb.cli.main import rnb
from rnb.host.explain import LISTS, PLACES, gist, pages
from tests.doc_pages import PAGES, ROOT, steps

DOCS = ROOT / "docs"
_LINE = re.compile(r"(?<![\w./-])rnb ((?:[a-z]+|-)[^\n`;|&>)]*)")
_OPTION = re.compile(r"(?<![\w-])(--?[a-zA-Z][\w-]*)")


def lines_of(page: Path) -> list[str]:
    """What stands in code, in blocks or between backticks, behind `rnb `."""
    text = page.read_text()
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S))
    blocks = [
        step.text for step in steps(page) if step.language not in ("python", "text", "diff", "json", "elisp", "http")
    ]
    return [found for code in (*spans, *blocks) for found in _LINE.findall(code)]


def wrong(line: str) -> str:
    """What is wrong with the words behind `rnb `; empty where nothing is."""
    command: click.Command = rnb
    words = line.split()
    context = click.Context(rnb)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words[0].split("|")[0])
        if found is None:
            return f"no command `{words[0]}`"
        command, words = found, words[1:]
    known = {name for option in command.params for name in option.opts} | {"-h", "--help", "--version"}
    return ", ".join(f"no option `{each}`" for each in _OPTION.findall(" ".join(words)) if each not in known)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_that_a_page_names_exist(page: Path) -> None:
    for line in lines_of(page):
        if line.split()[0] not in ("import", "to", "as") and "--no-such-option" not in line:
            assert not wrong(line), f"rnb {line}: {wrong(line)}"
    for step in steps(page):
        if step.language in ("yaml", "yml"):
            assert isinstance(yaml.safe_load(step.text), dict), str(step)


def test_a_promise_that_does_not_hold_is_noticed() -> None:
    assert wrong("rnu x.py") and wrong("run x.py --jsn") and wrong("cache lits") and wrong("run -z x.py")
    assert not wrong("run x.py --json -j 4 -p n=-5") and not wrong("cache prune --older 30d")


def test_every_code_is_explained_without_the_docs_at_hand() -> None:
    known = pages()
    for each in LISTS:
        listed = re.findall(rf"^- \[(.*)\]\({each}/(.*)\.md\): (.*)\.$", (DOCS / f"{each}.md").read_text(), re.M)
        assert {name for name, _, _ in listed} == {page.stem for page in (DOCS / each).iterdir()}
        assert listed == [(name, name, gist(known[name])) for name, _, _ in listed], "its page's first sentence"
        assert all((DOCS / each / f"{name}.md").read_text().startswith(f"# {name}\n\n") for name, _, _ in listed)
    assert all(text and "](" not in text and "<!--" not in text for text in known.values())
    said = {CliRunner().invoke(rnb, ["explain", form]).output for form in ("usage", "[usage]", "rnb: error[Usage]: no")}
    assert said == {known["usage"] + "\n"}, "as it is copied from the terminal"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(wheel["only-include"]) == {"rnb", *(f"docs/{each}{end}" for each in LISTS for end in ("", ".md"))}
    assert wheel["sources"] == {"docs": f"rnb/{PLACES[0].name}"}
