"""A service behind a URL that is silent, or whose bucket does not exist: asked once, told once, never waited for again."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from rnb.errors import MissingExtra, RnbError, UsageError
from rnb.store import bucket
from rnb.store.cache import Cache
from rnb.store.spots import open_spot

never = threading.Event()
asked: list[str] = []


class Silent(MemoryFileSystem):
    """Takes questions and does not answer."""

    protocol = "silent"

    def find(self, path: str, **options: object) -> object:
        asked.append(path)
        never.wait()
        return {}

    cat_file = find


class Buckets(MemoryFileSystem):
    """Paths begin with a bucket; making a folder makes the bucket, as S3's does."""

    protocol = "buckets"
    cachable = False
    made: list[str] = []  # noqa: RUF012 (one for the process, as a service is)

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return path.removeprefix("buckets://").strip("/")

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        self.made.append(path)

    def pipe_file(self, path: str, value: bytes, **options: object) -> None:
        raise FileNotFoundError("The specified bucket does not exist")


@pytest.fixture(autouse=True)
def services(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    fsspec.register_implementation("silent", Silent, clobber=True)
    fsspec.register_implementation("buckets", Buckets, clobber=True)
    monkeypatch.setattr(bucket, "PATIENCE", 0.2)
    yield
    never.set()


def test_a_silent_service_is_asked_once():
    warned: list[str] = []
    cache = Cache(open_spot("silent://x"), b"", warned.append)
    for key in ("aa", "bb", "cc"):
        assert cache.traces(key) == []
        assert cache.values(key) is None
        assert cache.unfit(key) is None
    cache.close()
    assert len(asked) == 1
    assert warned == ["nothing more is written to the cache at silent://x: no answer in 0.2 s"]


def test_a_bucket_that_is_not_there_is_not_made():
    warned: list[str] = []
    cache = Cache(open_spot("buckets://misspelt/rnb"), b"", warned.append)
    cache.write_note("runs/x", b"1")
    cache.close()
    assert Buckets.made == []
    assert len(warned) == 1 and "bucket does not exist" in warned[0]


def test_a_service_that_answers_with_errors_is_asked_once(monkeypatch: pytest.MonkeyPatch):
    def refuse(self: Silent, path: str, **options: object) -> object:
        asked.append(path)
        raise ValueError("could not connect")

    monkeypatch.setattr(Silent, "find", refuse)
    monkeypatch.setattr(Silent, "cat_file", refuse)
    asked.clear()
    warned: list[str] = []
    cache = Cache(open_spot("silent://y"), b"", warned.append)
    assert cache.traces("aa") == cache.traces("bb") == [] and cache.unfit("cc") is None
    cache.close()
    assert len(asked) == 1
    assert warned == ["nothing more is written to the cache at silent://y: ValueError: could not connect"]


@pytest.mark.parametrize(
    ("url", "error", "words"),
    [
        ("foo://x", UsageError, "foo://x is no place for a cache: Protocol not known: foo"),
        ("github://x", UsageError, "github://x is no place for a cache: "),
        ("://x", UsageError, "it names no service"),
        ("file://", UsageError, "begins with /"),
        ("file://shared/cache", UsageError, "begins with /"),
        ("missing://x", MissingExtra, "install nosuchthing"),
    ],
)
def test_a_url_that_leads_nowhere_is_told_with_what_would(url: str, error: type[RnbError], words: str):
    fsspec.register_implementation("missing", "nosuchthing.Files", clobber=True, errtxt="install nosuchthing")
    with pytest.raises(error) as told:
        open_spot(url)
    assert words in str(told.value) and told.value.hint


def test_a_service_that_can_t_be_reached_costs_one_warning():
    warned: list[str] = []
    cache = Cache(open_spot("ftp://name.invalid/x"), b"", warned.append)
    assert cache.traces("aa") == []
    cache.close()
    assert len(warned) == 1 and warned[0].startswith("nothing more is written to the cache at ftp://name.invalid/x: ")
