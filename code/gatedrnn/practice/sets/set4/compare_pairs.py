"""Item 4 of set 4: which of two networks is better, over seeds that both shared, or is it noise?"""

import numpy as np

from gatedrnn.practice.items import Item, Misconception, Part, Question


def reference(errors_a, errors_b):
    """Return the mean of the paired differences b − a, its standard error, and who wins."""
    difference = errors_b - errors_a
    mean, spread = difference.mean(), difference.std(ddof=1) / np.sqrt(len(difference))
    return mean, spread, verdict(mean, spread)


def verdict(mean, spread):
    """Return "a" or "b", or "noise" below two standard errors."""
    if abs(mean) < 2 * spread:
        return "noise"
    return "a" if mean > 0 else "b"


def _pairs(rng, ratio):
    """Errors over seeds that differ far more than the two networks do; ``ratio`` is mean over spread."""
    n = int(rng.integers(5, 10))
    shared = rng.uniform(0.2, 0.8, size=n)
    wobble = rng.normal(size=n)
    wobble = (wobble - wobble.mean()) / wobble.std(ddof=1) * rng.uniform(0.005, 0.02)
    difference = wobble + ratio * wobble.std(ddof=1) / np.sqrt(n)
    a = shared - difference / 2
    return a, a + difference


def draw_clear(rng):
    """Two networks of which one is better on nearly every seed, by little."""
    return _pairs(rng, float(rng.choice([-1, 1]) * rng.uniform(2.4, 4)))


def draw_any(rng):
    """Two networks that differ by less than chance, or more: "noise" is not always right."""
    if rng.random() < 0.4:
        return draw_clear(rng)
    low, high = [(0.1, 0.8), (1.2, 1.85)][int(rng.integers(2))]
    return _pairs(rng, float(rng.choice([-1, 1]) * rng.uniform(low, high)))


def plot(axes, function):
    """Draw the paired differences, their mean and twice its standard error."""
    a, b = draw_clear(np.random.default_rng(3))
    mean, spread, _ = function(a, b)
    axes.plot(b - a, "o", label="seeds")
    axes.errorbar(len(a), float(mean), 2 * float(spread), fmt="s", label="mean, 2 standard errors")
    axes.axhline(0, color="0.6")
    axes.legend()
    axes.set(xlabel="seed", ylabel="error of b less error of a", title="compare_pairs")


def _with(mean=None, spread=None, decide=verdict):
    def wrong(a, b):
        found = (b - a).mean() if mean is None else mean(a, b)
        width = reference(a, b)[1] if spread is None else spread(a, b)
        return found, width, decide(found, width)

    return wrong


def _unpaired(a, b):
    return np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / len(a))


def _doubled(a, b):
    mean, spread, found = reference(a, b)
    return mean, 2 * spread, found


def _relative(a, b):
    return ((b - a) / a).std(ddof=1) / np.sqrt(len(a))


MISCONCEPTIONS = (
    Misconception(
        "any difference below zero called noise",
        "You compare the mean with two standard errors without looking at its size alone: a mean far below "
        "zero is as clear as one far above. Take abs first.",
        (_with(decide=lambda m, s: "noise" if m < 2 * s else "a"),),
    ),
    Misconception(
        "other words",
        "The verdict is one of three texts in small letters: “a”, “b” or “noise”.",
        shows=lambda given, answer: not (isinstance(answer[2], str) and answer[2] in ("a", "b", "noise")),
    ),
    Misconception(
        "pairs ignored",
        "You compare the two groups as if they had nothing to do with each other. Both networks saw the same "
        "seeds, and seeds differ more than networks: take the difference seed by seed first.",
        (
            _with(spread=_unpaired),
            _with(spread=lambda a, b: np.sqrt((a.var() + b.var()) / len(a))),
            _with(spread=lambda a, b: np.sqrt(a.var(ddof=1) + b.var(ddof=1))),
        ),
    ),
    Misconception(
        "standard deviation instead of standard error",
        "You give how much single seeds differ. Asked for is how well their mean is known: divide by the "
        "root of their number.",
        (
            _with(spread=lambda a, b: (b - a).std(ddof=1)),
            _with(spread=lambda a, b: (b - a).std()),
        ),
    ),
    Misconception(
        "divided by n instead of n − 1",
        "Your standard deviation divides by n. With few seeds that is too small: np.std(…, ddof=1).",
        (_with(spread=lambda a, b: (b - a).std() / np.sqrt(len(a))),),
    ),
    Misconception(
        "divided by n instead of its root",
        "A mean of n numbers is known better by the root of n, not by n.",
        (_with(spread=lambda a, b: (b - a).std(ddof=1) / len(a)),),
    ),
    Misconception(
        "difference the other way round",
        "You give a − b. Asked for is b − a: above 0 where a has the smaller error.",
        (
            _with(mean=lambda a, b: (a - b).mean()),
            _with(mean=lambda a, b: (a - b).mean(), decide=lambda m, s: verdict(-m, s)),
        ),
    ),
    Misconception(
        "larger error wins",
        "You name the network with the larger error. An error is better if it is smaller.",
        (_with(decide=lambda m, s: {"a": "b", "b": "a"}.get(verdict(m, s), "noise")),),
    ),
    Misconception(
        "noise never considered",
        "You always name a winner. Where the mean difference is below two standard errors, the answer is "
        '"noise".',
        (_with(decide=lambda m, s: "a" if m > 0 else "b"),),
    ),
    Misconception(
        "one standard error",
        "You call a difference of one standard error real. That happens by chance in one of three cases: ask "
        "for two.",
        (_with(decide=lambda m, s: "noise" if abs(m) < s else ("a" if m > 0 else "b")),),
    ),
    Misconception(
        "size of the difference only",
        "Your mean difference has lost its sign, and with it who is better.",
        (
            _with(mean=lambda a, b: abs((b - a).mean())),
            _with(mean=lambda a, b: np.abs(b - a).mean()),
        ),
    ),
    Misconception(
        "not all three returned",
        "Return three things: the mean difference, its standard error, and the verdict.",
        (lambda a, b: reference(a, b)[2], lambda a, b: reference(a, b)[:2]),
    ),
    Misconception(
        "two standard errors given",
        "You return two standard errors. The factor of two belongs to the verdict.",
        (_with(spread=lambda a, b: 2 * reference(a, b)[1]), lambda a, b: _doubled(a, b)),
    ),
    Misconception(
        "variance instead of its root",
        "You never took the root. The standard error is in the units of the errors.",
        (
            _with(spread=lambda a, b: (b - a).var(ddof=1) / len(a)),
            _with(spread=lambda a, b: (b - a).var(ddof=1) / np.sqrt(len(a))),
        ),
    ),
    Misconception(
        "n − 1 under the root",
        "The n − 1 belongs into the standard deviation; its root is not what divides it: s / √n.",
        (_with(spread=lambda a, b: (b - a).std(ddof=1) / np.sqrt(len(a) - 1)),),
    ),
    Misconception(
        "median instead of mean",
        "You give the median of the differences. Asked for is their mean.",
        (_with(mean=lambda a, b: np.median(b - a)),),
    ),
    Misconception(
        "relative differences",
        "You divide the differences by the errors. Take them as they are: b − a.",
        (_with(mean=lambda a, b: ((b - a) / a).mean(), spread=lambda a, b: _relative(a, b)),),
    ),
)

ITEM = Item(
    name="compare_pairs",
    signature="compare_pairs(errors_a, errors_b)",
    title="Better, or noise?",
    parts=(Part("difference"), Part("standard error"), Part("verdict")),
    reference=reference,
    questions=(
        Question("the mean difference", 1, draw_clear, grades=("difference",), repeats=6),
        Question("its standard error", 1, draw_clear, grades=("standard error",)),
        Question("a clear case", 1, draw_clear, grades=("verdict",), repeats=6),
        Question("a case that may be noise", 1, draw_any, grades=("verdict",), repeats=9),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "Every seed gives a pair. What do you get rid of if you take the difference within each pair?",
        "d = errors_b − errors_a; its mean; d.std(ddof=1) / np.sqrt(len(d)). The verdict is noise where the "
        "mean is within two standard errors of 0, else a where it is above and b where it is below.",
        "The expected picture: all dots on one side of the grey line, and a square with a bar "
        "that does not reach the line.",
    ),
    plot=plot,
)
