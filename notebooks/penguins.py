"""What separates the penguin species?

From 2007 to 2009 Kristen Gorman and her colleagues measured 344 penguins on three islands near Palmer Station,
Antarctica. Is a ruler enough to tell an Adelie from a Chinstrap from a Gentoo?
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import rnb

DATA = "data/penguins.csv"
COLOURS = {"Adelie": "#ff8c00", "Chinstrap": "#a034c4", "Gentoo": "#057276"}
MEASURES = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")

plt.style.use("ggplot")


def mean_by_species(frame, column):
    return frame.groupby("species")[column].mean()


def label(column):
    """`bill_length_mm` as people write it: bill length (mm)."""
    words = column.split("_")
    return f"{' '.join(words[:-1])} ({words[-1]})"


def line_through(x, y):
    """Slope and intercept of the least-squares line."""
    slope, intercept = np.polyfit(x, y, 1)
    return float(slope), float(intercept)


@rnb.cell
def load():
    penguins = pd.read_csv(DATA)
    print(len(penguins), "penguins on", penguins["island"].nunique(), "islands")
    penguins.head()
    return penguins


@rnb.cell
def clean(penguins):
    """Drop the birds that were not measured or sexed."""
    measured = penguins.dropna()
    print(len(penguins) - len(measured), "dropped")
    return (measured,)


@rnb.cell
def where(measured):
    """Only the Adelies live on all three islands."""
    pd.crosstab(measured["species"], measured["island"])


@rnb.cell
def summary(measured, column: str = "bill_length_mm"):
    """The mean of one measure. Try `-p column=body_mass_g`."""
    mean_by_species(measured, column).round(1)


@rnb.cell
def bills(measured):
    """## Two numbers tell them apart

    Length and depth of the bill put each species in a corner of its own.
    """
    _, ax = plt.subplots(figsize=(7, 4.5))
    for species, birds in measured.groupby("species"):
        ax.scatter(birds["bill_length_mm"], birds["bill_depth_mm"], color=COLOURS[species], label=species, alpha=0.75)
    ax.set_xlabel(label("bill_length_mm"))
    ax.set_ylabel(label("bill_depth_mm"))
    ax.legend()


@rnb.cell
def paradox(measured):
    """## A trap on the way

    Over all birds a longer bill goes with a *shallower* one. Within each species it goes with a *deeper* one. The sign
    turns because the species sit side by side in the plane: Simpson's paradox, in feathers.
    """
    slopes = {"all birds": line_through(measured["bill_length_mm"], measured["bill_depth_mm"])[0]}
    for species, birds in measured.groupby("species"):
        slopes[species] = line_through(birds["bill_length_mm"], birds["bill_depth_mm"])[0]
    pd.Series(slopes, name="mm of depth per mm of length").round(3)


@rnb.cell
def scale(measured):
    """Every measure in standard deviations from its mean, so that grams do not outweigh millimetres."""
    numbers = measured[list(MEASURES)]
    scaled = (numbers - numbers.mean()) / numbers.std()
    return (scaled,)


@rnb.cell
def classify(measured, scaled):
    """## A ruler as a judge

    Each bird is compared with the mean of each species, itself left out, and goes to the nearest one.
    """
    species = measured["species"].to_numpy()
    points = scaled.to_numpy()
    names = sorted(COLOURS)
    guesses = []
    for i, point in enumerate(points):
        others = np.arange(len(points)) != i
        centres = [points[others & (species == name)].mean(axis=0) for name in names]
        guesses.append(names[int(np.argmin([np.linalg.norm(point - centre) for centre in centres]))])
    guess = pd.Series(guesses, index=measured.index, name="guess")
    print(f"{(guess == measured['species']).mean():.1%} right")
    return (guess,)


@rnb.cell
def confusion(measured, guess):
    """The few mistakes are all between Adelie and Chinstrap."""
    pd.crosstab(measured["species"], guess)


@rnb.cell
def sexes(measured):
    """Males are heavier in every species; the Gentoo gap is the widest."""
    weights = measured.groupby(["species", "sex"])["body_mass_g"].mean().unstack()
    ax = weights.plot.bar(figsize=(7, 4), rot=0)
    ax.set_xlabel("")
    ax.set_ylabel(label("body_mass_g"))
    weights.assign(gap=weights["male"] - weights["female"]).round(0).astype(int)


if __name__ == "__main__":
    rnb.run()
