"""Item 1 of set 1: τ = −dt / ln f, for numbers and arrays, with its two ends."""

import numpy as np

from gatedrnn import dynamics
from gatedrnn.practice.items import Item, Misconception, Part, Question


def reference(f, dt):
    """Return the time constant of a memory that keeps the factor f per step."""
    return dynamics.time_constant(f, dt)


def draw_number(rng):
    """One forget factor between 0.3 and 0.999 and a step of 1 to 100 ms."""
    return float(rng.uniform(0.3, 0.999)), float(rng.uniform(0.001, 0.1))


def draw_ends(rng):
    """A matrix of forget factors with a 0 and a 1 in it, at places that change."""
    f = rng.uniform(0.2, 0.99, size=(2, int(rng.integers(2, 5))))
    flat = f.ravel()  # a view: writes go into f
    flat[rng.choice(f.size, size=2, replace=False)] = [0.0, 1.0]
    return f, float(rng.uniform(0.001, 0.1))


def plot(axes, function):
    """Draw τ against f on a step of 10 ms."""
    f = np.linspace(0.5, 0.99, 50)
    axes.semilogy(f, np.asarray(function(f, 0.01), dtype=float))
    axes.set(xlabel="kept per step, f", ylabel="time constant (s)", title="time_constant(f, dt=0.01)")


MISCONCEPTIONS = (
    Misconception(
        "minus sign missing",
        "Your times are negative. ln f is below zero for every f below 1; which sign turns it into a time?",
        (lambda f, dt: dt / np.log(f),),
    ),
    Misconception(
        "log10 instead of ln",
        "Your times are 2.3 times too long: that is ln 10. A time constant is the time to fall to 1/e, so "
        "which base belongs to the logarithm?",
        (lambda f, dt: -dt / np.log10(f),),
    ),
    Misconception(
        "half-life instead of time constant",
        "Your times are off by ln 2, 0.69: multiplied by it, or divided. It belongs to the time in which one "
        "half is left; the time constant is the time to fall to 1/e.",
        (lambda f, dt: -dt / np.log2(f), lambda f, dt: -dt / np.log(f) / np.log(2)),
    ),
    Misconception(
        "dt forgotten",
        "Your answer counts steps. A step lasts dt seconds, and the answer is asked in seconds.",
        (lambda f, dt: -1 / np.log(f),),
    ),
    Misconception(
        "divided by dt",
        "dt is on the wrong side: twice as long a step makes the memory last twice as long in seconds, not "
        "half.",
        (lambda f, dt: -1 / (dt * np.log(f)),),
    ),
    Misconception(
        "rate instead of time",
        "You gave the rate of decay, in 1/s. The time constant is its inverse.",
        (lambda f, dt: -np.log(f) / dt,),
    ),
    Misconception(
        "1/(1 − f) instead of the logarithm",
        "dt/(1 − f) is close when f is near 1 and wrong elsewhere. Start from f to the power τ/dt being 1/e "
        "and take the logarithm.",
        (lambda f, dt: dt / (1 - np.asarray(f)),),
    ),
    Misconception(
        "f = 1 gives minus infinity",
        "What keeps everything never decays: at f = 1 the time constant is plus infinity. NumPy's ln 1 is "
        "+0, and −dt divided by +0 is minus infinity, so this end needs its own case.",
        (lambda f, dt: -dt / np.log(f),),
    ),
    Misconception(
        "an end left as NaN or 0",
        "At f = 0 the memory is gone at once, so τ is 0; at f = 1 it never goes, so τ is infinite (np.inf).",
        (
            lambda f, dt: np.where((f > 0) & (f < 1), -dt / np.log(f), np.nan),
            lambda f, dt: np.where(f == 1, np.nan, -dt / np.log(f)),
            lambda f, dt: np.where(f < 1, -dt / np.log(f), 0.0),
        ),
    ),
    Misconception(
        "math.log on an array",
        "math.log takes one number. np.log takes a whole array, and numbers too.",
        error=r"only (0-dimensional|length-1|size-1|integer scalar)|must be real number|can't convert",
    ),
    Misconception(
        "if on an array",
        "An if decides once for the whole array. np.where(condition, a, b) decides for each entry.",
        error="truth value of an array",
    ),
    Misconception(
        "an end that stops with an error",
        "f = 0 and f = 1 are allowed: give them their values, 0 and np.inf, instead of letting Python "
        "divide by zero or take ln 0.",
        error="ZeroDivisionError|math domain|divide by zero",
    ),
)

ITEM = Item(
    name="time_constant",
    signature="time_constant(f, dt)",
    title="From a factor to a time",
    parts=(Part("time constant"),),
    reference=reference,
    questions=(
        Question("one forget factor", 1, draw_number),
        Question("an array with f = 0 and f = 1 in it", 1, draw_ends),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "After one step the factor f is left, after n steps f multiplied by itself n times. After how many "
        "steps is 1/e left?",
        "Solve f ** n = 1/e for n with a natural logarithm, then turn n steps into seconds. Treat f = 0 and "
        "f = 1 apart: what keeps nothing has τ = 0, what keeps everything has τ = np.inf.",
        "The expected curve is positive and rises ever more steeply towards f = 1: 0.014 s at f = 0.5, "
        "0.095 s at 0.9, 0.995 s at 0.99.",
    ),
    plot=plot,
)
