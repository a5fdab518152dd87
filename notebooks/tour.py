"""A tour of the notebook, on 144 years of warming

This is an ordinary Python file. The text you are reading is its docstring: the notebook's introduction, in Markdown.
Each function below that is decorated with `@rnb.cell` is a **cell**. Nothing here needs more than Python itself.

Open the file in your editor, start `rnb watch notebooks/tour.py` beside it, change something and save.
"""

import csv
from pathlib import Path
from statistics import fmean

import rnb

# Everything outside the cells is the setup. Change a helper and only the cells that use it run again.

BARS = "▁▂▃▄▅▆▇█"
DATA = Path("data/global-temp.csv")


def trend(years, values):
    """Degrees per decade: ten times the slope of the least-squares line."""
    year, value = fmean(years), fmean(values)
    rise = sum((x - year) * (y - value) for x, y in zip(years, values, strict=True))
    return 10 * rise / sum((x - year) ** 2 for x in years)


class Stripes:
    """Values as coloured stripes, blue to red: a picture where there is room for one, bars of text where there is not."""

    def __init__(self, values):
        self.values = list(values)

    def __repr__(self):
        low, high = min(self.values), max(self.values)
        return "".join(BARS[round((v - low) / (high - low) * (len(BARS) - 1))] for v in self.values)

    def _repr_svg_(self):
        low, high = min(self.values), max(self.values)
        stripes = []
        for i, value in enumerate(self.values):
            hue = 220 * (1 - (value - low) / (high - low))
            stripes.append(f'<rect x="{i * 5}" width="5" height="80" fill="hsl({hue:.0f} 70% 50%)"/>')
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{len(stripes) * 5}" height="80">{"".join(stripes)}</svg>'
        )


@rnb.cell
def read():
    """## Sharing

    A cell shares what it returns: here two names, `years` and `anomalies`. All its other locals are its own.
    """
    with DATA.open(newline="") as file:
        rows = list(csv.DictReader(file))
    years = [int(row["year"]) for row in rows]
    anomalies = [float(row["temp"]) for row in rows]
    print(len(rows), "years, from", years[0], "to", years[-1])
    return years, anomalies


@rnb.cell
def whole(years, anomalies):
    """## Reading

    A cell's parameters are its **refs**: it reads `years` and `anomalies`, so it runs after `read`, and again when one of
    them has a new value. It returns an expression rather than a name, so it shares that value under its own name, `whole`.
    """
    return round(trend(years, anomalies), 3)


@rnb.cell
def recent(years, anomalies, since: int = 1980):
    """## Parameters

    No cell shares `since` and it has a default: it is a parameter of the notebook. Try
    `rnb run notebooks/tour.py -p since=2000`.
    """
    late = [i for i, year in enumerate(years) if year >= since]
    pace = trend(years[late[0] :], anomalies[late[0] :])
    print(f"{pace:.2f} °C per decade since {since}")


@rnb.cell
def faster(whole, pace, since: int = 1980):
    """## Sharing without saying so

    `pace` is only a local of `recent`, and nothing else binds a name like it, so this cell may read it all the same. For a
    quick look that is handy; for keeps, `recent` had better return it.
    """
    print(f"Since {since} it has warmed {pace / whole:.1f} times as fast as over the whole record.")


@rnb.cell
def decades(years, anomalies):
    """## What is shown

    The last expression is what a cell shows, `print` works as ever, and `rnb.display` shows more at any time.
    """
    means = {}
    for decade in range(1880, 2020, 10):
        first = years.index(decade)
        means[f"{decade}s"] = round(fmean(anomalies[first : first + 10]), 2)
    rnb.display(Stripes(anomalies))
    print("warmest decade:", max(means, key=lambda decade: means[decade]))
    return means


@rnb.cell
def _():
    """## A cell that is only a docstring

    is Markdown. A cell called `_` needs no name of its own, and there may be many.
    """


@rnb.cell(timeout=10, hide=True)
def check(means):
    """## Options

    They are written as literals. This cell may take ten seconds, and its code starts out folded.
    """
    *_, before, last = means.values()
    assert last > before, "the last decade is the warmest"


@rnb.cell(disabled=True)
def publish(means):
    """A disabled cell does not run, and neither do its readers. Take the option out to run it."""
    Path("decades.csv").write_text("\n".join(f"{decade},{mean}" for decade, mean in means.items()))


if __name__ == "__main__":
    rnb.run()
