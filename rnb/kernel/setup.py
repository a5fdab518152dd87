"""The setup: the module's statements, executed one by one in its namespace, up to the first that fails."""

from __future__ import annotations

import sys

from rnb.errors import ParameterError
from rnb.kernel import importing, process, streams
from rnb.kernel.failure import attempt, send_error
from rnb.kernel.placed import build, tree
from rnb.kernel.values import UNBOUND

DEFINITIONS = ("def ", "async def ", "class ", "@", "import ", "from ")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from rnb import messages
    from rnb.kernel.actor import Kernel


def run(kernel: Kernel, task: messages.RunSetup) -> None:
    kernel.units.purged(importing.purge(task.purge))
    binds = [name for statement in task.statements for name in statement.binds]
    for name in task.drop:
        kernel.namespace.pop(name, None)
    if kernel.config.track:
        kernel.ledger.forget_names([*task.drop, *binds])
    kernel.begin(None)
    kernel.come_home()
    ended: list[dict[str, Any]] = []
    seen: dict[str, Any] = {"effects": [], "packages": [], "absolute": [], "folders": {}}
    for statement in task.statements:
        failed = bool(ended) and not ended[-1]["ok"]
        skipped = {"key": statement.key, "ok": False, "skipped": True, "touched": []}
        ended.append(skipped if failed else _run_one(kernel, statement, task.future, seen))
    _, late = attempt(kernel, kernel.figures.end)
    if late is not None:
        send_error(kernel, None, late)
    kernel.end()
    _note_acting(kernel, task.statements)
    for parameter in task.given:
        _check(kernel, parameter)
    kernel.report(
        "setup-ended",
        statements=ended,
        values=_values(kernel, {*binds, *(name for one in ended for name in one["touched"])}),
        sys_path=list(sys.path),
        observed=seen,
    )


def _run_one(kernel: Kernel, statement: messages.SetupStatement, future: int, seen: dict[str, Any]) -> dict[str, Any]:
    """The fields of its `messages.StatementEnded`."""
    if not statement.source.startswith(("def ", "async def ")):
        _begin(kernel, statement)
    touched = Touched(kernel, statement) if kernel.config.track else None
    kernel.warned.begin(tuple(statement.binds), kernel.namespace)
    ok = _execute(kernel, statement, future)
    kernel.warned.end(tuple(statement.binds), kernel.namespace)
    files = _files(kernel, statement, seen)
    names = touched.names() if touched is not None else []
    if names:
        kernel.acting.update(names, statement.binds)
    return {"key": statement.key, "ok": ok, "touched": names, "files": files}


def _note_acting(kernel: Kernel, statements: list[messages.SetupStatement]) -> None:
    """Who says `global`, and who sees what such a statement binds."""
    for statement in statements:
        if "global " in statement.source:
            kernel.acting.update(_globals(statement.source))
        if not kernel.acting.isdisjoint(statement.sees):
            kernel.acting.update(statement.binds)


def _begin(kernel: Kernel, statement: messages.SetupStatement) -> None:
    """What was written so far belongs to the statements before this one."""
    process.flush_stdio()
    streams.settle()
    kernel.report("statement", key=statement.key)


def _check(kernel: Kernel, given: messages.ParameterInfo) -> None:
    """Say before any cell runs that a parameter does not convert. What else is wrong with it, its cells will tell."""
    from rnb.kernel.parameters import convert_source

    def body() -> None:
        convert_source(given.value, given.type, given.default, kernel.config.file, kernel.namespace)

    _, error = attempt(kernel, body)
    if isinstance(error, ParameterError):
        kernel.report("failed", kind="parameter", name=given.name, message=error.message)


def _files(kernel: Kernel, statement: messages.SetupStatement, seen: dict[str, Any]) -> dict[str, str]:
    """What the statement has read; what else it did goes into `seen`. What a definition or an import does is the business
    of the package that is imported."""
    if not kernel.config.track:
        return {}
    files, now = kernel.tracker.end(), kernel.tracker.observed()
    kernel.imported()
    kernel.tracker.begin()
    seen["packages"] = now["packages"]
    if statement.source.lstrip().startswith(DEFINITIONS):
        return {}
    seen["effects"] += now["effects"]
    seen["absolute"] += now["absolute"]
    seen["folders"].update(now["folders"])
    return files


class Touched:
    """Which earlier names a statement changed: in place, as `random.shuffle(rows)` or `CONFIG["a"] = 1` do, or by `global`
    in a function that it calls. A statement that only defines or imports sees none."""

    def __init__(self, kernel: Kernel, statement: messages.SetupStatement) -> None:
        self._ledger, self._namespace = kernel.ledger, kernel.namespace
        self._keys = kernel.ledger.setup_keys(statement.sees)
        for key in self._keys:
            self._ledger.entry(key)
        self._bound = {name: self._namespace[name] for _, name in self._keys if name not in statement.binds}

    def names(self) -> list[str]:
        changed = {key[1] for key, _, _ in self._ledger.changed(self._keys) if key[0] is None}
        again = {name for name, value in self._bound.items() if self._namespace.get(name, UNBOUND) is not value}
        self._ledger.forget_names(again)
        return sorted(changed | again)


def _globals(source: str) -> set[str]:
    """The names that functions in `source` bind at module level."""
    import re

    return {name for names in re.findall(r"\bglobal +([\w, ]+)", source) for name in re.findall(r"\w+", names)}


def _values(kernel: Kernel, names: Iterable[str]) -> dict[str, str]:
    """The fingerprints of module-level data that may change in place, and of what statements make that change
    something or see what others change: their code does not tell it."""
    if not kernel.config.track:
        return {}
    values = {}
    for key in kernel.ledger.setup_keys(sorted(names)):
        entry = kernel.ledger.entry(key)
        if entry is not None and (entry.print.mutable or key[1] in kernel.acting):
            values[key[1]] = entry.print.digest
    return values


def _execute(kernel: Kernel, statement: messages.SetupStatement, future: int) -> bool:
    def body() -> None:
        text, line = statement.source, statement.line
        if text[0] in " \t":  # it stands in marimo's `with app.setup:`
            text, line = "if 1:\n" + text, line - 1
        code = build(tree(text, line, kernel.config.file, future), kernel.config.file, future)
        kernel.executed(statement.unit or f"s{statement.key}", statement.line, statement.source, "", code)
        exec(code, kernel.namespace)

    _, error = attempt(kernel, body)
    if error is None:
        return True
    send_error(kernel, None, error)
    return False
