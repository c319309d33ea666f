"""A hippocampus whose place fields are known: Gaussian fields, Poisson events and a mouse that runs laps."""

from typing import NamedTuple

import numpy as np

from gatedrnn.datasets.recording import Recording

PLACES = 20  # bins of the track, as in the real recordings


class PlaceFields(NamedTuple):
    """The ground truth behind simulated place cells; every entry has shape (n_cells,).

    Attributes
    ----------
    centre : ndarray
        Where a cell fires most, in bins of the track.
    width : ndarray
        Standard deviation of its field, in bins of the track.
    peak : ndarray
        Rate at the centre above the baseline, in events/s.
    baseline : ndarray
        Rate far from the field, in events/s.
    """

    centre: np.ndarray
    width: np.ndarray
    peak: np.ndarray
    baseline: np.ndarray

    def rates(self, position: np.ndarray) -> np.ndarray:
        """Rates in events/s, (n_bins, n_cells), at positions (n_bins, 1).

        rate_i(x) = baseline_i + peak_i exp(−(x − centre_i)² / (2 width_i²)).
        """
        distance = (np.asarray(position, dtype=float).reshape(-1, 1) - self.centre) / self.width
        return self.baseline + self.peak * np.exp(-0.5 * distance**2)


def simulate_place_cells(
    seed: int,
    n_laps: int = 40,
    n_cells: int = 80,
    bin_width: float = 0.05,
    lap_time: float = 2.5,
    peak_rate: float = 1.5,
) -> Recording:
    """Simulate place cells with known fields while a mouse runs laps on a track of 20 bins.

    Every lap begins in the first bin of the track after a pause and ends in the last with another one. Speed
    differs from lap to lap and wanders within a lap. Events are Poisson, as sparse as calcium events are.

    Parameters
    ----------
    seed : int
        The same seed gives the same recording.
    n_laps, n_cells : int
    bin_width : float
        In seconds.
    lap_time : float
        Mean time of running in a lap, in seconds.
    peak_rate : float
        Mean rate in the middle of a field, in events/s.

    Returns
    -------
    Recording
        ``kinematics`` is the bin of the track, 1 to 20, ``starts`` the first bin of every lap; the truth is
        in ``tuning``, a `PlaceFields`.

    Raises
    ------
    ValueError
        If a number is not positive.

    Examples
    --------
    >>> recording = simulate_place_cells(seed=1, n_laps=3, n_cells=5)
    >>> recording.tuning.centre.shape, len(recording.starts)
    ((5,), 3)
    """
    for word, value in (("n_laps", n_laps), ("n_cells", n_cells)):
        if value < 1:
            raise ValueError(f"{word} must be at least 1, got {value}.")
    if not (bin_width > 0 and lap_time > 0 and peak_rate > 0):
        raise ValueError("bin_width, lap_time and peak_rate must be positive.")
    rng = np.random.default_rng(seed)
    fields = PlaceFields(
        centre=rng.uniform(0.5, PLACES + 0.5, n_cells),
        width=rng.uniform(1.0, 2.5, n_cells),
        peak=peak_rate * rng.gamma(4.0, 1 / 4.0, n_cells),
        baseline=np.full(n_cells, peak_rate / 75),
    )
    laps = [_lap(rng, bin_width, lap_time) for _ in range(n_laps)]
    position = np.concatenate(laps)[:, np.newaxis]
    return Recording(
        rng.poisson(fields.rates(position) * bin_width),
        position,
        bin_width,
        np.cumsum([0] + [len(lap) for lap in laps[:-1]]),
        np.zeros(n_laps, dtype=int),
        name=f"simulated place cells, seed {seed}",
        names=("position",),
        units=("bin of the track",),
        tuning=fields,
    )


def _lap(rng, bin_width: float, lap_time: float) -> np.ndarray:
    """Bin of the track over one lap: a pause, a run of wandering speed, a pause."""
    speed = PLACES / lap_time * rng.lognormal(0, 0.2)  # bins of the track per second
    keep = np.exp(-bin_width / 0.5)  # speed wanders within half a second
    wander, place, path = 0.0, 0.0, []
    while place < PLACES:
        path.append(place)
        wander = keep * wander + np.sqrt(1 - keep**2) * rng.normal(0, 0.3)
        place += speed * bin_width * np.exp(wander)
    before, after = 1 + rng.poisson(np.array([0.4, 0.3]) / bin_width)
    whole = 1 + np.floor(path).astype(int)
    return np.concatenate([np.ones(before), whole, np.full(after, PLACES)])
