"""`rnb watch`."""

from __future__ import annotations

import sys

import click

from rnb.cli.objects import EVENTS
from rnb.cli.parameters import (
    NotebookCommand,
    cache_option,
    given,
    limit_option,
    log_options,
    page_options,
    parameter_options,
    strict_option,
)
from rnb.cli.sinks import watch_sinks
from rnb.errors import MissingExtra


@click.command(cls=NotebookCommand)
@click.argument("notebook")
@parameter_options
@cache_option
@limit_option
@strict_option
@click.option("--view", "with_view", is_flag=True, help="Serve the live view as well.")
@page_options
@click.option("--notify", metavar="SECONDS", type=float, help="Notify when a round that took this long ends.")
@EVENTS
@log_options
def command(
    notebook: str,
    parameters: tuple[str, ...],
    files: tuple[str, ...],
    as_json: bool,
    cache: str | None,
    strict: bool,
    limits: tuple[str, ...],
    notify: float | None,
    with_view: bool,
    host: str,
    port: int | None,
    token: str | None,
    editor: str | None,
) -> int:
    """Run a notebook, then re-run the minimum on every save.

    Keys: a run all, f run failed, i interrupt, k restart the kernel, v open the view, y why, q quit, ? these keys.

    \b
    Example: rnb watch notebooks/penguins.py
    """
    from rnb.host.watch import watch

    keys = None
    if not as_json and sys.stdin.isatty() and sys.stdout.isatty():
        from rnb.cli.keys import listen

        keys = listen
    sinks = watch_sinks(as_json, notify)
    if not with_view:
        return watch(notebook, sinks, given(parameters, files), keys, strict=strict, limits=limits, cache=cache)
    try:
        from rnb.view.command import LiveView
        from rnb.view.serve import Options
    except ImportError as error:
        raise MissingExtra("--view", "view") from error
    live = LiveView(notebook, Options(host=host, port=port, token=token, editor=editor))
    try:
        return watch(
            notebook,
            live.sinks(sinks),
            given(parameters, files),
            live.beside(keys),
            strict=strict,
            limits=limits,
            cache=cache,
            frames=live.item.frames,
        )
    finally:
        live.close()
