"""`-p name=value`, and a notebook's own `--help`."""

from __future__ import annotations

import os
from collections.abc import Callable

import click

from rnb.errors import UsageError

SINGLE = "Set a notebook parameter."
FILE = "Set those that a TOML, YAML or JSON file lists."


def parameter_options(command: Callable[..., int]) -> Callable[..., int]:
    """`-p` and `-P`, for every command that runs notebooks."""
    single = click.option("-p", "--parameter", "parameters", metavar="NAME=VALUE", multiple=True, help=SINGLE)
    file = click.option("-P", "--parameters", "files", metavar="FILE", multiple=True, help=FILE)
    return single(file(command))


LIMIT = "Bound the run (memory=2GB) or each cell (cell.cpu=60); may be repeated."


def limit_option(command: Callable[..., int]) -> Callable[..., int]:
    """`--limit`, for commands that run to the end or watch."""
    return click.option("--limit", "limits", metavar="NAME=AMOUNT", multiple=True, help=LIMIT)(command)


def cache_option(command: Callable[..., int]) -> Callable[..., int]:
    """`--cache`, for the same."""
    help = "Take results from here, and keep them here; on: in .rnb, off: not."
    return click.option("--cache", metavar="DIR-OR-URL", help=help)(command)


def engine_option(command: Callable[..., int]) -> Callable[..., int]:
    """`--engine`, for commands that run to the end."""
    help = "Where cells run: dask, dask+tcp://HOST:PORT, or local (this machine)."
    return click.option("--engine", metavar="ENGINE", help=help)(command)


def strict_option(command: Callable[..., int]) -> Callable[..., int]:
    """`--strict`, for commands that run to the end or watch."""
    return click.option("--strict", is_flag=True, help="A cell that changes another cell's value fails.")(command)


def page_options(command: Callable[..., int]) -> Callable[..., int]:
    """Where the live view is served, for commands that serve it."""
    options = [
        click.option(
            "--host",
            metavar="ADDRESS",
            default="127.0.0.1",
            show_default=True,
            help="Where the page listens; any other address needs a token.",
        ),
        click.option(
            "--port",
            metavar="PORT",
            type=click.IntRange(0, 65535),
            help="Its port; 0 takes a free one.  [default: 2719, else a free one]",
        ),
        click.option(
            "--token",
            metavar="TOKEN",
            envvar="RNB_TOKEN",
            show_envvar=True,
            help="What viewers must know; made and printed where one is needed.",
        ),
        click.option("--editor", metavar="TEMPLATE", help="Link to lines, as vscode://file/{path}:{line}:{column}."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def log_options(command: Callable[..., int]) -> Callable[..., int]:
    """`--log-file` and `--log-format`: nothing is logged, and nothing loaded, unless one of them is given."""
    form = click.Choice(["text", "json"])
    file = click.option(
        "--log-file", metavar="FILE", expose_value=False, callback=_log, help="Append a log of what rnb does."
    )
    kind = click.option(
        "--log-format", type=form, expose_value=False, callback=_log, help="Its form; alone, it goes to standard error."
    )
    return file(kind(command))


def _log(ctx: click.Context, option: click.Parameter, value: str | None) -> None:
    if value is None or ctx.resilient_parsing:
        return
    from rnb.host import logs

    asked = ctx.meta.setdefault("rnb.log", {})
    asked[option.name] = value
    logs.configure(asked.get("log_file"), asked.get("log_format", "text"))


def given(values: tuple[str, ...], files: tuple[str, ...] = ()) -> dict[str, str]:
    """What files, in order, and then `name=value` pairs set. Raises UsageError for what is not a pair or no such file."""
    result: dict[str, str] = {}
    places: dict[str, str] = {}
    nulls: set[str] = set()
    for file in files:
        from rnb.host.given import from_file

        found = from_file(file)
        result |= found
        places |= found.places
        nulls = (nulls - found.keys()) | found.nulls
    for item in values:
        name, sign, value = item.partition("=")
        if not sign or not name.isidentifier():
            raise UsageError(f"-p {item}: expected name=value", hint="for example -p min_mass=5000")
        result[name] = value
        places.pop(name, None)
        nulls.discard(name)
    if places:
        from rnb.host.given import Given

        return Given(result, places, nulls)
    return result


class NotebookCommand(click.Command):
    """A command whose `--help` beside a notebook also lists that notebook's parameters."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta["rnb.args"] = list(args)
        return super().parse_args(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for path in ctx.meta.get("rnb.args", ()):
            if not path.startswith("-") and os.path.isfile(path):
                _describe(path, formatter)
        super().format_epilog(ctx, formatter)


def _describe(path: str, formatter: click.HelpFormatter) -> None:
    from rnb.host.source import read_bytes, read_notebook

    notebook = read_notebook(read_bytes(path) or b"", path)
    rows = []
    for p in notebook.parameters:
        kind = f" ({p.annotation})" if p.annotation else ""
        rows.append((f"-p {p.name}=…", f"default {p.default}{kind}; read by {', '.join(p.cells)}"))
    with formatter.section(f"Parameters of {path}"):
        if rows:
            formatter.write_dl(rows)
        else:
            formatter.write_text("none")
