"""Groups of commands, and what click finds wrong with a line, in our own voice: what is wrong, then the near thing."""

from __future__ import annotations

import difflib
import os
import re
from typing import Any

import click

from rnb.errors import UsageError

AGES = 2e6  # seconds: `poll` counts milliseconds in 32 bits


class Seconds(click.types.FloatParamType):
    """A time above 0. `nan` is none: nothing is before it or after it."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            seconds = float(value)
        except ValueError:
            seconds = 0.0
        if not seconds > 0:
            self.fail(f"{value} is no number of seconds above 0", param, ctx)
        return seconds


class Group(click.Group):
    """A group that knows what a misspelt command was meant to be."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:
            click.echo(ctx.get_help())
            ctx.exit(2)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            word, path = args[0], ctx.command_path
            if word.startswith("-"):
                raise
            near = difflib.get_close_matches(word, self.list_commands(ctx), n=1)
            hint = f"did you mean `{path} {near[0]}`?" if near else f"`{path} --help` lists the commands"
            if ctx.parent is None and (word.endswith(".py") or os.path.exists(word)):
                hint = f"did you mean `{path} run {word}`?"
            raise UsageError(f"there is no command `{word}`", hint) from None

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            raise spoken(error, f"{ctx.command_path} {ctx.invoked_subcommand}") from None


def spoken(error: click.ClickException, command: str) -> UsageError:
    """Click's sentence without its capital letter, its full stop and its guess, which is a hint. Click does not always know
    which `command` it was."""
    hint = f"`{command} --help` shows what it takes"
    if isinstance(error, click.NoSuchOption):
        if error.possibilities:
            hint = f"did you mean {' or '.join(f'`{each}`' for each in sorted(error.possibilities))}?"
        return UsageError(f"there is no option `{error.option_name}`", hint)
    words = re.sub(r"\s+", " ", error.format_message()).strip()
    if words[:1].isupper() and words[1:2].islower():
        words = words[0].lower() + words[1:]
    return UsageError(words.removesuffix("."), hint)
