"""`rnb split`."""

from __future__ import annotations

import click


@click.command()
@click.argument("script")
@click.option("-o", "--output", metavar="F", help="Where to write the notebook. Default: SCRIPT.nb.py.")
@click.option("--verify", "prove", is_flag=True, help="Run both and compare final values, output and figures.")
@click.option(
    "--timeout", type=float, default=300.0, metavar="S", help="Seconds that one run of --verify may take. Default: 300."
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def command(script: str, output: str | None, prove: bool, timeout: float, force: bool) -> int:
    """Turn a linear script into a notebook of atomic cells.

    Imports, functions and constants go to the module level; each chain of statements that change one thing becomes a
    cell. A `-` reads standard input. With --verify the exit code is 1 where the two are not equal.

    \b
    Example: rnb split analysis.py -o analysis_nb.py --verify
    """
    from rnb.host.split import split

    made, verdict, target = split(script, output, prove, force, timeout)
    for note in made.notes:
        click.echo(f"note: {note}", err=True)
    if target != "-":
        click.echo(f"{target} is there: {len(made.blocks)} cell{'' if len(made.blocks) == 1 else 's'}", err=True)
    if verdict is None:
        return 0
    for each in verdict.unknown:
        click.echo(f"can't be shown equal: {each}", err=True)
    if verdict.failed:
        click.echo(f"not verified: {verdict.failed}", err=True)
        return 1
    if not verdict.equal:
        click.echo(f"not equal: {'; '.join(verdict.differences)}", err=True)
        return 1
    click.echo(f"equal: {verdict.values} values, standard output, {verdict.figures} figures", err=True)
    return 0
