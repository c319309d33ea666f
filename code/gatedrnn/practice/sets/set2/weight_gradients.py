"""Item 3 of set 2: from the blame of every drive to the gradients of weights and bias."""

import numpy as np

from gatedrnn.practice.items import Item, Misconception, Part, Question
from gatedrnn.practice.sets.set2.network import before, carried, draw_run, summed


def reference(blame, inputs, states, h0):
    """Return the gradients of W_ih, W_hh and the bias (eq-bptt-weights)."""
    return summed(blame, inputs), summed(blame, before(states, h0)), blame.sum(axis=0)


def draw(rng):
    """The blame of a run with errors at every step."""
    inputs, h0, _, W_hh, _, states = draw_run(rng)
    return carried(rng.normal(size=states.shape), states, W_hh), inputs, states, h0


def plot(axes, function):
    """Draw the gradients as a picture, bias, inputs and states side by side."""
    blame, inputs, states, h0 = draw(np.random.default_rng(6))
    W_ih, W_hh, b = (np.asarray(part, dtype=float) for part in function(blame, inputs, states, h0))
    axes.imshow(np.column_stack([b, W_ih, W_hh]), cmap="PuOr", vmin=-3, vmax=3)
    axes.set(xlabel="bias, inputs, states", ylabel="unit", title="weight_gradients")


def _heard(previous):
    return lambda blame, inputs, states, h0: (
        summed(blame, inputs),
        summed(blame, previous(states, h0)),
        blame.sum(axis=0),
    )


def _packed(pack):
    return lambda *given: pack(*reference(*given), len(given[0]))


MISCONCEPTIONS = (
    Misconception(
        "state of the same step",
        "Your gradient of W_hh uses the state of the same step. In step t the weights multiply the state of "
        "the step before: h0 for the first, then each row but the last.",
        (_heard(lambda states, h0: states),),
    ),
    Misconception(
        "initial state ignored",
        "In the first step W_hh multiplied h0. You leave it out, or take zeros for it.",
        (_heard(lambda states, h0: before(states, 0 * h0)),),
    ),
    Misconception(
        "shifted the wrong way",
        "You pair each blame with the state of the step after. The weights multiplied the state before.",
        (
            _heard(lambda states, h0: np.vstack([states[1:], 0 * h0])),
            _heard(lambda states, h0: np.vstack([states[1:], h0])),
            _heard(lambda states, h0: np.vstack([states[1:], states[:1]])),
        ),
    ),
    Misconception(
        "rolled round",
        "np.roll brings the last state to the front. Before the first step stood h0.",
        (_heard(lambda states, h0: np.roll(states, 1, axis=0)),),
    ),
    Misconception(
        "transposed",
        "Your gradients are transposed: a gradient has the shape of its weights, a row for each unit that is "
        "pushed.",
        (
            _packed(lambda W, U, b, T: (W.T, U.T, b)),
            _packed(lambda W, U, b, T: (W, U.T, b)),
            _packed(lambda W, U, b, T: (W.T, U, b)),
        ),
    ),
    Misconception(
        "mean over steps",
        "You take the mean over steps. All steps share the weights: their blame adds up.",
        (
            _packed(lambda W, U, b, T: (W / T, U / T, b / T)),
            _packed(lambda W, U, b, T: (W, U, b / T)),
        ),
    ),
    Misconception(
        "only the last step",
        "You return the contribution of one step. Add up over all of them.",
        (
            lambda e, x, h, h0: (np.outer(e[-1], x[-1]), np.outer(e[-1], before(h, h0)[-1]), e[-1]),
            lambda e, x, h, h0: (np.outer(e[0], x[0]), np.outer(e[0], h0), e[0]),
        ),
    ),
    Misconception(
        "bias added over units",
        "Your gradient of the bias adds over units. It adds over steps: one number for each unit.",
        (
            lambda e, x, h, h0: (*reference(e, x, h, h0)[:2], e.sum()),
            lambda e, x, h, h0: (*reference(e, x, h, h0)[:2], e.sum(axis=1)),
        ),
    ),
    Misconception(
        "slope applied again",
        "The blame has passed the slope already. You multiply by 1 − h² once more.",
        (lambda e, x, h, h0: reference(e * (1 - h**2), x, h, h0),),
    ),
    Misconception(
        "gradients in another order",
        "Return the three in this order: W_ih, W_hh, bias.",
        (
            _packed(lambda W, U, b, T: (U, W, b)),
            _packed(lambda W, U, b, T: (b, W, U)),
        ),
    ),
    Misconception(
        "not added over steps",
        "You give what each step adds. All steps share the weights: add up over the first axis.",
        (
            lambda e, x, h, h0: (*reference(e, x, h, h0)[:2], e),
            lambda e, x, h, h0: (
                e[:, :, None] * x[:, None],
                e[:, :, None] * before(h, h0)[:, None],
                e,
            ),
        ),
    ),
    Misconception(
        "bias as a column or row",
        "Your numbers are right, but the bias is a plain vector: shape (H,), one axis.",
        (
            lambda e, x, h, h0: (*reference(e, x, h, h0)[:2], e.sum(axis=0)[:, None]),
            lambda e, x, h, h0: (*reference(e, x, h, h0)[:2], e.sum(axis=0)[None]),
        ),
    ),
    Misconception(
        "a product that does not fit",
        "Time is what has to be added over: it has T rows in both factors, as in blame.T @ …, and goes away. "
        "states[:-1] has a row too few: h0 belongs on top.",
        (
            lambda e, x, h, h0: (e @ x.T, e @ h.T, e.sum(axis=0)),
            lambda e, x, h, h0: (e @ x.T, e @ before(h, h0).T, e.sum(axis=0)),
        ),
        error="matmul|not aligned|core dimension",
    ),
    Misconception(
        "a vector joined to a matrix",
        "h0 is a vector and the states are a matrix. np.vstack puts the one as a row on top of the other.",
        error="same number of dimensions",
    ),
)

ITEM = Item(
    name="weight_gradients",
    signature="weight_gradients(blame, inputs, states, h0)",
    title="What each weight is to blame for",
    parts=(Part("W_ih", "gradient"), Part("W_hh", "gradient"), Part("b", "gradient")),
    reference=reference,
    questions=(
        Question("the gradients of input weights and bias", 1, draw, grades=("W_ih", "b")),
        Question("the gradient of the recurrent weights", 2, draw, grades=("W_hh",)),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "In step t, the weight from j to i multiplied what j sent. What is it to blame for in that step, and "
        "what in all steps together?",
        "Each gradient is a sum over steps of np.outer(blame[t], what was multiplied): inputs[t] for W_ih, "
        "the state before step t for W_hh, and 1 for the bias. The state before the first step is h0.",
        "The expected picture is a grid of coloured squares, one row for each unit, and in every row first "
        "the bias, then three inputs, then the states. The darkest is violet: the first input of the last "
        "unit.",
    ),
    plot=plot,
)
