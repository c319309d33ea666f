"""Item 1 of set 0: a running average; the kind of item whose answers are compared with a reference."""

import numpy as np

from gatedrnn.practice.items import Item, Misconception, Part, Question


def reference(x, keep):
    """Return y_t = keep · y_{t−1} + (1 − keep) · x_t along the first axis, from rest."""
    y, rows = np.zeros(x.shape[1:]), []
    for row in x:
        y = keep * y + (1 - keep) * row
        rows.append(y)
    return np.stack(rows)


def draw_series(rng):
    """One series of a few steps."""
    return rng.normal(size=int(rng.integers(5, 9))), float(rng.uniform(0.2, 0.9))


def draw_columns(rng):
    """Several series side by side, one in each column."""
    return rng.normal(size=(int(rng.integers(5, 9)), 3)), float(rng.uniform(0.2, 0.9))


def plot(axes, function):
    """Draw the answer to a step."""
    x = np.repeat([0.0, 1.0], [5, 25])
    axes.plot(x, label="x")
    axes.plot(np.asarray(function(x, 0.8), dtype=float), label="smooth(x, 0.8)")
    axes.legend()
    axes.set(xlabel="step", ylabel="value", title="a step, smoothed")


MISCONCEPTIONS = (
    Misconception(
        "weights exchanged",
        "Your average keeps 1 − keep of itself. A large keep should make it slow: which of the two is "
        "multiplied by keep?",
        (lambda x, keep: reference(x, 1 - keep),),
    ),
    Misconception(
        "input not weighted",
        "Your average grows too large: what comes in has to be weighted with 1 − keep, so that the two "
        "weights add up to one.",
        (lambda x, keep: reference(x, keep) / (1 - keep),),
    ),
    Misconception(
        "started from the first value",
        "Your average starts at x[0]. Here it starts from rest, at zero, before the first step.",
        (lambda x, keep: reference(x - x[0], keep) + x[0],),
    ),
    Misconception(
        "only the last value",
        "You return the average after the last step; asked for is one for every step.",
        (lambda x, keep: reference(x, keep)[-1],),
    ),
    Misconception(
        "one number taken for a row",
        "A step of x may be a whole row of numbers: work with the row as it is, without float() or an if on "
        "it.",
        error="only .*(0-dimensional|length-1|size-1)|truth value of an array",
    ),
)

ITEM = Item(
    name="smooth",
    signature="smooth(x, keep)",
    title="A running average",
    parts=(Part("average", "state"),),
    reference=reference,
    questions=(Question("one series", 1, draw_series), Question("series in columns", 2, draw_columns)),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "Write down the first two averages by hand, from an average of zero before the first step.",
        "y = 0; for each row of x: y = keep * y + (1 - keep) * row, and keep y. np.stack makes an array of "
        "them.",
        "The expected curve leaves zero in the step in which x jumps and comes closer to one by a fifth in "
        "every step.",
    ),
    plot=plot,
)
