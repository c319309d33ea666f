"""The LSTM that the items of set 3 compare with, and ways to get it wrong that several of them share."""

import numpy as np

from gatedrnn import cells

SINGLE = dict(rtol=1e-5, atol=1e-6)  # tolerances: single precision, as torch computes, is as good
GATES = ("input", "forget", "candidate", "output")


def draw_parameters(rng, inputs=2, units=3, biases=True):
    """Weights and biases at random, in the order of ``lstm_step``'s last four arguments."""
    return (
        rng.normal(size=(4 * units, inputs)),
        rng.normal(size=(4 * units, units)) / np.sqrt(units),
        rng.normal(size=4 * units) * biases + 0.0,  # + 0.0: no −0 in messages
        rng.normal(size=4 * units) * biases + 0.0,
    )


def step(x, h, c, *parameters):
    """Return h, c and the four gates, stacked, after one step."""
    state, gates = cells.lstm_step(x, cells.LSTMState(h, c), cells.Parameters(*parameters))
    return state.hidden, state.cell, np.stack(gates)


def run(inputs, h, c, *parameters, step=step):
    """Return every h, every c and the gates of every step."""
    hidden, cell, gates = [], [], []
    for x in inputs:
        h, c, now = step(x, h, c, *parameters)
        hidden.append(h)
        cell.append(c)
        gates.append(now)
    return np.stack(hidden), np.stack(cell), np.stack(gates)


def mistaken(
    order="ifgo",
    drive=lambda x, h, c, W, U, b, d: W @ x + b + U @ h + d,
    squash=(cells.sigmoid, cells.sigmoid, np.tanh, cells.sigmoid),
    keep=lambda i, f, g, c: f * c + i * g,
    speak=lambda o, c, before: o * np.tanh(c),
    pack=lambda h, c, gates: (h, c, gates),
):
    """Return a wrong ``lstm_step``: the right one with one of its pieces exchanged.

    ``order`` says which gate the four blocks of rows are taken for; the gates are returned as i, f, g, o.
    """

    def wrong(x, h, c, W_ih, W_hh, b_ih, b_hh):
        blocks = np.split(drive(x, h, c, W_ih, W_hh, b_ih, b_hh), 4)
        values = dict(zip(order, blocks, strict=True))
        gates = [phi(values[name]) for name, phi in zip("ifgo", squash, strict=True)]
        cell = keep(*gates[:3], c)
        return pack(speak(gates[3], cell, c), cell, np.stack(gates))

    return wrong
