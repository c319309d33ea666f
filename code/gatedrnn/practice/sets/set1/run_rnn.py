"""Item 4 of set 1: a tanh network run over a sequence, from a given state, with torch's two biases."""

import numpy as np

from gatedrnn import cells
from gatedrnn.practice.items import Item, Misconception, Part, Question


def reference(inputs, h0, W_ih, W_hh, b_ih, b_hh):
    """Return all hidden states and the last one."""
    parameters = cells.Parameters(W_ih, W_hh, b_ih, b_hh)
    trace = cells.run(cells.rnn_step, inputs, cells.RNNState(h0), parameters)
    return trace.outputs, trace.state.hidden


def _draw(rng, biases, start):
    T, H = int(rng.integers(4, 8)), int(rng.integers(3, 5))  # steps, units; two inputs
    return (
        rng.normal(size=(T, 2)),
        rng.uniform(-0.9, 0.9, size=H) * start + 0.0,  # + 0.0: no −0 in messages
        rng.normal(size=(H, 2)),
        rng.normal(size=(H, H)) / np.sqrt(H),
        rng.normal(size=H) * biases + 0.0,
        rng.normal(size=H) * biases + 0.0,
    )


def draw_plain(rng):
    """Start at rest, no bias."""
    return _draw(rng, biases=0, start=0)


def draw_biases(rng):
    """Start at rest, two biases."""
    return _draw(rng, biases=1, start=0)


def draw_state(rng):
    """Start at a given state, two biases."""
    return _draw(rng, biases=1, start=1)


def plot(axes, function):
    """Draw three units driven by a pulse."""
    rng = np.random.default_rng(3)
    inputs = np.zeros((40, 1))
    inputs[5:8] = 1
    W_hh = np.diag([0.95, 0.8, -0.7])
    outputs, _ = function(inputs, np.zeros(3), np.ones((3, 1)), W_hh, 0.1 * rng.normal(size=3), np.zeros(3))
    axes.plot(np.asarray(outputs, dtype=float))
    axes.set(xlabel="step", ylabel="hidden state", title="run_rnn with a pulse in steps 5 to 7")


def _mistake(step=None, start=lambda h0: h0, pack=lambda states, h0: (states, states[-1])):
    """Build a wrong answer: another step, another start or another way of returning the states."""

    def wrong(inputs, h0, W_ih, W_hh, b_ih, b_hh):
        h, states = start(h0), []
        for x in inputs:
            drive = W_ih @ x + b_ih + W_hh @ h + b_hh
            h = np.tanh(drive) if step is None else step(x, h, h0, W_ih, W_hh, b_ih, b_hh)
            states.append(h)
        return pack(np.stack(states), h0)

    return wrong


MISCONCEPTIONS = (
    Misconception(
        "one bias missing",
        "One of the two biases is missing: torch adds b_ih to the input's product and b_hh to the state's.",
        (
            _mistake(lambda x, h, h0, W, U, b, c: np.tanh(W @ x + b + U @ h)),
            _mistake(lambda x, h, h0, W, U, b, c: np.tanh(W @ x + U @ h + c)),
        ),
    ),
    Misconception(
        "both biases missing",
        "Neither bias is in your step: both are added before the tanh.",
        (_mistake(lambda x, h, h0, W, U, b, c: np.tanh(W @ x + U @ h)),),
    ),
    Misconception(
        "bias added after the tanh",
        "Your biases are added after the tanh; they belong inside, with the two products.",
        (_mistake(lambda x, h, h0, W, U, b, c: np.tanh(W @ x + U @ h) + b + c),),
    ),
    Misconception(
        "initial state ignored",
        "Your run always starts at rest. Start from h0.",
        (_mistake(start=np.zeros_like),),
    ),
    Misconception(
        "state reset at every step",
        "Every step of yours sees the initial state, not the state of the step before: the network "
        "remembers nothing. Overwrite h in the loop.",
        (
            _mistake(lambda x, h, h0, W, U, b, c: np.tanh(W @ x + b + U @ h0 + c)),
            _mistake(lambda x, h, h0, W, U, b, c: np.tanh(W @ x + b + c)),
        ),
    ),
    Misconception(
        "recurrent weights transposed",
        "Your recurrent weights are transposed: h @ W_hh is W_hh.T @ h. Row i of W_hh collects what reaches "
        "unit i.",
        (_mistake(lambda x, h, h0, W, U, b, c: np.tanh(W @ x + b + U.T @ h + c)),),
    ),
    Misconception(
        "tanh missing",
        "Your network is linear: the sum of products and biases goes through np.tanh before it becomes the "
        "state.",
        (_mistake(lambda x, h, h0, W, U, b, c: W @ x + b + U @ h + c),),
    ),
    Misconception(
        "tanh on one term only",
        "The tanh goes around the whole sum, not around one of its terms.",
        (
            _mistake(lambda x, h, h0, W, U, b, c: W @ x + b + np.tanh(U @ h + c)),
            _mistake(lambda x, h, h0, W, U, b, c: np.tanh(W @ x + b) + U @ h + c),
        ),
    ),
    Misconception(
        "sigmoid instead of tanh",
        "Your states are between 0 and 1: that is a sigmoid. This network uses tanh.",
        (_mistake(lambda x, h, h0, W, U, b, c: 1 / (1 + np.exp(-(W @ x + b + U @ h + c)))),),
    ),
    Misconception(
        "initial state among the outputs",
        "Your outputs start with h0: asked for is one row for each input, the state after that input.",
        (
            _mistake(pack=lambda states, h0: (np.vstack([h0, states]), states[-1])),
            _mistake(pack=lambda states, h0: (np.vstack([h0, states[:-1]]), states[-1])),
            _mistake(pack=lambda states, h0: (np.vstack([h0, states[:-1]]), states[-2])),
        ),
    ),
    Misconception(
        "initial state returned as final state",
        "Your outputs are right; as final state you return the one you started from. Return the last h.",
        (
            _mistake(pack=lambda states, h0: (states, h0)),
            _mistake(pack=lambda states, h0: (states, states[0])),
        ),
    ),
    Misconception(
        "one value returned instead of two",
        "Return two things: all states, one row each, and the last state: return outputs, h.",
        (_mistake(pack=lambda states, h0: states), _mistake(pack=lambda states, h0: states[-1])),
    ),
    Misconception(
        "a product that does not fit",
        "A product does not fit: W_ih has shape (H, I) and x, one row of inputs, has shape (I,). Which of "
        "the two has to stand on the left of @ for one number per unit?",
        error="matmul|not aligned|could not be broadcast",
    ),
)

ITEM = Item(
    name="run_rnn",
    signature="run_rnn(inputs, h0, W_ih, W_hh, b_ih, b_hh)",
    title="A network over a sequence",
    parts=(Part("outputs"), Part("state", "state")),
    reference=reference,
    questions=(
        Question("a run from rest without biases", 1, draw_plain),
        Question("two biases", 1, draw_biases),
        Question("a given initial state", 1, draw_state),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "One step turns an input and a state into the next state. What does the second step need from the "
        "first?",
        "h = h0; for x in inputs: h = np.tanh(… four terms …), kept as a row. The four terms are W_ih @ x, "
        "b_ih, W_hh @ h and b_hh. Return the rows and the last h.",
        "The expected picture has three units that rise during the pulse. Afterwards one stays high, one "
        "falls far below 0, and one swings from side to side and comes to rest just above 0; none leaves "
        "−1 to 1.",
    ),
    plot=plot,
)
