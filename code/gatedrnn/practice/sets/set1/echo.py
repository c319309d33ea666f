"""Item 2 of set 1: the echo of one pulse in a linear recurrent network."""

import numpy as np

from gatedrnn import dynamics
from gatedrnn.practice.items import Item, Misconception, Part, Question


def reference(W, U, pulse, steps):
    """Return the states h_0 … of h_t = W h_{t−1} + U x_t when x_0 = pulse and all later inputs are 0."""
    return dynamics.impulse_response(W, U @ pulse, steps=steps)


def draw_one_unit(rng):
    """One unit with one input."""
    W = rng.uniform(0.4, 0.95, size=(1, 1)) * rng.choice([-1, 1])
    return W, rng.uniform(0.5, 2, size=(1, 1)), rng.uniform(0.5, 2, size=1), int(rng.integers(4, 8))


def draw_network(rng):
    """Three or four units with two inputs; W is far from symmetric, so a transpose shows."""
    H = int(rng.integers(3, 5))
    W = rng.normal(size=(H, H)) / np.sqrt(H) + np.triu(rng.uniform(0.2, 0.5, size=(H, H)), 1)
    return W, rng.normal(size=(H, 2)), rng.uniform(0.5, 1.5, size=2), int(rng.integers(5, 9))


def plot(axes, function):
    """Draw the echo of a slow and a turning mode."""
    W = dynamics.with_modes([0.3, 0.2], [0.0, 6.0], dt=0.01)
    h = np.asarray(function(W, np.ones((3, 1)), np.ones(1), 60), dtype=float)
    axes.plot(0.01 * np.arange(len(h)), h)
    axes.set(xlabel="time since the pulse (s)", ylabel="state h", title="echo(W, U, pulse, 60)")


def _late(W, U, pulse, steps):
    return reference(W, W @ U, pulse, steps)


def _late_with_rest(W, U, pulse, steps):
    return np.vstack([np.zeros(len(W)), reference(W, U, pulse, steps)[: steps - 1]])


def _elementwise(W, U, pulse, steps):
    return np.stack(
        [(W**t) @ U @ pulse for t in range(steps)]
    )  # W ** 0 is a matrix of ones, not the identity


def _elementwise_after_pulse(W, U, pulse, steps):
    return np.vstack([U @ pulse, _elementwise(W, U, pulse, steps)[1:]])


def _never_ending(W, U, pulse, steps):
    return np.cumsum(reference(W, U, pulse, steps), axis=0)


def _reset(W, U, pulse, steps):
    return np.vstack([U @ pulse, np.zeros((steps - 1, len(W)))])


def _tanh(W, U, pulse, steps, first=np.tanh):
    h = [first(U @ pulse)]
    for _ in range(steps - 1):
        h.append(np.tanh(W @ h[-1]))
    return np.stack(h)


def _one_array(more):
    """All rows are the same array, as it stands after the last step, or one step later."""
    return lambda W, U, pulse, steps: np.tile(reference(W, U, pulse, steps + more)[-1], (steps, 1))


def _entry_by_entry(W, U, pulse, steps):
    return np.stack([np.linalg.matrix_power(W, t) @ (U * pulse) for t in range(steps)])


MISCONCEPTIONS = (
    Misconception(
        "one step late",
        "Your echo is one step late: the pulse arrives in step 0, so the first row is U @ pulse, before W "
        "has acted at all.",
        (_late, _late_with_rest),
    ),
    Misconception(
        "W transposed",
        "Your states follow h @ W, which is the transposed network: W[i, j] leads from unit j to unit i, so "
        "a state is multiplied from the left, W @ h.",
        (lambda W, U, pulse, steps: reference(W.T, U, pulse, steps),),
    ),
    Misconception(
        "power of each entry instead of a matrix power",
        "W ** t raises every entry on its own. Running the network t steps multiplies by the matrix t "
        "times, with @.",
        (_elementwise, _elementwise_after_pulse),
    ),
    Misconception(
        "the pulse never ends",
        "Your input stays on: the pulse is there in step 0 only, and what follows is the network alone, W @ "
        "h.",
        (_never_ending,),
    ),
    Misconception(
        "state forgotten at every step",
        "Your rows after the first are zero, as if each step began from rest. Carry h from one step to the "
        "next.",
        (_reset,),
    ),
    Misconception(
        "tanh in a linear network",
        "This network is linear: no tanh here. It comes back in run_rnn.",
        (_tanh, lambda W, U, pulse, steps: _tanh(W, U, pulse, steps, first=lambda h: h)),
    ),
    Misconception(
        "one array kept in every row",
        "All your rows are the same: h[:] = … writes into the array that you appended before, so every row "
        "shows the last state. Make a new array at each step, h = W @ h, or append h.copy().",
        (_one_array(0), _one_array(1)),
    ),
    Misconception(
        "input multiplied entry by entry",
        "U * pulse multiplies entry by entry and leaves a matrix of shape (H, I). A unit sums over its "
        "inputs, which is the product with @: one number for each unit.",
        (_entry_by_entry,),
    ),
    Misconception(
        "time along the second axis",
        "Your array has units as rows and steps as columns; asked for is one row per step, shape (steps, H).",
        (lambda W, U, pulse, steps: reference(W, U, pulse, steps).T,),
    ),
    Misconception(
        "one row too many",
        "You return steps + 1 rows. Count from the pulse: it is row 0, and the last row is number steps − 1.",
        (
            lambda W, U, pulse, steps: reference(W, U, pulse, steps + 1),
            lambda W, U, pulse, steps: np.vstack([np.zeros(len(W)), reference(W, U, pulse, steps)]),
        ),
    ),
    Misconception(
        "only the last state",
        "You return the state after the last step; asked for are all of them, one row each.",
        (lambda W, U, pulse, steps: reference(W, U, pulse, steps)[-1],),
    ),
    Misconception(
        "weights and inputs swapped",
        "A product does not fit: U has shape (H, I) and the pulse (I,), so U @ pulse gives one number for "
        "each unit.",
        error="matmul|not aligned|could not be broadcast",
    ),
)

ITEM = Item(
    name="echo",
    signature="echo(W, U, pulse, steps)",
    title="The echo of a pulse",
    parts=(Part("echo", "state"),),
    reference=reference,
    questions=(
        Question("one unit", 1, draw_one_unit),
        Question("a network of several units", 2, draw_network),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "Write down the first three states by hand: h_0, h_1 and h_2, given that the state before the pulse "
        "is zero.",
        "h = U @ pulse is row 0. Then repeat steps − 1 times: h = W @ h, and keep a row. np.stack makes an "
        "array of a list of rows.",
        "The expected picture has one unit that only decays, and two that swing in turn, about six times a "
        "second, while they fade. All three start at 1, at time 0.",
    ),
    plot=plot,
)
