"""Events as JSON and back: what the history keeps and the live view sends."""

from __future__ import annotations

import functools
import re
from typing import Any

import msgspec

from rnb.messages import AnyEvent

_SURROGATE = re.compile("[\ud800-\udfff]")
_encode = msgspec.json.Encoder().encode


@functools.cache
def _decoder() -> msgspec.json.Decoder[AnyEvent]:
    return msgspec.json.Decoder(AnyEvent)  # 3 ms, for readers only


def encode(value: Any) -> bytes:
    """JSON in UTF-8. A lone surrogate, which UTF-8 has no place for, becomes U+FFFD."""
    try:
        return _encode(value)
    except UnicodeEncodeError:
        return _encode(mended(msgspec.to_builtins(value)))


def decode(data: bytes) -> AnyEvent:
    """The event in one JSON object. Raises msgspec.DecodeError for anything else."""
    event: AnyEvent = _decoder().decode(data)
    return event


def mended(value: Any) -> Any:
    """The same plain data without lone surrogates."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {mended(key): mended(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [mended(item) for item in value]
    return value
