"""Hippocampus: calcium events of CA1 cells and the position of a running mouse.

The files ``<mouse>_spike_train.mat`` and ``<mouse>_stimulus_trace.mat`` (Sheintuch, Rubin & Ziv 2022,
doi:10.1371/journal.pcbi.1009832) each hold a cell array of 2 environments × 4 sessions × 2 running
directions: the activity that CNMF-E inferred from the fluorescence, and the bin of the track. Only
running periods are in them, joined end to end; the mouse runs along the track and reappears at its
start, so that laps show as jumps.
"""

from dataclasses import dataclass

import numpy as np

from gatedrnn.datasets.matfile import MalformedData, existing, read_mat
from gatedrnn.datasets.recording import Recording

FARTHEST = 2  # bins of the track between two frames at 20 Hz; more is faster than a mouse, hence a cut


@dataclass(frozen=True, eq=False, repr=False)
class Session(Recording):
    """A `Recording` of one session in one running direction; its reaches are stretches of unbroken running.

    Attributes
    ----------
    environment, session, direction : int
        Place in the file's cell array, counted from 0. Cells are the same in both directions of a
        session, and others in every other session.
    """

    environment: int = 0
    session: int = 0
    direction: int = 0


def load_ca1(path_spikes=None, path_stimulus=None, frame_rate: float = 20.0) -> list[Session]:
    """Load the activity of hippocampal cells and the position of the mouse, session by session.

    Parameters
    ----------
    path_spikes, path_stimulus : path-like, optional
        The two files of one mouse; by default mouse C6M3, found or downloaded by `gatedrnn.datasets.fetch`.
    frame_rate : float
        Frames per second: 20, but 10 for mouse C8M2.

    Returns
    -------
    list of Session
        One for every filled cell of the files: ``spikes`` (n_bins, n_cells) holds the inferred activity,
        0 in most bins; ``kinematics`` (n_bins, 1) the bin of the track; ``starts`` the first bin of
        every stretch of running. A pause that was cut out while the mouse stayed where it was leaves no
        trace in the files. A frame without a value is left out and leaves a border; a cell without any
        activity or value stays, silent, so that cells keep their numbers.

    Raises
    ------
    FileNotFoundError, MalformedData
        With a sentence that says what is wrong with a file.
    DataUnavailable
        If no path is given and the recording can be neither found nor downloaded.
    """
    if (path_spikes is None) != (path_stimulus is None):
        raise ValueError("pass both files of a mouse, its spike train and its stimulus trace, or neither.")
    if not frame_rate > 0:
        raise ValueError(f"frame_rate is in frames per second and must be positive, got {frame_rate}.")
    if path_spikes is None:
        from gatedrnn.datasets.fetching import fetch

        folder = fetch("hippocampus_ca1_zivlab")
        path_spikes, path_stimulus = folder / "C6M3_spike_train.mat", folder / "C6M3_stimulus_trace.mat"
    path_spikes, path_stimulus = existing(path_spikes), existing(path_stimulus)
    activity = _cells(path_spikes, "spike_train", "a spike-train file of this format")
    position = _cells(path_stimulus, "stimulus_trace", "a stimulus-trace file of this format")
    if activity.shape != position.shape:
        raise MalformedData(
            f"{path_spikes} holds {activity.shape} sessions and {path_stimulus} {position.shape}: "
            f"pass two files of the same mouse."
        )
    mouse = path_spikes.stem.removesuffix("_spike_train")
    sessions = [
        _session(mouse, place, _full(activity[place]), _full(position[place]), 1 / frame_rate)
        for place in np.ndindex(activity.shape)
        if _full(activity[place]).size or _full(position[place]).size
    ]
    if not sessions:
        raise MalformedData(f"{path_spikes} holds no session with any activity.")
    return sessions


def _cells(path, field: str, what: str) -> np.ndarray:
    """The cell array of a file as (environment, session, direction); a bare matrix counts as one session."""
    content = read_mat(path, (field,), what)[field]
    content = _full(content)
    if content.dtype != object:
        matrix, content = content, np.empty((1, 1, 1), dtype=object)
        content[0, 0, 0] = matrix
    if content.ndim > 3:
        raise MalformedData(
            f"{path}: {field} must be a cell array of environments × sessions × directions, got "
            f"{content.shape}."
        )
    return content.reshape(content.shape + (1,) * (3 - content.ndim))


def _full(content) -> np.ndarray:
    """One cell of the cell array as an array; MATLAB may have saved it as a sparse matrix."""
    return np.asarray(content.toarray() if hasattr(content, "toarray") else content)


def _session(mouse: str, place: tuple[int, int, int], activity, position, bin_width: float) -> Session:
    """Check one session and cut it where the mouse cannot have run on."""
    where = f"{mouse}, environment {place[0] + 1}, session {place[1] + 1}, direction {place[2] + 1}"
    position = np.asarray(position).ravel()
    if activity.dtype.kind not in "uif" or activity.ndim != 2 or position.dtype.kind not in "uif":
        raise MalformedData(f"{where}: activity must be a matrix and position a vector of numbers.")
    if len(activity) != len(position) == activity.shape[1]:
        activity = activity.T  # saved with cells first
    if len(activity) != len(position):
        raise MalformedData(
            f"{where}: activity has {len(activity)} bins and position {len(position)}; pass two files of "
            f"one mouse."
        )
    activity = activity.astype(float)
    activity[:, ~np.isfinite(activity).any(axis=0)] = 0  # a cell that this session lacks
    if (activity < 0).any():
        raise MalformedData(f"{where}: activity must be 0 or more in every bin.")
    valid = np.isfinite(activity).all(axis=1) & np.isfinite(position)
    if not valid.any():
        raise MalformedData(f"{where}: no bin has a value for every cell and for the position.")
    frame = np.flatnonzero(valid)
    activity, position = activity[valid], position[valid]
    farthest = max(FARTHEST, FARTHEST * 20 * bin_width)
    jump = (np.abs(np.diff(position.astype(float))) > farthest) | (np.diff(frame) > 1)
    starts = np.r_[0, np.flatnonzero(jump) + 1]
    return Session(
        activity.astype(np.float32),
        position[:, np.newaxis].astype(float),
        bin_width,
        starts,
        np.full(len(starts), place[2]),
        name=where,
        names=("position",),
        units=("bin of the track",),
        environment=place[0],
        session=place[1],
        direction=place[2],
    )
