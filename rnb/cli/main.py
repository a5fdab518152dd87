"""The command group: commands are imported when they are used, and errors of ours become one clear sentence."""

from __future__ import annotations

import importlib
import os
import threading

import click

from rnb.cli.groups import Group, spoken

COMMANDS = {
    "run": "Run notebooks to the end, every cell afresh.",
    "watch": "Run, then re-run the minimum on every save.",
    "sweep": "Run a notebook over a grid of parameters.",
    "view": "Serve the read-only live view.",
    "check": "Find faults without running.",
    "fmt": "Write implicit refs and defs into signatures and returns.",
    "diff": "Compare two notebooks cell by cell.",
    "graph": "Show which cell reads what from which.",
    "why": "Explain what a cell depends on and why it last ran.",
    "explain": "Say what the code of a fault or an error means.",
    "cache": "Look at the cache, and keep it small.",
    "history": "Look at past runs.",
    "split": "Turn a linear script into a notebook of atomic cells.",
    "add": "Insert a block of code into a notebook, whole or not at all.",
    "convert": "Convert from and to Jupyter, marimo, percent scripts, Markdown.",
    "new": "Write a starter notebook.",
    "doctor": "Say what is installed, what works, what is slow.",
    "completion": "Print what makes a shell complete rnb's words.",
}


class _Unread(Exception):
    """Nobody reads standard output any more."""


class Commands(Group):
    """Finds a command in the module of its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"rnb.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        if "_RNB_COMPLETE" in os.environ:
            importlib.import_module("rnb.cli.completion").completing(command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # click would end with 1, which says that a cell failed
            raise _Unread from None


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"rnb {version('rnb-notebook')}")
        ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
def rnb() -> None:
    """Reactive notebooks for people who live in their own editor.

    A notebook is one plain Python file of decorated functions.

    \b
    rnb new analysis.py      a starter
    rnb run analysis.py      run it, here or in CI
    rnb watch analysis.py    re-run the minimum on every save
    """


def _thread_failed(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None:
        from rnb.host.internal import in_passing

        in_passing(args.exc_value)


def entry(args: list[str]) -> object:
    """Run a command line; what the command gives, or an exit code. Raises what `rnb/cli/guard.py` makes a sentence of."""
    threading.excepthook = _thread_failed
    try:
        return rnb.main(args, prog_name="rnb", standalone_mode=False)
    except click.ClickException as error:
        raise spoken(error, "rnb") from None
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.Abort:
        raise KeyboardInterrupt from None
    except _Unread:
        raise BrokenPipeError from None
