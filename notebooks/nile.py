"""Did the Nile change in 1898?

For a century the flow of the Nile was written down at Aswan. Somewhere near 1898 the river seems to drop by a quarter.
Is that a change, or do hundred random years often look like this? Instead of a formula we let the machine shuffle the
years many thousand times and see for ourselves. It takes some seconds: watch it count.
"""

import csv
import random
from collections import Counter
from itertools import accumulate
from statistics import fmean, quantiles, stdev

import rnb

DATA = "data/nile.csv"


def best_split(flows):
    """The split of a series in two that lies furthest from chance: (place, score).

    The score is the distance of the running sum from where it would be if the mean never changed, over its spread
    (Pettitt's and the CUSUM test share this idea).
    """
    n, total = len(flows), sum(flows)
    place, score = 0, 0.0
    for i, running in enumerate(accumulate(flows), start=1):
        if i < n:
            gap = abs(running - total * i / n) / (i * (n - i)) ** 0.5
            if gap > score:
                place, score = i, gap
    return place, score


def progress(done, of, what):
    """One line that counts in place, with a carriage return."""
    print(f"\r{what}: {done:,} of {of:,}", end="\n" if done == of else "", flush=True)


@rnb.cell
def read():
    """Yearly flow, in hundred million cubic metres."""
    with open(DATA, newline="") as file:
        flow = {int(row["year"]): float(row["volume"]) for row in csv.DictReader(file)}
    years, flows = list(flow), list(flow.values())
    print(f"{len(flow)} years, mean {fmean(flows):.0f}, standard deviation {stdev(flows):.0f}")
    return years, flows


@rnb.cell
def split(years, flows):
    """## The best place to cut"""
    place, score = best_split(flows)
    before, after = flows[:place], flows[place:]
    print(f"last year of the old river: {years[place - 1]}")
    print(f"mean before {fmean(before):.0f}, after {fmean(after):.0f}")
    return score, before, after


@rnb.cell
def shuffle(flows, score, shuffles: int = 150_000, seed: int = 1):
    """## Could it be chance?

    If nothing changed, the order of the years means nothing. Shuffle them, look for the best split again, and count how often
    it is as good as the real one.
    """
    rng = random.Random(seed)
    deck, by_chance = list(flows), []
    for done in range(1, shuffles + 1):
        rng.shuffle(deck)
        by_chance.append(best_split(deck)[1])
        if done % 5_000 == 0 or done == shuffles:
            progress(done, shuffles, "shuffles")
    as_good = sum(chance >= score for chance in by_chance)
    print(f"as good by chance: {as_good} times")
    print(f"the best of all shuffles reached {max(by_chance) / score:.0%} of the real score")
    return by_chance, as_good


@rnb.cell
def when(years, before, after, resamples: int = 100_000, seed: int = 1):
    """## How sure is the year?

    Draw each part anew from its own years, with replacement, and find the split again: the years it falls on are the
    uncertainty.
    """
    rng = random.Random(seed)
    found = Counter[int]()
    for done in range(1, resamples + 1):
        place, _ = best_split(rng.choices(before, k=len(before)) + rng.choices(after, k=len(after)))
        found[years[place - 1]] += 1
        if done % 5_000 == 0 or done == resamples:
            progress(done, resamples, "resamples")
    return (found,)


@rnb.cell
def histogram(found, resamples: int = 100_000):
    """The year of the change, by share of the resamples."""
    for year in sorted(year for year, count in found.items() if count >= resamples / 100):
        print(f"{year} {found[year] / resamples:6.1%} {'█' * round(60 * found[year] / resamples)}")


@rnb.cell
def answer(by_chance, score, as_good, found):
    """## The answer"""
    year, count = found.most_common(1)[0]
    threshold = quantiles(by_chance, n=100)[98]
    print(f"Chance passes {threshold / score:.0%} of the real score once in a hundred shuffles;")
    print(f"it reached all of it {as_good} times in {len(by_chance):,}.")
    print(f"The last year of the old river is {year} in {count / found.total():.0%} of the resamples.")


if __name__ == "__main__":
    rnb.run()
