"""The linter: what it says, what it does not say, and how it is switched off."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rnb.notebook.read import read
from rnb.rewrite.fmt import fmt
from rnb.rewrite.ignore import ignored
from rnb.rewrite.lint import lint
from tests.driver import text_run

KEY = "AKIA" + "Q4ZRW7NXK2PLMD5T"  # made up, in two parts so that no scanner takes it for real
TOKEN = "ghp_" + "a8Kd03mZq1LwXv7RtYb5NcPj2HsGe9UfTo4i"
CELL = "@rnb.cell\ndef f():\n    "


def codes(text: str) -> list[str]:
    data = f"import rnb\n{text}\n".encode()
    return [fault.code for fault in lint(data, read(data, "n.py"))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (CELL + "x = 1", ["dead-cell"]),
        (CELL + "x = [1, 2]\n    y = sum(x)\n    return (y,)", ["dead-cell"]),
        (CELL + "x = 1\n    return x", []),
        (CELL + "x = 1\n    x", []),
        (CELL + "print(1)", []),
        (CELL + "assert 1 + 1 == 2", []),
        (CELL + "log = open('log', 'w')", []),
        (CELL + "model.fit(1)", []),
        (CELL + '"""Text."""', []),
        (CELL + "pass", []),
        (CELL + "x = 1\n    return (x,)\n@rnb.cell\ndef g(x):\n    x", []),
        ("@rnb.cell\ndef f(n: int = 3):\n    print(1)", ["unused-parameter"]),
        ("@rnb.cell\ndef f(n: int = 3):\n    print(n)", []),
        ("@rnb.cell\ndef f(n: int = 3):\n    print(locals())", []),
        ("@rnb.cell\ndef f(n=3):\n    print(1)\n@rnb.cell\ndef g(n=3):\n    print(n)", []),
        ("import pandas as pd\nframe = pd.read_csv('a.csv')", ["heavy-setup"]),
        ("import time\ntime.sleep(3)", ["heavy-setup"]),
        ("for i in range(9):\n    print(i)", ["heavy-setup"]),
        ("import pandas as pd\ndef load():\n    return pd.read_csv('a.csv')", []),
        ("NAMES = [n for n in 'ab']", []),
        ("if __name__ == '__main__':\n    for i in 'ab':\n        print(i)", []),
        (f"key = '{KEY}'", ["secret"]),
        (f"# {TOKEN}", ["secret"]),
        ("password = 'tr0ub4dor&3xK9'", ["secret"]),
        ("url = 'postgresql://anna:Gh7kQ2x9@db.firm.com/x'", ["secret"]),
        ("url = 'postgresql://user:pass@localhost/x'", []),
        ("password = 'your-password-here'", []),
        ("token = os.environ['TOKEN']", []),
        ("api_key = 'sk-xxxxxxxxxxxxxxxxxxxxxxxx'", []),
        ("DATA = '/home/anna/data.csv'", ["local-path"]),
        ("DATA = r'C:\\Users\\anna\\data.csv'", ["local-path"]),
        ("DATA = 'data/penguins.csv'", []),
        ("DATA = '/usr/share/dict/words'", []),
        ('"""See /home/anna/notes."""', []),
    ],
)
def test_rules(text: str, found: list[str]) -> None:
    assert codes(text) == found


def test_a_secret_is_not_repeated() -> None:
    data = f"import rnb\nkey = '{KEY}'\n".encode()
    (fault,) = lint(data, read(data, "n.py"))
    assert KEY not in fault.message and KEY[:4] in fault.message
    assert data.decode().split("\n")[fault.line - 1][fault.column - 1 :].startswith(KEY)


def test_columns_count_characters() -> None:
    data = "import rnb\nprint('éé\U0001f600', '/home/anna/x')\n".encode()
    (fault,) = lint(data, read(data, "n.py"))
    assert data.decode().split("\n")[1][fault.column - 1 : fault.end_column - 1] == "'/home/anna/x'"


@pytest.mark.parametrize(
    ("line", "above", "off"),
    [
        ("  # rnb: ignore[local-path]", "", True),
        ("  # rnb: ignore", "", True),
        ("  # noqa  # rnb: ignore[secret, local-path]", "", True),
        ("", "# rnb: ignore[local-path]\n", True),
        ("  # rnb: ignore[secret]", "", False),
        ("", "# rnb: ignore[local-path]\n\n", False),
        (' + "# rnb: ignore"', "", False),
    ],
)
def test_comments_switch_off(line: str, above: str, off: bool) -> None:
    data = f"import rnb\n{above}DATA = '/home/anna/x'{line}\n".encode()
    found = lint(data, read(data, "n.py"))
    assert len(found) == 1
    assert bool(ignored(data, found)) == off


def test_fmt_leaves_alone_what_is_ignored() -> None:
    text = b"import rnb\n# rnb: ignore[stale-signature]\n@rnb.cell\ndef f(x):\n    pass\n"
    assert fmt(text) == text
    assert fmt(text.replace(b"# rnb", b"# not")) != text


# ---------------------------------------------------------------------------- the command

FAULTY = (
    "import rnb\n\n\n@rnb.cell\ndef f(y):\n    x = '/home/anna/x'\n\n\n@rnb.cell\ndef g(x):\n    print(x, nowhere)\n"
)


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    path = tmp_path / "a b,c.py"
    path.write_text(FAULTY)
    return path


def test_check_fix_writes_what_fmt_writes(notebook: Path) -> None:
    done = text_run("check", "--fix", str(notebook))
    assert done.returncode == 2
    assert notebook.read_bytes() == fmt(FAULTY.encode())
    assert "stale-signature" not in done.stdout
    assert "error[unresolved]" in done.stdout and "warning[local-path]" in done.stdout


def test_project_switches_codes_off(notebook: Path) -> None:
    project = notebook.parent / "pyproject.toml"
    project.write_text('[tool.rnb]\nignore = ["local-path", "stale-signature"]\n')
    assert "local-path" not in text_run("check", str(notebook)).stdout
    project.write_text("[tool.rnb]\nlimit = 3\nignored = []\n")
    warning = text_run("check", str(notebook)).stderr
    assert warning.count("warning") == 1 and "`limit`, `ignored`" in warning and "did you mean `limits`?" in warning
    project.write_text("[tool.rnb]\nignore = 3\n")
    done = text_run("check", str(notebook))
    assert done.returncode == 2 and "ignore" in done.stderr and "Traceback" not in done.stderr


def test_github_annotations(notebook: Path) -> None:
    lines = text_run("check", "--format", "github", notebook.name, cwd=notebook.parent).stdout.splitlines()
    assert any(
        line.startswith("::error file=a b%2Cc.py,line=11,endLine=11,col=14,endColumn=21,title=rnb unresolved::")
        for line in lines
    )
    assert all(line.startswith(("::error ", "::warning ")) for line in lines)


def test_sarif(notebook: Path) -> None:
    done = text_run("check", "--format", "sarif", notebook.name, cwd=notebook.parent)
    log = json.loads(done.stdout)
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert done.returncode == 2 and log["version"] == "2.1.0"
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%20b%2Cc.py"
    assert {result["level"] for result in run["results"]} == {"error", "warning"}


SARIF = {  # what the standard requires of the objects that we write (SARIF 2.1.0, section 3)
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "required": ["tool"],
                "properties": {
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "tool": {
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "required": ["name"],
                                "properties": {
                                    "informationUri": {"type": "string", "pattern": "^https://"},
                                    "rules": {"type": "array", "uniqueItems": True, "items": {"required": ["id"]}},
                                },
                            }
                        },
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "required": ["message"],
                            "properties": {
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "ruleIndex": {"type": "integer", "minimum": -1},
                                "message": {"required": ["text"], "properties": {"text": {"minLength": 1}}},
                                "locations": {
                                    "items": {
                                        "properties": {
                                            "physicalLocation": {
                                                "required": ["artifactLocation"],
                                                "properties": {
                                                    "artifactLocation": {
                                                        "required": ["uri"],
                                                        "properties": {"uri": {"pattern": "^[!-~]+$"}},
                                                    },
                                                    "region": {
                                                        "required": ["startLine"],
                                                        "additionalProperties": {"type": "integer", "minimum": 1},
                                                    },
                                                },
                                            }
                                        }
                                    }
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}


@pytest.mark.parametrize("text", [FAULTY, "import rnb\n", "x = (\n", "\x00", ""], ids=range(5))
def test_sarif_is_what_the_standard_wants(text: str, tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    (tmp_path / "ü b.py").write_text(text)
    log = json.loads(text_run("check", "--format", "sarif", "ü b.py", cwd=tmp_path).stdout)
    jsonschema.validate(log, SARIF)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**log, "runs": [{}]}, SARIF)
