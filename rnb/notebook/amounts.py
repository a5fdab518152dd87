"""Times and sizes as people write them: `10m`, `2GB`, or a bare number of seconds or bytes."""

from __future__ import annotations

_TIMES = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 7 * 86_400.0}
_SIZES = {unit: 1000.0**power for power, unit in enumerate(("b", "kb", "mb", "gb", "tb"))}
_SIZES |= {unit: 1024.0**power for power, unit in enumerate(("kib", "mib", "gib", "tib"), 1)}


def _amount(value: object, units: dict[str, float]) -> float | None:
    if isinstance(value, str):
        text = value.strip().lower()
        number = text.rstrip("abcdefghijklmnopqrstuvwxyz")
        unit = units.get(text[len(number) :].strip() or next(unit for unit, factor in units.items() if factor == 1))
        try:
            found = float(number) * unit if unit is not None else 0.0
        except ValueError:
            return None
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        found = float(value)
    else:
        return None
    return found if 0 < found < float("inf") else None


def seconds(value: object) -> float | None:
    """The seconds in `10m`, `"2.5"` or 30; None for what is no time above 0."""
    return _amount(value, _TIMES)


def size(value: object) -> float | None:
    """The bytes in `2GB`, `512MiB` or 1000; None for what is no size above 0."""
    return _amount(value, _SIZES)


def count(value: object) -> float | None:
    """A whole number above 0; None for anything else."""
    try:
        found = int(value) if isinstance(value, str) else value
    except ValueError:
        return None
    return float(found) if isinstance(found, int) and not isinstance(found, bool) and found > 0 else None
