"""The cache in a watch: edits taken back, kernels that die. And caches behind URLs."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from rnb.errors import MissingExtra
from rnb.messages.traces import Trace
from rnb.store.cache import Cache
from rnb.store.spots import open_spot
from tests.cache.conftest import Lab
from tests.driver import Watching, run

BOOK = """import os
import time

import rnb


@rnb.cell
def slow():
    slow = [len(os.sep), time.time()]
    print("made")
    return (slow,)


@rnb.cell
def reader(slow):
    print("read", slow)
    return (slow[0],)


@rnb.cell
def end(slow):
    print("end", len(slow))
"""


@pytest.fixture
def watching(lab: Lab) -> Iterator[Watching]:
    lab.path.write_text(BOOK)
    watching = Watching(lab.path, "--cache", str(lab.cache))
    watching.settled()
    yield watching
    watching.close()


def printed(watching: Watching) -> dict[str, str]:
    return {id: "".join(out[1] for out in shown) for id, (_, shown) in watching.fold.view().items()}


def test_an_edit_taken_back_shows_the_older_result(watching: Watching):
    before = printed(watching)
    edited = watching.save(BOOK.replace("len(os.sep)", "len(os.sep) + 1"))
    assert watching.ran(edited) == {"slow", "reader", "end"} and printed(watching) != before
    back = watching.save(BOOK)
    assert watching.ran(back) == set() and printed(watching) == before
    assert {back.status()[id] for id in ("slow", "reader", "end")} == {"cached"}
    further = watching.save(BOOK.replace('"end", ', '"ends", '))
    assert watching.ran(further) == {"end"}, "the value of `slow` is loaded, not made again"


def test_a_result_that_shows_nothing_clears_what_was_shown(lab: Lab):
    quiet = "import rnb\n\n\n@rnb.cell\ndef a():\n    pass\n"
    lab.path.write_text(quiet)
    watching = Watching(lab.path, "--cache", str(lab.cache))
    try:
        watching.settled()
        watching.save(quiet.replace("pass", "print(1)"))
        back = watching.save(quiet)
        assert back.status() == {"a": "cached"} and watching.fold.view() == {"a": ("cached", ())}
        watching.save("print('setup')\n" + quiet)
        assert watching.fold.setup.outputs == [("stdout", "setup\n")]
        watching.save(quiet)
        assert watching.fold.setup.outputs == []
    finally:
        watching.close()


def test_values_are_loaded_after_the_kernel_died(watching: Watching):
    before = printed(watching)
    (started,) = [event for event in watching.events if event["type"] == "kernel"][:1]
    os.kill(started["pid"], signal.SIGKILL)
    watching.until("kernel", status="restarted")
    edited = watching.save(BOOK.replace('"end", ', '"ends", '))
    assert watching.ran(edited) == {"end"}
    assert edited.status()["slow"] == "cached"
    assert printed(watching) == {**before, "end": "ends 2\n"}, "time.time() in it is what it was"


def test_a_cell_that_kills_the_kernel(lab: Lab):
    lab.path.write_text(
        BOOK + "\n\n@rnb.cell\ndef dies(slow):\n    os._exit(3)\n\n\n@rnb.cell\ndef after(slow):\n    print(slow)\n"
    )
    done = lab.run()
    assert done.status()["dies"] == "killed" and done.status()["slow"] == "cached", "loaded in the new kernel"
    assert len(done.of("cell", cell="slow", status="running")) == 1
    assert done.printed("after").startswith("[1, ")


def traces() -> list[Trace]:
    return [Trace(made=1.0, notebook="a.py", cell="a", seconds=1.0, content="c0ffee", outputs=[])]


@pytest.mark.parametrize("scheme", ["memory", "local", "file", ""])
def test_places(tmp_path: Path, scheme: str):
    url = f"{scheme}://{'rnb' if scheme == 'memory' else tmp_path / 'spot'}" if scheme else str(tmp_path / "spot")
    warned: list[str] = []
    cache = Cache(open_spot(url), b"key", warned.append)
    staged = cache.stage()
    assert staged is not None
    Path(staged).write_bytes(b"values")
    assert cache.adopt(staged, "c0ffee")
    cache.add("ab12", traces()[0])
    cache.close()
    again = Cache(open_spot(url), b"key", warned.append)
    assert again.traces("ab12") == traces() and again.traces("none") == []
    path = again.values("c0ffee")
    assert path is not None and Path(path).read_bytes() == b"values" and again.values("none") is None
    assert {name for name, _, _ in again.spot.names("traces")} == {"traces/ab/ab12"}
    assert Cache(open_spot(url), b"other", warned.append).traces("ab12") == []
    again.drop("ab12", "c0ffee")
    assert Cache(open_spot(url), b"key", warned.append).traces("ab12") == [] and warned == []
    again.close()


def test_a_url_through_a_run(lab: Lab):
    lab.write("@rnb.cell\ndef a():\n    a = [1, 2]\n    return (a,)\n\n@rnb.cell\ndef b(a):\n    print(a)\n")
    url = f"local://{lab.folder}/remote"
    assert set(lab.run(cache=url).status().values()) == {"done"}
    assert set(lab.run(cache=url).status().values()) == {"cached"}
    lab.path.write_text(lab.path.read_text().replace("print(a)", "print(a, a)"))
    assert lab.run(cache=url).status() == {"a": "cached", "b": "done"}
    bad = lab.run(cache="nosuch://x")
    assert bad.code != 0 or "nosuch" in bad.stderr
    assert "Traceback" not in bad.stderr
    down = run("book.py", "--cache", "http://127.0.0.1:9/none", cwd=lab.folder)
    assert "Traceback" not in down.stderr


def test_without_fsspec_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    import sys

    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingExtra, match=r"rnb-notebook\[cache\]"):
        open_spot("memory://x")
