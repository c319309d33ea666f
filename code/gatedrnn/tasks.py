"""Small tasks that ask for memory, each a function of a random generator that draws a fresh batch.

Inputs are laid out (T, B, I), time first, as the layers read them.
"""

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


def _positive(**sizes) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"expected {name} of 1 or more, got {size}")
