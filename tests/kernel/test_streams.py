"""Output: at once, in order, all of it, whatever the cell does to its streams."""

from __future__ import annotations

import time

from rnb import messages
from tests.kernel.driver import Driver


def order(ran: object) -> list[str]:
    """Streams and displays as one line of text each, streams of one kind merged."""
    parts: list[str] = []
    for one in ran.reports:  # type: ignore[attr-defined]
        if isinstance(one, messages.Stream):
            mark = "E:" if one.stream == "stderr" else "O:"
            text = one.data.decode("utf-8", "replace").replace("\n", "/")
            if parts and parts[-1].startswith(mark):
                parts[-1] += text
            else:
                parts.append(mark + text)
        elif isinstance(one, messages.Display):
            parts.append("D:" + one.data["text/plain"])
    return parts


ORDERS = [
    ("text", "print('a')\nprint('b')", ["O:a/b/"]),
    ("both", "print('a')\nprint('b', file=sys.stderr)\nprint('c')", ["O:a/", "E:b/", "O:c/"]),
    ("no newline", "print('a', end='')\nprint('b', end='', file=sys.stderr)\nprint('c', end='')", ["O:a", "E:b", "O:c"]),
    ("display", "print('a', end='')\ndisplay(1)\nprint('b')", ["O:a", "D:1", "O:b/"]),
    ("shown at the end", "print('a')\n5", ["O:a/", "D:5"]),
    ("bytes", "print('a')\nsys.stdout.buffer.write(b'b\\n')\nprint('c')", ["O:a/b/c/", "D:2"][:1]),
    ("not UTF-8", "sys.stdout.buffer.write(b'\\xff')\nprint()", ["O:\ufffd/"]),
    ("surrogates", "print('\\udcff')", ["O:\\udcff/"]),
    ("carriage return", "print('1\\r2\\r', end='')\nprint('\\x1b[31mred')", ["O:1\r2\r\x1b[31mred/"]),
    ("writelines", "sys.stdout.writelines(['a', 'b'])", ["O:ab"]),
    ("reconfigured", "sys.stdout.reconfigure(encoding='latin-1')\nprint('é')\nsys.stdout.reconfigure(encoding='utf-8')",
     ["O:\ufffd/"]),
    ("replaced", "sys.stdout = None", []),
    ("given back", "print('a')", ["O:a/"]),
    ("closed", "sys.stdout.close()\nsys.stderr.close()", []),
    ("open again", "print('a')\nprint('b', file=sys.stderr)", ["O:a/", "E:b/"]),
    ("detached", "raw = sys.stdout.detach()\nraw.write(b'x')\nsys.stderr.detach()", ["O:x"]),
    ("attached again", "print('a')\nprint('b', file=sys.stderr)", ["O:a/", "E:b/"]),
    ("redirected", "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()) as s:\n    print('x')\n"
     "print(s.getvalue(), end='')", ["O:x/"]),
    ("logging", "import logging\nlogging.warning('w')\nprint('o')", ["E:WARNING:root:w/", "O:o/"]),
    ("a thread", "import threading\nt = threading.Thread(target=print, args=('t',))\nt.start()\nt.join()\nprint('o')",
     ["O:t/o/"]),
    ("a finalizer", "class A:\n    def __del__(self):\n        print('gone')\nA()\nprint('o')", ["O:gone/o/"]),
    ("facts", "print(sys.stdout.fileno(), sys.stderr.fileno(), sys.stdout.isatty(), sys.stdout.encoding, sys.stdout.name,"
     " sys.stdout.writable(), sys.stdout.mode)", ["O:1 2 False utf-8 <stdout> True w/"]),
]  # fmt: skip


def test_order(kernel: Driver) -> None:
    kernel.setup("import sys\nfrom rnb import display")
    wrong = []
    for name, body, expected in ORDERS:
        source = "@cell\ndef a():\n    " + body.replace("\n", "\n    ") + "\n    pass\n"
        ran = kernel.cell(source if "5" not in body else source.removesuffix("    pass\n"))
        if order(ran) != expected or ran.outcome != "done":
            wrong.append((name, order(ran), [one for one in ran.reports if isinstance(one, messages.CellError)]))
    assert wrong == []


def test_the_first_line_leaves_before_c_code_holds_the_interpreter(kernel: Driver) -> None:
    kernel.setup("def busy():\n    return sum(range(60_000_000))")
    kernel.start("@cell\ndef a():\n    print('now')\n    busy()\n    print('later')\n")
    started = time.perf_counter()
    first = kernel.receive()
    waited = time.perf_counter() - started
    rest = kernel.until(messages.CellEnded)
    assert first.data == b"now\n"
    assert waited < rest.end.seconds / 2


def test_text_without_a_newline_leaves_while_the_cell_runs(kernel: Driver) -> None:
    kernel.start("@cell\ndef a():\n    print('.', end='')\n    input('go')\n")
    assert kernel.receive().data == b"."
    assert isinstance(kernel.receive(), messages.InputWanted)
    kernel.send(messages.Answer(text="x"))
    kernel.until(messages.CellEnded)
    kernel.start("@cell\ndef b():\n    import time\n    print('.', end='')\n    time.sleep(60)\n")
    assert kernel.receive().data == b"."


def test_a_flood_is_complete_and_bounded(kernel: Driver) -> None:
    ran = kernel.cell("@cell\ndef a():\n    for i in range(100_000):\n        print(i)\n")
    assert ran.out == "".join(f"{i}\n" for i in range(100_000))
    assert len(ran.of(messages.Stream)) < 200
    grown = kernel.cell(
        "@cell\ndef a():\n    import resource\n    of = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "    print('x' * 1_000_000)\n    before = of()\n    for i in range(100):\n        print('x' * 300_000)\n"
        "    grown = of() - before\n    return grown\n",
        slots=["grown"],
    )
    assert int(grown.texts[0]) < 8_000  # KiB, of 30 MB that were printed


def test_output_after_the_cell_belongs_to_the_last_one(kernel: Driver) -> None:
    kernel.setup("import threading\ngo = threading.Event()")
    source = "@cell\ndef a():\n    def late():\n        go.wait()\n        print('late')\n    threading.Thread(target=late).start()\n"
    kernel.cell(source)
    kernel.start("@cell\ndef b():\n    go.set()\n    input()\n")
    ran = kernel.until(messages.InputWanted)
    if not ran.of(messages.Stream):
        ran = kernel.until(messages.Stream)
    assert ran.out == "late\n"
    assert {one.cell for one in ran.of(messages.Stream)} == {"b"}


def test_raw_writes_go_to_the_descriptors(kernel: Driver) -> None:
    ran = kernel.cell(
        "@cell\ndef a():\n    import os, subprocess, ctypes\n    os.write(1, b'raw\\n')\n    subprocess.run(['echo', 'sub'])\n"
        "    ctypes.CDLL(None).puts(b'stdio')\n    os.system('echo err >&2')\n"
    )
    assert ran.outcome == "done"
    assert kernel.raw(1) == "raw\nsub\nstdio\n"  # all there when the end is told, C's own buffer too
    assert kernel.raw(2) == "err\n"


def test_closing_the_descriptors_does_not_cut_the_line(kernel: Driver) -> None:
    ran = kernel.cell("@cell\ndef a():\n    import os\n    os.close(1)\n    os.close(2)\n    print('still')\n")
    assert ran.out == "still\n"


INPUTS = [
    ("input('name? ')", ["Ada"], "Ada", "name? ", False),
    ("input()", [""], "", "", False),
    ("__import__('getpass').getpass('key: ')", ["s3"], "s3", "key: ", True),
    ("sys.stdin.readline()", ["Ada"], "Ada\n", "", False),
    ("list(sys.stdin)", ["a", "b", None], ["a\n", "b\n"], "", False),
    ("sys.stdin.read()", ["a", None], "a\n", "", False),
    ("sys.stdin.buffer.readline()", ["é"], "é\n".encode(), "", False),
]


def test_input_is_asked_of_the_host(kernel: Driver) -> None:
    kernel.setup("import sys")
    wrong = []
    for expression, answers, value, prompt, password in INPUTS:
        kernel.start(f"@cell\ndef a():\n    it = {expression}\n    return it\n", slots=["it"])
        for answer in answers:
            asked = kernel.until(messages.InputWanted)
            if (asked.end.prompt, asked.end.password, asked.end.cell, asked.out) != (prompt, password, "a", ""):
                wrong.append((expression, asked.end))
            kernel.send(messages.Answer(text=answer))
        ran = kernel.until(messages.CellEnded)
        if ran.texts != [repr(value)]:
            wrong.append((expression, ran.reports))
    assert wrong == []


def test_the_end_of_the_input_and_the_debugger(kernel: Driver) -> None:
    kernel.start("@cell\ndef a():\n    input()\n")
    kernel.until(messages.InputWanted)
    kernel.send(messages.Answer(text=None))
    assert kernel.until(messages.CellEnded).error.name == "EOFError"
    kernel.start("@cell\ndef b():\n    x = 41\n    breakpoint()\n    return x\n", slots=["x"])
    asked = kernel.until(messages.InputWanted)
    assert asked.end.prompt == "(Pdb) "
    assert str(kernel.path) in asked.out
    kernel.send(messages.Answer(text="!x = x + 1"))
    kernel.until(messages.InputWanted)
    kernel.send(messages.Answer(text="p x"))
    assert kernel.until(messages.InputWanted).out == "42\n"
    kernel.send(messages.Answer(text="c"))
    assert kernel.until(messages.CellEnded).outcome == "done"
