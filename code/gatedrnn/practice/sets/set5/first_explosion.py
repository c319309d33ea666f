"""Item 2 of set 5: the step at which a run began to explode, read off its log."""

import numpy as np

from gatedrnn.practice.items import Item, Misconception, Part, Question


def reference(norms, window, factor):
    """Return the first step that is not finite or above factor times the median of the steps before it."""
    for t, norm in enumerate(norms):
        if not np.isfinite(norm):
            return t
        if t >= window and norm > factor * np.median(norms[t - window : t]):
            return t
    return -1


def _log(rng):
    """A run with the noise of a healthy one, and one lone spike that a mean would stumble over."""
    T, window, factor = int(rng.integers(60, 80)), int(rng.integers(8, 13)), float(rng.uniform(8, 12))
    norms = np.exp(0.3 * rng.normal(size=T) - np.arange(T) / 60)
    norms[2] = 40.0  # large, and before there is a window: the start of a run is rough
    return norms, window, factor


def draw_explosion(rng):
    """A run that explodes, slowly at first, after a lone spike."""
    norms, window, factor = _log(rng)
    at = int(rng.integers(30, 45))
    norms[at - 6] = 0.8 * factor * np.median(norms[at - 6 - window : at - 6])  # below the limit
    norms[at:] *= factor * np.exp(0.4 * (1 + np.arange(len(norms) - at)))
    norms[-1] = np.nan
    return norms, window, factor


def draw_sudden(rng):
    """A run that breaks off without warning."""
    norms, window, factor = _log(rng)
    first, last = [(3, 8), (8, 50)][int(rng.integers(2))]  # before there is a window, or anywhere after
    norms[int(rng.integers(first, last)) :] = float(rng.choice([np.nan, np.inf]))
    return norms, window, factor


def draw_any(rng):
    """A run without anything of the kind, or one that explodes: −1 is not always right."""
    return _log(rng) if rng.random() < 0.5 else draw_explosion(rng)


def plot(axes, function):
    """Draw a log and the step that was found."""
    norms, window, factor = draw_explosion(np.random.default_rng(2))
    axes.semilogy(norms, marker=".")
    axes.axvline(int(function(norms, window, factor)), color="0.6", linestyle="--")
    axes.set(xlabel="training step", ylabel="norm of the gradient", title="first_explosion")


def _rule(against=np.median, early=False, finite=True, none=-1, pick=0):
    """The rule with another comparison."""

    def wrong(norms, window, factor):
        found = []
        for t, norm in enumerate(norms):
            before = norms[max(0, t - window) : t]
            judged = len(before) and (early or t >= window)
            if (finite and not np.isfinite(norm)) or (judged and norm > factor * against(before)):
                found.append(t)
        return found[pick] if found else none

    return wrong


def _one_before(norms, window, factor):
    for t in range(1, len(norms)):
        if not np.isfinite(norms[t]) or (t >= window and norms[t] > factor * norms[t - 1]):
            return t
    return -1


def _first_window(norms, window, factor):
    usual = np.median(norms[:window])
    late = np.arange(len(norms)) >= window
    found = np.flatnonzero(~np.isfinite(norms) | (late & (norms > factor * usual)))
    return int(found[0]) if found.size else -1


def _rule_finite(broken):
    def wrong(norms, window, factor):
        for t, norm in enumerate(norms):
            if broken(t, window, norm) or (t >= window and norm > factor * np.median(norms[t - window : t])):
                return t
        return -1

    return wrong


MISCONCEPTIONS = (
    Misconception(
        "NaN not noticed",
        "Your run breaks off with NaN or infinity and you do not see it: a comparison with NaN is always "
        "false. Ask np.isfinite first.",
        (_rule(finite=False),),
    ),
    Misconception(
        "only one of NaN and infinity, or too late",
        "A norm that is not finite counts from the very first step, NaN and infinity alike. np.isnan is "
        "false for infinity.",
        (
            _rule_finite(lambda t, window, norm: np.isnan(norm)),
            _rule_finite(lambda t, window, norm: np.isinf(norm)),
            _rule_finite(lambda t, window, norm: t >= window and not np.isfinite(norm)),
        ),
    ),
    Misconception(
        "mean instead of median",
        "You compare with the mean, which a single large value lifts. The median does not care.",
        (_rule(against=np.mean),),
    ),
    Misconception(
        "judged before there is a window",
        "You judge steps that have not yet a whole window behind them. The start of a run is rough: wait.",
        (_rule(early=True),),
    ),
    Misconception(
        "compared with the whole run",
        "You compare with all steps before. Norms fall during training: compare with the last `window` of "
        "them.",
        (
            lambda norms, window, factor: next(
                (t for t, n in enumerate(norms) if not np.isfinite(n) or n > factor * np.nanmedian(norms)), -1
            ),
        ),
    ),
    Misconception(
        "the last instead of the first",
        "You return the last such step. Where did it begin?",
        (_rule(pick=-1),),
    ),
    Misconception(
        "no explosion said in another way",
        "Where nothing explodes, return −1.",
        (
            _rule(none=0),
            lambda *given: None if reference(*given) < 0 else reference(*given),
            lambda *given: len(given[0]) if reference(*given) < 0 else reference(*given),
        ),
    ),
    Misconception(
        "noticed too late",
        "You see the explosion only where a norm is no longer finite, or far above the largest of its "
        "window. It begins before: at the first norm that is far above the median of its window.",
        (
            lambda norms, window, factor: int(np.argmax(np.append(~np.isfinite(norms), True))),
            lambda norms, window, factor: next((t for t, n in enumerate(norms) if not np.isfinite(n)), -1),
            _rule(against=np.max),
        ),
    ),
    Misconception(
        "always −1",
        "You find nothing where something is. What does each comparison give for the step at which it began?",
        (lambda norms, window, factor: -1,),
    ),
    Misconception(
        "smallest of the window",
        "You compare with the smallest norm of the window, which is no measure of what is usual. The rule "
        "asks for the median.",
        (_rule(against=np.min),),
    ),
    Misconception(
        "compared with the step before",
        "You compare with the step before alone. Single steps tremble: compare with the median of the "
        "window.",
        (lambda norms, window, factor: _one_before(norms, window, factor),),
    ),
    Misconception(
        "the first window for good",
        "You compare all steps with the first window. The window moves: it holds the steps just before t.",
        (lambda norms, window, factor: _first_window(norms, window, factor),),
    ),
    Misconception(
        "counted from one",
        "Steps are counted from 0.",
        (lambda *given: reference(*given) + (reference(*given) >= 0), lambda *given: reference(*given) + 1),
    ),
    Misconception(
        "norm instead of step",
        "You return the norm. Asked for is the number of the step.",
        (lambda *given: float(given[0][reference(*given)]) if reference(*given) >= 0 else -1,),
    ),
    Misconception(
        "nothing found is an error",
        "Where nothing explodes your list is empty, and there is no first entry. Return −1 then.",
        error="IndexError|StopIteration|empty sequence|is not in list",
    ),
)

ITEM = Item(
    name="first_explosion",
    signature="first_explosion(norms, window, factor)",
    title="Where it began",
    parts=(Part("step"),),
    reference=reference,
    questions=(
        Question("a run that explodes", 1, draw_explosion, repeats=4),
        Question("a run that breaks off", 1, draw_sudden, repeats=8),
        Question("a run that may be healthy", 1, draw_any, repeats=8),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "For each step: what is usual just before it? And is the step far beyond that?",
        "Loop over the steps. A norm that is not finite is an explosion; so is one above factor * "
        "np.median(norms[t - window : t]), once t is at least window. Return the first such t, or −1.",
        "The expected picture: a falling, trembling line with a spike early on and a smaller one before the "
        "dashed line, which stands where the line turns upwards for good.",
    ),
    plot=plot,
)
