"""Item 2 of set 6: a tanh network in both directions."""

import numpy as np

from gatedrnn import cells
from gatedrnn.practice.items import Item, Misconception, Part, Question


def one_way(inputs, U, W):
    """Return every state of a tanh network without biases, from rest."""
    no_bias = np.zeros(len(W))
    return cells.run(cells.rnn_step, inputs, None, cells.Parameters(U, W, no_bias, no_bias)).outputs


def both(inputs, U_f, W_f, U_b, W_b):
    """Return the states of both directions, each in the order of time."""
    return one_way(inputs, U_f, W_f), one_way(inputs[::-1], U_b, W_b)[::-1]


def reference(inputs, U_f, W_f, U_b, W_b):
    """Return both directions side by side, and what each has come to at its own end."""
    forward, backward = both(inputs, U_f, W_f, U_b, W_b)
    return np.concatenate([forward, backward], axis=1), np.concatenate([forward[-1], backward[0]])


def draw(rng):
    """A sequence, and a network for each direction."""
    H = int(rng.integers(2, 4))
    weights = [rng.normal(size=(H, width)) for width in (2, H, 2, H)]
    return rng.normal(size=(int(rng.integers(4, 8)), 2)), *weights


def plot(axes, function):
    """Draw the states of one unit in each direction around a pulse."""
    inputs = np.zeros((41, 1))
    inputs[20] = 1
    U, W = np.ones((1, 1)), np.full((1, 1), 0.85)
    axes.plot(np.asarray(function(inputs, U, W, U, W)[0], dtype=float))
    axes.set(xlabel="step", ylabel="state", title="run_both, a pulse in step 20")


def _mistake(join, last=lambda f, b: np.concatenate([f[-1], b[0]])):
    def wrong(*given):
        forward, backward = both(*given)
        return join(forward, backward), last(forward, backward)

    return wrong


def _side_by_side(f, b):
    return np.concatenate([f, b], axis=1)


def _not_turned(inputs, U_f, W_f, U_b, W_b):
    forward, backward = one_way(inputs, U_f, W_f), one_way(inputs, U_b, W_b)
    return _side_by_side(forward, backward), np.concatenate([forward[-1], backward[-1]])


def _carried_over(inputs, U_f, W_f, U_b, W_b):
    """The backward network starts from the last state of the forward one."""
    forward = one_way(inputs, U_f, W_f)
    h, states = forward[-1], []
    for x in inputs[::-1]:
        h = np.tanh(U_b @ x + W_b @ h)
        states.append(h)
    backward = np.stack(states)[::-1]
    return _side_by_side(forward, backward), np.concatenate([forward[-1], backward[0]])


def _without_present(f, b):
    return _side_by_side(f, np.vstack([b[1:], 0 * b[:1]]))


def _mixed(inputs, U_f, W_f, U_b, W_b):
    """The backward step takes the forward state of the same step for its own."""
    forward = one_way(inputs, U_f, W_f)
    backward = np.tanh(inputs @ U_b.T + forward @ W_b.T)
    return _side_by_side(forward, backward), np.concatenate([forward[-1], backward[0]])


MISCONCEPTIONS = (
    Misconception(
        "backward states not turned back",
        "Your backward states are in the order in which they were computed, last step first. Turn them round "
        "again, so that row t holds what is known of step t and after.",
        (_mistake(lambda f, b: _side_by_side(f, b[::-1])),),
    ),
    Misconception(
        "both read forwards",
        "Your second network reads forwards, too. It has to read the inputs from the last to the first.",
        (
            _not_turned,
            lambda *given: (_mistake(lambda f, b: f)(*given)[0], _not_turned(*given)[1]),
        ),
    ),
    Misconception(
        "weights exchanged",
        "You read forwards with the weights of the backward network, and the other way round.",
        (lambda x, U, W, V, Z: reference(x, V, Z, U, W),),
    ),
    Misconception(
        "one set of weights for both",
        "Both of your directions use the same weights. Each has its own.",
        (lambda x, U, W, V, Z: reference(x, U, W, U, W), lambda x, U, W, V, Z: reference(x, V, Z, V, Z)),
    ),
    Misconception(
        "backward half first",
        "Your backward half stands in front. The forward units come first, as in torch.",
        (
            _mistake(lambda f, b: _side_by_side(b, f), last=lambda f, b: np.concatenate([b[0], f[-1]])),
            _mistake(lambda f, b: _side_by_side(b, f)),
        ),
    ),
    Misconception(
        "added instead of side by side",
        "You add the two directions. Put them side by side: 2H numbers for each step.",
        (_mistake(np.add), _mistake(np.add, last=lambda f, b: f[-1] + b[0])),
    ),
    Misconception(
        "one below the other",
        "You put one direction below the other. Row t holds both: concatenate along axis 1.",
        (_mistake(lambda f, b: np.concatenate([f, b], axis=0)),),
    ),
    Misconception(
        "last row as last states",
        "Your last states are the last row of the outputs. For the backward network that is where it began, "
        "having heard one input: it ends at the first step.",
        (_mistake(_side_by_side, last=lambda f, b: np.concatenate([f[-1], b[-1]])),),
    ),
    Misconception(
        "present left out of the backward half",
        "Your backward half at t knows what comes after t, and not what comes in t. Both directions include "
        "the present.",
        (_mistake(_without_present),),
    ),
    Misconception(
        "backward network started from the forward state",
        "Your backward network starts with the last state of the forward one. Both start at rest.",
        (_carried_over,),
    ),
    Misconception(
        "one value returned instead of two",
        "Return two things: the outputs, (T, 2H), and the last state of each direction, (2H,).",
        (lambda *given: reference(*given)[0],),
    ),
    Misconception(
        "one axis too many",
        "You stack the two directions along an axis of their own. Put them side by side: (T, 2H) for the "
        "states, (2H,) for the last ones.",
        (
            lambda *given: (np.stack(both(*given), axis=1), reference(*given)[1]),
            lambda *given: (np.stack(both(*given)), reference(*given)[1]),
            _mistake(_side_by_side, last=lambda f, b: np.stack([f[-1], b[0]])),
        ),
        shows=lambda given, answer: isinstance(answer[1], tuple),
    ),
    Misconception(
        "units interleaved",
        "Your columns alternate between the directions. First all forward units, then all backward units.",
        (_mistake(lambda f, b: np.stack([f, b], axis=2).reshape(len(f), -1)),),
    ),
    Misconception(
        "time across",
        "Your answer has a column for each step. Asked for is a row for each step.",
        (_mistake(lambda f, b: _side_by_side(f, b).T),),
    ),
    Misconception(
        "the first step left out",
        "Your backward network stops before step 0. range(T - 1, -1, -1) includes it.",
        (
            _mistake(
                lambda f, b: _side_by_side(f, np.vstack([0 * b[:1], b[1:]])),
                last=lambda f, b: np.concatenate([f[-1], 0 * b[0]]),
            ),
            _mistake(
                lambda f, b: _side_by_side(f, np.vstack([0 * b[:1], b[1:]])),
                last=lambda f, b: np.concatenate([f[-1], b[1]]),
            ),
        ),
    ),
    Misconception(
        "backward network fed with forward states",
        "Your backward network reads or remembers the forward states. The two do not know of each other: it "
        "reads the inputs and its own state.",
        (_mixed,),
    ),
    Misconception(
        "where each direction began",
        "You give the states in which the two began. Asked for is where each ends: the forward one at the "
        "last step, the backward one at the first.",
        (_mistake(_side_by_side, last=lambda f, b: np.concatenate([f[0], b[-1]])),),
    ),
    Misconception(
        "last states first",
        "Return the states of every step first, then the last ones.",
        (lambda *given: reference(*given)[::-1],),
    ),
)

ITEM = Item(
    name="run_both",
    signature="run_both(inputs, U_f, W_f, U_b, W_b)",
    title="Forwards and backwards",
    parts=(Part("outputs", "state"), Part("last", "state")),
    reference=reference,
    questions=(
        Question("the states of every step", 2, draw, grades=("outputs",)),
        Question("the last state of each direction", 1, draw, grades=("last",)),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "Two networks that do not know of each other. The second gets the inputs from the end. In which "
        "order do its states come, and in which do you need them?",
        "Run a loop over inputs with U_f and W_f, another over inputs[::-1] with U_b and W_b; turn the "
        "second's states round; np.concatenate(…, axis=1). Where did each of the two loops end?",
        "The expected picture is a mirror image: one line jumps up at step 20 and fades to the right, the "
        "other to the left.",
    ),
    plot=plot,
)
