"""A motor cortex whose tuning is known: cosine-tuned Poisson neurons and smooth centre-out reaches."""

from typing import NamedTuple

import numpy as np

from gatedrnn.datasets.recording import Recording

REACH_CM = 8.0  # the usual distance between centre and targets in a monkey's centre-out task


class Tuning(NamedTuple):
    """The ground truth behind a simulated motor cortex; every entry has shape (n_cells,).

    Attributes
    ----------
    preferred_direction : ndarray
        Direction of hand velocity at which a cell fires most, in radians.
    baseline : ndarray
        Firing rate of a resting hand in spikes/s.
    gain : ndarray
        Change of the rate per speed in the preferred direction, in spikes/s per cm/s.
    lag : ndarray of int
        Number of bins by which a cell's rate leads the movement.
    """

    preferred_direction: np.ndarray
    baseline: np.ndarray
    gain: np.ndarray
    lag: np.ndarray

    def rates(self, velocity: np.ndarray) -> np.ndarray:
        """Firing rates in spikes/s for one stretch of hand velocity.

        rate_i(t) = max(0, baseline_i + gain_i |v| cos(θ − preferred_direction_i)) with speed |v| and
        direction θ at t + lag_i: cosine tuning (Georgopoulos et al. 1982) that grows with speed (Moran &
        Schwartz 1999).

        Parameters
        ----------
        velocity : ndarray, shape (n_bins, 2)
            In cm/s. The hand is taken to rest after the end.

        Returns
        -------
        ndarray, shape (n_bins, n_cells)
        """
        directions = np.stack([np.cos(self.preferred_direction), np.sin(self.preferred_direction)])
        rest = np.zeros((max(self.lag.max(), 0), 2))
        drive = (
            np.concatenate([velocity, rest]) @ directions
        )  # |v| cos(θ − θ_preferred), (n_bins + lag, n_cells)
        later = np.arange(len(velocity))[:, np.newaxis] + self.lag
        drive = np.take_along_axis(drive, later, axis=0)
        return np.maximum(0.0, self.baseline + self.gain * drive)


def simulate_motor(
    seed: int,
    n_reaches: int = 120,
    n_cells: int = 60,
    n_targets: int = 8,
    bin_width: float = 0.05,
    lag: float = 0.1,
    mean_rate: float = 10.0,
) -> Recording:
    """Simulate a motor-cortex recording with known tuning.

    Each reach starts from rest, goes 8 cm (± 10 %) towards one of the targets along a slightly curved path
    with the bell-shaped speed of a minimum-jerk movement (Flash & Hogan 1985), and rests again; the moment
    of its onset and its duration vary.

    Parameters
    ----------
    seed : int
        The same seed gives the same recording.
    n_reaches, n_cells, n_targets : int
    bin_width : float
        In seconds.
    lag : float
        Mean time by which the cells lead the hand, in seconds; cells vary from 0 to twice this.
    mean_rate : float
        Mean baseline in spikes/s.

    Returns
    -------
    Recording
        With the ground truth in ``tuning``, a `Tuning`.

    Raises
    ------
    ValueError
        If a number is not positive.

    Examples
    --------
    >>> recording = simulate_motor(seed=1, n_reaches=3, n_cells=5)
    >>> recording.tuning.gain.shape
    (5,)
    >>> len(recording.starts)
    3
    """
    for word, value in (("n_reaches", n_reaches), ("n_cells", n_cells), ("n_targets", n_targets)):
        if value < 1:
            raise ValueError(f"{word} must be at least 1, got {value}.")
    if not bin_width > 0 or not mean_rate > 0 or lag < 0:
        raise ValueError("bin_width and mean_rate must be positive and lag cannot be negative.")
    rng = np.random.default_rng(seed)
    tuning = Tuning(
        preferred_direction=rng.uniform(0, 2 * np.pi, n_cells),
        baseline=mean_rate * rng.gamma(4.0, 1 / 4.0, n_cells),
        gain=mean_rate
        / 20
        * rng.gamma(4.0, 1 / 4.0, n_cells),  # 20 cm/s, a usual speed, doubles the mean rate
        lag=np.round(rng.uniform(0, 2 * lag, n_cells) / bin_width).astype(int),
    )
    targets = _shuffled_targets(rng, n_reaches, n_targets)
    reaches = [_reach(rng, 2 * np.pi * target / n_targets, bin_width) for target in targets]
    rates = np.concatenate([tuning.rates(velocity) for velocity in reaches])
    starts = np.cumsum([0] + [len(velocity) for velocity in reaches[:-1]])
    return Recording(
        rng.poisson(rates * bin_width),
        np.concatenate(reaches),
        bin_width,
        starts,
        targets,
        name=f"simulated motor cortex, seed {seed}",
        tuning=tuning,
    )


def _shuffled_targets(rng, n_reaches: int, n_targets: int) -> np.ndarray:
    """Every target equally often, in random order."""
    rounds = -(-n_reaches // n_targets)
    return np.concatenate([rng.permutation(n_targets) for _ in range(rounds)])[:n_reaches]


def _reach(rng, angle: float, bin_width: float) -> np.ndarray:
    """Hand velocity of one reach in cm/s, (n_bins, 2), with rest before and after the movement."""
    rest, duration = rng.uniform(0.3, 0.5), rng.uniform(0.5, 0.8)
    t = (np.arange(round((rest + duration + 0.3) / bin_width)) + 0.5) * bin_width
    s = np.clip((t - rest) / duration, 0, 1)  # 0 before the movement, 1 after it
    distance = REACH_CM * rng.normal(1, 0.1)
    forward = distance / duration * 30 * s**2 * (1 - s) ** 2  # derivative of 10 s³ − 15 s⁴ + 6 s⁵
    bend = rng.normal(0, 0.1)
    # the sideways path, bend · distance · 16 s²(1 − s)², leaves and comes back; this is its derivative
    sideways = bend * distance / duration * 32 * s * (1 - s) * (1 - 2 * s)
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-np.sin(angle), np.cos(angle)])
    return np.outer(forward, along) + np.outer(sideways, across)
