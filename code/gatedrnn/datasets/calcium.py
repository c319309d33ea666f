"""Calcium: fluorescence of single neurons with the true times of their spikes.

Each file of the ground-truth database (Rupprecht et al. 2021, doi:10.1038/s41593-021-00895-5) holds a
cell array ``CAttached`` whose entries have ``fluo_time`` in seconds, ``fluo_mean`` in ΔF/F and
``events_AP``, the spikes that an electrode on the cell recorded, in units of 0.1 ms.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gatedrnn.datasets.matfile import MalformedData, existing, read_mat
from gatedrnn.datasets.registry import REGISTRY

TICK = 1e-4  # seconds per unit of events_AP
FIELDS = ("fluo_time", "fluo_mean", "events_AP")


@dataclass(frozen=True, eq=False)
class CalciumRecording:
    """Fluorescence of one neuron and the true times of its spikes.

    Attributes
    ----------
    time : ndarray, shape (n_frames,)
        In seconds, increasing.
    fluorescence : ndarray, shape (n_frames,)
        ΔF/F, the change relative to the resting fluorescence.
    spike_times : ndarray, shape (n_spikes,)
        In seconds, on the same clock, increasing.
    starts : ndarray of int
        First frame of every stretch without a gap.
    name : str
        The file, and the entry where a file holds several.
    """

    time: np.ndarray
    fluorescence: np.ndarray
    spike_times: np.ndarray
    starts: np.ndarray
    name: str

    @property
    def neuron(self) -> str:
        """The name of the file: what all recordings of one neuron share."""
        return re.sub(r" \(\d+\)$", "", self.name)

    @property
    def frame_rate(self) -> float:
        """Frames per second."""
        return 1 / float(np.median(np.diff(self.time)))

    def __repr__(self):
        return (
            f"CalciumRecording({self.name!r}: {self.time[-1] - self.time[0]:.0f} s at {self.frame_rate:.0f} "
            f"Hz, {len(self.spike_times)} spikes)"
        )

    def between(self, start: float, stop: float) -> "CalciumRecording":
        """Return the stretch from ``start`` to ``stop``, in seconds after the first frame; the name stays."""
        kept = np.flatnonzero((self.time - self.time[0] >= start) & (self.time - self.time[0] < stop))
        if len(kept) < 2:
            lasts = self.time[-1] - self.time[0]
            raise ValueError(
                f"expected two frames or more of a recording of {lasts:.0f} s, got {start} to {stop} s."
            )
        inner = self.starts[(self.starts > kept[0]) & (self.starts <= kept[-1])] - kept[0]
        end = self.time[0] + stop
        inside = (self.spike_times >= self.time[kept[0]]) & (self.spike_times < end)
        return CalciumRecording(
            self.time[kept], self.fluorescence[kept], self.spike_times[inside], np.r_[0, inner], self.name
        )

    def binned(self, rate: float) -> "BinnedCalcium":
        """Average the fluorescence and count the spikes in bins of equal width.

        Parameters
        ----------
        rate : float
            Bins per second, not above the frame rate.

        Returns
        -------
        BinnedCalcium
            Only bins that hold at least one frame; a gap in the recording is a border.
        """
        if not 0 < rate <= self.frame_rate * 1.001:
            raise ValueError(
                f"rate must be above 0 and at most the {self.frame_rate:.1f} Hz of the frames, got {rate}."
            )
        origin = self.time[0]
        frame_bin = np.floor((self.time - origin) * rate + 1e-6).astype(int)
        occupied, position = np.unique(frame_bin, return_inverse=True)
        fluorescence = np.bincount(position, self.fluorescence) / np.bincount(position)
        spike_bin = np.floor((self.spike_times - origin) * rate + 1e-6).astype(int)
        spike_bin = spike_bin[(spike_bin >= 0) & (spike_bin <= occupied[-1])]
        spikes = np.bincount(spike_bin, minlength=occupied[-1] + 1)[occupied]
        starts = np.r_[0, np.flatnonzero(np.diff(occupied) > 1) + 1]
        return BinnedCalcium(fluorescence, spikes, 1 / rate, starts)


class BinnedCalcium(NamedTuple):
    """A calcium recording in bins of equal width.

    Attributes
    ----------
    fluorescence : ndarray, shape (n_bins,)
        Mean ΔF/F.
    spikes : ndarray of int, shape (n_bins,)
        Number of spikes; divide by `bin_width` for the rate in spikes/s.
    bin_width : float
        In seconds.
    starts : ndarray of int
        First bin of every stretch without a gap.
    """

    fluorescence: np.ndarray
    spikes: np.ndarray
    bin_width: float
    starts: np.ndarray


def load_calcium(paths=None) -> list[CalciumRecording]:
    """Load calcium recordings with their true spikes.

    Parameters
    ----------
    paths : path-like or iterable of path-like, optional
        Files of the database, or folders of them; by default the 23 recordings of GCaMP6f in visual cortex,
        found or downloaded by `gatedrnn.datasets.fetch`.

    Returns
    -------
    list of CalciumRecording
        In the order of the paths, each folder sorted by name.

    Notes
    -----
    In the database a file is a neuron, and the entries of a file are recordings of that neuron:
    `CalciumRecording.neuron` tells what belongs together when recordings are split.

    Raises
    ------
    FileNotFoundError, MalformedData
        With a sentence that says what is wrong with a file.
    DataUnavailable
        If no path is given and the recordings can be neither found nor downloaded.
    """
    if paths is None:
        from gatedrnn.datasets.fetching import fetch

        folder = fetch("calcium_gt_cascade")
        paths = [folder / file.path for file in REGISTRY["calcium_gt_cascade"].files]
    files = [file for path in _listed(paths) for file in _files(path)]
    return [recording for file in files for recording in _recordings(file)]


def _listed(paths) -> Iterable[Path]:
    """One path or several, as a list of Path."""
    if isinstance(paths, str | PathLike):
        paths = [paths]
    return [Path(path).expanduser() for path in paths]


def _files(path: Path) -> list[Path]:
    """The recordings of a folder, or the file itself."""
    if not path.is_dir():
        return [existing(path)]
    found = sorted(path.glob("*.mat"))
    if not found:
        raise FileNotFoundError(f"{path} holds no .mat file; pass a folder of calcium recordings.")
    return found


def _recordings(path: Path) -> list[CalciumRecording]:
    """Every entry of one file."""
    cells = read_mat(path, ("CAttached",), "a calcium recording of this format")["CAttached"].ravel()
    entries = [cell for cell in cells if cell.size]
    if not entries or any(cell.dtype.names is None for cell in entries):
        raise MalformedData(f"{path}: CAttached must be a cell array of structures with {', '.join(FIELDS)}.")
    numbers = range(1, len(entries) + 1)
    names = [path.stem] if len(entries) == 1 else [f"{path.stem} ({number})" for number in numbers]
    return [_recording(path, cell.ravel()[0], name) for cell, name in zip(entries, names, strict=True)]


def _recording(path: Path, entry, name: str) -> CalciumRecording:
    """Check one entry; frames without a value are left out and leave a gap."""
    missing = [field for field in FIELDS if field not in entry.dtype.names]
    if missing:
        raise MalformedData(
            f"{path}: CAttached lacks {', '.join(missing)}; it has {', '.join(entry.dtype.names)}."
        )
    time, fluorescence, events = (np.asarray(entry[field]).ravel() for field in FIELDS)
    if any(array.dtype.kind not in "uif" for array in (time, fluorescence, events)):
        raise MalformedData(f"{path}: {', '.join(FIELDS)} must hold numbers.")
    if len(time) != len(fluorescence):
        raise MalformedData(
            f"{path}: fluo_time and fluo_mean must be equally long, got {len(time)} and {len(fluorescence)}."
        )
    valid = np.isfinite(time) & np.isfinite(fluorescence)
    time, fluorescence = time[valid].astype(float), fluorescence[valid].astype(float)
    step = np.diff(time)
    if len(time) < 2 or (step <= 0).any():
        raise MalformedData(f"{path}: fluo_time must hold at least two times, in increasing order.")
    starts = np.r_[0, np.flatnonzero(step > 1.5 * np.median(step)) + 1]
    spikes = np.sort(events[np.isfinite(events)]) * TICK
    if len(spikes) and not time[0] - 60 < np.median(spikes) < time[-1] + 60:
        raise MalformedData(
            f"{path}: half of the spikes are not within the {time[-1] - time[0]:.0f} s of fluorescence; "
            f"events_AP must count in units of 0.1 ms on the clock of fluo_time."
        )
    return CalciumRecording(time, fluorescence, spikes, starts, name)
