"""`--json` of the commands that tell no events: JSON objects, one a line, and nothing else on standard output."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import Any

import click


def json_option(help: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """`--json`, as the argument `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help=help)


ONE = json_option("Print one JSON object.")
LINES = json_option("Print JSON objects, one a line.")
EVENTS = json_option("Print events, one JSON object a line.")


def now(path: str) -> str:
    """What to type next, where a notebook has been made."""
    return f"Now: rnb watch {shlex.quote(path)}"


def put(**facts: Any) -> None:
    """Print one object. Names of files that are no UTF-8 are escaped, so that it is always valid."""
    click.echo(json.dumps(facts))
