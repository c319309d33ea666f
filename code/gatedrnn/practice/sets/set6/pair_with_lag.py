"""Item 3 of set 6: inputs and targets for a decoder that may answer late."""

import numpy as np

from gatedrnn.practice.items import Item, Misconception, Part, Question


def reference(inputs, targets, lag):
    """Return what is heard and what is to be said at the same steps: at t, the target of t − lag."""
    return inputs[lag:], targets[: len(targets) - lag]


def _draw(rng, lag):
    T = int(rng.integers(8, 12))
    return rng.normal(size=(T, 3)), rng.normal(size=(T, 2)), lag


def draw_any(rng):
    """A lag of some steps, or none."""
    return _draw(rng, 0 if rng.random() < 0.5 else int(rng.integers(1, 5)))


def draw_late(rng):
    """A lag of some steps."""
    return _draw(rng, int(rng.integers(1, 5)))


def plot(axes, function):
    """Draw an input and the target that is to be said a while later."""
    t = np.arange(60.0)
    inputs, targets = function(
        np.exp(-((t - 30) ** 2) / 20)[:, None], np.exp(-((t - 30) ** 2) / 20)[:, None], 8
    )
    axes.plot(np.asarray(inputs, dtype=float), label="heard")
    axes.plot(np.asarray(targets, dtype=float), label="to be said")
    axes.legend()
    axes.set(xlabel="row", ylabel="value", title="pair_with_lag, lag 8")


MISCONCEPTIONS = (
    Misconception(
        "shifted the wrong way",
        "You ask for what is still to come: at t the target of t + lag. A decoder that may wait answers "
        "about the past, about t − lag.",
        (lambda x, y, lag: (x[: len(x) - lag], y[lag:]),),
    ),
    Misconception(
        "a slice that ends at −0",
        "With lag 0 your slice [:-lag] is [:0], and empty. Write the end as len(targets) - lag.",
        (lambda x, y, lag: (x[lag:], y[:-lag]), lambda x, y, lag: (x[:-lag], y[lag:])),
    ),
    Misconception(
        "rolled round",
        "np.roll carries the end of the recording to its beginning. What has no partner is left out.",
        (lambda x, y, lag: (x, np.roll(y, lag, axis=0)), lambda x, y, lag: (np.roll(x, -lag, axis=0), y)),
    ),
    Misconception(
        "both cut at the same end",
        "You cut inputs and targets at the same end: they still meet as before, without a lag.",
        (lambda x, y, lag: (x[lag:], y[lag:]), lambda x, y, lag: (x[: len(x) - lag], y[: len(y) - lag])),
    ),
    Misconception(
        "only one of them cut",
        "Inputs and targets have different lengths now. What is left of both are T − lag rows.",
        (lambda x, y, lag: (x[lag:], y), lambda x, y, lag: (x, y[: len(y) - lag])),
    ),
    Misconception(
        "filled up with zeros",
        "You fill up with zeros: the decoder would learn to say zero where nothing is known. Leave these "
        "rows out.",
        (lambda x, y, lag: (x, np.vstack([0 * y[:lag], y[: len(y) - lag]])),),
    ),
    Misconception(
        "one step off",
        "Your lag is one step off: in the first row, the input of step `lag` meets the target of step 0.",
        (
            lambda x, y, lag: (x[lag + 1 :], y[: len(y) - lag - 1]),
            lambda x, y, lag: (x[max(lag - 1, 0) :], y[: len(y) - max(lag - 1, 0)]),
        ),
    ),
    Misconception(
        "no lag at all",
        "You return both as they came, whatever the lag. At step t the decoder speaks about t − lag.",
        (lambda x, y, lag: (x, y),),
    ),
    Misconception(
        "the other way round",
        "Return the inputs first, then the targets.",
        (lambda x, y, lag: reference(x, y, lag)[::-1],),
    ),
    Misconception(
        "filled up with NaN",
        "You fill up with NaN, which spoils every sum that it enters. What has no partner is left out.",
        (lambda x, y, lag: (x, np.vstack([np.full_like(y[:lag], np.nan), y[: len(y) - lag]])),),
    ),
    Misconception(
        "pairs instead of two arrays",
        "Return two arrays, inputs and targets; row k of one stands beside row k of the other.",
        (
            lambda x, y, lag: list(zip(*reference(x, y, lag), strict=True)),
            lambda x, y, lag: np.hstack(reference(x, y, lag)),
        ),
    ),
)

ITEM = Item(
    name="pair_with_lag",
    signature="pair_with_lag(inputs, targets, lag)",
    title="A decoder that may wait",
    parts=(Part("inputs"), Part("targets")),
    reference=reference,
    questions=(
        Question("a lag of some steps", 1, draw_late),
        Question("any lag, 0 included", 1, draw_any, repeats=8),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "A decoder that answers `lag` steps late has heard the inputs up to t when it speaks about t − lag. "
        "Which input stands beside which target?",
        "The first row pairs inputs[lag] with targets[0]. So the inputs lose their first rows and the "
        "targets as many of their last.",
        "The expected picture: the bump that is to be said stands 8 rows to the right of the bump that is "
        "heard.",
    ),
    plot=plot,
)
