"""Every exception that rnb raises on purpose.

    RnbError            one clear sentence, a hint, an exit code
    ├── UsageError      the command line asks for what is not there (2)
    ├── NoSuchNotebook  there is no such file (2)
    ├── MissingExtra    an optional package is not installed (2)
    ├── SandboxError    `--sandbox` was asked for, and none can be made here (2)
    ├── OutputClosed    whoever read our standard output has gone (quiet)
    ├── ParameterError  a notebook parameter was given text that it can't be (2, also a ValueError)
    └── MutationError   in a cell, with --strict: it changed a value of another cell or of the setup

They survive pickling. A user's failing cell is never an exception of ours: it is a value (`messages.ErrorEvent`).
"""

from __future__ import annotations


class RnbError(Exception):
    """What people see: the message, then the hint."""

    exit_code = 2

    def __init__(self, message: str, hint: str = ""):
        super().__init__(message, hint)
        self.message, self.hint = message, hint

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message


class UsageError(RnbError):
    """The command line asks for something that the notebook does not have."""


class NoSuchNotebook(RnbError):
    """There is no file at this path."""

    def __init__(self, path: str, hint: str = "`rnb new NOTEBOOK` makes a starter"):
        super().__init__(f"{path}: no such notebook", hint)
        self.path = path

    def __reduce__(self) -> tuple[type[NoSuchNotebook], tuple[str, str]]:
        return (type(self), (self.path, self.hint))


class MissingExtra(RnbError):
    """A feature needs an optional package."""

    def __init__(self, feature: str, extra: str):
        super().__init__(f"{feature} needs packages that are not installed", f"pip install 'rnb-notebook[{extra}]'")
        self.feature, self.extra = feature, extra

    def __reduce__(self) -> tuple[type[MissingExtra], tuple[str, str]]:
        return (type(self), (self.feature, self.extra))


class SandboxError(RnbError):
    """No sandbox can be made here, so nothing of the notebook runs."""


class OutputClosed(RnbError):
    """Standard output was closed by its reader; the command ends quietly."""

    exit_code = 0

    def __init__(self) -> None:
        super().__init__("standard output was closed")

    def __reduce__(self) -> tuple[type[OutputClosed], tuple[()]]:
        return (type(self), ())


class ParameterError(RnbError, ValueError):
    """The text given for a notebook parameter fits neither its annotation nor its default."""


class MutationError(RnbError):
    """A cell changed in place what another cell, or the setup, owns."""
