"""Item 4 of set 5: early stopping with patience."""

import numpy as np

from gatedrnn.practice.items import Item, Misconception, Part, Question


def reference(validation, patience):
    """Return the step to keep and the step after which training stops."""
    best = 0
    for t, loss in enumerate(validation):
        if loss < validation[best]:
            best = t
        if t - best >= patience:
            return best, t
    return best, len(validation) - 1


def draw_through(rng):
    """A run whose patience lasts to the end."""
    T = int(rng.integers(25, 35))
    validation = np.exp(-np.arange(T) / 10) + 0.1 * rng.uniform(size=T)
    validation[-int(rng.integers(2, 8))] = 0.03
    return validation, T


def draw_stopped(rng):
    """A run that is stopped before it would have become better still, and has equal losses on its way."""
    while True:
        T, patience = int(rng.integers(30, 45)), int(rng.integers(3, 7))
        validation = 0.4 + np.abs(np.arange(T) - rng.integers(8, 14)) / 20 + 0.05 * rng.normal(size=T)
        best, stopped = reference(validation, patience)
        if best > 4 and stopped < T - 8:
            validation[best + 1] = validation[best]  # as good is no better
            validation[-3] = validation.min() - 0.1
            return validation, patience


def plot(axes, function):
    """Draw a validation loss, the step to keep and the step to stop at."""
    validation, patience = draw_stopped(np.random.default_rng(4))
    best, stopped = function(validation, patience)
    axes.plot(validation, marker=".")
    axes.axvline(int(best), color="0.6")
    axes.axvline(int(stopped), color="0.6", linestyle="--")
    axes.set(xlabel="step", ylabel="validation loss", title="stop_early")


def _rule(better=lambda new, old: new < old, late=0):
    def wrong(validation, patience):
        best = 0
        for t, loss in enumerate(validation):
            if t and better(loss, validation[best]):
                best = t
            if t - best >= patience + late:
                return best, t
        return best, len(validation) - 1

    return wrong


def _rises(validation, patience):
    """Patience counts rises from step to step."""
    rises = 0
    for t in range(1, len(validation)):
        rises = rises + 1 if validation[t] > validation[t - 1] else 0
        if rises >= patience:
            return int(np.argmin(validation[: t + 1])), t
    return int(np.argmin(validation)), len(validation) - 1


MISCONCEPTIONS = (
    Misconception(
        "the best of the whole run",
        "You keep the best step of the whole run. When training has stopped, what would have come later is "
        "not known.",
        (lambda v, p: (int(np.argmin(v)), reference(v, p)[1]), lambda v, p: (int(np.argmin(v)), len(v) - 1)),
    ),
    Misconception(
        "the step of stopping kept",
        "You keep the step at which you stop. Keep the best one: it is `patience` steps old by then.",
        (lambda v, p: (reference(v, p)[1], reference(v, p)[1]),),
    ),
    Misconception(
        "as good taken for better",
        "A loss that is as good as the best is no improvement: patience goes on running.",
        (_rule(better=lambda new, old: new <= old),),
    ),
    Misconception(
        "one step too patient or too hasty",
        "You stop a step too late or too early: stop in the step in which the best is exactly `patience` "
        "steps old.",
        (_rule(late=1), _rule(late=-1)),
    ),
    Misconception(
        "compared with the step before",
        "You compare each loss with the one before. Compare it with the best so far: losses tremble.",
        (_rises,),
    ),
    Misconception(
        "losses instead of steps",
        "You return losses. Asked for are the numbers of the steps.",
        (lambda v, p: (float(v[reference(v, p)[0]]), float(v[reference(v, p)[1]])),),
    ),
    Misconception(
        "the other way round",
        "Return the step to keep first, then the one at which training stops.",
        (lambda v, p: reference(v, p)[::-1],),
    ),
    Misconception(
        "counted from one",
        "Steps are counted from 0.",
        (lambda v, p: tuple(k + 1 for k in reference(v, p)),),
    ),
    Misconception(
        "no answer when patience lasts",
        "A run whose patience never runs out ends with its last step: return that as the second number.",
        (
            lambda v, p: None if reference(v, p)[1] == len(v) - 1 else reference(v, p),
            lambda v, p: (
                (reference(v, p)[0], len(v)) if reference(v, p)[1] == len(v) - 1 else reference(v, p)
            ),
        ),
    ),
)

ITEM = Item(
    name="stop_early",
    signature="stop_early(validation, patience)",
    title="When to stop, and what to keep",
    parts=(Part("kept"), Part("stopped")),
    reference=reference,
    questions=(
        Question("a run whose patience lasts", 1, draw_through),
        Question("a run that is stopped", 1, draw_stopped, repeats=5),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "Walk through the run as training does, not knowing what comes. What do you have to remember on the "
        "way?",
        "best = 0; for every t: if validation[t] < validation[best], best = t; if t − best is at least "
        "patience, return best and t. After the loop return best and the last step.",
        "The expected picture: a valley that trembles; the solid line stands at its lowest point so far, "
        "the dashed one a few steps later, and near the right end there is a lower point that nobody has "
        "seen.",
    ),
    plot=plot,
)
