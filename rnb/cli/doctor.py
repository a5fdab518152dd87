"""`rnb doctor`."""

from __future__ import annotations

import click

from rnb.cli.objects import json_option

SIGNS = {"fine": "✓", "missing": "·", "slow": "!", "wrong": "✗"}


@click.command()
@click.argument("notebook", required=False)
@click.option("--bundle", metavar="FILE", help="Also write a zip for a bug report, without source, outputs or secrets.")
@json_option("Print JSON objects, one a finding.")
def command(notebook: str | None, as_json: bool, bundle: str | None) -> int:
    """Say what is installed, which extras work, and what is slow.

    With --bundle and a NOTEBOOK, the bundle also tells what happened in its last run, not what it was about. The exit
    code is 1 if something is wrong.

    \b
    Example: rnb doctor notebooks/penguins.py --bundle report.zip
    """
    from rnb.host.bundle import write_bundle
    from rnb.host.doctor import findings
    from rnb.store.events import encode

    found = []
    for finding in findings():
        found.append(finding)
        if as_json:
            click.echo(encode(finding))
            continue
        click.echo(f"{SIGNS[finding.state]} {finding.topic}: {finding.words}")
        if finding.hint:
            click.echo(f"  hint: {finding.hint}")
    if bundle is not None:
        write_bundle(bundle, found, notebook)
        if not as_json:
            click.echo(f"the bundle is in {bundle}: look at it before you send it")
    return int(any(finding.state == "wrong" for finding in found))
