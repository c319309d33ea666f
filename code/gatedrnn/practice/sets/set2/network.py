"""The tanh network whose gradients set 2 asks for; one bias, as in the notebook."""

import numpy as np

from gatedrnn import cells


def states_of(inputs, h0, W_ih, W_hh, b):
    """Return every state after h0, one row per input."""
    parameters = cells.Parameters(W_ih, W_hh, b, np.zeros_like(b))
    return cells.run(cells.rnn_step, inputs, cells.RNNState(h0), parameters).outputs


def draw_run(rng, gain=1.2):
    """Draw inputs, h0, W_ih, W_hh, b and the states of a run of 4 to 8 steps of 2 to 4 units."""
    T, H = int(rng.integers(4, 9)), int(rng.integers(2, 5))
    given = (
        rng.normal(size=(T, 3)),
        rng.uniform(-0.9, 0.9, size=H),
        rng.normal(size=(H, 3)) / 2,
        gain * rng.normal(size=(H, H)) / np.sqrt(H),
        rng.normal(size=H) / 2,
    )
    return *given, states_of(*given)


def carried(direct, states, W_hh, back=lambda W, later: W.T @ later, slope=lambda h: 1 - h**2):
    """Return the blame of every drive, from the last step to the first."""
    blame, arriving = np.zeros_like(states), np.zeros(states.shape[1])
    for t in range(len(states) - 1, -1, -1):
        blame[t] = slope(states[t]) * (direct[t] + arriving)
        arriving = back(W_hh, blame[t])
    return blame


def before(states, h0):
    """Return the state before each step."""
    return np.vstack([h0, states[:-1]])


def summed(blame, heard):
    """Return Σ ε_t times what was heard at t, transposed."""
    return blame.T @ heard
