"""How fast is it gone?"""

import matplotlib.pyplot as plt

import rnb


@rnb.cell
def times():
    times = list(range(9))
    return (times,)


@rnb.cell
def left(times, rate: float = 0.5, start: float = 100.0):
    left = [start * (1 - rate) ** t for t in times]
    last = round(left[-1], 1)
    return left, last


@rnb.cell
def curve(times, left):
    _, ax = plt.subplots(figsize=(4, 2.4))
    ax.fill_between(times, left, color="#6b9080")
    ax.set_ylim(0, 200)
    plt.show()
