"""What must not be told: passwords and tokens in URLs. One rule for faults, errors, tracebacks, pages and the history.

A regular expression is enough here, since too much hidden does no harm. `re` is loaded only where a text may hold a URL.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

HIDDEN = "***"
_KEYS = "password|passwd|pwd|pass|secret|token|api_?key|access_?key|sslpassword|sslkey"


def hidden(text: str) -> str:
    """`text` with the password of each URL in it as `***`: `scheme://user:***@host?password=***`. Names of environment
    variables (`$NAME`) stay: they are no secrets."""
    if "://" not in text:
        return text
    import re

    text = re.sub(r"(://[^\s:/@'\"]*:)(?!\$|\d+/)[^\s'\"]+@", rf"\1{HIDDEN}@", text)
    return re.sub(rf"(?i)([?&](?:\w*_)?(?:{_KEYS})=)(?!\$)[^\s&'\"]+", rf"\1{HIDDEN}", text)


def hidden_bytes(data: bytes) -> bytes:
    """The same for the bytes of a file."""
    return (
        hidden(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape") if b"://" in data else data
    )


def scrubbed(text: str, secrets: Iterable[str]) -> str:
    """`text` without these very words, longest first, and without the passwords of other URLs."""
    for secret in sorted({one for one in secrets if one}, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return hidden(text)
