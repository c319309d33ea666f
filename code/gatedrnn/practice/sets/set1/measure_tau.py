"""Item 5 of set 1: a time constant out of a noisy trace."""

import numpy as np

from gatedrnn.practice.items import Item, Misconception, Part, Question


def reference(trace, dt):
    """Fit ln(trace) by a line over the samples before the trace first falls below a fifth of its start.

    There, noise of a few per cent of the start is still small beside the signal, and its logarithm nearly
    symmetric. The start is the mean of the first three samples, so that one unlucky sample does not decide.
    """
    trace = np.asarray(trace, dtype=float)
    low = trace < 0.2 * trace[:3].mean()
    stop = int(low.argmax()) if low.any() else len(trace)
    slope, _ = np.polyfit(dt * np.arange(stop), np.log(trace[:stop]), 1)
    return -1 / slope


def _draw(rng, noise, length):
    tau, dt = float(rng.uniform(0.2, 1.0)), float(rng.uniform(0.004, 0.006))
    t = dt * np.arange(int(length * tau / dt))
    trace = rng.uniform(0.5, 3.0) * (np.exp(-t / tau) + noise * rng.normal(size=t.size))
    return trace, dt


def draw_clean(rng):
    """An echo without noise, over three time constants."""
    return _draw(rng, noise=0.0, length=3)


def draw_noisy(rng):
    """An echo with noise of 2 % of its start, over eight time constants: the second half is noise alone."""
    return _draw(rng, noise=0.02, length=8)


def plot(axes, function):
    """Draw a noisy trace and the decay that the time constant stands for."""
    trace, dt = draw_noisy(np.random.default_rng(5))
    t = dt * np.arange(trace.size)
    axes.plot(t, trace, color="0.6", linewidth=0.8)
    axes.plot(t, trace[:3].mean() * np.exp(-t / float(function(trace, dt))))
    axes.set(xlabel="time since the pulse (s)", ylabel="trace", title="measure_tau(trace, dt)")


def _line(values, dt, t0=0):
    slope, intercept = np.polyfit(dt * np.arange(len(values)), values, 1)
    return slope, intercept


def _no_logarithm(trace, dt):
    slope, intercept = _line(trace, dt)
    return -intercept / slope


def _whole(clean):
    return lambda trace, dt: -1 / _line(np.log(clean(trace)), dt)[0]


def _positive_samples(trace, dt):
    keep = trace > 0
    return -1 / np.polyfit(dt * np.arange(trace.size)[keep], np.log(trace[keep]), 1)[0]


def _scaled(factor):
    return lambda trace, dt: reference(trace, dt) * factor(dt)


MISCONCEPTIONS = (
    Misconception(
        "minus sign missing",
        "Your time constant is negative: the slope of ln(trace) is −1/τ.",
        (_scaled(lambda dt: -1),),
    ),
    Misconception(
        "dt forgotten",
        "Your answer counts samples. They are dt seconds apart: fit against t = dt · np.arange(len(trace)).",
        (_scaled(lambda dt: 1 / dt),),
    ),
    Misconception(
        "slope instead of its inverse",
        "You return the rate of decay, 1/τ. Return the time.",
        (lambda trace, dt: 1 / reference(trace, dt), lambda trace, dt: -1 / reference(trace, dt)),
    ),
    Misconception(
        "log10 instead of ln",
        "Your times are 2.3 times off: that is ln 10. Fit the natural logarithm.",
        (_scaled(lambda dt: np.log(10)), _scaled(lambda dt: 1 / np.log(10))),
    ),
    Misconception(
        "half-life instead of time constant",
        "Your times are 0.69 of what is asked: you measured when one half is left, not 1/e.",
        (_scaled(lambda dt: np.log(2)),),
    ),
    Misconception(
        "logarithm of negative samples",
        "Late in the trace noise makes samples negative, and their logarithm is NaN. Which samples still "
        "carry signal?",
        (_whole(lambda trace: trace), lambda trace, dt: np.nan),
        error="SVD did not converge|math domain|must not contain infs or NaNs",
    ),
    Misconception(
        "noise floor in the fit",
        "Your fit includes the late samples, where the echo is gone and only noise is left: their logarithm "
        "is flat and bends the line. Fit the early part alone, say while the trace is above a fifth of its "
        "start.",
        (
            _whole(np.abs),
            _positive_samples,
            _whole(lambda trace: np.clip(trace, 1e-12, None)),
            _whole(lambda trace: np.clip(trace, 1e-9, None)),
            _whole(lambda trace: np.clip(trace, 1e-6, None)),
            _whole(lambda trace: np.clip(trace, 1e-3, None)),
        ),
    ),
    Misconception(
        "fit without a logarithm",
        "You fit a straight line to the trace itself. An exponential is a straight line only after a "
        "logarithm.",
        (_no_logarithm, lambda trace, dt: -1 / _line(trace, dt)[0]),
    ),
    Misconception(
        "area under the curve",
        "The area under the trace over its start is τ only for a trace that runs on for ever; fit a line to "
        "the logarithm of the early part instead.",
        (lambda trace, dt: trace.sum() * dt / trace[0], lambda trace, dt: trace.sum() * dt),
    ),
)

ITEM = Item(
    name="measure_tau",
    signature="measure_tau(trace, dt)",
    title="A time constant from a noisy echo",
    parts=(Part("time constant"),),
    reference=reference,
    questions=(
        Question("a trace without noise", 1, draw_clean, rtol=0.01),
        Question("a noisy trace", 1, draw_noisy, rtol=0.15, repeats=5),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "Plot the logarithm of the trace against time. Where is it a straight line, and what does its slope "
        "mean?",
        "Keep the samples before the trace first falls below about a fifth of its start, fit their natural "
        "logarithm with np.polyfit(t, …, 1), and turn the slope, which is −1/τ, into τ.",
        "The expected curve runs through the middle of the grey noise from the first sample on and reaches "
        "1/e of its start after one time constant.",
    ),
    plot=plot,
)
