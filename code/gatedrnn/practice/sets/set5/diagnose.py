"""Item 3 of set 5: name what went wrong with a training run, from its log."""

import numpy as np

from gatedrnn.practice.items import Item, Misconception, Part, Question

WORDS = ("exploding", "vanishing", "overfitting", "too slow", "healthy")


def reference(training, validation, norms):
    """Return the first of the five words whose rule the log meets."""
    if not np.isfinite(norms).all() or norms.max() > 50 * np.median(norms):
        return "exploding"
    if norms.max() < 1e-3:
        return "vanishing"
    if validation[-1] > 1.3 * validation.min():
        return "overfitting"
    if training[-1] > 0.8 * training[0]:
        return "too slow"
    return "healthy"


def log(rng, kind):
    """Draw the log of a run of a kind: training loss, validation loss, gradient norms."""
    T = int(rng.integers(80, 120))
    t = np.arange(T)
    noise = lambda size: np.exp(size * rng.normal(size=T))  # noqa: E731
    fall = 0.05 + 0.95 * np.exp(-t / rng.uniform(12, 25))
    training, validation = fall * noise(0.03), 1.1 * fall * noise(0.02)
    norms = (0.05 + fall) * noise(0.2)
    if kind == "exploding":
        way, at = int(rng.integers(3)), int(rng.integers(T // 2 + 5, T - 15))
        norms[at:] *= 100 * np.exp(0.1 * (t[at:] - at))
        if way > 0:  # else the log ends before the losses have felt it
            training[at:], validation[at:] = 3 + 0.1 * (t[at:] - at), 3.5 + 0.1 * (t[at:] - at)
        if way > 1:
            for series in (training, validation, norms):
                series[at + 10 :] = np.nan
    elif kind == "vanishing":
        training, validation = noise(0.01), 1.02 * noise(0.01)
        norms = 1e-5 * noise(0.3)
    elif kind == "too slow":
        slope = 1 - rng.uniform(0.05, 0.1) * t / T
        training, validation, norms = slope * noise(0.01), 1.02 * slope * noise(0.01), 0.8 * noise(0.1)
    elif kind == "overfitting":
        turn = int(rng.integers(25, 40))
        validation = np.where(t < turn, validation, validation[turn] + 0.012 * (t - turn))
    return training, validation, norms


def _draw(*kinds):
    def draw(rng):
        return log(rng, kinds[int(rng.integers(len(kinds)))])

    return draw


draw_exploding = _draw("exploding", "exploding", "exploding", "healthy")
draw_still = _draw("vanishing", "too slow")
draw_learning = _draw("healthy", "overfitting")


def plot(axes, function):
    """Draw five training losses, each with the word for its run."""
    for seed, kind in zip((6, 4, 5, 6, 7), WORDS, strict=True):
        given = log(np.random.default_rng(seed), kind)
        axes.semilogy(given[0], label=str(function(*given)))
    axes.legend(loc="upper left", ncols=2)
    axes.set(xlabel="training step", ylabel="training loss", title="diagnose, five runs", ylim=(0.04, 40))


def _rules(explodes=None, vanishes=None, order=WORDS):
    """The rules with one of them another, or in another order."""

    def wrong(training, validation, norms):
        with np.errstate(all="ignore"):
            meets = {
                "exploding": (not np.isfinite(norms).all() or norms.max() > 50 * np.median(norms))
                if explodes is None
                else explodes(training, norms),
                "vanishing": norms.max() < 1e-3 if vanishes is None else vanishes(norms),
                "overfitting": validation[-1] > 1.3 * validation.min(),
                "too slow": training[-1] > 0.8 * training[0],
                "healthy": True,
            }
        return next(word for word in order if meets.get(word))

    return wrong


MISCONCEPTIONS = (
    Misconception(
        "NaN not noticed",
        "A run that ended in NaN passes your tests: comparisons with NaN are false, and so are maxima. Ask "
        "np.isfinite first.",
        (_rules(explodes=lambda training, norms: norms.max() > 50 * np.median(norms)),),
    ),
    Misconception(
        "only NaN taken for an explosion",
        "An explosion need not end in NaN: look at norms that are far beyond their median, too.",
        (_rules(explodes=lambda training, norms: not np.isfinite(norms).all()),),
    ),
    Misconception(
        "validation before explosion",
        "You look at the validation loss first, and an explosion lifts that as well. Ask in the order of "
        "the list.",
        (_rules(order=("overfitting", "exploding", "vanishing", "too slow", "healthy")),),
    ),
    Misconception(
        "slow taken for vanished",
        "A loss that hardly falls has two causes. Look at the norms: where there is a gradient, the steps "
        "are too small; where there is none, larger steps will not help.",
        (
            _rules(vanishes=lambda norms: False),
            _rules(order=("exploding", "overfitting", "too slow", "vanishing", "healthy")),
            lambda training, validation, norms: (
                "vanishing"
                if reference(training, validation, norms) == "too slow"
                else reference(training, validation, norms)
            ),
        ),
    ),
    Misconception(
        "overfitting not looked for",
        "The training loss alone cannot show overfitting: compare the last validation loss with the "
        "smallest.",
        (_rules(order=("exploding", "vanishing", "too slow", "healthy")),),
    ),
    Misconception(
        "other words",
        "Return one of the five words exactly as they stand in the list, in small letters.",
        shows=lambda given, answer: str(answer) not in WORDS,
    ),
    Misconception(
        "exploding once too often",
        "You say “exploding” of a run that is not: no norm is infinite there, nor is the largest more than "
        "50 times the median of all norms.",
        (lambda *log: "exploding",),
    ),
    Misconception(
        "vanishing once too often",
        "You say “vanishing” of a run that has a gradient: there, some norm reaches 0.001.",
        (lambda *log: "vanishing",),
    ),
    Misconception(
        "overfitting once too often",
        "You say “overfitting” of a run whose last validation loss is near its smallest one.",
        (lambda *log: "overfitting",),
    ),
    Misconception(
        "too slow once too often",
        "You say “too slow” of a run to which an earlier word of the list applies, or whose last training "
        "loss is well below its first.",
        (lambda *log: "too slow",),
    ),
    Misconception(
        "healthy once too often",
        "You say “healthy” of a run that is not. Which of the four rules before should have caught it?",
        (lambda *log: "healthy",),
    ),
)

ITEM = Item(
    name="diagnose",
    signature="diagnose(training, validation, norms)",
    title="What is wrong with this run?",
    parts=(Part("word"),),
    reference=reference,
    questions=(
        Question("runs that blow up, and some that do not", 1, draw_exploding, repeats=16),
        Question("runs that stand still", 1, draw_still, repeats=8),
        Question("runs that learn", 1, draw_learning, repeats=8),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "Each word has a sign of its own. Which of the three series shows it, and which signs can show "
        "together?",
        "Ask in the order of the list, with an if and a return for each. np.isfinite(norms).all() first, "
        "then the largest norm against the median.",
        "The expected picture: one line that falls and then leaps up, two that stay flat, and two that fall "
        "in the same way; their words differ though two pairs look alike.",
    ),
    plot=plot,
)
