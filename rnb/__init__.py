"""rnb: reactive notebooks for people who live in their own editor.

This is all that a notebook imports, and it loads nothing else: a module that imports a notebook, a spawned worker or a
plain `python notebook.py` pays for a few function definitions. Inside a kernel `_kernel` is set, and `display` and
`file` talk to it; elsewhere they do the plain thing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    import pathlib
    from collections.abc import Callable
    from typing import Any, Protocol, TypeVar, overload

    F = TypeVar("F", bound=Callable[..., Any])

    class Kernel(Protocol):
        """What a running kernel lends to the notebook's code."""

        def display(self, value: Any, display_id: str | None) -> None: ...

        def read(self, path: str) -> None: ...

        def effect(self, name: str) -> None: ...

        def progress(self, fraction: float) -> None: ...


__all__ = ["cell", "display", "file", "run", "sql"]

_kernel: Kernel | None = None

if TYPE_CHECKING:

    @overload
    def cell(function: F, /) -> F: ...

    @overload
    def cell(
        *,
        cache: bool = ...,
        timeout: float = ...,
        retries: int = ...,
        hide: bool = ...,
        disabled: bool = ...,
        output: int = ...,
        cpu: float | str = ...,
        memory: int | str = ...,
        files: int | str = ...,
        processes: int = ...,
    ) -> Callable[[F], F]: ...


def cell(function: Any = None, /, **options: Any) -> Any:
    """Make a function a cell: `@rnb.cell`, or `@rnb.cell(timeout=60)`. The function itself stays as it is."""
    if function is None:
        return lambda function: _mark(function, options)
    return _mark(function, options)


def _mark(function: Any, options: dict[str, Any]) -> Any:
    """Tell what it is, for tools that look (pytest, documentation); objects that refuse attributes are fine too."""
    if hasattr(function, "__dict__"):
        function.__rnb_cell__ = options
    return function


def sql(function: Any = None, /, **options: Any) -> Any:
    """Make a function whose docstring is SQL a cell: `@rnb.sql`, or `@rnb.sql(engine="postgresql://…")`."""
    if function is None:
        return lambda function: _query(function, options)
    return _query(function, options)


def _query(function: Any, options: dict[str, Any]) -> Any:
    """A SQL cell as the function that it also is: called, it gives what its query gives."""

    def query(*args: Any, **kwargs: Any) -> Any:
        from rnb.kernel.sql import call

        return call(function, options, args, kwargs)

    query.__name__, query.__qualname__ = function.__name__, function.__qualname__
    query.__module__, query.__doc__ = function.__module__, function.__doc__
    vars(query).update(__wrapped__=function, __rnb_cell__=options)
    return query


def display(*values: Any, display_id: str | None = None) -> None:
    """Show `values` now, each in its richest form; None shows nothing. With `display_id` the display replaces the one of
    the same id. Outside a kernel their text is printed."""
    for value in values:
        if value is None:
            continue
        if _kernel is not None:
            _kernel.display(value, display_id)
        else:
            print(value if isinstance(value, str) else repr(value))


def file(path: str | os.PathLike[str]) -> pathlib.Path:
    """`path` as a Path, noted as a file that this cell reads: for readers in C that rnb does not see opening it."""
    import pathlib

    result = pathlib.Path(path)
    if _kernel is not None:
        _kernel.read(str(result))
    return result


def run() -> None:
    """The last line of a notebook, under `if __name__ == "__main__":`: `python penguins.py` then does what
    `rnb run penguins.py` does, with its options and exit codes. Anywhere else it does nothing."""
    import sys

    main = sys.modules["__main__"]
    path = getattr(main, "__file__", None)
    if _kernel is not None or path is None or sys._getframe(1).f_globals.get("__name__") != "__main__":
        return
    from rnb.cli import main as command

    command(["run", path, *sys.argv[1:]])
