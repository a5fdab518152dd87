"""`--verify`: run the script and the notebook, each in a process of its own, and compare what they leave.

Final values by the kernel's fingerprints, standard output as text, figures as pixels. Where something can't be compared
(a value without a fingerprint, output that differs between two runs of the script itself) it is said, not passed over.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from rnb.kernel import ROOT
from rnb.rewrite.split import Split

PROBE = "__rnb_verify__"


@dataclass
class Verdict:
    """What was compared. `differences` make it unequal; `unknown` is what could not be compared."""

    values: int = 0
    figures: int = 0
    output: bool = False
    differences: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    failed: str = ""  # the script itself does not run: nothing can be shown

    @property
    def equal(self) -> bool:
        return not self.differences and not self.failed

    @property
    def undecided(self) -> bool:
        return bool(self.failed)


@dataclass
class Ran:
    code: int
    out: str
    err: str
    values: dict[str, str]
    figures: list[str]
    ended: bool


RUNNER = '''
import hashlib, json, os, sys
place, names, result, kind = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3], sys.argv[4]
source_name = sys.argv[5]
sys.argv = [source_name]
sys.path[0] = os.path.dirname(source_name)
figures = []
try:
    os.environ["MPLBACKEND"] = "Agg"
except OSError:
    pass

def picture(figure):
    figure.canvas.draw()
    return hashlib.sha256(bytes(figure.canvas.buffer_rgba())).hexdigest()

def close_all():
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        for number in pyplot.get_fignums():
            try:
                figures.append(picture(pyplot.figure(number)))
            except Exception as error:
                figures.append("error: " + repr(error))
        pyplot.close("all")

class Finder:
    """pyplot's show() counts its figures and closes them, as a window that someone closes does."""
    def find_spec(self, name, path=None, target=None):
        if name != "matplotlib.pyplot":
            return None
        sys.meta_path.remove(self)
        import importlib.util
        spec = importlib.util.find_spec(name)
        load = spec.loader.exec_module
        def exec_module(module):
            load(module)
            module.show = lambda *args, **kwargs: close_all()
        spec.loader.exec_module = exec_module
        return spec

sys.meta_path.insert(0, Finder())

def code_shape(code):
    consts = [code_shape(each) if hasattr(each, "co_code") else repr(each) for each in code.co_consts]
    names = sorted({*code.co_names, *code.co_freevars, *code.co_cellvars, *code.co_varnames})
    return (code.co_name, code.co_argcount, code.co_kwonlyargcount, names, sorted(consts, key=str))

def own(value):
    """A function or class of the program itself counts by its code: as a part of a cell it is a closure."""
    if getattr(value, "__module__", "") != "__main__":
        return None
    if isinstance(value, types.FunctionType):
        return ("def", code_shape(value.__code__), repr(value.__defaults__), repr(value.__kwdefaults__))
    if isinstance(value, type):
        parts = {name: own(part) for name, part in vars(value).items() if not name.startswith("__") or callable(part)}
        return ("class", value.__name__, [base.__name__ for base in value.__bases__], sorted(parts.items(), key=str))
    return None

def fingerprint(value):
    from rnb.kernel.fingerprint import fingerprint as of
    known = own(value)
    if known is not None:
        return hashlib.sha256(repr(known).encode("utf-8", "replace")).hexdigest()
    digest = of(value).digest
    return digest if digest.startswith("c") else ""

def save(space, ended):
    close_all()
    values = {}
    for name in names:
        if name in space:
            try:
                values[name] = str(fingerprint(space[name]))
            except Exception as error:
                values[name] = ""
    with open(result, "w") as file:
        json.dump({"values": values, "figures": figures, "ended": ended}, file)

import random
import types
import rnb
random.seed(0)
rnb.display = lambda *values, **options: None  # not a part of standard output
module = types.ModuleType("__main__")
module.__file__ = source_name
sys.modules[module.__name__] = module
space = module.__dict__
space["__rnb_end_of_cell__"] = close_all
ended = False
try:
    with open(place, encoding="utf-8") as file:
        code = compile(file.read(), source_name, "exec", dont_inherit=True)
    exec(code, space)
    if kind == "notebook":
        space = space["__rnb_verify__"](close_all)
    ended = True
finally:
    sys.stdout.flush()
    save(space, ended)
'''


def verify(script: str, made: Split, path: str, timeout: float) -> Verdict:
    """Compare the script with its notebook. Raises OSError."""
    folder = os.path.dirname(os.path.abspath(path)) if path != "-" else os.getcwd()
    name = os.path.join(folder, os.path.basename(path) if path != "-" else "script.py")
    with tempfile.TemporaryDirectory(prefix="rnb-verify-") as scratch:
        place = Path(scratch)
        before = _run(place, "script", script, sorted(made.shared), name, folder, timeout)
        verdict = Verdict()
        if not before.ended:
            verdict.failed = f"the script itself does not run to its end: {_last_line(before)}"
            return verdict
        after = _run(place, "notebook", as_functions(made), sorted(made.shared), name, folder, timeout)
        _compare(verdict, before, after, made)
        if verdict.differences and after.ended:
            again = _run(place, "script", script, sorted(made.shared), name, folder, timeout)
            _forgive(verdict, before, again, made, after)
    return verdict


def as_functions(made: Split) -> str:
    """The notebook followed by a function that calls its cells in their order, as `rnb run` does, and gives what they share."""
    from rnb.notebook.read import read

    notebook = read(made.text.encode(), "")
    code = re.sub(r'^if __name__ == "__main__":\n    \w+\.run\(\)$', "", made.text, flags=re.MULTILINE)
    lines = [
        code,
        f"def {PROBE}(end_of_cell):",
        "    import asyncio, inspect",
        "    shared = {}",
        "    space = globals()",
    ]
    lines += [
        "    def call(name, takes, slots):",
        "        value = space[name](**{each: shared[each] for each in takes})",
    ]
    lines += ["        value = asyncio.run(value) if inspect.isawaitable(value) else value", "        end_of_cell()"]
    lines += ["        if slots == ['']: shared[name] = value"]
    lines += [
        "        elif slots: shared.update(zip(slots, value if isinstance(value, tuple) and len(value) == len(slots) else (value,)))"
    ]
    for cell in (notebook.cell(id) for id in notebook.order):
        takes = [ref.name for ref in cell.refs]
        lines.append(f"    call({cell.name!r}, {takes!r}, {list(cell.slots)!r})")
    wanted = ", ".join(f"{old!r}: {new!r}" for old, new in made.shared.items())
    lines.append(f"    names = {{{wanted}}}")
    lines.append("    return {old: shared[new] for old, new in names.items() if new in shared}")
    return "\n".join(lines) + "\n"


def _run(place: Path, kind: str, text: str, names: list[str], name: str, folder: str, timeout: float) -> Ran:
    source, result = place / f"{kind}.py", place / f"{kind}.json"
    source.write_text(text, encoding="utf-8")
    runner = place / "runner.py"
    runner.write_text(RUNNER, encoding="utf-8")
    result.unlink(missing_ok=True)
    command = [sys.executable, str(runner), str(source), json.dumps(names), str(result), kind, name]
    environment = {**os.environ, "MPLBACKEND": "Agg", "PYTHONHASHSEED": "0", "PYTHONIOENCODING": "utf-8"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH", ""), ROOT]))
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout
        )
    except subprocess.TimeoutExpired:
        return Ran(124, "", f"no end after {timeout:g} s", {}, [], False)
    out, err = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    if not result.exists():
        return Ran(done.returncode, out, err, {}, [], False)
    found = json.loads(result.read_text())
    return Ran(done.returncode, out, err, found["values"], found["figures"], found["ended"])


def _last_line(ran: Ran) -> str:
    return (ran.err.strip().splitlines() or [f"exit code {ran.code}"])[-1][:200]


def _compare(verdict: Verdict, before: Ran, after: Ran, made: Split) -> None:
    if not after.ended:
        verdict.differences.append(f"the notebook does not run to its end: {_last_line(after)}")
        return
    for name, value in before.values.items():
        if not value or not after.values.get(name):
            verdict.unknown.append(f"the value of `{name}`")
        elif value != after.values[name]:
            verdict.differences.append(f"the value of `{name}`")
        else:
            verdict.values += 1
    verdict.output = before.out == after.out
    if not verdict.output:
        verdict.differences.append("standard output")
    if before.figures == after.figures:
        verdict.figures = len(before.figures)
    else:
        verdict.differences.append(f"figures ({len(before.figures)} and {len(after.figures)})")


def _forgive(verdict: Verdict, before: Ran, again: Ran, made: Split, after: Ran) -> None:
    """What differs between two runs of the script itself says nothing about the notebook."""
    kept = []
    for each in verdict.differences:
        name = each.removeprefix("the value of `").rstrip("`")
        unsteady = (
            (each.startswith("the value") and before.values.get(name) != again.values.get(name))
            or (each == "standard output" and before.out != again.out)
            or (
                each.startswith("figures")
                and len(before.figures) == len(after.figures)
                and before.figures != again.figures
            )
        )
        if unsteady:
            verdict.unknown.append(f"{each}: two runs of the script differ as well")
        else:
            kept.append(each)
    verdict.differences = kept
