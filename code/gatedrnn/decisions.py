"""Three tasks of the memory laboratory whose best possible answer is known, and checks on how they are used.

Each is a function of a random generator that draws a fresh batch of trials, laid out (T, B, I), time first,
together with what an ideal observer believes at the end of each trial. No network can be right more often.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import curve_fit
from scipy.special import expit, logsumexp, ndtr

from gatedrnn.decoders.folds import LeakError

STRENGTHS = (0.05, 0.1, 0.2, 0.4)  # mean evidence per step, in standard deviations of its noise
STEPS = 40
KINDS = 4  # stimuli that may have to be matched


class Decisions(NamedTuple):
    """Trials that end in a choice between two answers.

    Attributes
    ----------
    inputs : (T, B, I) array
    targets : (B,) array
        1 or 0: which answer is right.
    asked : (T, B) array
        1 at every step at which an answer counts, else 0; always 1 at the last step.
    odds : (B,) array
        The ideal observer's log odds of answer 1, given all inputs.
    strength : (B,) array
        Signed mean of the evidence that counts; NaN in a task without one.
    listened : (B,) integer array
        Steps with evidence.
    """

    inputs: np.ndarray
    targets: np.ndarray
    asked: np.ndarray
    odds: np.ndarray
    strength: np.ndarray
    listened: np.ndarray

    def right(self, odds: np.ndarray) -> np.ndarray:
        """Where the sign of ``odds`` (B,) is the right answer."""
        return (np.asarray(odds) > 0) == (self.targets > 0.5)

    def expected(self, odds: np.ndarray) -> float:
        """Share of right answers to be expected of an observer that answers by the sign of ``odds`` (B,).

        In each trial the observer is right with the probability that the ideal observer gives to its answer.
        Unlike the share that luck makes of it in these trials, this cannot be more than the ideal observer's
        own, ``expected(self.odds)``, unless the observer knows more than the inputs.
        """
        return float(expit(np.where(np.asarray(odds) > 0, self.odds, -self.odds)).mean())


def accumulate(
    rng: np.random.Generator,
    batch_size: int,
    listen: tuple[int, int] = (5, 25),
    strengths: tuple[float, ...] = STRENGTHS,
    steps: int = STEPS,
) -> Decisions:
    """Weigh noisy evidence and say which way it points.

    The evidence is e_t = μ + noise of standard deviation 1 while there is something to hear, else 0. After 0
    to 5 silent steps it lasts for n steps; then there is silence to the end. The answer counts from the first
    evidence on.

    Parameters
    ----------
    rng : Generator
    batch_size : int
        B trials.
    listen : pair of int
        Smallest and largest n, drawn anew for every trial.
    strengths : tuple of float
        |μ|, drawn with its sign; 0 leaves nothing to know.
    steps : int
        T.

    Returns
    -------
    Decisions
        With one channel.

    Notes
    -----
    The likelihood ratio grows with Σ e_t alone, so the ideal observer adds up without a leak and is right
    with probability Φ(|μ| √n): `best_accuracy`. Gold & Shadlen, Annual Review of Neuroscience 30 (2007).

    Examples
    --------
    >>> trials = accumulate(np.random.default_rng(0), batch_size=20_000, strengths=(0.2,), listen=(16, 16))
    >>> trials.right(trials.odds).mean().round(2), best_accuracy(0.2, 16).round(2)
    (np.float64(0.79), np.float64(0.79))
    """
    on, listened = _window(rng, batch_size, listen, steps)
    strength, evidence = _evidence(rng, on, strengths)
    odds = _log_odds(evidence.sum(axis=0), listened, strengths)
    asked = np.maximum.accumulate(on, axis=0).astype(float)
    targets = (strength > 0).astype(float)
    return Decisions(evidence[..., np.newaxis], targets, asked, odds, strength, listened)


def integrate_in_context(
    rng: np.random.Generator,
    batch_size: int,
    listen: tuple[int, int] = (5, 25),
    strengths: tuple[float, ...] = STRENGTHS,
    steps: int = STEPS,
) -> Decisions:
    """Weigh one of two streams of evidence, as a cue tells, and ignore the other.

    Channels 0 and 1 carry evidence as in `accumulate`, each with a mean of its own; channels 2 and 3 carry
    the cue, one of them 1 throughout the trial.

    Parameters
    ----------
    rng, batch_size, listen, strengths, steps
        As in `accumulate`.

    Returns
    -------
    Decisions
        With four channels; ``strength`` and ``odds`` are those of the stream that counts.

    Notes
    -----
    After Mante, Sussillo, Shenoy & Newsome, Nature 503 (2013).

    Examples
    --------
    >>> trials = integrate_in_context(np.random.default_rng(0), batch_size=3)
    >>> trials.inputs.shape, trials.inputs[0, :, 2:].sum(axis=1)
    ((40, 3, 4), array([1., 1., 1.]))
    """
    on, listened = _window(rng, batch_size, listen, steps)
    both = [_evidence(rng, on, strengths) for _ in range(2)]
    counts = rng.integers(2, size=batch_size)
    cue = np.broadcast_to(np.eye(2)[counts], (steps, batch_size, 2))
    inputs = np.concatenate([both[0][1][..., np.newaxis], both[1][1][..., np.newaxis], cue], axis=-1)
    strength = np.where(counts == 0, both[0][0], both[1][0])
    relevant = np.where(counts == 0, both[0][1], both[1][1])
    odds = _log_odds(relevant.sum(axis=0), listened, strengths)
    asked = np.maximum.accumulate(on, axis=0).astype(float)
    return Decisions(inputs, (strength > 0).astype(float), asked, odds, strength, listened)


def delayed_match(
    rng: np.random.Generator,
    batch_size: int,
    delay: tuple[int, int] = (2, 30),
    noise: float = 0.6,
    steps: int = STEPS,
) -> Decisions:
    """See one of four stimuli, wait in silence, see another, and say whether the two were the same.

    Each stimulus is a 1 in its channel under noise on all channels, for three steps. The second comes in the
    last three steps; the answer counts in the last two.

    Parameters
    ----------
    rng : Generator
    batch_size : int
        B trials, about half of them matches.
    delay : pair of int
        Fewest and most silent steps between the stimuli.
    noise : float
        Standard deviation of the noise on each channel.
    steps : int
        T.

    Returns
    -------
    Decisions
        With four channels.

    Notes
    -----
    After the delayed matching of Miller, Erickson & Desimone, Journal of Neuroscience 16 (1996), without
    their distractors. The ideal observer knows when the stimuli come.

    Examples
    --------
    >>> trials = delayed_match(np.random.default_rng(0), batch_size=4000)
    >>> trials.right(trials.odds).mean().round(2)
    np.float64(0.95)
    """
    shown = 3
    _check_span(delay, steps - 2 * shown, "delay")
    sample = rng.integers(KINDS, size=batch_size)
    same = rng.integers(2, size=batch_size)
    second = np.where(same, sample, (sample + rng.integers(1, KINDS, size=batch_size)) % KINDS)
    waits = rng.integers(delay[0], delay[1] + 1, size=batch_size)
    t = np.arange(steps)[:, np.newaxis]
    early = (t >= steps - 2 * shown - waits) & (t < steps - shown - waits)
    late = np.broadcast_to(t >= steps - shown, early.shape)
    heard = noise * rng.normal(size=(steps, batch_size, KINDS))
    inputs = np.where(early[..., np.newaxis], np.eye(KINDS)[sample] + heard, 0.0)
    inputs = np.where(late[..., np.newaxis], np.eye(KINDS)[second] + heard, inputs)
    beliefs = [
        np.sum(inputs * window[..., np.newaxis], axis=0) / noise**2 for window in (early, late)
    ]  # log likelihood of each kind, up to what is the same for all
    matched = logsumexp(beliefs[0] + beliefs[1], axis=1)
    pairs = beliefs[0][:, :, np.newaxis] + beliefs[1][:, np.newaxis, :]
    different = logsumexp(np.where(np.eye(KINDS, dtype=bool), -np.inf, pairs), axis=(1, 2))
    odds = matched - np.log(KINDS) - different + np.log(KINDS * (KINDS - 1))
    asked = np.broadcast_to(t >= steps - 2, early.shape).astype(float)
    nothing = np.full(batch_size, np.nan)
    return Decisions(inputs, same.astype(float), asked, odds, nothing, np.full(batch_size, 2 * shown))


def best_accuracy(strength, listened):
    """How often the ideal observer is right: Φ(|μ| √n) for a mean μ per step of n steps (noise 1)."""
    return ndtr(np.abs(strength) * np.sqrt(listened))


def leaky_accuracy(strength, listened, kept):
    """How often an observer is right whose sum keeps only the share ``kept`` of itself per step.

    The last of n steps counts 1, the one before f, then f², so the sum has mean μ (1 − fⁿ)/(1 − f) and
    variance (1 − f²ⁿ)/(1 − f²). A silence afterwards scales both and changes no answer.

    Parameters
    ----------
    strength, listened : float or array
        |μ| and n, as in `best_accuracy`.
    kept : float
        f, above 0 and at most 1. The time constant is −1/ln f.

    Examples
    --------
    >>> leaky_accuracy(0.4, 25, 1.0) == best_accuracy(0.4, 25)
    np.True_
    >>> leaky_accuracy(0.4, 25, 0.8).round(3)
    np.float64(0.884)
    """
    if not 0 < kept <= 1:
        raise ValueError(f"expected a share above 0 and at most 1 that is kept per step, got {kept}")
    weights = kept ** np.arange(np.max(listened))
    n = np.asarray(listened) - 1
    mean, variance = np.cumsum(weights)[n], np.cumsum(weights**2)[n]
    return ndtr(np.abs(strength) * mean / np.sqrt(variance))


class Weighing(NamedTuple):
    """How much the evidence of each step weighed in an observer's choices.

    Attributes
    ----------
    kernel : (n,) array
        Mean evidence of a step, towards the choice that was made; first step first.
    error : float
        Standard error of each entry.
    kept : float
        f of the exponential a f^(n−1−k) that fits the kernel best; above 1 if early evidence weighs more.
    kept_error : float
        Standard error of f.
    """

    kernel: np.ndarray
    error: float
    kept: float
    kept_error: float


def weighing(trials: Decisions, odds: np.ndarray) -> Weighing:
    """Recover from choices alone how an observer weighed the evidence over time.

    Average the evidence, step by step, over the trials in which answer 1 was chosen, and over the others with
    its sign turned. Where the evidence was pure noise, this is proportional to the weight of the step.

    Parameters
    ----------
    trials : Decisions
        Of `accumulate` with a single duration and strengths=(0,).
    odds : (B,) array
        The observer's answers; only the sign is used.

    Returns
    -------
    Weighing

    Raises
    ------
    ValueError
        If the trials have a signal or several durations, or the observer always says the same.

    Notes
    -----
    Psychophysical reverse correlation; of decisions over time: Kiani, Hanks & Shadlen, Journal of
    Neuroscience 28 (2008).

    Examples
    --------
    >>> trials = accumulate(np.random.default_rng(0), 20_000, listen=(20, 20), strengths=(0.0,))
    >>> leaky = np.zeros(20_000)
    >>> for evidence in trials.inputs[:, :, 0]:
    ...     leaky = 0.9 * leaky + evidence
    >>> found = weighing(trials, leaky)
    >>> abs(found.kept - 0.9) < 3 * found.kept_error < 0.03
    True
    """
    n = trials.listened[0]
    if (trials.listened != n).any() or (trials.strength != 0).any():
        raise ValueError(
            "weighing needs trials of one duration without a signal: listen=(n, n), strengths=(0,)"
        )
    chosen = np.where(np.asarray(odds) > 0, 1.0, -1.0)
    if np.abs(chosen.mean()) == 1:
        raise ValueError("the observer gives the same answer in every trial, so nothing can be recovered.")
    start = (trials.inputs[:, :, 0] != 0).argmax(axis=0)
    heard = np.take_along_axis(trials.inputs[:, :, 0], start + np.arange(n)[:, np.newaxis], axis=0)
    kernel = (heard * chosen).mean(axis=1)
    error = 1 / np.sqrt(len(chosen))
    ago = np.arange(n)[::-1]
    (_, rate), spread = curve_fit(
        lambda k, a, rate: a * np.exp(-rate * k),
        ago,
        kernel,
        p0=(max(kernel.mean(), error), 0.0),
        sigma=np.full(n, error),
        absolute_sigma=True,
    )
    kept = np.exp(-rate)
    return Weighing(kernel, float(error), float(kept), float(kept * np.sqrt(spread[1, 1])))


def check_fresh(train: Decisions, test: Decisions) -> None:
    """Raise if a trial of the test set was trained on.

    Simulated trials are fresh only if their random numbers are: a generator with the training seed draws the
    training trials again.

    Parameters
    ----------
    train, test : Decisions
        Of the same task.

    Raises
    ------
    LeakError
        If any test trial equals a training trial in all its inputs.

    Examples
    --------
    >>> train = accumulate(np.random.default_rng(0), batch_size=100)
    >>> check_fresh(train, accumulate(np.random.default_rng(1), batch_size=100))
    >>> check_fresh(train, accumulate(np.random.default_rng(0), batch_size=100))
    Traceback (most recent call last):
    ...
    gatedrnn.decoders.folds.LeakError: 100 of 100 test trials were trained on: draw them with another seed.
    """
    known = {trial.tobytes() for trial in np.moveaxis(train.inputs, 1, 0)}
    seen = sum(trial.tobytes() in known for trial in np.moveaxis(test.inputs, 1, 0))
    if seen:
        number = len(test.targets)
        raise LeakError(f"{seen} of {number} test trials were trained on: draw them with another seed.")


def _window(rng, batch_size: int, listen: tuple[int, int], steps: int) -> tuple[np.ndarray, np.ndarray]:
    """When each trial has evidence: (T, B) of bool, and for how many steps: (B,)."""
    if batch_size < 1:
        raise ValueError(f"expected batch_size of 1 or more, got {batch_size}")
    latest = 5
    _check_span(listen, steps - latest, "listen")
    listened = rng.integers(listen[0], listen[1] + 1, size=batch_size)
    start = rng.integers(latest + 1, size=batch_size)
    t = np.arange(steps)[:, np.newaxis]
    return (t >= start) & (t < start + listened), listened


def _evidence(rng, on: np.ndarray, strengths) -> tuple[np.ndarray, np.ndarray]:
    """Signed means (B,) and noisy evidence (T, B), 0 where there is nothing to hear."""
    batch_size = on.shape[1]
    strength = rng.choice(strengths, size=batch_size) * rng.choice([-1, 1], size=batch_size)
    return strength, np.where(on, strength + rng.normal(size=on.shape), 0.0)


def _log_odds(total: np.ndarray, listened: np.ndarray, strengths) -> np.ndarray:
    """ln P(μ > 0 | total) / P(μ < 0 | total), with all strengths equally likely (noise 1)."""
    s = np.asarray(strengths, dtype=float)[:, np.newaxis]
    cost = listened * s**2 / 2
    return logsumexp(s * total - cost, axis=0) - logsumexp(-s * total - cost, axis=0)


def _check_span(span: tuple[int, int], most: int, name: str) -> None:
    if not 1 <= span[0] <= span[1] <= most:
        raise ValueError(f"expected {name} as (fewest, most) steps between 1 and {most}, got {span}")
