"""`rnb watch`."""

from __future__ import annotations

import sys

import click

from rnb.cli.parameters import NotebookCommand, given, limit_option, log_options, parameter_options
from rnb.cli.sinks import watch_sinks
from rnb.errors import MissingExtra


@click.command(cls=NotebookCommand)
@click.argument("notebook")
@parameter_options
@click.option("--json", "as_json", is_flag=True, help="Print events, one JSON object a line.")
@click.option(
    "--cache", metavar="DIR-OR-URL", help="Take results from here, and keep them here; on: in .rnb, off: not."
)
@click.option("--strict", is_flag=True, help="A cell that changes another cell's value fails.")
@limit_option
@log_options
@click.option("--notify", metavar="SECONDS", type=float, help="Notify when a round that took this long ends.")
@click.option("--view", "with_view", is_flag=True, help="Serve the live view as well.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where the view listens; others need a token.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port of the view; 0 takes a free one.")
@click.option("--token", envvar="RNB_TOKEN", help="What viewers must know; made and printed where one is needed.")
@click.option("--editor", metavar="TEMPLATE", help="Link to lines, as vscode://file/{path}:{line}:{column}.")
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

    Keys: a run all, f run failed, i interrupt, k restart the kernel, v open the view, y why, q quit.

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
