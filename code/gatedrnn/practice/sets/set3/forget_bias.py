"""Item 1 of set 3: the forget bias that gives a cell a wanted time constant."""

import numpy as np

from gatedrnn.practice.items import Item, Misconception, Part, Question


def reference(tau, dt):
    """Return b with σ(b) = exp(−dt/τ), from ln(f / (1 − f)) written so that long τ lose no digits."""
    return -np.log(np.expm1(dt / np.asarray(tau, dtype=float)))


def draw_number(rng):
    """One time constant of 2 to 200 steps of 1 to 20 ms."""
    dt = float(rng.uniform(0.001, 0.02))
    return float(dt * np.exp(rng.uniform(np.log(2), np.log(200)))), dt


def draw_array(rng):
    """A matrix of time constants, some of them shorter than a step."""
    dt = float(rng.uniform(0.001, 0.02))
    tau = dt * np.exp(rng.uniform(np.log(0.3), np.log(500), size=(2, int(rng.integers(2, 5)))))
    tau.flat[rng.integers(tau.size)] = 0.5 * dt
    return tau, dt


def plot(axes, function):
    """Draw the bias against the time constant on a step of 10 ms."""
    tau = np.geomspace(0.005, 2.0, 60)
    axes.semilogx(tau, np.asarray(function(tau, 0.01), dtype=float))
    axes.set(xlabel="time constant (s)", ylabel="forget bias", title="forget_bias(tau, dt=0.01)")


MISCONCEPTIONS = (
    Misconception(
        "gate instead of bias",
        "You return what the gate keeps, f. Asked for is the bias that a sigmoid turns into that f: what is "
        "the inverse of the sigmoid?",
        (lambda tau, dt: np.exp(-dt / tau),),
    ),
    Misconception(
        "sign reversed",
        "Your sign is reversed: a long memory needs a gate near 1, and so a large positive bias.",
        (lambda tau, dt: -reference(tau, dt),),
    ),
    Misconception(
        "the approximation for long times",
        "ln(τ/dt − 1) is close for long memories, and wrong or not a number for short ones. Go through f: "
        "first the factor kept in one step, then the inverse of the sigmoid.",
        (lambda tau, dt: np.log(tau / dt - 1),),
    ),
    Misconception(
        "the logarithm of the number of steps",
        "ln(τ/dt) comes near for long memories only. Go through f: first the factor kept in one step, then "
        "the inverse of the sigmoid.",
        (lambda tau, dt: np.log(tau / dt),),
    ),
    Misconception(
        "dt forgotten",
        "You count τ in steps, but it comes in seconds and a step lasts dt seconds.",
        (
            lambda tau, dt: reference(tau, 1),
            lambda tau, dt: np.log(np.exp(-1 / tau) / (1 - np.exp(-1 / tau))),
        ),
    ),
    Misconception(
        "τ and dt exchanged",
        "In your formula τ and dt have changed places: what is left after one step is exp(−dt/τ).",
        (lambda tau, dt: reference(dt, np.asarray(tau)),),
    ),
    Misconception(
        "half-life instead of time constant",
        "Your gate keeps one half after τ. A time constant is the time after which 1/e is left.",
        (lambda tau, dt: reference(tau / np.log(2), dt),),
    ),
    Misconception(
        "log10 instead of ln",
        "The inverse of the sigmoid takes the natural logarithm, np.log.",
        (lambda tau, dt: reference(tau, dt) / np.log(10),),
    ),
    Misconception(
        "odds instead of their logarithm",
        "f / (1 − f) are the odds; the bias is their logarithm.",
        (lambda tau, dt: 1 / np.expm1(dt / np.asarray(tau)),),
    ),
    Misconception(
        "math on an array",
        "The functions of math take one number. Those of NumPy take whole arrays, and numbers too.",
        error=r"only (0-dimensional|length-1|size-1|integer scalar)|must be real number|can't convert",
    ),
    Misconception(
        "if on an array",
        "An if decides once for the whole array. One formula holds for all time constants here.",
        error="truth value of an array",
    ),
    Misconception(
        "sigmoid instead of its inverse",
        "You put f through the sigmoid. Asked for is what goes in, so that f comes out: the inverse.",
        (lambda tau, dt: 1 / (1 + np.exp(-np.exp(-dt / tau))),),
    ),
    Misconception(
        "another logarithm",
        "The inverse of the sigmoid is the logarithm of f / (1 − f): what is kept over what is lost.",
        (
            lambda tau, dt: np.log(np.exp(-dt / tau)),
            lambda tau, dt: np.log(np.exp(-dt / tau) / (1 + np.exp(-dt / tau))),
            lambda tau, dt: np.log(1 - np.exp(-dt / tau)),
        ),
    ),
    Misconception(
        "shape lost",
        "Your answer has lost the shape of tau: a number for a number, a matrix for a matrix.",
        (lambda tau, dt: np.ravel(reference(tau, dt)),),
    ),
)

ITEM = Item(
    name="forget_bias",
    signature="forget_bias(tau, dt)",
    title="A bias for a memory",
    parts=(Part("bias"),),
    reference=reference,
    questions=(
        Question("one time constant", 1, draw_number),
        Question("an array, with times shorter than a step", 1, draw_array),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "Which share f of its content may the cell keep in one step of dt seconds, so that 1/e is left after "
        "τ seconds? And what goes into a sigmoid for f to come out?",
        "f = exp(−dt/τ). The sigmoid is f = 1/(1 + exp(−b)); solve it for b: the logarithm of f / (1 − f).",
        "The expected curve rises all the way, nearly as a straight line on this logarithmic axis: 0.43 at "
        "0.02 s, 2.25 at 0.1 s, 5.30 at 2 s, and below zero for memories shorter than 0.014 s.",
    ),
    plot=plot,
)
