"""One cell's check for mutation: what it was handed, before and after."""

from __future__ import annotations

from rnb.errors import MutationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rnb import messages
    from rnb.kernel.actor import Kernel


class Check:
    """`before`: the digest of each ref as the cell found it, and of each mutable module-level value."""

    def __init__(self, kernel: Kernel, task: messages.RunCell) -> None:
        self._kernel = kernel
        self._task = task
        self._names: dict[tuple[int | None, str], str] = {}
        self.before: dict[str, str] = {}
        for ref in task.refs:
            entry = kernel.ledger.entry((ref.owner, ref.slot))
            if entry is not None:
                self.before[ref.name] = entry.told
                self._names[ref.owner, ref.slot] = ref.name
        for key in kernel.ledger.setup_keys(task.setup):
            entry = kernel.ledger.entry(key)
            self._names[key] = key[1]
            if entry is not None and (entry.print.mutable or key[1] in kernel.acting):
                self.before[key[1]] = entry.told

    def after(self) -> list[dict[str, Any]]:
        """The fields of a `messages.Changed` for each value that differs now."""
        from rnb.kernel.mutation import line_of

        found = []
        for (owner, slot), before, after in self._kernel.ledger.changed(self._names):
            name = self._names.get((owner, slot), slot)
            line = line_of(name, self._task)
            digests = {"before": before.told, "after": after.told}
            aliases = self._kernel.ledger.aliases((owner, slot), self._names, before)
            found.append({"owner": owner, "slot": slot, "name": name, "line": line, "aliases": aliases, **digests})
        return found

    def shared(self, values: dict[str, Any]) -> dict[str, dict[str, Any]]:
        return self._kernel.ledger.shared(self._task.uid, values, self._names)


def send_mutation(kernel: Kernel, task: messages.RunCell, changed: list[dict[str, Any]]) -> None:
    """With --strict, a change in place is an error of the cell, at the line that names the value."""
    first = changed[0]
    owner = "the setup" if first["owner"] is None else f"cell {kernel.ids.get(first['owner'], '?')}"
    message = (
        f"{first['name']} belongs to {owner} and was changed in place; work on a copy, or change it where it is made"
    )
    line = first["line"] or task.line
    place = f'  File "{kernel.config.file}", line {line}, in {task.id}\n'
    source = task.source.splitlines()[line - task.line].strip()
    text = f"Traceback (most recent call last):\n{place}    {source}\n{MutationError.__name__}: {message}\n"
    name = MutationError.__name__
    kernel.report("error", cell=task.id, name=name, message=message, line=line, traceback=text)
