"""`rnb cache`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from rnb.cli.groups import Group
from rnb.cli.objects import LINES, ONE, put
from rnb.cli.parameters import given, parameter_options
from rnb.errors import UsageError
from rnb.host.limits import size_words
from rnb.notebook import amounts

if TYPE_CHECKING:
    from rnb.store.cache import Cache


@click.group(cls=Group)
def command() -> None:
    """Look at the cache, and keep it small.

    \b
    Example: rnb cache prune --older 30d --size 5GB
    """


def placed(function: Callable[..., Any]) -> Callable[..., Any]:
    """The option that every one of them has."""
    words = "The cache that is meant; else RNB_CACHE, the project's, or .rnb/cache here."
    return click.option("--cache", metavar="DIR-OR-URL", help=words)(function)


def _open(path: str, option: str | None) -> Cache:
    """Raises UsageError where there is none."""
    from rnb.host.cached import cache_place, open_cache

    where = cache_place(path, option) or os.path.join(os.path.dirname(os.path.abspath(path)), ".rnb", "cache")
    if "://" not in where and not os.path.isdir(where):
        raise UsageError(f"{where}: there is no cache", "`rnb run NOTEBOOK --cache on` makes one")
    return open_cache(where)


@command.command("list")
@placed
@LINES
def list_(cache: str | None, as_json: bool) -> int:
    """List what is kept, last used first.

    \b
    Example: rnb cache list --cache s3://team/cache
    """
    from rnb.store.cache_prune import entries

    opened = _open("-", cache)
    total = 0
    for entry in entries(opened):
        total += entry.size
        for trace in entry.traces[:1]:
            cell, used = trace.cell or "(the setup)", time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.used))
            if as_json:
                facts = {"notebook": trace.notebook, "cell": trace.cell, "bytes": entry.size, "used": entry.used}
                put(**facts, made=trace.made, seconds=trace.seconds, key=entry.key)
            else:
                click.echo(f"{used}  {size_words(entry.size):>9}  {trace.seconds:>8.3g} s  {trace.notebook} {cell}")
    if not as_json:
        click.echo(f"{size_words(total)} in {opened.spot.where}")
    return 0


@command.command()
@click.argument("notebook")
@click.argument("cell")
@parameter_options
@placed
@ONE
def why(
    notebook: str, cell: str, parameters: tuple[str, ...], files: tuple[str, ...], cache: str | None, as_json: bool
) -> int:
    """Say whether CELL would be restored now, and what differs if not. Nothing runs.

    \b
    Example: rnb cache why notebooks/penguins.py classify
    """
    from rnb.host.cache_why import facts, lines
    from rnb.host.cache_why import why as look
    from rnb.host.command import environment_width

    if not os.path.exists(notebook):
        from rnb.errors import NoSuchNotebook

        raise NoSuchNotebook(notebook)
    known = look(notebook, cell, _open(notebook, cache), given(parameters, files), environment_width())
    if as_json:
        put(**facts(cell, known))
        return 0
    for line in lines(cell, known):
        click.echo(line)
    return 0


@command.command()
@click.option("--older", metavar="TIME", help="Leave out what was not used for so long: 90m, 12h, 30d, 8w.")
@click.option("--size", metavar="BYTES", help="Leave out the oldest until the rest is within: 500MB, 5GB.")
@placed
@ONE
def prune(older: str | None, size: str | None, cache: str | None, as_json: bool) -> int:
    """Leave out what is old, or too much.

    \b
    Example: rnb cache prune --older 30d --size 5GB
    """
    from rnb.store.cache_prune import prune as leave_out

    if older is None and size is None:
        raise UsageError("nothing says what is to go", "give --older 30d, --size 5GB, or both")
    age, room = _asked(older, amounts.seconds, "--older"), _asked(size, amounts.size, "--size")
    opened = _open("-", cache)
    count, freed = leave_out(opened, age, None if room is None else int(room))
    if as_json:
        put(cache=opened.spot.where, files=count, bytes=freed)
    else:
        click.echo(f"{count} files, {size_words(freed)} left out of {opened.spot.where}")
    return 0


@command.command()
@placed
@ONE
def clear(cache: str | None, as_json: bool) -> int:
    """Leave out everything.

    \b
    Example: rnb cache clear --cache .rnb/cache
    """
    from rnb.store.cache_prune import clear as leave_out

    opened = _open("-", cache)
    count = leave_out(opened)
    if as_json:
        put(cache=opened.spot.where, files=count)
    else:
        click.echo(f"{count} files left out of {opened.spot.where}")
    return 0


def _asked(text: str | None, read: Callable[[object], float | None], option: str) -> float | None:
    """Raises UsageError for what is no amount."""
    amount = None if text is None else read(text)
    if text is not None and amount is None:
        raise UsageError(f"{option}: `{text}` is no amount", "for example --older 30d, --size 5GB")
    return amount
