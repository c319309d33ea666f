"""One cell while a choice is made: spike trains of many trials and the direction that was chosen in each.

The real recording is one neuron of a human subthalamic nucleus; the simulated one has two known rates.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gatedrnn.datasets.matfile import MalformedData, read_mat

FILE = "10_spikes-1.mat"


@dataclass(frozen=True, eq=False)
class Choices:
    """Spikes of one cell in trials that end in one of two directions.

    Attributes
    ----------
    spikes : (n_trials, n_bins) integer array
        Counts per bin.
    direction : (n_trials,) integer array
        0 or 1.
    start : float
        Time of the beginning of the first bin in s; 0 is when the movement begins.
    bin_width : float
        In s.
    rates : (2,) array or None
        Spikes per second in direction 0 and 1, where they are known.
    name : str
    """

    spikes: np.ndarray
    direction: np.ndarray
    start: float
    bin_width: float
    rates: np.ndarray | None = None
    name: str = ""

    @property
    def n_trials(self) -> int:
        """Number of trials."""
        return len(self.spikes)

    def binned(self, width: float) -> "Choices":
        """Count in wider bins; spikes behind the last whole bin are left out.

        Raises
        ------
        ValueError
            If the width is not a whole number of bins, or longer than a trial.
        """
        factor = round(width / self.bin_width)
        if factor < 1 or abs(factor * self.bin_width - width) > 1e-9:
            raise ValueError(f"expected a multiple of the bin of {self.bin_width} s, got {width} s")
        whole = self.spikes.shape[1] // factor
        if not whole:
            raise ValueError(f"bins of {width} s do not fit into trials of {self.spikes.shape[1]} bins")
        counts = self.spikes[:, : whole * factor].reshape(self.n_trials, whole, factor).sum(axis=2)
        return Choices(counts, self.direction, self.start, width, self.rates, self.name)

    def select(self, trials) -> "Choices":
        """Only these trials."""
        return Choices(
            self.spikes[trials], self.direction[trials], self.start, self.bin_width, self.rates, self.name
        )


def load_choices(path=None) -> Choices:
    """Read a file of spike trains with a direction for every trial.

    Parameters
    ----------
    path : path-like, optional
        A MATLAB file with ``train`` (trials × milliseconds, 0 or 1), ``direction`` (one of two values per
        trial) and ``t`` (ms, evenly spaced). Without it, the one that `fetch` gives.

    Returns
    -------
    Choices
        Directions as 0 for the smaller and 1 for the larger value of the file.

    Raises
    ------
    DataUnavailable, FileNotFoundError, MalformedData

    Notes
    -----
    Kramer & Eden, Case Studies in Neural Data Analysis (2016), chapter 10.
    """
    if path is None:
        from gatedrnn.datasets.fetching import fetch

        path = fetch("place_cell_kramer_eden") / FILE
    content = read_mat(path, ("train", "direction", "t"), "a file of spike trains and directions")
    spikes, direction, t = content["train"], content["direction"].ravel(), content["t"].ravel().astype(float)
    _check(path, spikes, direction, t)
    step = (t[-1] - t[0]) / (len(t) - 1)
    return Choices(
        spikes.astype(int),
        (direction == direction.max()).astype(int),
        float(t[0]) / 1000,
        float(step) / 1000,
        name=Path(path).stem,
    )


def _check(path, spikes, direction, t) -> None:
    if spikes.dtype.kind not in "uifb" or spikes.ndim != 2 or direction.dtype.kind not in "uifb":
        raise MalformedData(f"{path}: train must be a matrix and direction a list of numbers.")
    if spikes.shape != (len(direction), len(t)) or len(t) < 2:
        raise MalformedData(
            f"{path}: train is {spikes.shape}, but there are {len(direction)} directions and {len(t)} times; "
            f"expected trials × times."
        )
    if not np.isfinite(spikes.astype(float)).all() or (spikes < 0).any() or (spikes % 1).any():
        raise MalformedData(f"{path}: train must hold counts, whole numbers of 0 or more.")
    if len(np.unique(direction)) != 2:
        raise MalformedData(
            f"{path}: expected two directions, got the values {np.unique(direction).tolist()[:5]}."
        )
    steps = np.diff(t)
    if not (steps > 0).all() or np.ptp(steps) > 1e-6 * steps.mean():
        raise MalformedData(f"{path}: the times t must rise in even steps.")


def simulate_choices(
    seed: int, n_trials: int = 50, rates: tuple[float, float] = (58.0, 36.0), seconds: float = 2.0
) -> Choices:
    """Draw Poisson spikes whose rate tells the direction, half of the trials each.

    Parameters
    ----------
    seed : int
    n_trials : int
        2 or more.
    rates : pair of float
        Spikes per second in direction 0 and 1, above 0.
    seconds : float
        Length of a trial, in bins of 1 ms.

    Returns
    -------
    Choices
        With the true rates.

    Examples
    --------
    >>> cell = simulate_choices(seed=0, n_trials=400)
    >>> [round(float(cell.select(cell.direction == d).spikes.mean() / cell.bin_width)) for d in (0, 1)]
    [59, 36]
    """
    rng = np.random.default_rng(seed)
    rates = np.asarray(rates, dtype=float)
    if n_trials < 2 or rates.shape != (2,) or not (rates > 0).all() or not seconds >= 0.001:
        raise ValueError(
            f"expected 2 trials or more, two rates above 0 and a positive length, got {n_trials}, "
            f"{rates.tolist()} and {seconds} s"
        )
    direction = rng.permutation(np.arange(n_trials) % 2)
    bins = round(seconds * 1000)
    spikes = rng.poisson(rates[direction, np.newaxis] * 0.001, size=(n_trials, bins))
    return Choices(spikes, direction, -seconds / 2, 0.001, rates, "simulated")
