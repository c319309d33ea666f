"""Item 1 of set 2: the Jacobian of one step, from its new state."""

import numpy as np

from gatedrnn.practice.items import Item, Misconception, Part, Question


def reference(h, W_hh):
    """Return diag(1 − h²) W_hh."""
    return (1 - h**2)[:, None] * W_hh


def _draw(rng, units):
    return rng.uniform(-0.95, 0.95, size=units), rng.normal(size=(units, units))


def draw_one(rng):
    """A network of one unit."""
    return _draw(rng, 1)


def draw_several(rng):
    """A network of two to four units."""
    return _draw(rng, int(rng.integers(2, 5)))


def plot(axes, function):
    """Draw the four entries of a Jacobian of two units while one of them saturates."""
    h = np.linspace(-0.99, 0.99, 60)
    W_hh = np.array([[0.9, 0.5], [-0.4, 0.7]])
    entries = [np.ravel(function(np.array([value, 0.0]), W_hh)) for value in h]
    axes.plot(h, entries)
    axes.set(xlabel="state of unit 0", ylabel="entries", title="step_jacobian, two units, unit 1 at rest")


MISCONCEPTIONS = (
    Misconception(
        "slope on the wrong side",
        "You scale the columns. The slope belongs to the unit that is pushed, which is the row: entry (i, j) "
        "is how much unit i answers to unit j.",
        (lambda h, W: W * (1 - h**2), lambda h, W: W @ np.diag(1 - h**2)),
    ),
    Misconception(
        "transposed",
        "Your Jacobian is transposed: row i belongs to the new state of unit i, column j to the old state of "
        "unit j.",
        (lambda h, W: reference(h, W).T,),
    ),
    Misconception(
        "slope missing",
        "You return the weights alone. Before unit i answers, its drive passes the tanh, whose slope is "
        "below 1 wherever the unit is active.",
        (lambda h, W: W,),
    ),
    Misconception(
        "1 − h instead of 1 − h²",
        "The slope of tanh, written with its own value h, is 1 − h².",
        (lambda h, W: (1 - h)[:, None] * W, lambda h, W: (1 - np.abs(h))[:, None] * W),
    ),
    Misconception(
        "tanh applied to the state again",
        "h has already been through the tanh. Its slope is 1 − h², not 1 − tanh(h)².",
        (lambda h, W: (1 - np.tanh(h) ** 2)[:, None] * W, lambda h, W: W / np.cosh(h)[:, None] ** 2),
    ),
    Misconception(
        "slope of a sigmoid",
        "h(1 − h) is the slope of a sigmoid. This network uses tanh.",
        (lambda h, W: (h * (1 - h))[:, None] * W,),
    ),
    Misconception(
        "only the diagonal",
        "You return one number per unit, or only a diagonal. Every unit pushes every other: the answer is a "
        "matrix, (H, H).",
        (
            lambda h, W: (1 - h**2) * np.diag(W),
            lambda h, W: np.diag((1 - h**2) * np.diag(W)),
            lambda h, W: 1 - h**2,
            lambda h, W: np.diag(1 - h**2),
        ),
    ),
    Misconception(
        "weights applied to the slopes",
        "You multiplied matrix and vector, which adds over units. Each row of the matrix is to be scaled on "
        "its own.",
        (lambda h, W: W @ (1 - h**2), lambda h, W: (1 - h**2) @ W),
    ),
    Misconception(
        "slope of another drive",
        "You compute a drive from h and take its slope. h is the new state: the tanh that made it has the "
        "slope 1 − h², and no further step is needed.",
        (lambda h, W: (1 - np.tanh(W @ h) ** 2)[:, None] * W,),
    ),
    Misconception(
        "slope on both sides",
        "You scale rows and columns. Only the unit that is pushed has a tanh on the way: the row.",
        (lambda h, W: np.outer(1 - h**2, 1 - h**2) * W,),
    ),
)

ITEM = Item(
    name="step_jacobian",
    signature="step_jacobian(h, W_hh)",
    title="How one step answers to the one before",
    parts=(Part("jacobian", "gradient"),),
    reference=reference,
    questions=(
        Question("one unit", 1, draw_one),
        Question("several units", 1, draw_several),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "Change the old state of unit j a little. By how much does the drive of unit i change, and by how "
        "much then its new state?",
        "The drive of unit i changes by W_hh[i, j], its state by that times the slope of tanh, 1 − h[i]². So "
        "every row of W_hh is scaled by the slope of its unit: [:, None] turns a vector into a column.",
        "The expected picture has four curves: two are flat, the row of the unit at rest, at −0.4 and 0.7; "
        "the row of the other unit makes two arches that reach 0.9 and 0.5 in the middle and 0 at both ends.",
    ),
    plot=plot,
)
