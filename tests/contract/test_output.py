"""What cells write and ask, from all the places that a script can write from and ask at; in a few runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from tests import driver
from tests.contract.conftest import Book

# body -> what it writes to standard output
WRITES = {
    "print('é😀')": "é😀\n",
    "import sys\nsys.stdout.buffer.write(b'a\\xffb\\n')": "a\ufffdb\n",
    "import os\nos.write(1, b'raw\\xfe\\n')": "raw\ufffd\n",
    "print('\\udcff')": None,
    "import subprocess\nprint('one')\nsubprocess.run(['echo', 'two'])\nprint('three')": "one\ntwo\nthree\n",
    "import os\nprint('one')\nos.system('echo two')\nprint('three')": "one\ntwo\nthree\n",
    "import ctypes, sys\nprint('one', flush=True)\nctypes.CDLL(None).puts(b'two')\nctypes.CDLL(None).fflush(None)\nprint('three')": "one\ntwo\nthree\n",
    "import os, subprocess\nfor i in range(50):\n    print(i)\nos.system('echo two')\nfor i in range(50):\n    print(i)\nsubprocess.run(['echo', 'three'])\nprint('end')": "\n".join(
        [*map(str, range(50)), "two", *map(str, range(50)), "three", "end\n"]
    ),
    "import threading\nt = threading.Thread(target=print, args=('thread',))\nt.start()\nt.join()": "thread\n",
    "import os, sys\nprint('parent')\npid = os.fork()\nif pid == 0:\n    print('child', flush=True)\n    os._exit(0)\nos.waitpid(pid, 0)\nprint('end')": "parent\nchild\nend\n",
    "import os, sys\npid = os.fork()\nif pid:\n    os.waitpid(pid, 0)\nprint('both')": "both\nboth\n",
    "import multiprocessing as m\nwith m.get_context('spawn').Pool(1) as pool:\n    print(pool.map(double, [1, 2]))": "[2, 4]\n",
    "import multiprocessing as m\nwith m.get_context('fork').Pool(1) as pool:\n    print(pool.map(double, [1, 2]))": "[2, 4]\n",
    "from concurrent.futures import ProcessPoolExecutor as P\nwith P(1) as pool:\n    print(list(pool.map(double, [3])))": "[6]\n",
    "import sys\nfor i in range(3):\n    sys.stdout.write(f'\\r{i}')": "\r0\r1\r2",
    "print('\\x1b[31mred\\x1b[0m')": "\x1b[31mred\x1b[0m\n",
    "import sys\nsys.stdout.writelines(['a', 'b'])": "ab",
    "import logging, sys\nlogging.getLogger('q').warning('w')": "",
    "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()):\n    print('hidden')": "",
    "import sys\nsys.stdout = open('/dev/null', 'w')\nprint('gone')": "",
    "print('back')": "back\n",
    "import sys\nsys.stdout.close()": "",
    "print('back again')": "back again\n",
    "import os\nos.close(1)": "",
    "print('after closed 1')": "after closed 1\n",
    "import pickle\nprint(type(pickle.loads(pickle.dumps(Point(1)))).__name__)": "Point\n",
    "import asyncio\nasync def g():\n    await asyncio.sleep(0)\n    print('in')\nasyncio.run(g())": "in\n",
    "print(__file__.rpartition('/')[2], __name__)": "book.py book\n",
    "import sys\nprint(sys.modules['book'].Point is Point)": "True\n",
    "import book\nprint(book.double(2))": "4\n",
    "import inspect\nprint(inspect.getsource(double).splitlines()[0])": "def double(x):\n",
    "import inspect\nclass Own:\n    one = 1\nprint(inspect.getsource(Own), end='')": "    class Own:\n        one = 1\n",
    "import inspect\nprint(inspect.getsource(Point).splitlines()[0])": "@dataclass\n",
    "def f(x):\n    global HIDDEN_\n    return x\nprint(f(1))": "1\n",
    "import sys\nprint(sys.argv[1:], len(sys.argv))": "[] 1\n",
    "print(sorted(locals()))": "[]\n",
    "exec('print(1)')": "1\n",
    "print(*(i for i in range(3)), sep='')": "012\n",
    "import time\nprint('x' * 200_000)": "x" * 200_000 + "\n",
}
HEAD = """
import collections, rnb
from dataclasses import dataclass

@dataclass
class Point:
    x: int

def double(x):
    return 2 * x
"""
ASYNC = """
@rnb.cell
async def opens():
    import asyncio
    loop = asyncio.get_running_loop()
    queue = asyncio.Queue()
    await queue.put(1)
    return loop, queue

@rnb.cell
async def takes(loop, queue):
    import asyncio
    print(await queue.get(), asyncio.get_running_loop() is loop)
    async with asyncio.timeout(5):
        await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))
    [x async for x in agen()]

async def agen():
    yield 1
"""


def test_what_each_body_writes(book: Book) -> None:
    names = {f"c{i}": body for i, body in enumerate(WRITES)}
    book.write(names, HEAD)
    book.write(book.path.read_text() + ASYNC)
    ran = book.run()
    errors = {e["cell"]: e["traceback"] for e in ran.of("error")}
    wrong = {}
    for i, (body, expected) in enumerate(WRITES.items()):
        if expected is None:
            errors.pop(f"c{i}", None)
        elif ran.printed(f"c{i}") != expected:
            wrong[body] = ran.printed(f"c{i}")[:200]
    assert not errors
    assert not wrong
    assert ran.printed("takes") == "1 True\n"
    assert ran.shown("takes") == ["[1]"]
    assert ran.printed(f"c{list(WRITES).index(next(b for b in WRITES if 'logging' in b))}", "stderr") == "w\n"


def test_a_flood_is_cut_at_the_limit_and_kept_whole(book: Book) -> None:
    ran = book.write(
        {"a": "for _ in range(3):\n    print('x' * 10_000_000)", "b": "print('y')", "small": "print('z' * 500)"}
    ).run()
    assert ran.code == 0
    assert ran.printed("b") == "y\n"
    assert len(ran.printed("a")) == 10_000_000
    marker = ran.printed("a", "stderr")
    assert "30.0 MB" in marker
    [file] = set(re.findall(r"(/\S+\.txt)", marker))
    assert os.path.getsize(file) == 30_000_003
    assert "/.rnb/output/" in file
    text = book.path.read_text().replace("@rnb.cell\ndef small", "@rnb.cell(output=100)\ndef small")
    assert len(book.write(text).run("--only", "small").printed("small")) == 100


def test_asking(book: Book) -> None:
    text = {
        "a": "print(input('name? '))\nprint(repr(input()))",
        "b": "import getpass\nprint(getpass.getpass('secret? '))",
        "c": "import sys\nprint(repr(sys.stdin.readline()))",
        "d": "try:\n    input()\nexcept EOFError:\n    print('eof')",
        "e": "input()",
        "f": "import sys\nprint(repr(sys.stdin.read()))",
    }
    ran = book.write(text).run(stdin="Ada\n\r\nhush\nline\n")
    assert [ran.printed(c).replace("name? ", "").replace("secret? ", "") for c in "abcd"] == [
        "Ada\n''\n",
        "hush\n",
        "'line\\n'\n",
        "eof\n",
    ]
    assert [(e["cell"], e["name"]) for e in ran.of("error")] == [("e", "EOFError")]
    assert [(e["cell"], e["prompt"]) for e in ran.of("input")][:3] == [("a", "name? "), ("a", ""), ("b", "secret? ")]
    assert ran.printed("f") == "''\n"


def test_a_breakpoint_reads_standard_input(book: Book) -> None:
    ran = book.write({"a": "x = 41\nbreakpoint()\nprint('after')"}).run(stdin="p x + 1\nc\n")
    assert ran.code == 0, ran.of("error")
    assert "42" in ran.printed("a")
    assert ran.printed("a").endswith("after\n")
    line = 6 if sys.version_info >= (3, 13) else 7  # where pdb stops: at the call, before 3.13 behind it
    assert f"book.py({line})" in ran.printed("a")


PLOTS = {
    "fig, ax = plt.subplots()\nax.plot([1, 2])": ["figure"],
    "plt.plot([1, 2])": ["figure"],
    "fig, ax = plt.subplots()\nax.plot([1])\nfig": ["figure"],
    "plt.plot([1])\nplt.show()\nprint('after')\nplt.plot([2])": ["figure", "after\n", "figure"],
    "fig, ax = plt.subplots()\nplt.close(fig)\nreturn fig": ["figure"],
    "plt.plot([1])\nplt.close('all')": [],
    "fig, ax = plt.subplots()\nax.hist([1, 2])": ["figure"],
    "fig, ax = plt.subplots()\nax.set_title('t')": ["figure"],
    "x = 4": [],
    "fig, axes = plt.subplots(2)\n[ax.plot([1]) for ax in axes]": ["figure"],
    "x = 5\nplt.plot([x])\nreturn x": ["5", "figure"],
}


def test_matplotlib(book: Book) -> None:
    bodies = {f"c{i}": re.sub(r"\b(fig|x)\b", rf"\g<1>{i}", body) for i, body in enumerate(PLOTS)}
    ran = book.write(bodies, "import rnb\nimport matplotlib.pyplot as plt\n").run()
    assert ran.code == 0, ran.of("error")
    wrong = {}
    for i, (body, expected) in enumerate(PLOTS.items()):
        seen = [
            e["text"] if e["type"] == "stream" else "figure" if "image/png" in e["data"] else e["data"]["text/plain"]
            for e in ran.events
            if e["type"] in ("stream", "display") and e["cell"] == f"c{i}"
        ]
        if seen != expected:
            wrong[body] = seen
    assert not wrong


def test_text_output_is_plain_where_nobody_sees_colours(book: Book) -> None:
    book.write({"a": "1 + 1", "b": "1 / 0", "c": "print('x')"})
    for env in ({}, {"NO_COLOR": "1"}, {"TERM": "dumb"}):
        done = driver.text_run("run", str(book.path), env=env)
        assert done.returncode == 1
        assert "\x1b" not in done.stdout + done.stderr
        assert "ZeroDivisionError" in done.stdout
        assert "book.py:9:" in done.stdout


def on_a_terminal(book: Book, **env: str) -> str:
    """The command's output where standard output is a terminal."""
    code = "import pty, sys, os\nos.environ['COLUMNS'] = '100'\nsys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
    done = subprocess.run(
        [driver.RNB[0], "-c", code, *driver.RNB, "run", str(book.path)],
        stdin=subprocess.DEVNULL, capture_output=True, env={**os.environ, "TERM": "xterm", **env}, check=False, timeout=60,
    )  # fmt: skip
    return done.stdout.decode()


def test_a_terminal_that_wants_no_colour(book: Book) -> None:
    book.write({"a": "1 + 1", "b": "1 / 0"})
    assert "\x1b[" in on_a_terminal(book)
    for plain in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b[" not in on_a_terminal(book, **plain), plain


def test_events_have_what_every_event_has(book: Book) -> None:
    ran = book.write({"a": "print('x')\n1", "b": "1 / 0", "c(d)": "d", "d": "return 5 + 0"}).run()
    assert [e["seq"] for e in ran.events] == list(range(1, len(ran.events) + 1))
    assert len({e["run"] for e in ran.events}) == 1
    times = [e["time"] for e in ran.events]
    assert times == sorted(times)
    kinds = [e["type"] for e in ran.events if e["type"] != "kernel"]
    assert kinds[:2] == ["notebook", "plan"]
    assert kinds[-1] == "finished"
    [plan] = ran.of("plan")
    assert [p["cell"] for p in plan["cells"]] == ["a", "b", "d", "c"]
    assert all(p["why"][0]["kind"] == "new" for p in plan["cells"])
    running = [e["cell"] for e in ran.of("cell", status="running")]
    assert running == ["a", "b", "d", "c"]
    for cell in "abcd":
        statuses = [e["status"] for e in ran.of("cell", cell=cell)]
        assert statuses in (["queued", "running", "done"], ["queued", "running", "failed"])
        last = [e for e in ran.events if e.get("cell") == cell][-1]
        assert last["type"] == "cell"
        assert last["seconds"] >= 0
    raw = subprocess.run([*driver.RNB, "run", str(book.path), "--json"], capture_output=True, text=True, check=False)
    assert all(isinstance(json.loads(line), dict) for line in raw.stdout.splitlines())
    assert raw.stderr == ""


@pytest.mark.parametrize("args", [(), ("-j", "2")])
def test_what_is_written_after_a_cell_leaves_what_it_shows(book: Book, args: tuple[str, ...]) -> None:
    ran = book.write(
        {
            "a": "import threading\nthreading.Timer(0.2, print, ['late']).start()\n'mine'.upper()",
            "b": "atexit.register(print, 'bye from b')",
        },
        "import rnb\nimport atexit\natexit.register(print, 'bye')\n",
    ).run(*args)
    assert ran.fold.view()["a"] == ("done", (("display", '{"text/plain": "\'MINE\'"}'),))
    assert sorted(ran.printed(None).splitlines()) == ["bye", "bye from b", "late"]
    assert ran.events[-1]["type"] == "finished"
