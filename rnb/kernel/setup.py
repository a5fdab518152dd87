"""The setup: the module's statements, executed one by one in its namespace, up to the first that fails."""

from __future__ import annotations

import sys

from rnb.kernel import importing
from rnb.kernel.failure import attempt, send_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rnb import messages
    from rnb.kernel.actor import Kernel


def run(kernel: Kernel, task: messages.RunSetup) -> None:
    importing.purge(task.purge)
    for name in task.drop:
        kernel.namespace.pop(name, None)
    kernel.begin(None)
    ended: list[dict[str, Any]] = []
    failed = False
    for statement in task.statements:
        ok = not failed and _execute(kernel, statement, task.future)
        ended.append({"key": statement.key, "ok": ok, "skipped": failed, "touched": []})
        failed = failed or not ok
    kernel.end()
    kernel.report("setup-ended", statements=ended, values={}, sys_path=list(sys.path), files={})


def _execute(kernel: Kernel, statement: messages.SetupStatement, future: int) -> bool:
    kernel.executed(statement.line, statement.source)

    def body() -> None:
        text = "\n" * (statement.line - 1) + statement.source
        exec(compile(text, kernel.config.file, "exec", future, dont_inherit=True), kernel.namespace)

    _, error = attempt(kernel, body)
    if error is None:
        return True
    send_error(kernel, None, error)
    return False
