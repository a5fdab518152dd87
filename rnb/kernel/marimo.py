"""What marimo does otherwise where its own runtime is missing, mended as it is imported."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rnb.kernel.values import Values


class Tables:
    """Stands for what SQL made in a database: never the same twice, as nobody can see what is in there."""

    def __reduce__(self) -> Any:
        raise TypeError("a table of a database is no Python value")

    def __repr__(self) -> str:
        return "a table in the database"


class Attributes:
    """The notebook module's `__getattr__`: what cells define, for whoever looks a function or class up by its name, as
    pickle and the workers of a pool do. The module's own names stay what they are."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self.running: dict[str, Any] = {}  # the namespace of the cell that runs

    def __call__(self, name: str) -> Any:
        if name in self.running:
            return self.running[name]
        for _, slot, value in self._values:
            if slot == name:
                return value
        raise AttributeError(f"the notebook has no attribute {name!r}")


def scan_frames(module: Any) -> None:
    """`mo.sql` lets DuckDB look for data frames in the cell that calls it. marimo's runtime would hand over its globals;
    DuckDB's own switch finds those of the calling frames."""
    original: Any = module.wrapped_sql

    def wrapped_sql(query: str, connection: Any) -> Any:
        import duckdb

        (connection or duckdb).execute("SET python_scan_all_frames = true")
        return original(query, connection)

    module.wrapped_sql = wrapped_sql


def script_arguments(module: Any) -> None:
    """`mo.query_params()` and `mo.cli_args()` ask marimo's runtime; here they are what a script gets."""
    params: list[Any] = []

    def query_params() -> Any:
        from marimo._runtime.params import QueryParams  # type: ignore[import-not-found, unused-ignore]

        if not params:
            params.append(QueryParams({}))
        return params[0]

    def cli_args() -> Any:
        import sys

        from marimo._cli.parse_args import parse_args  # type: ignore[import-not-found, unused-ignore]
        from marimo._runtime.params import CLIArgs

        return CLIArgs(parse_args(sys.argv[1:]))

    module.query_params, module.cli_args = query_params, cli_args


def uncached_blocks(module: Any) -> None:
    """`with mo.persistent_cache(…):` needs marimo's graph to know when to skip its block; without, the block just runs."""
    context: Any = module._cache_context
    context.__enter__ = lambda self: self
    context.__exit__ = lambda self, *exc: False


HOOKS = {
    "marimo._sql.utils": scan_frames,
    "marimo._runtime.runtime": script_arguments,
    "marimo._save.save": uncached_blocks,
}
