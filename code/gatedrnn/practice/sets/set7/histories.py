"""Item 1 of set 7: the history of every bin, which never crosses a border."""

import numpy as np

from gatedrnn.practice.items import Item, Misconception, Part, Question


def reach_of(starts, n_bins):
    """Return the number of the reach that each bin belongs to."""
    return np.searchsorted(starts, np.arange(n_bins), side="right") - 1


def reference(spikes, starts, taps):
    """Return the counts of the bin, of the one before, …, side by side; zeros before a reach began."""
    T, cells = spikes.shape
    since = np.arange(T) - np.asarray(starts)[reach_of(starts, T)]
    rows = np.zeros((T, taps, cells))
    for lag in range(taps):
        here = np.flatnonzero(since >= lag)
        rows[here, lag] = spikes[here - lag]
    return rows.reshape(T, taps * cells)


def _draw(rng, reaches):
    lengths = rng.integers(4, 8, size=reaches)
    starts = np.append(0, np.cumsum(lengths)[:-1]).astype(np.int64)
    return rng.poisson(2.0, size=(int(lengths.sum()), 3)) + 1.0, starts, 3


def draw_one(rng):
    """A single reach."""
    return _draw(rng, 1)


def draw_several(rng):
    """Several reaches."""
    return _draw(rng, int(rng.integers(3, 5)))


def plot(axes, function):
    """Draw the histories of one cell that counts up, in two reaches."""
    spikes, starts = np.arange(1.0, 13)[:, None], np.array([0, 7])
    axes.imshow(np.asarray(function(spikes, starts, 4), dtype=float), aspect="auto")
    axes.set(xlabel="lag (bins)", ylabel="bin", title="histories, two reaches")


def _lagged(shift):
    """Build histories whose entry (t, lag) is spikes[shift(t, lag)], zeros outside the recording."""

    def wrong(spikes, starts, taps):
        T, cells = spikes.shape
        rows = np.zeros((T, taps, cells))
        for t in range(T):
            for lag in range(taps):
                at = shift(t, lag)
                if 0 <= at < T:
                    rows[t, lag] = spikes[at]
        return rows.reshape(T, -1)

    return wrong


def _arranged(change):
    def wrong(spikes, starts, taps):
        T, cells = spikes.shape
        return change(reference(spikes, starts, taps).reshape(T, taps, cells)).reshape(T, -1)

    return wrong


def _late(spikes, starts, taps):
    full = reference(spikes, starts, taps + 1)
    return full[:, spikes.shape[1] :]


def _future(spikes, starts, taps):
    turned = np.sort(len(spikes) - np.append(starts[1:], len(spikes)))
    return reference(spikes[::-1], turned, taps)[::-1]


def _first_again(spikes, starts, taps):
    T = len(spikes)
    first = np.asarray(starts)[reach_of(starts, T)]
    return np.hstack([spikes[np.maximum(np.arange(T) - lag, first)] for lag in range(taps)])


def _no_number(spikes, starts, taps):
    known = reference(np.ones_like(spikes), starts, taps) > 0
    return np.where(known, reference(spikes, starts, taps), np.nan)


def _without_last(spikes, starts, taps):
    rows = reference(spikes, starts, taps)
    rows[starts[-1] :] = 0
    return rows


MISCONCEPTIONS = (
    Misconception(
        "history across a border",
        "Your histories reach back into the reach before. Between two reaches time has passed that nobody "
        "recorded: bins before the start of a reach count as zero.",
        (_lagged(lambda t, lag: t - lag),),
    ),
    Misconception(
        "rolled round",
        "np.roll brings the end of the recording to its beginning. Before the first bin stands nothing: "
        "zeros.",
        (lambda s, starts, taps: np.hstack([np.roll(s, lag, axis=0) for lag in range(taps)]),),
    ),
    Misconception(
        "future instead of past",
        "Your histories hold the bins that follow. A decoder in real time does not have them.",
        (_future, _lagged(lambda t, lag: t + lag)),
    ),
    Misconception(
        "the present left out",
        "Your histories begin one bin before the present. The first block of columns is the bin itself.",
        (_late, _lagged(lambda t, lag: t - lag - 1)),
    ),
    Misconception(
        "oldest bin first",
        "Your oldest bin comes first. The order is: the bin itself, the one before it, and so on.",
        (_arranged(lambda rows: rows[:, ::-1]),),
    ),
    Misconception(
        "grouped by cell",
        "You put the lags of one cell side by side. First come all cells at lag 0, then all cells at lag 1.",
        (_arranged(lambda rows: rows.transpose(0, 2, 1)),),
    ),
    Misconception(
        "first bins left out",
        "You leave out the bins that have no full history. Every bin gets a row; what is missing is zero.",
        (
            lambda s, starts, taps: reference(s, starts, taps)[taps - 1 :],
            lambda s, starts, taps: reference(s, starts, taps)[taps:],
        ),
    ),
    Misconception(
        "three axes instead of two",
        "Your answer has three axes. Put the lags side by side: (T, taps · cells).",
        (
            lambda s, starts, taps: reference(s, starts, taps).reshape(len(s), taps, -1),
            lambda s, starts, taps: reference(s, starts, taps).reshape(len(s), taps, -1).transpose(0, 2, 1),
        ),
    ),
    Misconception(
        "one lag too few or too many",
        "You have another number of lags. There are `taps` of them, the bin itself included: lags 0 to taps "
        "− 1.",
        (
            lambda s, starts, taps: reference(s, starts, taps - 1),
            lambda s, starts, taps: reference(s, starts, taps + 1),
            lambda s, starts, taps: reference(s, starts, 1),
        ),
    ),
    Misconception(
        "lags below each other or added up",
        "Every lag needs columns of its own: put the lags side by side, taps · cells columns for each bin.",
        (
            lambda s, starts, taps: np.vstack(np.split(reference(s, starts, taps), taps, axis=1)),
            lambda s, starts, taps: reference(s, starts, taps).T,
            lambda s, starts, taps: sum(np.split(reference(s, starts, taps), taps, axis=1)),
            lambda s, starts, taps: sum(np.split(reference(s, starts, taps), taps, axis=1)) / taps,
        ),
    ),
    Misconception(
        "something else than zero before the start",
        "Before the start of a reach nothing was heard: zeros, not NaN, and not the first bin again.",
        (_first_again, _no_number),
    ),
    Misconception(
        "the last reach forgotten",
        "The last reach stays empty. It ends with the recording, at T: append that to the ends.",
        (_without_last,),
    ),
)

ITEM = Item(
    name="histories",
    signature="histories(spikes, starts, taps)",
    title="What a decoder may know",
    parts=(Part("rows"),),
    reference=reference,
    questions=(
        Question("a single reach", 1, draw_one),
        Question("several reaches", 2, draw_several),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "Which bins has a decoder heard when it speaks about bin t? And which of them belong to the same "
        "reach?",
        "For each lag make a copy of the spikes that is moved down by lag rows, with zeros at the top of "
        "every reach; np.hstack puts them side by side. Going reach by reach makes it easy.",
        "The expected picture has two staircases, one above the other, each with a dark triangle in its "
        "upper right corner, where the reach had not begun.",
    ),
    plot=plot,
)
