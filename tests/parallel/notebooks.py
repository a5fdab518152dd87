"""Random notebooks whose cells do what makes running side by side hard: changes in place, aliases, values that can't be
pickled, errors, exits, deaths, input, output of all kinds. Every value is a list, so that any cell can read any other."""

from __future__ import annotations

from hypothesis import strategies as st

SETUP = '''"""Random."""
import itertools
import os
import random
import sys
import time

import rnb

LOG = []
TABLE = {"n": 0}
COUNTER = itertools.count()
SENTINEL = object()


class Box:
    def __init__(self, inside):
        self.inside = inside


def quiet_change(value):
    value.append("quiet")


def note(what):
    LOG.append(what)
    return len(LOG)
'''

PLAIN = [
    "v = [{n}, {refs}]",
    "v = [str({refs_tuple})]",
    "v = [len({refs_tuple}), {n}]",
    "v = [{refs}] * 2",
]
OUTPUT = [
    "print({n}, {refs})",
    "print('err', {n}, file=sys.stderr)",
    "rnb.display({refs_tuple})",
    "print('a'); rnb.display({n}); print('b')",
    "print([a is b for a in {refs_tuple} for b in {refs_tuple}])",
    "time.sleep(0.0{d})",
]
ALIAS = ["v = {one}", "v = [{one}]", "v = {one}[:]", "v = [[{one}], {one}]"]
CHANGE = [
    "{one}.append({n})",
    "quiet_change({one})",
    "setattr(sys, 'x', {one}); sys.x.append({n})",
    "LOG.append({n})",
    "note({n})",
    "TABLE['n'] += {n}",
    "print(next(COUNTER))",
    "{one}.clear()",
]
STUCK = [
    "v = [lambda: {n}]",
    "v = [(i for i in range({n}))]",
    "class Here:\n        pass\n    v = [Here()]\n    v[0].n = {n}",
    "v = [print]",
    "v = [SENTINEL, Box({n}), os]",
]
BAD = ["1 / 0", "sys.exit({n})", "raise KeyError({n})", "raise KeyboardInterrupt"]
LOOK = [
    "print(LOG, TABLE)",
    "print([x() for x in {one} if callable(x) and x is not print])",
    "print([x is SENTINEL for x in {one}])",
    "print([list(x) for x in {one} if hasattr(x, '__next__')])",
    "print([type(x).__name__ for x in {one}])",
]
SHOW = [
    "rnb.display({n}); rnb.display([{refs}])",
    "h = rnb.display('first'); print('between'); rnb.display('second {n}')",
    "rnb.display({refs_tuple}); print({n}, file=sys.stderr)",
]
PARAM = ["print('k is', k * {n})", "v = [k, {refs}]", "v = [{n}] * k", "rnb.display((k, 1 // (k - 5)))"]
OPTIONS = [("late", "timeout=0.3"), ("flaky", "retries=2")]
FLAKY = "sys.tries{n} = getattr(sys, 'tries{n}', 0) + 1; print('try', sys.tries{n}); assert sys.tries{n} > {d}"


@st.composite
def notebooks(draw: st.DrawFn, kinds: str = "plain output alias change stuck bad look", most: int = 7) -> str:
    tables = {
        "plain": PLAIN,
        "output": OUTPUT,
        "alias": ALIAS,
        "change": CHANGE,
        "stuck": STUCK,
        "bad": BAD,
        "look": LOOK,
        # as in Python, what is buffered is lost when a process dies
        "death": ["sys.stdout.flush(); sys.stderr.flush(); os._exit({n})"],
        # flushed before, as in any script that mixes the two: nothing else says which came first
        "raw": ["sys.stdout.flush(); sys.stderr.flush(); os.write(1, b'raw {n}\\n')"],
        "input": ["print('got', input('? '))"],
        "show": SHOW,
        "param": PARAM,
        "late": ["print('before'); time.sleep(30)"],
        "flaky": [FLAKY],
    }
    count = draw(st.integers(2, most))
    text = SETUP
    for n in range(count):
        refs = draw(st.lists(st.integers(0, max(0, n - 1)), max_size=min(n, 3), unique=True)) if n else []
        names = [f"v{ref}" for ref in refs]
        lines = []
        chosen = draw(st.lists(st.sampled_from(kinds.split()), min_size=1, max_size=3))
        options = [said for kind, said in OPTIONS if kind in chosen]
        for kind in chosen:
            line = draw(st.sampled_from(tables[kind]))
            if "{one}" in line and not names:
                line = OUTPUT[1]
            one = draw(st.sampled_from(names)) if names else ""
            joined = ", ".join(names)
            tuple_ = f"({joined},)" if names else "()"
            d = draw(st.integers(0, 3))
            lines.append(line.format(n=n + 1, refs=joined or "0", refs_tuple=tuple_, one=one, d=d))
        shares = not any(line.startswith("v = ") or "\n    v = " in line for line in lines)
        body = "\n    ".join([*([f"v = [{n}]"] if shares else []), *lines])
        body = "\n".join(
            line.replace("v = ", f"v{n} = ") if line.strip().startswith("v = ") else line for line in body.split("\n")
        )
        body = body.replace("v[0]", f"v{n}[0]")
        taken = ", ".join([*names, *(["k: int = 2"] if "param" in chosen else [])])
        head = f"@rnb.cell({', '.join(options)})" if options else "@rnb.cell"
        text += f"\n\n{head}\ndef c{n}({taken}):\n    {body}\n    return v{n}\n"
    return text
