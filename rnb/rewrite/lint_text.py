"""What should not stand in a file that is shared: secrets that look real, paths that exist on one machine only.

A message shows the kind of a secret and its first characters, never the whole.
"""

from __future__ import annotations

import ast
import math
import re
from collections import Counter
from collections.abc import Iterator

from rnb.messages import Fault

_TOKENS = {
    "an AWS access key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{50,})\b",
    "a GitLab token": r"\bglpat-[A-Za-z0-9_-]{20,}",
    "an API key": r"\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{20,}",
    "a Stripe key": r"\b[rs]k_live_[A-Za-z0-9]{16,}\b",
    "a Slack token": r"\bxox[abeprs]-[A-Za-z0-9-]{10,}",
    "a Google API key": r"\bAIza[A-Za-z0-9_-]{35}",
    "a Hugging Face token": r"\bhf_[A-Za-z0-9]{30,}\b",
    "a PyPI token": r"\bpypi-[A-Za-z0-9_-]{50,}",
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----",
    "a JSON web token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    "a password in a URL": r"\b[a-z][a-z0-9+.-]*://[^\s:/@'\"{}$<>]+:[^\s:/@'\"{}$<>*]{3,}@[A-Za-z0-9.-]+",
}
_KINDS = {kind: re.compile(pattern) for kind, pattern in _TOKENS.items()}
_QUICK = re.compile(
    r"AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|sk-|k_live_|xox|AIza|hf_|pypi-|PRIVATE KEY|eyJ|://[^\s/]*@"
)
_NAMED = re.compile(
    r"(?:^|_)(?:pass(?:word|wd|phrase)?|pwd|secret|token|api_?key|access_?key|auth_?key|credentials?)(?:$|_)", re.I
)
_MENTIONED = re.compile(r"pass|pwd|secret|token|key|credential", re.I)
_HOMES = re.compile(r"home|Users|root|Documents|\\[xuN0-7]")  # or written in escapes
_PLACEHOLDER = re.compile(
    r"your|example|change|dummy|placeholder|xxx|\*\*\*|todo|fake|sample|insert|<.*>|\{.*\}|\$|\.\.\.|abcdef|123456|localhost|"
    r"user:pass|password@|_|\s",
    re.I,
)
_HERE = re.compile(r"(?:/home/[^/\s{}<>$*]+/|/Users/[^/\s{}<>$*]+/|/root/\w|[A-Za-z]:[\\/]+(?:Users|Documents)[\\/])")
_SHARED = re.compile(r"/(?:home|Users)/(?:Shared|user|username|runner|jovyan|you|me|name)/", re.I)


def tokens(text: str) -> Iterator[Fault]:
    """Secrets of known forms anywhere in the text, one a line."""
    if not _QUICK.search(text):
        return
    for number, line in enumerate(text.split("\n"), 1):
        for kind, pattern in _KINDS.items():
            found = pattern.search(line)
            if found and not _made_up(found[0]):
                yield _secret(kind, found[0], number, found.start() + 1)
                break


def given_secrets(text: str, tree: ast.Module) -> Iterator[Fault]:
    """Random-looking strings that are given to names such as `password`."""
    if not _MENTIONED.search(text):
        return
    for name, node in _given(tree):
        value = node.value
        if not isinstance(value, str) or len(value) < 12 or _PLACEHOLDER.search(value) or _entropy(value) <= 3:
            continue
        if re.search(r"\d", value) and re.search(r"[A-Za-z]", value):
            yield _secret(f"the value of `{name}`", value, node.lineno, node.col_offset + 1)


def _made_up(token: str) -> bool:
    """`sk-xxxxxxxxxxxxxxxxxxxx` and the like."""
    return (
        _entropy(token) < 2.5
        or re.search(r"example|placeholder|your[-_]|xxxx|user:pass\b|user:password", token, re.I) is not None
    )


def _secret(kind: str, value: str, line: int, column: int) -> Fault:
    return Fault(
        code="secret",
        severity="warning",
        message=f"{kind} stands in the file: {value[:4]}…",
        hint="read it from the environment, and revoke it if the file has left your machine",
        line=line,
        column=column,
        end_line=line,
        end_column=column + len(value.split("\n")[0]),
    )


def _given(tree: ast.Module) -> Iterator[tuple[str, ast.Constant]]:
    """Constants that are given to names that sound secret: by assignment, keyword, key or default."""
    for node in ast.walk(tree):
        pairs: list[tuple[object, ast.AST | None]] = []
        if isinstance(node, ast.Assign):
            pairs = [(_called(target), node.value) for target in node.targets]
        elif isinstance(node, ast.AnnAssign):
            pairs = [(_called(node.target), node.value)]
        elif isinstance(node, ast.keyword):
            pairs = [(node.arg, node.value)]
        elif isinstance(node, ast.Dict):
            pairs = [(getattr(key, "value", None), value) for key, value in zip(node.keys, node.values, strict=True)]
        for name, value in pairs:
            if isinstance(name, str) and isinstance(value, ast.Constant) and _NAMED.search(name):
                yield name, value


def _called(node: ast.expr) -> object:
    """The name that an assignment gives: of a variable, an attribute or a key."""
    if isinstance(node, ast.Subscript):
        return getattr(node.slice, "value", None)
    return getattr(node, "id", None) or getattr(node, "attr", None)


def _entropy(text: str) -> float:
    """Shannon entropy in bits per character."""
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())


def local_paths(text: str, tree: ast.Module) -> Iterator[Fault]:
    """Strings that are paths below somebody's home; docstrings are text, not paths."""
    if not _HOMES.search(text):
        return
    docs = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Expr)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in docs:
            continue
        if _HERE.match(node.value) and not _SHARED.match(node.value):
            yield Fault(
                code="local-path",
                severity="warning",
                message=f"the path `{node.value.split(chr(10))[0][:80]}` exists on one machine only",
                hint="write it relative to the notebook, which is where rnb runs it, or make it a notebook parameter",
                line=node.lineno,
                column=node.col_offset + 1,
                end_line=node.end_lineno or node.lineno,
                end_column=(node.end_col_offset or node.col_offset) + 1,
            )
