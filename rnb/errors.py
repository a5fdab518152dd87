"""Every exception that rnb raises on purpose, each with a code that stays what it is.

    RnbError                             one clear sentence, a hint, an exit code; always one of these:
    ├── UsageError      usage            the command line asks for what is not there (2)
    ├── NoSuchNotebook  no-notebook      there is no such file (2)
    ├── MissingExtra    missing-extra    an optional package is not installed (2)
    ├── SandboxError    sandbox          `--sandbox` was asked for, and none can be made here (2)
    ├── RewriteError    rewrite          `split`, `add`, `convert`: the text can't be turned into a notebook, or back (2)
    ├── InternalError   internal         rnb itself failed in a kernel, while the rest went on (70)
    ├── ParameterError  parameter        a notebook parameter was given text that it can't be (2, also a ValueError)
    └── MutationError   mutation         in a cell, with --strict: it changed a value of another cell or of the setup

Besides them: `system`, an OSError that came through, and `internal`, any other exception: a fault of ours.

A code is the same on the terminal (`rnb: error[usage]: …`), in `--json` (`problem`), in the log and in the answers of the
view's server (`rnb-error`); `docs/errors/` has a page for each. They survive pickling. A user's failing cell is never
an exception of ours: it is a value (`messages.ErrorEvent`).
"""

from __future__ import annotations


class RnbError(Exception):
    """What people see: the message, then the hint."""

    exit_code = 2
    code: str

    def __init__(self, message: str, hint: str = ""):
        super().__init__(message, hint)
        self.message, self.hint = message, hint

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message


class UsageError(RnbError):
    """The command line asks for something that the notebook does not have."""

    code = "usage"


class NoSuchNotebook(RnbError):
    """There is no file at this path."""

    code = "no-notebook"

    def __init__(self, path: str, hint: str = "`rnb new NOTEBOOK` makes a starter"):
        super().__init__(f"{path}: no such notebook", hint)
        self.path = path

    def __reduce__(self) -> tuple[type[NoSuchNotebook], tuple[str, str]]:
        return (type(self), (self.path, self.hint))


class MissingExtra(RnbError):
    """A feature needs an optional package."""

    code = "missing-extra"

    def __init__(self, feature: str, extra: str, besides: str = ""):
        """`besides`: what says which package the extra does not have, since there are too many of its kind."""
        hint = f"pip install 'rnb-notebook[{extra}]'" + (f", and besides: {besides}" if besides else "")
        super().__init__(f"{feature} needs packages that are not installed", hint)
        self.feature, self.extra, self.besides = feature, extra, besides

    def __reduce__(self) -> tuple[type[MissingExtra], tuple[str, str, str]]:
        return (type(self), (self.feature, self.extra, self.besides))


class SandboxError(RnbError):
    """No sandbox can be made here, so nothing of the notebook runs."""

    code = "sandbox"


class RewriteError(RnbError):
    """The input can't be turned into what was asked for; every file is left as it was."""

    code = "rewrite"


class ParameterError(RnbError, ValueError):
    """The text given for a notebook parameter fits neither its annotation nor its default."""

    code = "parameter"


class MutationError(RnbError):
    """A cell changed in place what another cell, or the setup, owns: what such a cell is said to have raised."""

    code = "mutation"


class InternalError(RnbError):
    """A fault of ours in a kernel: its cells were killed, the run went on, and this is its end."""

    exit_code = 70
    code = "internal"


SYSTEM = "system"  # the operating system refused: a file that can't be written, say
INTERNAL, INTERNAL_EXIT = InternalError.code, InternalError.exit_code  # a fault of ours: an exception that nobody meant

# what the view's server answers instead of what was asked for
HTTP_CODES = {
    401: "no-token",
    403: "cross-site",
    404: "not-found",
    405: "read-only",
    413: "too-large",
    414: "too-large",
    421: "unknown-host",
    429: "too-many-requests",
    431: "too-large",
    500: INTERNAL,
    503: "too-many-streams",
}
