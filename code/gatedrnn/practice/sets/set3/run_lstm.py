"""Item 3 of set 3: an LSTM run over a sequence, with every gate written down."""

import numpy as np

from gatedrnn.practice.items import Item, Misconception, Part, Question
from gatedrnn.practice.sets.set3 import equations
from gatedrnn.practice.sets.set3.equations import SINGLE, run, step


def _draw(rng, start):
    T, H = int(rng.integers(5, 9)), int(rng.integers(2, 4))  # steps, units; two inputs
    h0, c0 = rng.uniform(-0.9, 0.9, size=H) * start, rng.uniform(-2, 2, size=H) * start
    return (rng.normal(size=(T, 2)), h0 + 0.0, c0 + 0.0, *equations.draw_parameters(rng, units=H))


def draw_rest(rng):
    """A sequence from rest."""
    return _draw(rng, start=0)


def draw_state(rng):
    """A sequence from a given state."""
    return _draw(rng, start=1)


def counter():
    """One unit that adds up the pulses of its first input and speaks when its second one asks.

    Returns
    -------
    parameters : tuple of arrays
        W_ih, W_hh, b_ih, b_hh.
    """
    W_ih = np.array([[8.0, 0.0], [0.0, 0.0], [2.0, 0.0], [0.0, 8.0]])
    return W_ih, np.zeros((4, 1)), np.array([-4.0, 6.0, 0.0, -4.0]), np.zeros(4)


def plot(axes, function):
    """Draw the cell state and the output of a unit that counts pulses and is asked once."""
    inputs = np.zeros((40, 2))
    inputs[[5, 10, 20], 0], inputs[32:36, 1] = 1, 1
    outputs, held, _ = function(inputs, np.zeros(1), np.zeros(1), *counter())
    axes.plot(np.asarray(held, dtype=float), label="c")
    axes.plot(np.asarray(outputs, dtype=float), label="h")
    axes.legend()
    axes.set(xlabel="step", ylabel="state", title="run_lstm, three pulses and one question")


def _started(h=lambda h0, c0: h0, c=lambda h0, c0: c0):
    return lambda inputs, h0, c0, *parameters: run(inputs, h(h0, c0), c(h0, c0), *parameters)


def _forgetful(kept):
    """A loop that does not carry h, c or either of them from step to step."""

    def wrong(inputs, h0, c0, *parameters):
        h, c, rows = h0, c0, []
        for x in inputs:
            new_h, new_c, gates = step(x, h, c, *parameters)
            rows.append((new_h, new_c, gates))
            h, c = new_h if "h" in kept else h, new_c if "c" in kept else c
        return tuple(np.stack(column) for column in zip(*rows, strict=True))

    return wrong


def _packed(pack):
    return lambda inputs, h0, c0, *parameters: pack(h0, c0, *run(inputs, h0, c0, *parameters))


MISCONCEPTIONS = (
    Misconception(
        "initial state ignored",
        "Your run always starts at rest. Start from h0 and c0.",
        (_started(h=lambda h0, c0: 0 * h0, c=lambda h0, c0: 0 * c0),),
    ),
    Misconception(
        "one half of the initial state ignored",
        "The state has two halves. You start from one of h0 and c0 and leave the other at zero.",
        (_started(h=lambda h0, c0: 0 * h0), _started(c=lambda h0, c0: 0 * c0)),
    ),
    Misconception(
        "h0 and c0 exchanged",
        "You start with h0 as the cell state and c0 as the hidden state.",
        (_started(h=lambda h0, c0: c0, c=lambda h0, c0: h0),),
    ),
    Misconception(
        "h not carried on",
        "Every step of yours hears the h of the start: overwrite h in the loop.",
        (_forgetful("c"),),
    ),
    Misconception(
        "c not carried on",
        "Every step of yours starts from the first c: nothing is remembered. Overwrite c in the loop.",
        (_forgetful("h"), _forgetful("")),
    ),
    Misconception(
        "cell states as outputs",
        "As outputs you give the cell states. The outputs are the h; the c are the second value.",
        (
            _packed(lambda h0, c0, h, c, gates: (c, h, gates)),
            _packed(lambda h0, c0, h, c, gates: (c, c, gates)),
        ),
    ),
    Misconception(
        "initial state among the outputs",
        "Your rows start with the initial state: asked for is the state after each input.",
        (
            _packed(lambda h0, c0, h, c, g: (np.vstack([h0, h]), np.vstack([c0, c]), g)),
            _packed(lambda h0, c0, h, c, g: (np.vstack([h0, h[:-1]]), np.vstack([c0, c[:-1]]), g)),
        ),
    ),
    Misconception(
        "only the last step returned",
        "You return the last step alone. Append the values of every step and stack them: one row each.",
        (_packed(lambda h0, c0, h, c, gates: (h[-1], c[-1], gates[-1])),),
    ),
    Misconception(
        "gates in another shape",
        "Time is the first axis of the gates too: step t has gates[t], of shape (4, H), so that all are (T, "
        "4, H).",
        (
            _packed(lambda h0, c0, h, c, gates: (h, c, np.moveaxis(gates, 0, 1))),
            _packed(lambda h0, c0, h, c, gates: (h, c, np.swapaxes(gates, 1, 2))),
            _packed(lambda h0, c0, h, c, gates: (h, c, np.concatenate(gates))),
            _packed(lambda h0, c0, h, c, gates: (h, c, gates.reshape(len(h), -1))),
        ),
    ),
    Misconception(
        "two values returned instead of three",
        "Return three things: every h, every c and all gates.",
        (
            _packed(lambda h0, c0, h, c, gates: (h, c)),
            _packed(lambda h0, c0, h, c, gates: (h, gates)),
            _packed(lambda h0, c0, h, c, gates: (h, (h[-1], c[-1]))),
        ),
    ),
    Misconception(
        "returned inside the loop",
        "Your answer has the first step only: the return stands inside the loop.",
        (_packed(lambda h0, c0, h, c, gates: (h[:1], c[:1], gates[:1])),),
    ),
    Misconception(
        "steps in one long row",
        "Your steps stand behind each other in one row. np.stack gives each a row of its own.",
        (_packed(lambda h0, c0, h, c, gates: (h.ravel(), c.ravel(), np.hstack(gates))),),
    ),
    Misconception(
        "time across",
        "Your outputs have a column for each step. Asked for is a row for each step.",
        (_packed(lambda h0, c0, h, c, gates: (h.T, c.T, gates)),),
    ),
)

ITEM = Item(
    name="run_lstm",
    signature="run_lstm(inputs, h0, c0, W_ih, W_hh, b_ih, b_hh)",
    title="A sequence, and the trace of every gate",
    parts=(Part("outputs", "state"), Part("cells", "state"), Part("gates", "gate")),
    reference=run,
    questions=(
        Question("the outputs from rest", 1, draw_rest, grades=("outputs",), **SINGLE),
        Question(
            "outputs and cell states from a given state", 1, draw_state, grades=("outputs", "cells"), **SINGLE
        ),
        Question("the trace of the gates", 1, draw_state, grades=("gates",), **SINGLE),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "A step gives h, c and the gates. Which of them does the next step need, and which are only written "
        "down?",
        "h, c = h0, c0; in a loop over the rows of inputs: h, c, gates = lstm_step(x, h, c, …), each put "
        "into a list of its own. Return the three lists as stacked arrays.",
        "The expected picture: c rises in three stairs and then hardly falls; h stays near 0 until step 32, "
        "where the unit is asked, and says what it holds for four steps.",
    ),
    plot=plot,
)
