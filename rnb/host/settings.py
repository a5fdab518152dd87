"""What a command asks of a session."""

from __future__ import annotations

import msgspec


class Settings(msgspec.Struct, kw_only=True):
    """What a command asks of a session."""

    path: str  # as given
    parameters: dict[str, str] = {}
    only: list[str] = []
    fail_fast: bool = False
    strict: bool = False
    track: bool = False  # files, modules and the setup's values: what a second round needs
    output_limit: int = 10_000_000
    columns: int = 80
