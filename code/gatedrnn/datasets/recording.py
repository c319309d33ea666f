"""What every motor data set looks like once it is loaded: spikes, kinematics and the borders of reaches."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np


@dataclass(frozen=True, eq=False)
class Recording:
    """Spikes and movement on one time axis, cut into reaches.

    Attributes
    ----------
    spikes : ndarray, shape (n_bins, n_cells)
        Spike counts (whole numbers), or firing rates if that is what the file holds.
    kinematics : ndarray, shape (n_bins, n_dimensions)
        What is to be decoded; ``names`` and ``units`` say what it is.
    bin_width : float
        Width of a bin in seconds.
    starts : ndarray of int, shape (n_reaches,)
        First bin of every reach. Time does not run on across a border: a history window must not cross one.
    targets : ndarray of int, shape (n_reaches,)
        Number of the target of every reach.
    name : str
        Where the recording comes from.
    names, units : tuple of str
        Name and unit of every column of `kinematics`.
    count_bins : int
        Number of bins over which one entry of `spikes` was counted. 1 means that entries do not overlap; with
        more, neighbours share spikes, and a training set must keep that many bins away from its test set.
    tuning : Any, optional
        The ground truth of a simulated recording; None for a real one.
    """

    spikes: np.ndarray
    kinematics: np.ndarray
    bin_width: float
    starts: np.ndarray
    targets: np.ndarray
    name: str
    names: tuple[str, ...] = ("x velocity", "y velocity")
    units: tuple[str, ...] = ("cm/s", "cm/s")
    count_bins: int = 1
    tuning: Any = field(default=None, repr=False)

    def __post_init__(self):
        if len(self.spikes) != len(self.kinematics):
            raise ValueError(
                f"spikes and kinematics need the same number of bins, got {len(self.spikes)} and "
                f"{len(self.kinematics)}: cut both to the same stretch of time."
            )
        if len(self.starts) != len(self.targets):
            raise ValueError(
                f"every reach needs one start and one target, got {len(self.starts)} starts and "
                f"{len(self.targets)} targets."
            )
        starts = np.asarray(self.starts)
        ordered = len(starts) and starts[0] == 0 and np.all(np.diff(starts) > 0) and starts[-1] < self.n_bins
        if not ordered:
            raise ValueError(
                f"starts must begin with 0, increase, and stay below the {self.n_bins} bins of the recording."
            )

    def __repr__(self):
        return (
            f"Recording({self.name!r}: {self.n_bins} bins of {self.bin_width * 1000:g} ms, "
            f"{self.n_cells} cells, {len(self.starts)} reaches)"
        )

    @property
    def n_bins(self) -> int:
        """Number of time bins."""
        return len(self.spikes)

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return self.spikes.shape[1]

    @property
    def stops(self) -> np.ndarray:
        """One past the last bin of every reach, shape (n_reaches,)."""
        return np.append(self.starts[1:], self.n_bins)

    @property
    def reach(self) -> np.ndarray:
        """Number of the reach that each bin belongs to, shape (n_bins,)."""
        return np.repeat(np.arange(len(self.starts)), self.stops - self.starts)


def join(recordings) -> Recording:
    """Put recordings of the same cells end to end, each end a border.

    Parameters
    ----------
    recordings : sequence of Recording
        With the same cells, names, units and bin width.

    Returns
    -------
    Recording
        Named after the first; ``targets`` are kept, ``tuning`` is the first's.

    Examples
    --------
    >>> from gatedrnn.datasets import join, simulate_motor
    >>> one = simulate_motor(seed=0, n_reaches=4)
    >>> len(join([one, one]).starts)
    8
    """
    recordings = list(recordings)
    if not recordings:
        raise ValueError("join needs at least one recording, got none.")
    first = recordings[0]
    kinds = {(r.n_cells, r.names, r.units, r.bin_width, r.count_bins) for r in recordings}
    if len(kinds) > 1:
        raise ValueError(
            f"only recordings of the same cells, names, units and bins can be joined, got {sorted(kinds)}."
        )
    offsets = np.cumsum([0] + [r.n_bins for r in recordings[:-1]])
    return Recording(
        np.concatenate([r.spikes for r in recordings]),
        np.concatenate([r.kinematics for r in recordings]),
        first.bin_width,
        np.concatenate([r.starts + offset for r, offset in zip(recordings, offsets, strict=True)]),
        np.concatenate([r.targets for r in recordings]),
        first.name,
        first.names,
        first.units,
        first.count_bins,
        first.tuning,
    )


def windows(
    recording: Recording, before: int, after: int = 0, fill: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Give every bin the spikes around it, without ever crossing the border of a reach.

    Parameters
    ----------
    recording : Recording
    before, after : int
        Number of bins before and after the current one; the window has ``before + 1 + after`` bins. With
        ``after > 0`` a decoder sees the future and is not causal.
    fill : float, optional
        Value for bins that lie beyond the border of the reach. By default a bin whose window is incomplete is
        left out.

    Returns
    -------
    X : ndarray, shape (n_windows, before + 1 + after, n_cells)
        ``X[k, before]`` is the current bin, ``X[k, 0]`` the oldest; the type is that of the spikes.
    index : ndarray of int, shape (n_windows,)
        The current bin of each window, so that ``recording.kinematics[index]`` are the values to decode.

    Raises
    ------
    ValueError
        If a number of bins is negative, or no reach is long enough for one window.

    Examples
    --------
    >>> from gatedrnn.datasets import simulate_motor, windows
    >>> recording = simulate_motor(seed=0, n_reaches=4, n_cells=10)
    >>> X, index = windows(recording, before=5)
    >>> X.shape[1:]
    (6, 10)
    >>> bool((recording.reach[index] == recording.reach[index - 5]).all())
    True
    """
    if before < 0 or after < 0 or before != int(before) or after != int(after):
        raise ValueError(f"before and after count bins and cannot be negative, got {before} and {after}.")
    before, after = int(before), int(after)
    offsets = np.arange(-before, after + 1)
    bins = np.arange(recording.n_bins)[:, np.newaxis] + offsets  # (n_bins, before + 1 + after)
    first, last = recording.starts[recording.reach], recording.stops[recording.reach] - 1
    inside = (bins >= first[:, np.newaxis]) & (bins <= last[:, np.newaxis])
    if fill is None:
        index = np.flatnonzero(inside.all(axis=1))
        if not len(index):
            raise ValueError(
                f"no reach is long enough for {before} bins before and {after} after: the longest has "
                f"{(recording.stops - recording.starts).max()} bins; ask for fewer, or pass fill=0."
            )
        return recording.spikes[bins[index]], index
    X = recording.spikes[np.clip(bins, 0, recording.n_bins - 1)]
    X[~inside] = fill
    return X, np.arange(recording.n_bins)


class Sequences(NamedTuple):
    """Whole reaches as a padded batch, time first, as recurrent networks take them.

    Attributes
    ----------
    spikes : ndarray, shape (longest, n_reaches, n_cells)
    kinematics : ndarray, shape (longest, n_reaches, n_dimensions)
    mask : ndarray of bool, shape (longest, n_reaches)
        True where a bin belongs to the reach, False on the padding (zeros) after its end.
    index : ndarray of int, shape (longest, n_reaches)
        Bin of the recording that each entry came from, −1 on the padding.
    """

    spikes: np.ndarray
    kinematics: np.ndarray
    mask: np.ndarray
    index: np.ndarray


def sequences(recording: Recording, reaches=None) -> Sequences:
    """Cut a recording at its borders and stack the reaches side by side.

    Parameters
    ----------
    recording : Recording
    reaches : sequence of int, optional
        Which reaches, in which order; all of them by default.

    Returns
    -------
    Sequences

    Examples
    --------
    >>> from gatedrnn.datasets import sequences, simulate_motor
    >>> batch = sequences(simulate_motor(seed=0, n_reaches=4, n_cells=10))
    >>> batch.spikes.shape[1:], batch.kinematics.shape[1:]
    ((4, 10), (4, 2))
    """
    reaches = np.arange(len(recording.starts)) if reaches is None else np.asarray(reaches, dtype=int)
    starts, lengths = recording.starts[reaches], (recording.stops - recording.starts)[reaches]
    step = np.arange(lengths.max())[:, np.newaxis]
    mask = step < lengths
    index = np.where(mask, starts + step, -1)
    spikes = np.where(mask[..., np.newaxis], recording.spikes[index], 0)
    kinematics = np.where(mask[..., np.newaxis], recording.kinematics[index], 0.0)
    return Sequences(spikes.astype(recording.spikes.dtype), kinematics, mask, index)
