"""Small tasks that ask for memory, each a function of a random generator that draws a fresh batch.

Inputs are laid out (T, B, I), time first, as the layers read them.
"""

from typing import NamedTuple

import numpy as np
from scipy.signal import lfilter

CUES = 4


def delayed_recall(
    rng: np.random.Generator, batch_size: int, delay: int, noise: float = 0.1
) -> tuple[np.ndarray, np.ndarray]:
    """See one of four cues, wait while noise comes in, and name the cue at the signal.

    Parameters
    ----------
    rng : Generator
    batch_size : int
        B sequences.
    delay : int
        Steps from the cue to the signal: the cue comes at step 0, the signal at step ``delay``.
    noise : float
        Standard deviation of the noise on the four cue channels, at every step.

    Returns
    -------
    inputs : (delay + 1, B, 5) array
        Channels 0 to 3 carry the cue, a pulse of height 1; channel 4 carries the signal.
    targets : (B,) integer array
        Which cue it was. Guessing is right once in four.

    Examples
    --------
    >>> inputs, targets = delayed_recall(np.random.default_rng(0), batch_size=2, delay=3, noise=0.0)
    >>> targets, inputs[0].astype(int), inputs[-1, 0].astype(int)
    (array([3, 2]), array([[0, 0, 0, 1, 0],
           [0, 0, 1, 0, 0]]), array([0, 0, 0, 0, 1]))
    """
    _positive(batch_size=batch_size, delay=delay)
    targets = rng.integers(CUES, size=batch_size)
    inputs = np.zeros((delay + 1, batch_size, CUES + 1))
    inputs[:, :, :CUES] = noise * rng.normal(size=(delay + 1, batch_size, CUES))
    inputs[0, np.arange(batch_size), targets] += 1
    inputs[-1, :, CUES] = 1
    return inputs, targets


def adding(rng: np.random.Generator, batch_size: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Add two marked numbers among many.

    Parameters
    ----------
    rng : Generator
    batch_size, steps : int
        B sequences of T ≥ 2 steps.

    Returns
    -------
    inputs : (T, B, 2) array
        Channel 0: numbers uniform in [0, 1). Channel 1: 1 at one step of each half, else 0.
    targets : (B,) array
        The sum of the two marked numbers. Always to answer 1, their mean, has a mean squared error of 1/6.

    Notes
    -----
    After Hochreiter & Schmidhuber, Neural Computation 9 (1997), section 5.4, with numbers from [0, 1).
    """
    _positive(batch_size=batch_size)
    if steps < 2:
        raise ValueError(f"expected at least 2 steps, one for each of the two numbers, got {steps}")
    numbers, marks = rng.uniform(size=(steps, batch_size)), np.zeros((steps, batch_size))
    everyone = np.arange(batch_size)
    first = rng.integers(steps // 2, size=batch_size)
    second = rng.integers(steps // 2, steps, size=batch_size)
    marks[first, everyone] = marks[second, everyone] = 1
    return np.stack([numbers, marks], axis=-1), numbers[first, everyone] + numbers[second, everyone]


def parity(
    rng: np.random.Generator, batch_size: int, steps: int, rate: float = 0.5
) -> tuple[np.ndarray, np.ndarray]:
    """Tell after every step whether the pulses so far are odd in number: a switch that each pulse turns over.

    Parameters
    ----------
    rng : Generator
    batch_size, steps : int
        B sequences of T steps.
    rate : float
        Probability of a pulse in a step.

    Returns
    -------
    inputs : (T, B, 1) array
        1 where there is a pulse, else 0.
    odd : (T, B) boolean array
        Whether an odd number of pulses has come, this step's included. At a rate of ½ guessing is right half
        the time at every step, whatever the step shows.

    Examples
    --------
    >>> inputs, odd = parity(np.random.default_rng(3), batch_size=1, steps=6)
    >>> inputs.ravel().astype(int), odd.ravel().astype(int)
    (array([1, 1, 0, 0, 1, 1]), array([1, 0, 0, 0, 1, 0]))
    """
    _positive(batch_size=batch_size, steps=steps)
    pulses = rng.random((steps, batch_size)) < rate
    return pulses[..., np.newaxis].astype(float), pulses.cumsum(axis=0) % 2 == 1


class ClickTrials(NamedTuple):
    """Trials of `count_clicks`, one after another in each sequence.

    Attributes
    ----------
    inputs : (T, B, 5) array
        0 or 1 in the channels of `CLICK_CHANNELS`: right click, left click, start, listen, go.
    targets : (T, B, 1) array
        What to say: the count at go, 0 at every other step.
    go : (T, B) boolean array
        The steps at which the count is asked for.
    delay : (T, B) boolean array
        The steps between the end of listening and go.
    """

    inputs: np.ndarray
    targets: np.ndarray
    go: np.ndarray
    delay: np.ndarray


CLICK_CHANNELS = ("right", "left", "start", "listen", "go")


def count_clicks(
    rng: np.random.Generator,
    batch_size: int,
    steps: int = 80,
    listen: tuple[int, int] = (6, 12),
    delay: tuple[int, int] = (4, 20),
    rate: float = 0.4,
) -> ClickTrials:
    """Count right minus left clicks while told to listen, keep the count while clicks go on, say it at go.

    A trial is one step of *start*, some of *listen*, a delay, and one step of *go*; trials follow each other
    after 1 to 5 idle steps, so that the count has to begin again. Clicks come all the time, and in each
    sequence a fifth, a half or four fifths of them come from the right.

    Parameters
    ----------
    rng : Generator
    batch_size, steps : int
        B sequences of T steps.
    listen, delay : pair of int
        Shortest and longest number of steps of the two phases, drawn anew for every trial.
    rate : float
        Probability of a click per step.

    Returns
    -------
    ClickTrials

    Raises
    ------
    ValueError
        If the steps do not hold a single trial, or a size or range is empty.

    Notes
    -----
    After the clicks that rats count in Brunton, Botvinick & Brody, Science 340 (2013), with a delay and
    with clicks that do not count.

    Examples
    --------
    >>> trials = count_clicks(np.random.default_rng(0), batch_size=2, steps=60)
    >>> trials.inputs.shape, int(trials.go.sum()), trials.targets[trials.go].ravel()
    ((60, 2, 5), 4, array([-1.,  1.,  0.,  0.]))
    """
    _positive(batch_size=batch_size, shortest_listen=listen[0], shortest_delay=delay[0])
    needed = 1 + 5 + listen[1] + delay[1]
    if listen[0] > listen[1] or delay[0] > delay[1]:
        raise ValueError(f"expected (shortest, longest) phases, got listen={listen} and delay={delay}")
    if steps <= needed:
        raise ValueError(f"expected more than {needed} steps, the longest first trial, got {steps}")
    cues, waiting = np.zeros((steps, batch_size, 3), bool), np.zeros((steps, batch_size), bool)
    for sequence in range(batch_size):
        _lay_trials(rng, cues[:, sequence], waiting[:, sequence], listen, delay)
    click = rng.random((steps, batch_size)) < rate
    right = rng.random((steps, batch_size)) < rng.choice([0.2, 0.5, 0.8], size=batch_size)
    start, heard, go = np.moveaxis(cues, -1, 0)
    counted = np.cumsum(np.where(heard & click, np.where(right, 1, -1), 0), axis=0)
    # What had been counted before the trial began, carried forward from its start step.
    began = np.maximum.accumulate(np.where(start, np.arange(steps)[:, None], 0), axis=0)
    count = counted - np.take_along_axis(counted, began, axis=0)
    inputs = np.stack([click & right, click & ~right, start, heard, go], axis=-1).astype(float)
    return ClickTrials(inputs, np.where(go, count, 0.0)[..., None], go, waiting)


def delayed_copy(
    rng: np.random.Generator, batch_size: int, delay: int, length: int = 3, alphabet: int = 8
) -> tuple[np.ndarray, np.ndarray]:
    """See a few symbols, wait, and name them in their order.

    Parameters
    ----------
    rng : Generator
    batch_size : int
        B sequences.
    delay : int
        Steps between the last symbol and the first answer, with nothing to see.
    length : int
        How many symbols there are to keep.
    alphabet : int
        How many there are to choose from.

    Returns
    -------
    inputs : (2 length + delay, B, alphabet + 1) array
        Channels 0 to alphabet − 1 show a symbol as a pulse; the last channel is 1 while answers are due.
    targets : (length, B) integer array
        The symbols, due at the last ``length`` steps. Guessing costs ln(alphabet) per symbol.

    Notes
    -----
    After Hochreiter & Schmidhuber, Neural Computation 9 (1997), with a single delay.

    Examples
    --------
    >>> inputs, targets = delayed_copy(np.random.default_rng(0), batch_size=1, delay=4)
    >>> inputs.shape, targets.ravel()
    ((10, 1, 9), array([6, 5, 4]))
    """
    _positive(batch_size=batch_size, delay=delay, length=length, alphabet=alphabet)
    targets = rng.integers(alphabet, size=(length, batch_size))
    inputs = np.zeros((2 * length + delay, batch_size, alphabet + 1))
    inputs[np.arange(length)[:, None], np.arange(batch_size), targets] = 1
    inputs[-length:, :, alphabet] = 1
    return inputs, targets


def comparison(
    rng: np.random.Generator, batch_size: int, delay: int, shown: int = 5, noise: float = 0.3
) -> tuple[np.ndarray, np.ndarray]:
    """Feel two stimuli, one after the other, and say whether the first was the stronger.

    Parameters
    ----------
    rng : Generator
    batch_size : int
        B sequences.
    delay : int
        Steps between the two stimuli, filled with noise.
    shown : int
        Steps for which each stimulus lasts.
    noise : float
        Standard deviation of the noise at every step. The stimuli are uniform in [−1, 1).

    Returns
    -------
    inputs : (2 shown + delay, B, 1) array
        The stimuli with noise.
    targets : (B,) integer array
        1 where the first stimulus was the stronger one, else 0; due at the last step.

    Notes
    -----
    After the vibrations that monkeys compare in Romo, Brody, Hernández & Lemus, Nature 399 (1999).

    Examples
    --------
    >>> inputs, targets = comparison(np.random.default_rng(0), batch_size=2, delay=3, noise=0.0)
    >>> inputs[[0, -1], :, 0].round(2), targets
    (array([[ 0.27, -0.46],
           [-0.92, -0.97]]), array([1, 1]))
    """
    _positive(batch_size=batch_size, delay=delay, shown=shown)
    first, second = rng.uniform(-1, 1, size=(2, batch_size))
    inputs = noise * rng.normal(size=(2 * shown + delay, batch_size, 1))
    inputs[:shown, :, 0] += first
    inputs[-shown:, :, 0] += second
    return inputs, (first > second).astype(int)


def click_difference(
    rng: np.random.Generator, batch_size: int, steps: int, rate: float = 0.3
) -> tuple[np.ndarray, np.ndarray]:
    """Say at every step by how many the clicks on the right lead.

    Parameters
    ----------
    rng : Generator
    batch_size, steps : int
        B sequences of T steps.
    rate : float
        Probability of a click per step, on each side.

    Returns
    -------
    inputs : (T, B, 2) array
        0 or 1: clicks on the right, clicks on the left.
    targets : (T, B) array
        Right minus left clicks up to and with this step, in units of five clicks.

    Examples
    --------
    >>> inputs, targets = click_difference(np.random.default_rng(0), batch_size=1, steps=4, rate=0.5)
    >>> inputs[:, 0].T.astype(int), targets.ravel()
    (array([[0, 1, 0, 0],
           [1, 1, 0, 0]]), array([-0.2, -0.2, -0.2, -0.2]))
    """
    _positive(batch_size=batch_size, steps=steps)
    inputs = (rng.uniform(size=(steps, batch_size, 2)) < rate).astype(float)
    return inputs, np.cumsum(inputs[..., 0] - inputs[..., 1], axis=0) / 5


def leading_side(
    rng: np.random.Generator, batch_size: int, steps: int, rate: float = 0.3
) -> tuple[np.ndarray, np.ndarray]:
    """Say at every step which side leads, left, neither or right, in the clicks of `click_difference`.

    Parameters
    ----------
    rng : Generator
    batch_size, steps : int
        B sequences of T steps.
    rate : float
        Probability of a click per step, on each side.

    Returns
    -------
    inputs : (T, B, 2) array
        0 or 1: clicks on the right, clicks on the left.
    targets : (T, B) integer array
        0 if the left has had more clicks, 1 at a tie, 2 if the right has.

    Examples
    --------
    >>> inputs, targets = leading_side(np.random.default_rng(0), batch_size=1, steps=4, rate=0.5)
    >>> inputs[:, 0].T.astype(int), targets.ravel()
    (array([[0, 1, 0, 0],
           [1, 1, 0, 0]]), array([0, 0, 0, 0]))
    """
    inputs, difference = click_difference(rng, batch_size, steps, rate)
    return inputs, np.sign(np.rint(5 * difference)).astype(int) + 1


def sample_and_hold(
    rng: np.random.Generator, batch_size: int, steps: int, rate: float = 0.1
) -> tuple[np.ndarray, np.ndarray]:
    """Say at every step what the signal was at the last mark.

    Parameters
    ----------
    rng : Generator
    batch_size, steps : int
        B sequences of T steps.
    rate : float
        Probability of a mark per step; the first step always has one.

    Returns
    -------
    inputs : (T, B, 2) array
        Channel 0: a signal, uniform in [−1, 1) and new at every step. Channel 1: 1 at a mark, else 0.
    targets : (T, B) array
        The signal at the last mark. Always to answer 0 has a mean squared error of 1/3.

    Examples
    --------
    >>> inputs, targets = sample_and_hold(np.random.default_rng(0), batch_size=1, steps=5, rate=0.4)
    >>> inputs[:, 0, 1].astype(int), targets.ravel().round(2)
    (array([1, 0, 0, 0, 0]), array([0.27, 0.27, 0.27, 0.27, 0.27]))
    """
    _positive(batch_size=batch_size, steps=steps)
    signal = rng.uniform(-1, 1, size=(steps, batch_size))
    marks = rng.uniform(size=(steps, batch_size)) < rate
    marks[0] = True
    last = np.maximum.accumulate(np.where(marks, np.arange(steps)[:, None], 0), axis=0)
    return np.stack([signal, marks], axis=-1), np.take_along_axis(signal, last, axis=0)


def _lay_trials(rng, cues, waiting, listen, delay) -> None:
    """Write as many trials as fit into one sequence: cues (T, 3) start, listen, go, and waiting (T,)."""
    t = rng.integers(1, 6)
    while True:
        heard, waited = rng.integers(listen[0], listen[1] + 1), rng.integers(delay[0], delay[1] + 1)
        go = t + 1 + heard + waited
        if go >= len(cues):
            return
        cues[t, 0] = cues[t + 1 : t + 1 + heard, 1] = cues[go, 2] = True
        waiting[t + 1 + heard : go] = True
        t = go + rng.integers(2, 7)


def after_effect(
    rng: np.random.Generator,
    batch_size: int,
    steps: int,
    time_constants,
    noise: float = 0.0,
    pause: float = 25.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Follow the fatigue that a stimulus leaves, which builds up and wears off on several time scales.

    The stimulus s is on or off. Each time scale has a trace a_t = f a_{t−1} + (1 − f) s_t with
    f = exp(−1/τ), and the after-effect is the mean of the traces.

    Parameters
    ----------
    rng : Generator
    batch_size, steps : int
        B sequences of T steps, each from a state of rest.
    time_constants : sequence of float
        Every τ in steps, above 0.
    noise : float
        Standard deviation of the noise on the after-effect.
    pause : float
        Mean number of steps, above 1, for which the stimulus stays on, and off.

    Returns
    -------
    inputs : (T, B, 1) array
        The stimulus, 0 or 1.
    targets : (T, B, 1) array
        The after-effect with its noise; a stimulus that stays on for ever takes it to 1.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> inputs, targets = after_effect(rng, batch_size=1, steps=6, time_constants=[2.0], pause=3.0)
    >>> inputs[:, 0, 0].astype(int), targets[:, 0, 0].round(2)
    (array([0, 1, 1, 1, 0, 0]), array([0.  , 0.39, 0.63, 0.78, 0.47, 0.29]))
    """
    _positive(batch_size=batch_size, steps=steps)
    kept = np.exp(-1 / np.asarray(time_constants, dtype=float))
    if kept.ndim != 1 or not kept.size or not ((kept > 0) & (kept < 1)).all():
        raise ValueError(f"expected a list of time constants above 0, in steps, got {time_constants}")
    if not pause > 1:
        raise ValueError(f"expected a mean pause of more than 1 step, got {pause}")
    switches = rng.uniform(size=(steps, batch_size)) < 1 / pause
    stimulus = (switches.cumsum(axis=0) + rng.integers(2, size=batch_size)) % 2.0
    traces = [lfilter([1 - f], [1, -f], stimulus, axis=0) for f in kept]
    targets = np.mean(traces, axis=0) + noise * rng.normal(size=stimulus.shape)
    return stimulus[..., np.newaxis], targets[..., np.newaxis]


def _positive(**sizes) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"expected {name} of 1 or more, got {size}")
