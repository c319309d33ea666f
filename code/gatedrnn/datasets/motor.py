"""Motor cortex: the recording of reaching monkeys published with the Distribution Alignment Decoder.

The files ``chewie_demo.mat`` and its sisters (Dyer et al. 2017, doi:10.1038/s41551-017-0169-7) hold two
halves, ``tr`` and ``te``, each with spike counts ``Y``, hand velocity ``X`` and the number of the target
``T``. They carry no borders, no bin width and no units. What the numbers themselves establish, and a
test repeats:

*Borders.* In ``chewie_demo.mat`` every run of one target lasts 31 or 62 bins, except the first and the
last run of a half, which are cut short. Every 31 bins the velocity jumps by 9.6 cm/s or more, from the
fast end of one reach to the rest before the next; within reaches no step exceeds 2.9 cm/s. Both signs
mark the same 98 reaches.

*Overlapping counts.* Rows of ``Y`` are sums over a window of 8 bins that slides by one: undoing the sum
gives counts of 0 or more everywhere for 8 (and its divisors), but negative ones in a third of all entries
for any other width. The sum runs on across borders, so the first 7 rows of a reach still hold spikes of the
reach before. Only one set of counts per bin fits each half, so ``per_bin=True`` can give them back exactly.

*Bin width.* The velocities of one reach add up to 205 cm/s × bins on average and 379 at most. A centre-out
reach is about 8 cm and the rows end near peak speed, half-way, so a bin can only be 10 to 20 ms. Counts per
bin decode velocity best 14 to 16 bins later: 150 ms if a bin is 10 ms, the lead expected of motor cortex.
The authors' program for such rows takes 31 samples from the go cue on and sums over 8, from tables whose
customary bin is 10 ms. So the default is 10 ms, and the window of the counts 80 ms.
"""

import itertools

import numpy as np

from gatedrnn.datasets.matfile import MalformedData, existing, read_mat
from gatedrnn.datasets.recording import Recording

FIELDS = ("Xtr", "Ytr", "Ttr", "Xte", "Yte", "Tte")
WHAT = "a motor-cortex recording of this format"


def load_motor(path=None, bin_width: float = 0.01, per_bin: bool = False) -> Recording:
    """Load a motor-cortex recording, both halves, with the borders of its reaches.

    Parameters
    ----------
    path : path-like, optional
        A file in the format of ``chewie_demo.mat``, any animal; by default that file itself, found or
        downloaded by `gatedrnn.datasets.fetch`.
    bin_width : float
        Width of a bin in seconds. The file does not say; the module's docstring has the evidence for 10 ms.
    per_bin : bool
        By default the counts are those of the file, which may overlap: ``count_bins`` says over how many bins
        each was summed. With ``per_bin=True`` the sum is undone and every bin holds its own spikes only.

    Returns
    -------
    Recording
        The half ``tr`` first, then ``te``: spikes (n_bins, n_cells) and hand velocity (n_bins, 2) in cm/s.

    Raises
    ------
    FileNotFoundError, MalformedData
        With a sentence that says what is wrong with the file.
    DataUnavailable
        If no path is given and the recording can be neither found nor downloaded.

    Notes
    -----
    Source: Dyer EL, Azar MG, Perich MG, et al. (2017) A cryptography-based approach for movement decoding.
    Nature Biomedical Engineering 1:967-976.
    """
    if path is None:
        from gatedrnn.datasets.fetching import fetch

        path = fetch("m1_reach_dad") / "chewie_demo.mat"
    path = existing(path)
    if not bin_width > 0:
        raise ValueError(f"bin_width is in seconds and must be positive, got {bin_width}.")
    content = read_mat(path, FIELDS, WHAT)
    halves = [_half(path, content, end) for end in ("tr", "te")]
    halves = [half for half in halves if len(half[0])]
    if not halves:
        raise MalformedData(f"{path} holds no time bins: both halves of {WHAT} are empty.")
    if len({half[0].shape[1] for half in halves}) > 1:
        cells = " and ".join(str(half[0].shape[1]) for half in halves)
        raise MalformedData(f"{path}: both halves must hold the same cells, got {cells}.")
    width = overlap([half[0] for half in halves])
    if per_bin and width > 1:
        halves = [(_undo_sliding_sum(path, half[0], width), *half[1:]) for half in halves]
        width = 1
    spikes, velocity, targets = (np.concatenate(parts) for parts in zip(*halves, strict=True))
    offsets = np.cumsum([0] + [len(half[0]) for half in halves[:-1]])
    starts = np.concatenate(
        [offset + reach_starts(half[1], half[2]) for offset, half in zip(offsets, halves, strict=True)]
    )
    return Recording(
        spikes,
        velocity,
        float(bin_width),
        starts,
        targets[starts],
        name=path.stem,
        count_bins=width,
    )


def _half(path, content, end: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Check one half of the file and return spikes, velocity and targets."""
    velocity, spikes, targets = (np.asarray(content[letter + end]) for letter in "XYT")
    for name, array in ((f"X{end}", velocity), (f"Y{end}", spikes), (f"T{end}", targets)):
        if array.dtype.kind not in "uif" or array.ndim != 2:
            raise MalformedData(f"{path}: {name} must be a matrix of real numbers, got {array.dtype}.")
        if not np.isfinite(array).all():
            raise MalformedData(f"{path}: {name} holds values that are not finite; remove those bins first.")
    targets = targets.ravel()
    if not len(velocity) == len(spikes) == len(targets):
        raise MalformedData(
            f"{path}: X{end}, Y{end} and T{end} must have one row per bin, got {len(velocity)}, "
            f"{len(spikes)} and {len(targets)} rows."
        )
    if len(velocity) and velocity.shape[1] < 2:
        raise MalformedData(f"{path}: X{end} must have 2 columns, x and y velocity, got {velocity.shape[1]}.")
    if (spikes < 0).any() or (targets != np.round(targets)).any():
        raise MalformedData(f"{path}: Y{end} must hold counts of 0 or more and T{end} whole target numbers.")
    whole = (spikes == np.round(spikes)).all()
    return spikes.astype(int if whole else float), velocity[:, :2].astype(float), targets.astype(int)


def reach_starts(velocity: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Find the first bin of every reach in a stretch of concatenated reaches.

    A border is put wherever one of these says so; one border too many costs a few windows, one too few leaks:

    - the target changes;
    - the velocity jumps as no hand does: by more than three times the 90th percentile of the steps between
      bins of one target, and by at least a quarter of the median step where the target changes;
    - all complete runs of one target are multiples of the shortest: the reaches have one length, and a longer
      run is several reaches to the same target;
    - otherwise, within a run, speed falls below a quarter of the peaks on both sides: two reaches in a row,
      with the border somewhere in the slow stretch, so that both of its ends become borders.

    Parameters
    ----------
    velocity : ndarray, shape (n_bins, 2)
    targets : ndarray of int, shape (n_bins,)

    Returns
    -------
    ndarray of int
        Starts with 0.
    """
    changed = np.diff(targets) != 0
    step = np.linalg.norm(np.diff(velocity, axis=0), axis=1)
    border = changed.copy()
    if changed.any() and not changed.all():
        fast = 3 * np.quantile(step[~changed], 0.9)  # borders without a change of target are far fewer
        border |= (step > fast) & (step > np.median(step[changed]) / 4)
    starts = np.r_[0, np.flatnonzero(border) + 1]
    length = _common_length(np.flatnonzero(changed) + 1)
    if length is None:
        return np.union1d(starts, _valleys(np.linalg.norm(velocity, axis=1), starts))
    grid = np.concatenate([np.arange(a, b, length) for a, b in _runs(changed, length)])
    return np.union1d(starts, grid)


def _common_length(borders: np.ndarray) -> int | None:
    """Length of which all complete runs between `borders` are multiples, if they have one."""
    lengths = np.diff(borders)
    if len(lengths) < 3:
        return None
    shortest = int(lengths.min())
    return shortest if shortest > 1 and (lengths % shortest == 0).all() else None


def _runs(changed: np.ndarray, length: int):
    """Yield first and last bin (+ 1) of every run, the first run counted back from its end."""
    edges = np.r_[0, np.flatnonzero(changed) + 1, len(changed) + 1]
    yield edges[1] % length, edges[1]  # the run before the first border is whole at its end, not at its start
    yield from itertools.pairwise(edges[1:])


def _valleys(speed: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """First bin of every slow stretch between two fast ones within a reach, and the first bin after it."""
    found = []
    for first, last in zip(starts, np.r_[starts[1:], len(speed)], strict=True):
        run = speed[first:last]
        before = np.maximum.accumulate(run)
        after = np.maximum.accumulate(run[::-1])[::-1]
        slow = run < np.minimum(before, after) / 4
        slow &= (
            np.minimum(before, after) > np.quantile(speed, 0.9) / 4
        )  # wiggles of a resting hand do not count
        edges = np.flatnonzero(np.diff(np.r_[False, slow, False]))
        found += list(first + edges)
    return np.array(found, dtype=int)


def overlap(stretches) -> int:
    """Return the number of bins over which counts were summed in a sliding window, 1 if they were not.

    If ``Y[t] = s[t] + s[t-1] + … + s[t-W+1]`` with counts s ≥ 0, then ``s[t] = s[t-W] + Y[t] − Y[t-1]``. That
    fixes the least counts which the first window must have held so that none later falls below 0; together
    they cannot exceed the sum ``Y[0]``. Only the true width and its divisors pass.

    Parameters
    ----------
    stretches : sequence of ndarray, shape (n_bins, n_cells)
        Stretches of counts, each without a gap.

    Returns
    -------
    int
        At most 32.
    """
    widths = [1]
    for width in range(2, 33):
        if all(len(counts) > 4 * width and _is_sliding_sum(counts, width) for counts in stretches):
            widths.append(width)
    return max(widths)


def _is_sliding_sum(counts: np.ndarray, width: int) -> bool:
    """Whether rows of counts are sums over `width` bins of counts that are nowhere negative."""
    return bool((_least_history(counts, width).sum(axis=0) <= counts[0]).all())


def _least_history(counts: np.ndarray, width: int) -> np.ndarray:
    """Smallest counts of the first `width` bins that keep all later bins at 0 or more, (width, n_cells)."""
    return np.maximum(-_excess(counts, width).min(axis=0), 0)


def _excess(counts: np.ndarray, width: int) -> np.ndarray:
    """By how much each later bin exceeds the one of the first `width` bins in line with it.

    Shape (rounds, width, n_cells); the last round is completed with steps of 0.
    """
    steps = np.diff(counts, axis=0)  # s[t] − s[t − width]
    steps = np.pad(steps, ((0, -len(steps) % width), (0, 0)))
    return np.cumsum(steps.reshape(-1, width, counts.shape[1]), axis=0)


def _undo_sliding_sum(path, counts: np.ndarray, width: int) -> np.ndarray:
    """Counts per bin whose sliding sums are `counts`, which must leave only one possibility."""
    history = _least_history(counts, width)
    if (history.sum(axis=0) != counts[0]).any():
        raise MalformedData(
            f"{path}: the counts are sums over {width} bins that more than one set of spikes could give; "
            f"load it with per_bin=False."
        )
    later = (history + _excess(counts, width)).reshape(-1, counts.shape[1])
    return np.concatenate([history, later])[width - 1 :][: len(counts)]
