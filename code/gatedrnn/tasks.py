"""Small tasks that ask for memory, each a function of a random generator that draws a fresh batch.

Inputs are laid out (T, B, I), time first, as the layers read them.
"""

from typing import NamedTuple

import numpy as np

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
    after 1 to 5 idle steps, so that the count has to begin again. Clicks come all the time, and in each sequence
    a fifth, a half or four fifths of them come from the right.

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


def _positive(**sizes) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"expected {name} of 1 or more, got {size}")
