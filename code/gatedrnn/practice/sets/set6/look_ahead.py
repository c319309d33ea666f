"""Item 5 of set 6: how far a decoder looks into the future, found from outside."""

import numpy as np

from gatedrnn.practice.items import Item, Misconception, Part, Question

ROUNDING = 1e-9


def reference(before, after, changed_from):
    """Return by how many steps the first answer that changed precedes the first input that changed."""
    differs = np.abs(after - before).max(axis=1) > ROUNDING
    return max(0, changed_from - int(differs.argmax())) if differs.any() else 0


def _answers(rng, look, delay=0):
    """Answers of a decoder before and after its inputs were changed from some step on."""
    T = int(rng.integers(30, 40))
    changed_from = int(rng.integers(18, 24))
    before = rng.normal(size=(T, 2))
    after = before + 1e-15 * rng.choice([-1, 1], size=before.shape)  # as sums in another order differ
    first = max(0, changed_from - look + delay)
    away = rng.normal(size=(T - first, 2)) * 0.7 ** np.abs(np.arange(first, T) - changed_from)[:, None]
    away[1:][rng.random(T - first - 1) < 0.2] = 0.0  # a change need not show in every answer
    away[0, rng.integers(2)] = 0.0  # nor in every output
    after[first:] += away
    return before, after, changed_from


def draw_near(rng):
    """A decoder that looks at the past and present, perhaps late, or one that looks a step or two ahead."""
    if rng.random() < 0.4:
        return _answers(rng, look=int(rng.integers(1, 3)))
    return _answers(rng, look=0, delay=int(rng.integers(0, 3)))


def draw_lag(rng):
    """A decoder that looks some steps ahead."""
    return _answers(rng, look=int(rng.integers(1, 9)))


def draw_far(rng):
    """A decoder that reads the whole recording before it speaks, or looks very far."""
    return _answers(rng, look=100 if rng.random() < 0.6 else int(rng.integers(11, 17)))


def plot(axes, function):
    """Draw by how much answers change, and where the look-ahead begins."""
    before, after, changed_from = _answers(np.random.default_rng(3), look=6)
    axes.semilogy(np.abs(after - before).max(axis=1) + 1e-17, marker=".")
    axes.axvline(changed_from, color="0.6")
    axes.axvline(changed_from - int(function(before, after, changed_from)), color="0.6", linestyle="--")
    axes.set(xlabel="step", ylabel="change of the answer", title="look_ahead")


def _first(before, after, threshold=ROUNDING, axis=1, reduce=np.max):
    differs = reduce(np.abs(after - before), axis=axis) > threshold
    return int(differs.argmax())


def _walked_back(before, after, changed_from):
    differs = np.abs(after - before).max(axis=1) > ROUNDING
    steps = 0
    while steps < changed_from and differs[changed_from - 1 - steps]:
        steps += 1
    return steps


MISCONCEPTIONS = (
    Misconception(
        "a late answer counted as looking ahead",
        "You count the distance either way. A decoder that answers late changes after its inputs and does "
        "not look ahead at all: 0.",
        (lambda b, a, at: abs(at - _first(b, a)),),
    ),
    Misconception(
        "sign reversed",
        "Your numbers are negative where the decoder looks ahead. Looking ahead by 3 steps is 3.",
        (lambda b, a, at: _first(b, a) - at, lambda b, a, at: min(0, _first(b, a) - at)),
    ),
    Misconception(
        "rounding taken for a change",
        "You count differences of 1e-15, which is rounding: sums in another order differ by that much. "
        "Compare with a tolerance.",
        (lambda b, a, at: max(0, at - int(np.any(a != b, axis=1).argmax())),),
    ),
    Misconception(
        "a late answer counted as negative",
        "A decoder that answers late changes after its inputs. It does not look ahead at all: 0.",
        (lambda b, a, at: at - _first(b, a),),
    ),
    Misconception(
        "the step instead of the look-ahead",
        "You give the step of the first answer that changed. How many steps is that before the inputs "
        "changed?",
        (lambda b, a, at: _first(b, a),),
    ),
    Misconception(
        "changed answers counted",
        "You count the answers that changed. A change need not show in every answer: it is the first one "
        "that tells how far the decoder sees.",
        (
            lambda b, a, at: int(np.sum(np.abs(a - b).max(axis=1) > ROUNDING)),
            lambda b, a, at: int(np.sum(np.abs(a - b).max(axis=1)[:at] > ROUNDING)),
        ),
    ),
    Misconception(
        "a change of all outputs waited for",
        "You wait for a step at which all outputs changed. A change in any of them gives the decoder away.",
        (lambda b, a, at: max(0, at - _first(b, a, reduce=np.min)),),
    ),
    Misconception(
        "only the first output looked at",
        "You look at one output only. A change in any of them gives the decoder away.",
        (
            lambda b, a, at: max(0, at - int((np.abs(a - b)[:, 0] > ROUNDING).argmax())),
            lambda b, a, at: max(0, at - int((np.abs(a - b)[:, 1] > ROUNDING).argmax())),
        ),
    ),
    Misconception(
        "differences without their size",
        "You take the largest difference with its sign, so that answers which became smaller go unseen. Take "
        "absolute values first.",
        (
            lambda b, a, at: max(0, at - int(((a - b).max(axis=1) > ROUNDING).argmax())),
            lambda b, a, at: max(0, at - int(((b - a).max(axis=1) > ROUNDING).argmax())),
        ),
    ),
    Misconception(
        "the last instead of the first",
        "You look for the last answer that changed. How far a decoder sees shows in the first.",
        (
            lambda b, a, at: max(0, at - int(np.flatnonzero(np.abs(a - b).max(axis=1) > ROUNDING)[-1])),
            lambda b, a, at: abs(at - int(np.flatnonzero(np.abs(a - b).max(axis=1) > ROUNDING)[-1])),
        ),
    ),
    Misconception(
        "place in the flattened array",
        "Your place counts single numbers, not steps: argmax on two axes runs through the flattened array. "
        "Bring the outputs together first.",
        (
            lambda b, a, at: max(0, at - int((np.abs(a - b) > ROUNDING).argmax())),
            lambda b, a, at: at - int((np.abs(a - b) > ROUNDING).argmax()),
        ),
    ),
    Misconception(
        "a gap taken for the end",
        "You walk back from the change of the inputs and stop at the first answer that stayed. A change need "
        "not show in every answer: look from the beginning.",
        (_walked_back,),
    ),
    Misconception(
        "the largest change instead of the first",
        "You look for the answer that changed most. The first one that changed at all tells.",
        (lambda b, a, at: max(0, at - int(np.abs(a - b).max(axis=1).argmax())),),
    ),
    Misconception(
        "one step off",
        "You are one step off. A change in step 20 that shows in the answer of step 20 is no look ahead: 0.",
        (
            lambda b, a, at: max(0, at - _first(b, a) + 1),
            lambda b, a, at: max(0, at - _first(b, a) - 1),
            lambda b, a, at: at - _first(b, a) + 1,
        ),
    ),
    Misconception(
        "yes or no instead of how far",
        "You say whether it looks ahead. Asked for is by how many steps.",
        (
            lambda b, a, at: int(_first(b, a) < at),
            lambda b, a, at: bool(_first(b, a) < at),
        ),
    ),
)

ITEM = Item(
    name="look_ahead",
    signature="look_ahead(before, after, changed_from)",
    title="Caught looking ahead",
    parts=(Part("steps"),),
    reference=reference,
    questions=(
        Question("a decoder that sees little or no future", 1, draw_near, repeats=9),
        Question("a decoder that sees some steps ahead", 1, draw_lag, repeats=4),
        Question("a decoder that looks far or reads to the end first", 1, draw_far, repeats=7),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "If only inputs from step 20 on were changed, whose answers may change? If the answer of step 17 "
        "does, how far did the decoder look?",
        "Take the largest absolute difference over outputs at each step; find the first that is above 1e-9; "
        "the look-ahead is changed_from less that step, and never below 0.",
        "The expected picture: differences of 1e-15 up to step 11, large ones from there on, but for two "
        "gaps; the dashed line stands at the first of them, six steps left of the grey line where the "
        "inputs changed.",
    ),
    plot=plot,
)
