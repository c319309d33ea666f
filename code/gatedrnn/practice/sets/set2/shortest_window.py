"""Item 6 of set 2: how far back a truncated gradient has to look, decided by measurement."""

import numpy as np

from gatedrnn.practice.items import Item, Misconception, Part, Question
from gatedrnn.practice.sets.set2.network import before, summed


def terms(blame, states, h0):
    """Return what each step adds to the gradient of W_hh, (T, H, H)."""
    return blame[:, :, None] * before(states, h0)[:, None, :]


def misses_of(blame, states, h0):
    """Return ‖g_k − g‖ / ‖g‖ for windows of the last k = 1 … T steps."""
    whole = summed(blame, before(states, h0))
    windows = np.cumsum(terms(blame, states, h0)[::-1], axis=0)
    return np.linalg.norm(windows - whole, axis=(1, 2)) / np.linalg.norm(whole)


def last_too_short(misses, tolerance):
    """Return the length from which on no longer window misses more than the tolerance."""
    over = np.flatnonzero(misses > tolerance)
    return int(over[-1]) + 2 if over.size else 1


def reference(blame, states, h0, tolerance):
    """Return the misses of all windows and the shortest that is good enough for good."""
    misses = misses_of(blame, states, h0)
    return misses, last_too_short(misses, tolerance)


def first_good(misses, tolerance):
    """Return the first window within the tolerance, which a later one may leave again."""
    return int(np.argmax(misses <= tolerance)) + 1


def draw_swinging(rng):
    """Blame that swings as it fades, so that the miss falls below the tolerance and rises again."""
    while True:
        T = int(rng.integers(30, 45))
        back = np.arange(T)[::-1]
        size, angle = rng.uniform(0.87, 0.93) ** back, rng.uniform(0.5, 1.2) * back + rng.uniform(0, 6)
        blame = np.column_stack([size * np.cos(angle), size * np.sin(angle)])
        states = rng.uniform(0.2, 0.8, size=(T, 2))
        h0, tolerance = rng.uniform(0.2, 0.8, size=2), float(rng.uniform(0.05, 0.3))
        misses = misses_of(blame, states, h0)
        near = np.abs(misses - tolerance).min() < 1e-3 * tolerance
        if not near and first_good(misses, tolerance) + 1 < last_too_short(misses, tolerance) < T - 1:
            return blame, states, h0, tolerance


def plot(axes, function):
    """Draw the miss against the length of the window."""
    given = draw_swinging(np.random.default_rng(0))
    misses, window = function(*given)
    axes.semilogy(1 + np.arange(len(misses) - 1), np.asarray(misses, dtype=float)[:-1], marker=".")
    axes.axhline(given[-1], color="0.6")
    axes.axvline(int(window), color="0.6", linestyle="--")
    axes.set(xlabel="window (steps)", ylabel="miss", title="shortest_window")


def _chosen(choose):
    def wrong(blame, states, h0, tolerance):
        misses = misses_of(blame, states, h0)
        return misses, choose(misses, tolerance)

    return wrong


def _changed(change):
    def wrong(blame, states, h0, tolerance):
        misses = change(misses_of(blame, states, h0), blame, states, h0)
        return misses, last_too_short(misses, tolerance)

    return wrong


def _by_size(blame, states, h0, tolerance):
    """Judge by the size of the last term, not by what is missed."""
    sizes = np.linalg.norm(terms(blame, states, h0), axis=(1, 2))[::-1]
    misses = misses_of(blame, states, h0)
    return misses, int(np.argmax(sizes < tolerance * sizes[0])) + 1


def _from_the_start(blame, states, h0):
    whole = summed(blame, before(states, h0))
    windows = np.cumsum(terms(blame, states, h0), axis=0)
    return np.linalg.norm(windows - whole, axis=(1, 2)) / np.linalg.norm(whole)


def _relative_to_window(misses, blame, states, h0):
    windows = np.linalg.norm(np.cumsum(terms(blame, states, h0)[::-1], axis=0), axis=(1, 2))
    return misses * np.linalg.norm(summed(blame, before(states, h0))) / windows


def _lengths(misses, blame, states, h0):
    whole = np.linalg.norm(summed(blame, before(states, h0)))
    windows = np.linalg.norm(np.cumsum(terms(blame, states, h0)[::-1], axis=0), axis=(1, 2))
    return np.abs(windows - whole) / whole


def _by(size):
    """Misses by another measure of size."""

    def change(misses, blame, states, h0):
        windows = np.cumsum(terms(blame, states, h0)[::-1], axis=0)
        return np.array([size(window - windows[-1]) for window in windows]) / size(windows[-1])

    return change


def _same_step(misses, blame, states, h0):
    windows = np.cumsum((blame[:, :, None] * states[:, None, :])[::-1], axis=0)
    return np.linalg.norm(windows - windows[-1], axis=(1, 2)) / np.linalg.norm(windows[-1])


MISCONCEPTIONS = (
    Misconception(
        "the first window within the tolerance",
        "The miss falls below the tolerance at your window and rises above it again for longer ones: there, "
        "two errors cancelled by chance. Asked for is the shortest window from which on all longer ones are "
        "good enough.",
        (_chosen(first_good),),
    ),
    Misconception(
        "one too few or too many",
        "Windows are counted from 1: misses[0] belongs to the window of one step, so a place in the array is "
        "one less than the window.",
        (
            _chosen(lambda m, tolerance: last_too_short(m, tolerance) - 1),
            _chosen(lambda m, tolerance: last_too_short(m, tolerance) + 1),
        ),
    ),
    Misconception(
        "the longest window that is too short",
        "You return the longest window that still misses too much. Asked for is one step more, or two places "
        "later in the array.",
        (_chosen(lambda m, tolerance: last_too_short(m, tolerance) - 2),),
    ),
    Misconception(
        "window from the beginning",
        "Your windows begin at the first step. A truncated gradient keeps the last steps: what is nearest to "
        "the error.",
        (
            lambda e, h, h0, tolerance: (
                _from_the_start(e, h, h0),
                last_too_short(_from_the_start(e, h, h0), tolerance),
            ),
        ),
    ),
    Misconception(
        "not divided by the gradient",
        "You give the size of what is missed. Asked for is its share: divide by the norm of the whole "
        "gradient.",
        (_changed(lambda m, e, h, h0: m * np.linalg.norm(summed(e, before(h, h0)))),),
    ),
    Misconception(
        "divided by the truncated gradient",
        "You divide by the norm of the truncated gradient. Compare all windows with the same: the whole one.",
        (_changed(_relative_to_window),),
    ),
    Misconception(
        "lengths compared instead of gradients",
        "You compare how long the two gradients are. They can be equally long and point elsewhere: take the "
        "norm of their difference.",
        (_changed(_lengths),),
    ),
    Misconception(
        "state of the same step",
        "In step t the recurrent weights multiplied the state of the step before, h0 in the first.",
        (_changed(_same_step),),
    ),
    Misconception(
        "stopped at a small term",
        "You stop where a term is small. Many small terms can add up, and one can be small by chance: "
        "measure what is missed.",
        (_by_size,),
    ),
    Misconception(
        "one value returned instead of two",
        "Return two things: the misses of all windows and the length of the one you choose.",
        (lambda *given: reference(*given)[0], lambda *given: reference(*given)[1]),
    ),
    Misconception(
        "squares instead of norms",
        "Your misses are squared. A norm is the root of the sum of squares.",
        (_changed(lambda m, e, h, h0: m**2),),
    ),
    Misconception(
        "another norm",
        "You take a norm for matrices, or the largest entry. Asked for is the root of the sum of the squares "
        "of all entries.",
        (_changed(_by(lambda a: np.linalg.norm(a, 2))), _changed(_by(lambda a: np.abs(a).max()))),
    ),
    Misconception(
        "misses in reversed order",
        "Your misses begin with the longest window. The first belongs to the window of one step.",
        (
            lambda *given: (reference(*given)[0][::-1], reference(*given)[1]),
            lambda *given: (
                reference(*given)[0][::-1],
                last_too_short(reference(*given)[0][::-1], given[-1]),
            ),
        ),
    ),
    Misconception(
        "a window of no steps",
        "Your first window holds no step at all. Windows have 1 to T steps.",
        (
            _changed(lambda m, e, h, h0: np.append(1.0, m[:-1])),
            _changed(lambda m, e, h, h0: np.append(1.0, m)),
            _changed(lambda m, e, h, h0: np.append(0.0, m[:-1])),
        ),
    ),
    Misconception(
        "initial state ignored",
        "In the first step the recurrent weights multiplied h0. states[t - 1] is the last state if t is 0.",
        (
            lambda e, h, h0, tolerance: reference(e, h, 0 * h0, tolerance),
            lambda e, h, h0, tolerance: reference(e, h, h[-1], tolerance),
        ),
    ),
    Misconception(
        "windows counted that are too short",
        "You count the windows that miss too much. They are not all at the beginning: look for the last of "
        "them.",
        (_chosen(lambda m, tolerance: int(np.sum(m > tolerance)) + 1),),
    ),
)

ITEM = Item(
    name="shortest_window",
    signature="shortest_window(blame, states, h0, tolerance)",
    title="How far back is far enough?",
    parts=(Part("misses"), Part("window")),
    reference=reference,
    questions=(
        Question("what each window misses", 2, draw_swinging, grades=("misses",)),
        Question("which window is long enough", 1, draw_swinging, grades=("window",), repeats=6),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "The gradient of W_hh is a sum over steps. A window of k steps keeps the last k terms. How far is "
        "that from the whole sum?",
        "Collect the terms np.outer(blame[t], state before t) from the last step backwards and add them up, "
        "one more each time: np.cumsum. For each sum, the norm of its difference from the whole over the "
        "norm of the whole. Then look for the last window that misses too much.",
        "The expected picture: a curve that falls with bumps. It crosses the grey line several times; the "
        "dashed line stands where it stays below for good.",
    ),
    plot=plot,
)
