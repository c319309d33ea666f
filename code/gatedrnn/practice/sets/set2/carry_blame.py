"""Item 2 of set 2: the walk backwards, from the errors of all steps to the blame of every drive."""

import numpy as np

from gatedrnn.practice.items import Item, Misconception, Part, Question
from gatedrnn.practice.sets.set2.network import carried, draw_run


def reference(direct, states, W_hh):
    """Return the blame of every drive (eq-bptt-arrive, eq-bptt-slope, eq-bptt-back)."""
    return carried(direct, states, W_hh)


def draw_last(rng):
    """An error at the last step alone."""
    _, _, _, W_hh, _, states = draw_run(rng)
    direct = np.zeros_like(states)
    direct[-1] = rng.normal(size=states.shape[1])
    return direct, states, W_hh


def draw_every(rng):
    """Errors at every step."""
    _, _, _, W_hh, _, states = draw_run(rng)
    return rng.normal(size=states.shape), states, W_hh


def plot(axes, function):
    """Draw how the blame of an error at the last step fades on its way back."""
    angle = np.array([[np.cos(0.5), -np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]])
    direct, states = np.zeros((25, 2)), np.full((25, 2), 0.2)
    direct[-1] = 1.0, 0.0
    axes.plot(np.asarray(function(direct, states, 0.92 * angle), dtype=float), marker="o", markersize=3)
    axes.set(xlabel="step", ylabel="blame of the drive", title="carry_blame, an error at step 24")


def _slope_before(direct, states, W_hh):
    blame, arriving = np.zeros_like(states), 0.0
    for t in range(len(states) - 1, -1, -1):
        blame[t] = (1 - states[t - 1] ** 2 if t else 1.0) * (direct[t] + arriving)
        arriving = W_hh.T @ blame[t]
    return blame


def _arrived(direct, states, W_hh):
    return carried(direct, states, W_hh) / (1 - states**2)


def _forgetting_direct(direct, states, W_hh):
    only_last = np.zeros_like(direct)
    only_last[-1] = direct[-1]
    return carried(only_last, states, W_hh)


def _forwards(direct, states, W_hh):
    blame, arriving = np.zeros_like(states), 0.0
    for t in range(len(states)):
        blame[t] = (1 - states[t] ** 2) * (direct[t] + arriving)
        arriving = W_hh.T @ blame[t]
    return blame


def _unsloped_carry(direct, states, W_hh):
    """The slope is put on the result only; what goes back has not passed it."""
    blame, arriving = np.zeros_like(states), 0.0
    for t in range(len(states) - 1, -1, -1):
        arrived = direct[t] + arriving
        blame[t] = (1 - states[t] ** 2) * arrived
        arriving = W_hh.T @ arrived
    return blame


def _shortened(first, last):
    """The walk leaves out steps at one of its ends, whose rows stay zero."""

    def wrong(direct, states, W_hh):
        blame, arriving = np.zeros_like(states), 0.0
        for t in range(len(states) - 1 - last, first - 1, -1):
            blame[t] = (1 - states[t] ** 2) * (direct[t] + arriving)
            arriving = W_hh.T @ blame[t]
        return blame

    return wrong


def _piled_up(direct, states, W_hh):
    """What arrives is added to what arrived before, without end."""
    blame, arriving = np.zeros_like(states), 0.0
    for t in range(len(states) - 1, -1, -1):
        blame[t] = (1 - states[t] ** 2) * (direct[t] + arriving)
        arriving = arriving + W_hh.T @ blame[t]
    return blame


def _direct_skips_slope(direct, states, W_hh):
    blame, arriving = np.zeros_like(states), 0.0
    for t in range(len(states) - 1, -1, -1):
        blame[t] = direct[t] + (1 - states[t] ** 2) * arriving
        arriving = W_hh.T @ blame[t]
    return blame


MISCONCEPTIONS = (
    Misconception(
        "weights not transposed",
        "Your blame goes back through W_hh itself. Forward, unit j pushes unit i through W_hh[i, j]; "
        "backward the blame of i returns to j through the same weight: that is the transpose.",
        (lambda d, h, W: carried(d, h, W, back=lambda W, later: W @ later),),
    ),
    Misconception(
        "nothing carried back",
        "The blame of each step stays where it is. What a step is to blame for includes all that came later: "
        "carry W_hh.T @ blame to the step before.",
        (lambda d, h, W: (1 - h**2) * d,),
    ),
    Misconception(
        "slope missing",
        "Your blame passes no slope. Between a drive and its state stands the tanh: multiply by 1 − h² of "
        "that step.",
        (lambda d, h, W: carried(d, h, W, slope=np.ones_like),),
    ),
    Misconception(
        "slope of the step before",
        "You use the slope of the step before. The blame of step t passes the tanh of step t, whose slope is "
        "1 − h_t².",
        (_slope_before,),
    ),
    Misconception(
        "blame of the state instead of the drive",
        "You return the blame as it arrives at the state. Asked for is the blame of the drive, after the "
        "slope.",
        (_arrived,),
    ),
    Misconception(
        "blame goes back without the slope",
        "What you carry to the step before has not passed the slope. First the slope, then W_hh.T.",
        (_unsloped_carry,),
    ),
    Misconception(
        "direct error added after the slope",
        "You add the error of a step after the slope. It arrives at the state, as what comes from later "
        "does: add both, then multiply by the slope.",
        (_direct_skips_slope,),
    ),
    Misconception(
        "only the last error",
        "You start from the last error and never add those of the steps on the way.",
        (_forgetting_direct,),
    ),
    Misconception(
        "forwards instead of backwards",
        "You walk forwards in time. A state is to blame for what comes after it: start at the last step.",
        (_forwards,),
    ),
    Misconception(
        "in reversed order of time",
        "Your rows are in the order of your walk. Row t belongs to step t: turn them round at the end.",
        (lambda d, h, W: carried(d, h, W)[::-1],),
    ),
    Misconception(
        "sign reversed",
        "Your blame has the opposite sign. The gradient points uphill; the minus sign belongs to the step "
        "that a learning rule takes.",
        (lambda d, h, W: -carried(d, h, W),),
    ),
    Misconception(
        "a step left out at an end",
        "A step at one end has no blame in your answer. range(T - 1, -1, -1) counts from the last step down "
        "to step 0, both included.",
        (
            _shortened(1, 0),
            _shortened(0, 1),
            lambda d, h, W: carried(d, h, W)[1:],
            lambda d, h, W: carried(d, h, W)[:-1],
        ),
    ),
    Misconception(
        "arriving blame piled up",
        "What arrives at a step comes from the next step alone, which holds all that is later already. "
        "Overwrite it; you add to it.",
        (_piled_up,),
    ),
    Misconception(
        "1 − h instead of 1 − h²",
        "The slope of tanh, written with its own value h, is 1 − h².",
        (lambda d, h, W: carried(d, h, W, slope=lambda h: 1 - h),),
    ),
    Misconception(
        "tanh applied to the state again",
        "The states have been through the tanh. Its slope is 1 − h², not 1 − tanh(h)².",
        (lambda d, h, W: carried(d, h, W, slope=lambda h: 1 - np.tanh(h) ** 2),),
    ),
    Misconception(
        "a step beyond the last one",
        "You ask for a step after the last. Nothing arrives from there: start with zeros and go on from what "
        "you carried.",
        error="out of bounds|out of range",
    ),
)

ITEM = Item(
    name="carry_blame",
    signature="carry_blame(direct, states, W_hh)",
    title="The walk backwards",
    parts=(Part("blame", "gradient"),),
    reference=reference,
    questions=(
        Question("an error at the last step", 1, draw_last),
        Question("errors at every step", 2, draw_every),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "What arrives at the last state? What at the one before, directly and from its successor? Walk from "
        "the end to the beginning.",
        "arriving = 0; for t from T − 1 down to 0: blame[t] = (1 − states[t]**2) * (direct[t] + arriving), "
        "then arriving = W_hh.T @ blame[t].",
        "The expected picture: two curves that swing in turn and grow from almost nothing at step 0. At step "
        "24, where the error is, one is near 1 and the other at 0, because unit 1 made no error.",
    ),
    plot=plot,
)
