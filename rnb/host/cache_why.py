"""`rnb cache why`: whether a cell would be restored now, and else what differs from when it was kept last.

It walks the cells as a run would, with the cache alone: no kernel, nothing runs. What the cells above would give is known
from their own kept results; from the first that has none on, a run would have to tell.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from rnb.host import fitness
from rnb.host.given import as_defaults
from rnb.host.ground import python
from rnb.host.modules import LocalModules
from rnb.host.observing import Observer
from rnb.host.source import no_cell, notebook_bytes, read_notebook
from rnb.messages.traces import Trace
from rnb.notebook.model import Cell, Notebook
from rnb.plan import keys
from rnb.plan.world import UNBOUND
from rnb.store.cache import Cache
from rnb.store.cache_prune import entries


class Known(msgspec.Struct):
    """What the walk came to for one cell: the result that holds, or why there is none."""

    trace: Trace | None
    why: str = ""


class Walk:
    """`columns` is the width of text renderings, `given` the parameters."""

    def __init__(self, path: str, cache: Cache, given: Mapping[str, str], columns: int) -> None:
        data = notebook_bytes(path)
        self.path, self.cache, self.given, self.columns = path, cache, given, columns
        self.notebook: Notebook = read_notebook(data, path)
        folder = os.path.dirname(os.path.abspath(path))
        modules = LocalModules(folder)
        self.observer = Observer(folder, modules)
        names = {name for one in self.notebook.cells for name in one.imports}
        names |= {name for one in self.notebook.setup for name in one.imports}
        self.modules = self.observer.digests(names)
        self.python = python()
        self.known: dict[str, Known] = {}
        self.old: dict[str, Trace] = {}  # the last that was kept of each cell of this notebook
        for entry in entries(cache):
            for trace in entry.traces:
                mine = os.path.basename(trace.notebook) == os.path.basename(path)
                if mine and (trace.cell not in self.old or self.old[trace.cell].made < trace.made):
                    self.old[trace.cell] = trace

    def look(self, id: str) -> Known:
        """What is known of this cell."""
        if id not in self.known:
            for name in self.notebook.order:
                self.known[name] = self._look(self.notebook.cell(name))
                if name == id:
                    break
        return self.known[id]

    def _look(self, cell: Cell) -> Known:
        said = fitness.never(cell, self.notebook)
        if said:
            return Known(None, f"it is not kept: {said}")
        used = {name: self.modules[name] for name in cell.imports if name in self.modules}
        matters = keys.place_matters(cell, self.notebook.setup, self.observer.texts(used))
        static = keys.static_key(cell, self.notebook, self.python, os.path.abspath(self.path) if matters else "")
        unfit = self.cache.unfit(static)
        if unfit is not None:
            return Known(None, f"it is not kept: {unfit.reason}")
        refs: dict[str, str | None] = {}
        for ref in cell.refs:
            owner = self.known[ref.owner].trace if ref.owner in self.known else None
            if owner is None:
                return Known(None, f"it reads `{ref.name}` of `{ref.owner}`, which has to run")
            made = owner.values.get(ref.slot)
            refs[ref.name] = UNBOUND if made is None else made.fingerprint
        plain = as_defaults(self.notebook, self.given)
        parameters = {one.name: None if one.name in plain else self.given.get(one.name) for one in cell.parameters}
        key = keys.result_key(static, refs, parameters, used, False)
        traces = self.cache.traces(key) if key is not None else []
        for trace in traces:
            if keys.holds(trace, self.observer.seen(trace, self.columns, {})):
                return Known(trace)
        return Known(None, self._difference(cell, static, refs, parameters, traces))

    def _difference(
        self,
        cell: Cell,
        static: str,
        refs: Mapping[str, str | None],
        parameters: Mapping[str, str | None],
        traces: list[Trace],
    ) -> str:
        old = traces[0] if traces else self.old.get(cell.id)
        if old is None:
            return "nothing is kept of it"
        if old.static != static:
            return "its code, or what it uses of the setup or of Python, is not what was kept"
        if old.parameters != parameters:
            return "its parameters are others"
        changed = [name for name, found in refs.items() if old.refs.get(name, UNBOUND) != found]
        if changed:
            return f"it reads `{changed[0]}`, which is another value"
        seen = self.observer.seen(old, self.columns, {})
        pairs = (("file", old.files, seen.files), ("folder", old.folders, seen.folders))
        for kind, was, now in (*pairs, ("module", old.modules, seen.modules), ("package", old.versions, seen.versions)):
            other = [name for name, found in was.items() if now.get(name) != found]
            if other:
                return f"the {kind} {other[0]} is not what it was"
        return (
            "a local module or an option is not what it was" if not traces else "its texts were made for another width"
        )


def why(path: str, cell: str, cache: Cache, given: Mapping[str, str], columns: int) -> Known:
    """What is known of a cell. Raises NoSuchNotebook, UsageError for a cell that is not there, OSError."""
    walk = Walk(path, cache, given, columns)
    ids = [one.id for one in walk.notebook.cells]
    if cell not in ids:
        raise no_cell(path, cell, ids)
    return walk.look(cell)


def lines(cell: str, known: Known) -> list[str]:
    """The same for people."""
    trace = known.trace
    if trace is None:
        return [f"{cell} would run: {known.why}"]
    told = [f"{cell} would be restored: kept on {time.strftime('%Y-%m-%d at %H:%M:%S', time.localtime(trace.made))}"]
    told += [f"  it took {trace.seconds:.3g} s then, as `{trace.cell}` of {trace.notebook}"]
    told += [f"  read the file {name}" for name in trace.files]
    told += [f"  listed the folder {name}" for name in trace.folders]
    told += [f"  with {name} {version}" for name, version in sorted(trace.versions.items())]
    return told


def facts(cell: str, known: Known) -> dict[str, Any]:
    """The same for programs."""
    trace = known.trace
    if trace is None:
        return {"cell": cell, "restored": False, "why": known.why}
    kept = {"made": trace.made, "seconds": trace.seconds, "notebook": trace.notebook, "as": trace.cell}
    seen = {"files": list(trace.files), "folders": list(trace.folders), "packages": dict(trace.versions)}
    return {"cell": cell, "restored": True, **kept, **seen}
