"""When to visit Seattle?

Four years of daily weather, and a few questions that everyone answers differently: what counts as wet, how warm is warm
enough, which months are possible? They are the notebook's parameters:

    rnb run notebooks/seattle.py --help
    rnb run notebooks/seattle.py -p trip=5 -p warm=22 -p months=6,7,8,9
    rnb run notebooks/seattle.py -p since=2014-01-01 -p rank_by=warm -p never=snow,fog
"""

import calendar
import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import fmean
from typing import Literal

import rnb


@dataclass(frozen=True)
class Day:
    day: date
    rain: float  # mm
    high: float  # °C
    weather: str


def share(flags: Iterable[bool]) -> float:
    """The part of the flags that is true, in percent."""
    return 100 * fmean(flags)


def bar(percent: float, width: int = 30) -> str:
    return "█" * round(percent / 100 * width)


@rnb.cell
def read(data: Path = Path("data/seattle-weather.csv")):
    """One row a day: rain in mm, the highest temperature in °C, and the weather in a word."""
    with data.open(newline="") as file:
        record = [
            Day(date.fromisoformat(row["date"]), float(row["precipitation"]), float(row["temp_max"]), row["weather"])
            for row in csv.DictReader(file)
        ]
    print(f"{len(record)} days, from {record[0].day} to {record[-1].day}")
    return (record,)


@rnb.cell
def choose(
    record: list[Day],
    since: date = date(2012, 1, 1),
    until: date | None = None,
    months: list[int] = [4, 5, 6, 7, 8, 9, 10],  # noqa: B006 (nobody changes it)
):
    """The days that come into question."""
    chosen = [d for d in record if d.day >= since and (until is None or d.day <= until) and d.day.month in months]
    if not chosen:
        raise ValueError(f"no day lies between {since} and {until} in months {months}")
    print(len(chosen), "days in", ", ".join(calendar.month_name[m] for m in sorted(set(months))))
    return (chosen,)


@rnb.cell
def judge(chosen: list[Day], wet_from: float = 1.0, warm: float = 18.0, never: list[str] = ["snow"]):  # noqa: B006
    """A day is dry below `wet_from` mm of rain, warm from `warm` °C, and good if it is both and not of a kind in `never`."""
    dry = {d.day: d.rain < wet_from for d in chosen}
    mild = {d.day: d.high >= warm for d in chosen}
    good = {d.day: dry[d.day] and mild[d.day] and d.weather not in never for d in chosen}
    print(f"{share(dry.values()):.0f}% dry, {share(mild.values()):.0f}% warm, {share(good.values()):.0f}% good")
    return dry, mild, good


@rnb.cell
def by_month(good: dict[date, bool]):
    """## Month by month"""
    for month in sorted({day.month for day in good}):
        line = share(flag for day, flag in good.items() if day.month == month)
        print(f"{calendar.month_abbr[month]} {line:4.0f}% good {bar(line)}")


@rnb.cell
def weeks(
    dry: dict[date, bool],
    mild: dict[date, bool],
    good: dict[date, bool],
    trip: int = 7,
    rank_by: Literal["good", "dry", "warm"] = "good",
    top: int = 5,
):
    """## When to go

    Every stretch of `trip` days, by the share of such days over all years.
    """
    flags = {"good": good, "dry": dry, "warm": mild}[rank_by]
    calendar_days: dict[tuple[int, int], list[bool]] = {}
    for day, flag in flags.items():
        calendar_days.setdefault((day.month, day.day), []).append(flag)
    days = sorted(calendar_days)
    stretches = {
        days[i]: fmean(share(calendar_days[day]) for day in days[i : i + trip]) for i in range(len(days) - trip + 1)
    }
    best = sorted(stretches, key=lambda start: -stretches[start])[:top]
    for month, first in best:
        print(f"from {first:2} {calendar.month_name[month]:9}  {stretches[month, first]:3.0f}% {rank_by}")
    return (best,)


@rnb.cell
def surprises(chosen: list[Day], best: list[tuple[int, int]]):
    """## And what the sky did on the first of those days, every year"""
    skies = {(month, first): Counter[str]() for month, first in best}
    for d in chosen:
        if (d.day.month, d.day.day) in skies:
            skies[d.day.month, d.day.day][d.weather] += 1
    for (month, first), sky in skies.items():
        print(f"{first:2} {calendar.month_abbr[month]}:", ", ".join(f"{n} × {kind}" for kind, n in sky.most_common()))


if __name__ == "__main__":
    rnb.run()
