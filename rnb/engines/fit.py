"""Which workers of a cluster give what this machine would give: those with the same rnb and Python, that reach the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rnb.engines import at_worker
from rnb.errors import UsageError

# It travels as text: a worker may have no rnb, and the compiled code of one Python crashes another.
CHECK = """
def check():
    import sys
    try:
        from importlib.metadata import version
        from rnb.store.spots import open_spot
        found = not probe or open_spot(store).read(probe) is not None
        return version("rnb-notebook"), "%d.%d" % sys.version_info[:2], found
    except ImportError:
        return "", "", False
    except OSError as error:
        return version("rnb-notebook"), "%d.%d" % sys.version_info[:2], str(error)
"""
Call = tuple[Any, ...]  # a function and its arguments


class Fit:
    """`present`: the addresses of all workers. `warn` gets sentences for people."""

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn = warn
        self.present: list[str] = []
        self._unfit: set[str] = set()

    @property
    def workers(self) -> list[str]:
        """Those that work may go to."""
        return [address for address in self.present if address not in self._unfit]

    @property
    def all(self) -> bool:
        return not self._unfit

    def answered(self, answers: Mapping[str, Any], store: str) -> UsageError | None:
        """What workers answered to `question`. What to say where none of all will do."""
        troubles = {a: trouble for a, answer in answers.items() if (trouble := _trouble(answer, store)) is not None}
        self._unfit.update(troubles)
        if troubles and not self.workers:
            address, (words, hint) = next(iter(troubles.items()))
            return UsageError(f"the Dask worker at {address} {words}", hint)
        for words in dict.fromkeys(words for words, _ in troubles.values()):
            places = ", ".join(address for address, trouble in troubles.items() if trouble[0] == words)
            self._warn(f"no cell goes to the Dask worker at {places}: it {words}")
        return None

    def left_out(self, address: str, reason: str) -> None:
        """This one has turned work down, and would turn all down."""
        if address not in self._unfit:
            self._unfit.add(address)
            if self.workers:
                self._warn(f"{reason}: no cell goes there")


def question(store: str, probe: str) -> Call:
    """What is asked of each worker. `probe`: the name of a file in the store; "" for none."""
    return as_text("check", CHECK, store=store, probe=probe)


def as_text(name: str, source: str, **given: str) -> Call:
    """A call of a function without arguments, for a process that has Python and no more in common with us."""
    return eval, f"(exec(source, globals()), {name}())[1]", {"source": source, **given}


def _trouble(answer: Any, store: str) -> tuple[str, str] | None:
    """Why it will not do, in words, and a hint."""
    if isinstance(answer, BaseException):
        return f"does not answer: {answer}", ""
    has, python, reads = answer
    rnb, ours = at_worker.versions()
    if not has:
        return "has no rnb", "install rnb-notebook[dask] there"
    if (has, python) != (rnb, ours):
        words = f"has rnb {has} and Python {python}, here it is rnb {rnb} and Python {ours}"
        return words, "values would not be the same: install the same"
    if reads is not True:
        why = f": {reads}" if reads else ""
        return (
            f"can't read the store at {store}{why}",
            "say --cache with a URL, or a folder, that all workers can reach",
        )
    return None
