"""What separates the penguin species?"""

import pandas as pd

import rnb

DATA = "data/penguins.csv"


def tidy(frame):
    return frame.dropna()


@rnb.cell
def load():
    birds = pd.read_csv(DATA)
    print(len(birds), "birds")
    return (birds,)


@rnb.cell
def clean(birds):
    measured = tidy(birds)
    print(len(measured), "of them measured")
    return (measured,)


@rnb.cell
def bills(measured, by: str = "species"):
    return measured.groupby(by)["bill_length_mm"].mean().round(1)


@rnb.cell
def heaviest(measured):
    print("the heaviest weighs", int(measured["body_mass_g"].max()), "g")


@rnb.cell
def longest(bills):
    print("the longest bills:", bills.idxmax())
