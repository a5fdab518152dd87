"""What may happen to a cache: damage, tampering, full and forbidden disks, killed writers, several runs at once."""

from __future__ import annotations

import ctypes
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cache.conftest import Lab, view
from tests.driver import RNB, run, text_run

BOOK = """
    @rnb.cell
    def numbers():
        import array

        numbers = list(range(2000))
        return numbers

    @rnb.cell
    def doubled(numbers):
        print("doubling")
        doubled = [2 * n for n in numbers]
        return doubled, numbers[:3]

    @rnb.cell
    def total(doubled):
        sum(doubled)
"""
BOOK = BOOK.replace("return doubled, numbers[:3]", "return (doubled,)").replace("return numbers", "return (numbers,)")


def files(lab: Lab, kind: str) -> list[Path]:
    return sorted(path for path in (lab.cache / kind).rglob("*") if path.is_file())


def damaged(data: bytes, how: str, rng: random.Random) -> bytes:
    place = rng.randrange(len(data))
    if how == "cut":
        return data[:place]
    if how == "flipped":
        return data[:place] + bytes([data[place] ^ (1 << rng.randrange(8))]) + data[place + 1 :]
    if how == "grown":
        return data + b"more"
    return {"empty": b"", "noise": rng.randbytes(len(data))}[how]


@pytest.mark.parametrize("how", ["cut", "flipped", "grown", "empty", "noise"])
def test_damage_is_a_miss(lab: Lab, how: str):
    lab.write(BOOK)
    fresh = run("book.py", cwd=lab.folder)
    lab.run()
    rng = random.Random(how)
    for kind in ("values", "traces", "unfit"):
        for path in files(lab, kind):
            path.write_bytes(damaged(path.read_bytes(), how, rng))
    assert view(lab.run()) == view(fresh)
    edited = lab.path.read_text().replace("sum(doubled)", "sum(doubled) + 0")
    lab.path.write_text(edited)  # values are wanted, that were damaged or made anew
    for path in files(lab, "values"):
        path.write_bytes(damaged(path.read_bytes(), how, rng))
    again = lab.run()
    assert view(again) == view(fresh) and again.code == 0


def test_values_of_another_trace_are_not_taken(lab: Lab):
    lab.write(BOOK)
    lab.run()
    one, two = files(lab, "values")
    data = one.read_bytes(), two.read_bytes()
    one.write_bytes(data[1]), two.write_bytes(data[0])
    lab.path.write_text(lab.path.read_text().replace("sum(doubled)", "len(doubled), doubled[-1]"))
    assert lab.run().shown("total") == ["(2000, 3998)"]


@pytest.mark.parametrize("secret", ["", "secret"])
def test_traces_under_the_name_of_others_are_not_there(lab: Lab, monkeypatch: pytest.MonkeyPatch, secret: str):
    monkeypatch.setenv("RNB_CACHE_KEY", secret)
    lab.write(BOOK)
    fresh = lab.run()
    traces = files(lab, "traces")
    data = [path.read_bytes() for path in traces]
    for path, other in zip(traces, [*data[1:], data[0]], strict=True):
        path.write_bytes(other)
    again = lab.run()
    assert view(again) == view(fresh)
    assert set(again.status().values()) == {"done"}


EVIL = b"cos\nsystem\n(S'touch pwned'\ntR."


def test_with_a_key_nothing_else_is_unpickled(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    lab.write(BOOK)
    lab.run()  # unsigned
    monkeypatch.setenv("RNB_CACHE_KEY", "secret")
    assert lab.run().status() == dict.fromkeys(["numbers", "doubled", "total"], "done")
    assert set(lab.run().status().values()) == {"cached"}
    monkeypatch.setenv("RNB_CACHE_KEY", "another")
    assert set(lab.run().status().values()) == {"done"}
    monkeypatch.setenv("RNB_CACHE_KEY", "secret")
    lab.run()
    head = b"rnbvals1" + (0).to_bytes(8, "little") + len(EVIL).to_bytes(8, "little") + EVIL
    for path in files(lab, "values"):
        path.write_bytes(head)
    lab.path.write_text(lab.path.read_text().replace("sum(doubled)", "sum(doubled) + 0"))
    assert lab.run().status()["total"] == "done"
    assert not list(lab.folder.rglob("pwned"))


def obey() -> None:
    """Root may write anywhere: give that up."""
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


def test_a_folder_that_may_only_be_read(lab: Lab):
    lab.write(BOOK)
    lab.run()
    folders = [lab.cache, *(path for path in lab.cache.rglob("*") if path.is_dir())]
    for path in folders:
        path.chmod(0o500)

    def ran() -> subprocess.CompletedProcess[str]:
        line = [*RNB, "run", "book.py", "--cache", str(lab.cache)]
        return subprocess.run(
            line, cwd=lab.folder, capture_output=True, text=True, check=False, timeout=60, preexec_fn=obey
        )

    try:
        assert "3 cached" in ran().stdout
        lab.path.write_text(lab.path.read_text().replace("2 * n", "3 * n"))
        done = ran()
        assert done.returncode == 0 and "2 done, 1 cached" in done.stdout, done.stdout
        assert done.stderr.count("nothing more is written to the cache") == 1 and "Permission denied" in done.stderr
    finally:
        for path in folders:
            path.chmod(0o700)


def test_a_disk_that_is_full(lab: Lab):
    lab.write(BOOK.replace("range(2000)", "range(600_000)"))
    script = f"ulimit -f 500; exec {sys.executable} -m rnb run book.py --cache {lab.cache!s}".replace(
        str(lab.cache), f"'{lab.cache}'"
    )
    done = subprocess.run(
        ["bash", "-c", script], cwd=lab.folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 done" in done.stdout and "359999400000" in done.stdout
    assert done.stderr.count("nothing more is written to the cache") == 1
    assert files(lab, "values") == [] and files(lab, "new") == []


def test_a_cache_that_is_a_file(lab: Lab):
    lab.write(BOOK)
    lab.cache.write_text("not a folder")
    ran = lab.run()
    assert ran.code == 0 and set(ran.status().values()) == {"done"} and "Not a directory" in ran.stderr


def age(path: Path, days: float) -> None:
    when = time.time() - days * 86_400
    os.utime(path, (when, when))


def test_a_cache_keeps_to_its_size(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    """What was not used for longest goes, at the end of the run that made it too much; a clock that was wrong keeps nothing."""
    text = "@rnb.cell\ndef big(n: int = 0):\n    big = bytes([n]) * 1_000_000\n    return (big,)\n"
    lab.write(text)
    monkeypatch.setenv("RNB_CACHE_SIZE", "3.5MB")
    for n in range(3):
        assert lab.run("-p", f"n={n}").status() == {"big": "done"}
    by_age = sorted(files(lab, "values"), key=lambda path: path.stat().st_mtime)
    for path, days in zip(by_age, (20, 30, -1000), strict=True):
        age(path, days)
    assert lab.run("-p", "n=1").status() == {"big": "cached"}, "now it was used last"
    for n, left in ((3, {1, 3}), (4, {1, 3, 4})):
        lab.run("-p", f"n={n}")
        assert {path.read_bytes()[500_000] for path in files(lab, "values")} == left
        assert sum(path.stat().st_size for path in files(lab, "values")) < 3_500_000
    lab.write(f"{text}\n\n@rnb.cell\ndef reads(big):\n    big[0], len(big)\n")
    again = lab.run("-p", "n=0")  # its values are gone
    assert (again.status()["big"], again.shown("reads"), again.stderr) == ("done", ["(0, 1000000)"], ""), (
        "at worst a miss"
    )
    monkeypatch.setenv("RNB_CACHE_SIZE", "much")
    assert "RNB_CACHE_SIZE is 'much'" in text_run("run", "book.py", "--cache", "on", cwd=lab.folder).stderr


def test_an_entry_that_cannot_be_used_is_not_there(lab: Lab):
    lab.write(BOOK)
    fresh = lab.run()
    kept = files(lab, "traces")
    for path in kept[:2]:  # in the way of a file that is to be read, and to be written
        path.unlink()
        path.mkdir()
        (path / "x").touch()
    again = lab.run()
    assert view(again) == view(fresh) and again.stderr.count("can't be used") == 1 and "Is a directory" in again.stderr
    lab.path.write_text(lab.path.read_text().replace("2 * n", "3 * n"))
    lab.run()
    assert set(lab.run().status().values()) <= {"cached", "done"}
    assert len(files(lab, "traces")) > len(kept), "others are kept"


def test_two_runs_at_once(lab: Lab):
    lab.write(BOOK)
    fresh = run("book.py", cwd=lab.folder)
    several = [
        subprocess.Popen(
            [*RNB, "run", "book.py", "--cache", str(lab.cache)], cwd=lab.folder, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for one in several:
        out, _ = one.communicate(timeout=60)
        assert one.returncode == 0 and "3998000" in out
    warm = lab.run()
    assert set(warm.status().values()) == {"cached"} and view(warm) == view(fresh)


KILLS = int(os.environ.get("RNB_KILLS", "6"))


def test_killed_writers(lab: Lab):
    """SIGKILL at random moments, of the host and of the kernel; after each, a run shows what is true."""
    lab.write(BOOK.replace("range(2000)", "range(200_000)"))
    fresh = view(run("book.py", cwd=lab.folder))
    rng = random.Random(1)
    for number in range(KILLS):
        if number % 3 == 0:
            shutil.rmtree(lab.cache, ignore_errors=True)
        process = subprocess.Popen(
            [*RNB, "run", "book.py", "--cache", str(lab.cache)], cwd=lab.folder, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(rng.uniform(0.15, 0.6))
        process.send_signal(signal.SIGKILL)
        process.wait()
        if number % 3 == 2 or KILLS > 50:
            assert view(lab.run()) == fresh


def test_the_command(lab: Lab):
    lab.write(BOOK)
    at = ("--cache", str(lab.cache))
    done = text_run("cache", "list", *at, cwd=lab.folder)
    assert done.returncode == 2 and "there is no cache" in done.stderr
    lab.run()
    listed = text_run("cache", "list", *at, cwd=lab.folder).stdout
    assert "book.py doubled" in listed and "book.py (the setup)" in listed
    assert "total would be restored" in text_run("cache", "why", "book.py", "total", *at, cwd=lab.folder).stdout
    lab.path.write_text(lab.path.read_text().replace("2 * n", "3 * n"))
    assert "its code, or" in text_run("cache", "why", "book.py", "doubled", *at, cwd=lab.folder).stdout
    assert (
        "`doubled` of `doubled`, which has to run"
        in text_run("cache", "why", "book.py", "total", *at, cwd=lab.folder).stdout
    )
    trace = next(path for path in files(lab, "traces"))
    old = time.time() - 40 * 86_400
    os.utime(trace, (old, old))
    assert text_run("cache", "prune", "--older", "30d", *at, cwd=lab.folder).returncode == 0
    assert not trace.exists() and len(files(lab, "traces")) == 3
    assert text_run("cache", "prune", "--size", "1B", *at, cwd=lab.folder).returncode == 0
    assert files(lab, "traces") == files(lab, "values") == []
    lab.run()
    assert text_run("cache", "clear", *at, cwd=lab.folder).returncode == 0
    assert files(lab, "traces") == files(lab, "values") == []


def test_a_value_that_kills_whoever_keeps_it(lab: Lab):
    lab.write(
        """
        import os

        class Bomb:
            def __reduce__(self):
                os._exit(9)

        @rnb.cell
        def bomb():
            bomb = Bomb()
            return (bomb,)

        @rnb.cell
        def after(bomb):
            print(type(bomb).__name__)
        """
    )
    first = lab.run()
    assert first.status() == {"bomb": "done", "after": "done"} and first.printed("after") == "Bomb\n"
    assert len(first.of("kernel", status="died")) == 1
    again = lab.run()
    assert again.of("kernel", status="died") == [] and again.code == 0
    assert "the kernel dies of it" in lab.unkept(again)["bomb"]
