"""What a command asks of a session."""

from __future__ import annotations

import os

import msgspec

from rnb.host.given import PREFIX, Given, from_environment


class Settings(msgspec.Struct, kw_only=True):
    """What a command asks of a session."""

    path: str  # as given
    parameters: dict[str, str] = {}  # set on the command line or in files
    ambient: dict[str, str] = msgspec.field(default_factory=lambda: from_environment(os.environ))
    only: list[str] | None = None  # cells to run with all that they need; None: every cell
    fail_fast: bool = False
    strict: bool = False
    jobs: int = 1  # cells that may run at a time
    track: bool = False  # files, modules and the setup's values: what a second round needs
    once: bool = False  # one round is all
    limits: tuple[str, ...] = ()  # of the command line, as `memory=2GB`
    cache: str | None = None  # a folder or URL
    resume: bool = False  # take what a run that did not finish has kept there, and nothing else
    passing: bool = False  # what is kept is for resuming alone
    output_limit: int = 10_000_000
    columns: int = 80
    frames: str = ""  # absolute: where large tables are left for a live view; "" leaves none

    @property
    def given(self) -> dict[str, str]:
        """All that the user set; names from the environment may be those of other notebooks."""
        return {**self.ambient, **self.parameters}

    @property
    def nulls(self) -> frozenset[str]:
        """Those that a file gives as null."""
        return self.parameters.nulls if isinstance(self.parameters, Given) else frozenset()

    def told(self, name: str) -> str:
        """What set a parameter, in the user's words."""
        if name not in self.parameters:
            return PREFIX + name
        place = self.parameters.places.get(name) if isinstance(self.parameters, Given) else None
        return f"-p {name}" if place is None else f"{place}: {name}"
