"""Any value as plain JSON: what is not JSON becomes its nearest relative, what has none becomes its text."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DEEPEST = 100


def jsonable(value: Any, depth: int = 0) -> Any:
    """`value` as dict, list, str, int, float, bool or None. NaN and infinities become None, as in JavaScript's JSON."""
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        number = int(value)
        return number if -(1 << 63) <= number < 1 << 63 else float(number) if abs(number) < 1 << 1000 else str(number)
    if isinstance(value, float):
        real = float(value)
        return real if real - real == 0 else None
    if depth > DEEPEST:
        return str(value)
    if isinstance(value, dict):
        return {str(key): jsonable(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [jsonable(item, depth + 1) for item in value]
    return _other(value, depth)


def _other(value: Any, depth: int) -> Any:
    for name in ("isoformat", "tolist", "to_dict"):  # dates; numpy scalars and arrays, series; charts
        method = getattr(value, name, None)
        if callable(method) and not isinstance(value, type):
            try:
                plain = method()
            except Exception:  # an object that has such a method for another purpose
                continue
            if type(plain) is not type(value):
                return jsonable(plain, depth + 1)
    return str(value)
