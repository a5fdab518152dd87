"""One cell: take what it reads, call its function, keep what it shares, show what it shows."""

from __future__ import annotations

import builtins
import gc
from sys import _getframe
from time import perf_counter

from rnb.errors import ParameterError
from rnb.kernel.check import Check, send_mutation
from rnb.kernel.failure import attempt, send_error
from rnb.kernel.figures import is_artist
from rnb.kernel.function import END, ONE, RETURN, Plan, parse
from rnb.kernel.importing import finder
from rnb.kernel.sql import SQL, SqlCell, sql_options
from rnb.kernel.summary import summarize
from rnb.kernel.values import UNBOUND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rnb import messages
    from rnb.kernel.actor import Kernel


class Run:
    """One run of one cell, and what came of it."""

    def __init__(self, kernel: Kernel, task: messages.RunCell) -> None:
        self.kernel = kernel
        self.task = task
        self.head: tuple[Any, ...] | None = None  # of the return that was taken: kind, then names
        self.shown: Any = None
        self.values: dict[str, Any] = {}
        self.parameter = ""  # the notebook parameter that is being converted

    def execute(self) -> None:
        """All that can raise on the user's account."""
        kernel, task = self.kernel, self.task
        node = parse(task.source, task.line, kernel.config.file, task.future)
        arguments = self._arguments(node)
        kernel.forget([task.uid])  # before the new values exist: memory must not hold both
        if task.module_level:
            self._body(node, arguments)
            return
        options = sql_options(node, kernel.namespace)
        if options is not None:
            if kernel.config.returns:
                options.setdefault("returns", kernel.config.returns)
            setattr(builtins, SQL, SqlCell(node, options, arguments, kernel.namespace))
        plan = Plan(node, kernel.config.file, task, arguments, kernel.namespace)
        kernel.executed(f"c{task.uid}", task.line, task.source, plan.name, plan.code)
        returned = self._call(plan, arguments)
        del arguments
        if plan.decorated:
            self._unpack(self.head or plan.head, returned)
        elif returned is not None:
            self._take(returned[0], returned[1], returned[2:])

    def _arguments(self, node: Any) -> dict[str, Any]:
        """By name: refs, then notebook parameters, then parameters that name something at module level."""
        values = {ref.name: self.kernel.values.get(ref.owner, ref.slot) for ref in self.task.refs}
        for parameter in self.task.parameters:
            self.parameter = parameter.name
            values[parameter.name] = self._parameter(node.args, parameter)
        self.parameter = ""
        every = node.args
        if self.task.module_level:  # its signature is a cache
            return values
        for one in every.posonlyargs + every.args + every.kwonlyargs:
            if one.arg not in values:
                values[one.arg] = self.kernel.namespace.get(one.arg, UNBOUND)
        return values

    def _parameter(self, signature: Any, parameter: messages.Parameter) -> Any:
        from rnb.kernel.parameters import convert, declaration, evaluate_annotation

        file, namespace = self.kernel.config.file, self.kernel.namespace
        annotation, default = declaration(signature, parameter.name, file, namespace)
        if parameter.text is None:
            return default
        return convert(parameter.text, evaluate_annotation(annotation, file, namespace), default)

    def _call(self, plan: Plan, arguments: dict[str, Any]) -> Any:
        setattr(builtins, END, self._read_locals)
        setattr(builtins, RETURN, self._note)
        function = plan.make(self.kernel.namespace)
        positional = [arguments[name] for name in plan.positional]
        keywords = {name: arguments[name] for name in plan.keywords}
        arguments.clear()
        if not plan.is_async:
            return function(*positional, **keywords)
        return _loop()(function(*positional, **keywords))

    def _body(self, node: Any, refs: dict[str, Any]) -> None:
        """Run a marimo cell."""
        from rnb.kernel import body
        from rnb.kernel.marimo import Attributes, Tables

        kernel, task = self.kernel, self.task
        code = body.compiled(node, kernel.config.file, task.future)
        kernel.executed(f"c{task.uid}", task.line, task.source, node.name, code)
        namespace = body.namespace_of(kernel.namespace, refs)
        refs.clear()
        attributes = kernel.namespace.setdefault("__getattr__", Attributes(kernel.values))
        attributes.running = namespace
        try:
            coroutine = eval(code, namespace)
            if coroutine is not None:
                _loop()(coroutine)
        finally:
            attributes.running = {}
        self.shown = namespace.pop(body.SHOWN, None)
        self.values = {name: namespace[name] for name in (*task.slots, *task.implicit) if name in namespace}
        self.values.update({name: Tables() for name in task.implicit if name not in self.values})

    def _read_locals(self) -> None:
        """`__rnb_end__()`, from the end of a cell whose locals others take."""
        here = _getframe(1).f_locals
        self.values.update({name: here[name] for name in self.task.implicit if name in here})

    def _note(self, head: tuple[Any, ...], shown: Any, *values: Any) -> Any:
        """`__rnb_return__(…)`, in a cell with other decorators: these get what the user's `return` gives."""
        self.head, self.shown = head, shown
        return values[0] if head[0] == ONE else values if values else None

    def _unpack(self, head: tuple[Any, ...], returned: Any) -> None:
        """What a decorated cell gave: its decorators may have put something else in the place of the value."""
        names = head[1:]
        if head[0] == ONE or (names and names != ("",) and len(names) != len(returned)):
            self._take(head, self.shown, (returned,))
        elif names:
            self._take(head, self.shown, (returned,) if names == ("",) else tuple(returned))
        else:
            self._take(head, self.shown, ())

    def _take(self, head: tuple[Any, ...], shown: Any, values: tuple[Any, ...]) -> None:
        for name, value in zip(head[1:], values, strict=True):
            if name in self.task.slots:
                self.values[name] = value
        self.shown = values[0] if head[0] == ONE and (shown is None or is_artist(shown)) else shown

    def show(self) -> None:
        """Show the value at the end, then figures that were left open."""
        self.kernel.show(self.shown)
        self.shown = None
        self.kernel.figures.end()

    def tell(self, error: BaseException | None) -> str:
        """Report what went wrong, if anything did; the outcome."""
        if error is None:
            return "done"
        outcome = _outcome(error)
        if self.parameter and isinstance(error, ParameterError):
            self.kernel.report("failed", kind="parameter", name=self.parameter, message=error.message)
        elif outcome != "stopped":
            send_error(self.kernel, self.task.id, error, self.task.uid)
        return outcome

    def keep(self, check: Check | None) -> dict[str, dict[str, Any]]:
        """Put the values where readers find them; what the host hears of each."""
        values, uid = self.values, self.task.uid
        self.kernel.values.put(uid, values)
        unknown = {"fingerprint": "", "mutable": True}
        shared = check.shared(values) if check is not None else dict.fromkeys(values, unknown)
        told = {slot: {**summarize(value), **shared[slot]} for slot, value in values.items()}
        if self.kernel.config.workers:
            from rnb.kernel.transport import travels

            for slot, value in values.items():
                told[slot]["travels"] = travels(value)
        return told


def run(kernel: Kernel, task: messages.RunCell) -> None:
    kernel.begin(task.id, task.uid)
    kernel.come_home()
    cell = Run(kernel, task)
    check = Check(kernel, task) if task.check else None
    draws = _draws() if kernel.config.workers else None
    kernel.warned.begin(task.uid, kernel.namespace)
    started = perf_counter()
    _, error = attempt(kernel, cell.execute)
    kernel.warned.end(task.uid, kernel.namespace)
    stopped = error is not None and _outcome(error) == "stopped"
    if stopped:
        cell.shown = getattr(error, "output", None)
    late = attempt(kernel, cell.show if error is None or stopped else kernel.figures.end)[1]
    error = error or late
    seconds = perf_counter() - started
    outcome = cell.tell(error)
    failed = error is not None
    del error, late  # and with them their frames: the values in these must not live longer than the cell
    kernel.end()
    changed = check.after() if check is not None else []
    if changed and task.strict and outcome == "done":
        outcome = "failed"
        send_mutation(kernel, task, changed)
    values = cell.keep(check) if outcome == "done" else {}
    kernel.report(
        "cell-ended",
        uid=task.uid,
        outcome=outcome,
        seconds=seconds,
        values=values,
        before={} if check is None else check.before,
        changed=changed,
        drew=draws is not None and draws.drew(),
        **kernel.observed(),
    )
    if failed:
        gc.collect()  # an exception, its traceback and its frames often hold each other


def _draws() -> Any:
    from rnb.kernel.worker import Draws

    return Draws()


def _loop() -> Callable[[Any], Any]:
    with finder:  # asyncio is not loaded before it is needed
        from rnb.kernel.loop import wait_for
    return wait_for


def _outcome(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    return "stopped" if type(error).__name__ == "MarimoStopError" else "failed"
