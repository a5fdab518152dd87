"""`rnb view`."""

from __future__ import annotations

import click

from rnb.cli.guard import one_of_several
from rnb.cli.objects import EVENTS
from rnb.cli.parameters import (
    cache_option,
    given,
    limit_option,
    log_options,
    page_options,
    parameter_options,
    strict_option,
)
from rnb.cli.sinks import watch_sinks


@click.command()
@click.argument("paths", metavar="NOTEBOOK_OR_FOLDER...", nargs=-1, required=True)
@parameter_options
@cache_option
@limit_option
@strict_option
@click.option("--eager", is_flag=True, help="Start all notebooks now, not when they are first looked at.")
@click.option("--idle", metavar="SECONDS", type=click.FloatRange(min=1), help="End kernels that nobody looks at.")
@page_options
@click.option("--name", "names", metavar="HOSTNAME", multiple=True, help="A host name under which it is reached.")
@click.option("--jwks", metavar="URL", help="Accept JSON web tokens signed by these keys …")
@click.option("--audience", metavar="NAME", help="… for this audience.")
@click.option("--export", metavar="FOLDER", help="Run, write pages that need no server into FOLDER, and end.")
@EVENTS
@log_options
def command(
    paths: tuple[str, ...],
    host: str,
    port: int | None,
    token: str | None,
    names: tuple[str, ...],
    jwks: str | None,
    audience: str | None,
    eager: bool,
    idle: float | None,
    editor: str | None,
    export: str | None,
    parameters: tuple[str, ...],
    files: tuple[str, ...],
    cache: str | None,
    limits: tuple[str, ...],
    strict: bool,
    as_json: bool,
) -> int:
    """Serve the read-only live view of notebooks: a watch with a web page.

    Notebooks start when they are first looked at; a single one starts at once. Nothing in the page can change a
    notebook. Ctrl-C ends it.

    \b
    Example: rnb view notebooks/
    """
    from rnb.view.packages import require

    require("the live view")
    from rnb.host.find import notebooks_in
    from rnb.host.source import no_jupyter
    from rnb.view.command import ViewSettings, view
    from rnb.view.export import export_all
    from rnb.view.serve import Options

    found = notebooks_in(paths)
    for path in found:
        no_jupyter(path)
    sinks = watch_sinks(as_json, None)
    settings = ViewSettings(
        parameters=given(parameters, files), cache=cache, limits=limits, strict=strict, eager=eager, idle=idle
    )
    if export is not None:
        return export_all(found, export, sinks, settings)
    options = Options(host=host, port=port, token=token, names=names, jwks=jwks, audience=audience, editor=editor)
    return view(found, sinks, options, settings, one_of_several)
