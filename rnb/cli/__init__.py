"""What people type: click commands, no logic."""

from __future__ import annotations

import sys


def main(args: list[str] | None = None) -> None:
    """The command `rnb`. Never returns: exits with the documented code."""
    from rnb.cli.main import entry

    sys.exit(entry(sys.argv[1:] if args is None else args))
