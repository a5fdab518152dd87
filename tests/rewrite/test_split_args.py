"""argparse becomes notebook parameters where it is plain; where it isn't, it stays and the note says which argument."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnb.notebook.read import read
from rnb.rewrite.split import Split, split_script
from tests.driver import run, text_run

SCRIPT = '''import argparse
from pathlib import Path


def parse_args(argv=None):
    """What the user wants."""
    parser = argparse.ArgumentParser(description="Add up")
    parser.add_argument("name", help="whose")
    group = parser.add_argument_group("numbers")
    group.add_argument("-n", "--count", type=int, default="4", help="how many")
    group.add_argument("--scale", type=float, default=2)
    parser.add_argument("--kind", choices=["sum", "max"], default="sum")
    parser.add_argument("--out", type=Path, default="out.txt")
    parser.add_argument("--no-print", dest="loud", action="store_false")
    parser.add_argument("--version", action="version", version="1")
    return parser.parse_args(argv)


def main(argv=None):
    args = parse_args(argv)
    count = args.count
    numbers = [args.scale * n for n in range(count)]
    result = sum(numbers) if args.kind == "sum" else max(numbers)
    if args.loud:
        print(f"{args.name}: {result:.1f}")
    args.out.write_text(str(result))


if __name__ == "__main__":
    main()
'''


def made(body: str) -> Split:
    done = split_script(f"import argparse\nparser = argparse.ArgumentParser()\n{body}\n")
    assert not [fault for fault in read(done.text.encode()).faults if fault.severity == "error"], done.text
    return done


def parameters(done: Split) -> dict[str, str]:
    return {each.name: f"{each.annotation} = {each.default}" for each in read(done.text.encode()).parameters}


def test_a_script_with_arguments_is_a_notebook_with_parameters(tmp_path: Path) -> None:
    (tmp_path / "add.py").write_text(SCRIPT)
    told = text_run("split", "add.py", "-o", "nb.py", cwd=tmp_path).stderr
    assert "name: must be given (`-p name=…`)" in told
    text = (tmp_path / "nb.py").read_text()
    assert "argparse" not in text and "argv" not in text and "- `count`: how many" in text
    result = run(tmp_path / "nb.py", "-p", "name=Ann", "-p", "count=3", "-p", "kind=max", "-p", "out=o.txt")
    assert result.code == 0 and "".join(event["text"] for event in result.of("stream")) == "Ann: 4.0\n"
    assert (tmp_path / "o.txt").read_text() == "4"
    assert run(tmp_path / "nb.py", "-p", "kind=min").code == 2, "choices still bind"
    assert [event["default"] for event in result.of("notebook")[0]["parameters"] if event["name"] == "scale"] == ["2"]


FORMS = {
    '"-x", type=int, default=3': {"x": "int = 3"},
    '"--learning-rate", type=float': {"learning_rate": "float | None = None"},
    '"--x", default="a"': {"x": "str = 'a'"},
    '"--x", action="store_true"': {"x": "bool = False"},
    '"--x", action=argparse.BooleanOptionalAction, default=True': {"x": "bool = True"},
    '"x", nargs="*", type=int': {"x": "list[int] = []"},
    '"--x", nargs="+", default=["a"]': {"x": "list[str] = ['a']"},
    '"x", nargs="?", default="-"': {"x": "str = '-'"},
    '"--x", required=True, type=int': {"x": "int | None = None"},
    '"--x", choices=[1, 2], type=int, default=1': {"x": "Literal[1, 2] = 1"},
}


@pytest.mark.parametrize("form", FORMS)
def test_forms(form: str) -> None:
    name = next(iter(FORMS[form]))
    done = made(f"parser.add_argument({form})\nargs = parser.parse_args()\nprint(args.{name})")
    assert {key: each.replace('"', "'") for key, each in parameters(done).items()} == FORMS[form], done.text
    assert "parse_args" not in done.text


STAYS = {
    "a converter": ('parser.add_argument("--x", type=lambda t: t)\nargs = parser.parse_args()', "type=lambda"),
    "a computed default": ('parser.add_argument("--x", default=len("a"))\nargs = parser.parse_args()', "default="),
    "commands": ("sub = parser.add_subparsers()\nargs = parser.parse_args()", "`parser` is used for more"),
    "an error of the parser": (
        'parser.add_argument("--x")\nargs = parser.parse_args()\nif not args.x: parser.error("x")',
        "`parser` is used for more",
    ),
    "append": ('parser.add_argument("--x", action="append")\nargs = parser.parse_args()', "action="),
    "nobody's name": ('parser.add_argument("--x")\nprint(parser.parse_args())', "not given a name"),
}


@pytest.mark.parametrize("name", STAYS)
def test_what_is_more_than_a_parameter_stays(name: str) -> None:
    body, why = STAYS[name]
    done = made(body)
    assert "parse_args()" in done.text and not parameters(done)
    assert any("argparse stays" in note and why in note for note in done.notes), done.notes


def test_arguments_that_are_handed_on_stay_a_namespace() -> None:
    done = made(
        'parser.add_argument("--model", default="m")\nargs = parser.parse_args()\n'
        "def show(a):\n    print(a)\nmodel = args.model + 'x'\nshow(args)\nprint(model)"
    )
    assert "argparse.Namespace(model=model_arg)" in done.text and list(parameters(done)) == ["model_arg"]
    assert any("`model` is the parameter `model_arg`" in note for note in done.notes)


@pytest.mark.parametrize(
    ("call", "kept"),
    [("main(args)", False), ("main(args, 3)", False), ("main(*[args])", True), ("main(args, k=2)", False)],
)
def test_a_main_with_arguments_is_unfolded(call: str, kept: bool) -> None:
    text = split_script(
        "import argparse\ndef main(args, k=1):\n    total = args.n + k\n    print(total)\n\n"
        "if __name__ == '__main__':\n    p = argparse.ArgumentParser()\n    p.add_argument('--n', type=int, default=1)\n"
        f"    args = p.parse_args()\n    {call}\n"
    ).text
    assert ("def main(" in text) == kept and "n: int = 1" in text, text
