"""Item 2 of set 0: a decision by measurement; the kind of item whose answers are scored on a scale.

The function sees a noisy series. The series without its noise is kept back for the score.
"""

import numpy as np

from gatedrnn.practice.items import Asked, Item, Misconception, Part, Question
from gatedrnn.practice.scoring import Rung, UnfitError, numbers, scale

from .smooth import reference as smooth

GRID = np.linspace(0, 0.98, 50)
RUNGS = [
    Rung(1.0, 1, "no smoothing at all"),
    Rung(0.5, 3, "half of the noise"),
    Rung(0.3, 4, "most of the noise"),
]


def draw(rng):
    """A slow wave in noise; the wave alone is kept back."""
    t = np.arange(400)
    wave = np.sin(2 * np.pi * t / float(rng.uniform(150, 250)) + rng.uniform(0, 6))
    return Asked((wave + 0.7 * rng.normal(size=t.size),), kept=wave)


def error(x, keep, wave):
    """Mean squared error of the average, as a share of that of x itself."""
    return float(((smooth(x, keep) - wave) ** 2).mean() / ((x - wave) ** 2).mean())


def score(arguments, answer):
    """How much of the noise the learner's choice leaves."""
    keep = float(numbers(answer, ()))
    if not 0 <= keep < 1:
        raise UnfitError("number", "a number from 0 to below 1", f"{keep:g}")
    (x,) = arguments
    return scale("the error that is left, as a share,", error(x, keep, arguments.kept), RUNGS, higher=False)


def reference(x):
    """Return a good choice: the one that predicts the next value best, which needs no clean series."""
    gains = [((smooth(x, keep)[:-1] - x[1:]) ** 2).mean() for keep in GRID]
    return float(GRID[int(np.argmin(gains))])


def plot(axes, function):
    """Draw the error over all choices, and the choice."""
    asked = draw(np.random.default_rng(3))
    axes.plot(GRID, [error(*asked, keep, asked.kept) for keep in GRID])
    axes.axvline(float(function(*asked)), linestyle="--")
    axes.set(xlabel="keep", ylabel="error that is left, as a share", title="choose_keep(x)")


MISCONCEPTIONS = (
    Misconception(
        "as smooth as possible",
        "Your choice is the smoothest: it leaves no noise, and no wave either. What do you want to be close "
        "to?",
        shows=lambda arguments, answer: answer > 0.97,
    ),
    Misconception(
        "compared with itself",
        "Compared with the very values that went into it, an average without any smoothing always wins. "
        "Compare it with values that it has not seen yet.",
        shows=lambda arguments, answer: answer < 0.02,
    ),
)

ITEM = Item(
    name="choose_keep",
    signature="choose_keep(x)",
    title="How much to keep",
    parts=(Part("keep"),),
    reference=reference,
    questions=(Question("a wave in noise", 4, draw, score=score),),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "You do not have the wave. What else would a good average be close to?",
        "Try many values of keep. For each, compare the average after step t with x in step t + 1, and take "
        "the keep with the smallest mean squared difference.",
        "The expected picture is a valley: steep on the left, where noise is left, and steep on the right, "
        "where the average lags. The dashed line stands near its bottom.",
    ),
    plot=plot,
)
