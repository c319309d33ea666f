"""Item 1 of set 6: turn sequences of different lengths round and leave the padding where it is."""

import numpy as np

from gatedrnn.practice.items import Item, Misconception, Part, Question


def reference(x, lengths):
    """Return x with the first ``lengths[i]`` steps of sequence i in reversed order."""
    turned = x.copy()
    for row, length in zip(turned, lengths, strict=True):
        row[:length] = row[:length][::-1]
    return turned


def _draw(rng, equal):
    B, T = int(rng.integers(3, 5)), int(rng.integers(5, 8))
    lengths = np.full(B, T) if equal else rng.permutation(np.append(rng.integers(2, T, size=B - 1), T))
    x = rng.normal(size=(B, T, 2))
    x[np.arange(T) >= lengths[:, None]] = 0.0
    return x, lengths.astype(np.int64)


def draw_equal(rng):
    """Sequences that all fill the array."""
    return _draw(rng, equal=True)


def draw_padded(rng):
    """Sequences of different lengths, padded with zeros."""
    return _draw(rng, equal=False)


def plot(axes, function):
    """Draw three ramps of different lengths, turned round."""
    lengths = np.array([10, 6, 3])
    x = np.where(np.arange(10) < lengths[:, None], 1 + np.arange(10.0), 0)[..., None]
    axes.plot(np.asarray(function(x, lengths), dtype=float)[..., 0].T, marker="o", markersize=3)
    axes.set(xlabel="step", ylabel="value", title="reverse_padded, three ramps")


def _filled(x, lengths, order):
    """Sequences turned round whose padding is somewhere else."""
    turned = np.zeros_like(x)
    for row, old, length in zip(turned, x, lengths, strict=True):
        order(row, old, length)
    return turned


def _other_axis(axis):
    return lambda x, lengths: np.flip(x, axis)


def _front(row, old, length):
    row[len(row) - length :] = old[:length]


def _one_late(row, old, length):
    row[:] = old
    row[:length] = old[length::-1][:length]


MISCONCEPTIONS = (
    Misconception(
        "padding turned round too",
        "You turn whole rows round, so that short sequences now begin with their padding. Only the first "
        "lengths[i] steps of sequence i are data.",
        (_other_axis(1),),
    ),
    Misconception(
        "sequences in another order",
        "You turn the order of the sequences round. Time is the second axis.",
        (_other_axis(0),),
    ),
    Misconception(
        "features turned round",
        "You turn the features round. Time is the second axis, of three.",
        (_other_axis(2), lambda x, lengths: x[:, ::-1, ::-1]),
    ),
    Misconception(
        "padding moved to the front",
        "You move the padding to the front without turning anything round.",
        (lambda x, lengths: _filled(x, lengths, _front),),
    ),
    Misconception(
        "one length for all",
        "You use one length for all sequences. Each has its own, lengths[i].",
        (
            lambda x, lengths: reference(x, np.full_like(lengths, lengths.min())),
            lambda x, lengths: reference(x, np.full_like(lengths, lengths[0])),
        ),
    ),
    Misconception(
        "one step too few or too many",
        "Your pieces are one step too short or too long: sequence i fills the steps 0 … lengths[i] − 1.",
        (
            lambda x, lengths: reference(x, lengths - 1),
            lambda x, lengths: reference(x, np.minimum(lengths + 1, x.shape[1])),
        ),
    ),
    Misconception(
        "nothing turned round",
        "Your sequences come back as they were. A slice such as row[:n] = row[n - 1 :: -1] turns a piece "
        "round.",
        (lambda x, lengths: x,),
    ),
    Misconception(
        "cut instead of left in place",
        "You return the sequences without their padding. The answer has the shape of x: the steps after the "
        "end of a sequence stay as they are.",
        shows=lambda given, answer: isinstance(answer, tuple) and len(answer) == len(given[1]),
    ),
    Misconception(
        "a step missing in the slice",
        "Your slice is a step short, or empty: a slice leaves out its end, and −1 as an end is the last "
        "step. row[:n][::-1] turns a piece round without counting.",
        (lambda x, lengths: _filled(x, lengths, _one_late),),
        error="could not broadcast",
    ),
    Misconception(
        "changed and not returned",
        "You change the rows and return nothing. Copy x, turn the copy's rows round, and return it.",
        (lambda x, lengths: None,),
    ),
    Misconception(
        "only one sequence",
        "Only one of your sequences is turned round. Does the return stand inside the loop?",
        (lambda x, lengths: np.concatenate([reference(x[:1], lengths[:1]), x[1:]]),),
    ),
)

ITEM = Item(
    name="reverse_padded",
    signature="reverse_padded(x, lengths)",
    title="Turning round what has an end",
    parts=(Part("turned"),),
    reference=reference,
    questions=(
        Question("sequences of one length", 1, draw_equal),
        Question("sequences of different lengths", 1, draw_padded),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "A backward pass starts at the last step of a sequence. Where is that in a row that ends in padding?",
        "Copy x; for each sequence i, put x[i, :n][::-1] into the first n = lengths[i] steps, and leave the "
        "rest.",
        "The expected picture: three lines that fall to 1, from 10, from 6 and from 3, all beginning at step "
        "0; the shorter two go on at 0.",
    ),
    plot=plot,
)
