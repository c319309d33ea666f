"""Item 2 of set 7: a test block of whole reaches with a guard on both sides."""

import numpy as np

from gatedrnn.practice.items import Item, Misconception, Part, Question


def reference(starts, n_bins, first, last, guard):
    """Return the reaches to train on and those to test on."""
    ends = np.append(starts[1:], n_bins)
    reaches = np.arange(len(starts))
    test = (reaches >= first) & (reaches <= last)
    clear = (ends <= starts[first] - guard) | (starts >= ends[last] + guard)
    return reaches[clear & ~test], reaches[test]


def _draw(rng, guarded):
    lengths = rng.integers(5, 12, size=int(rng.integers(12, 16)))
    starts = np.append(0, np.cumsum(lengths)[:-1]).astype(np.int64)
    first = int(rng.integers(4, 6))
    last = first + int(rng.integers(1, 4))
    guard = 0
    if guarded:  # about as long as the reach before the block; just as long is far enough for the next one
        guard = int(lengths[first - 1]) + int(rng.choice([-2, 0, 0, 3]))
    return starts, int(lengths.sum()), first, last, guard


def draw_plain(rng):
    """No guard."""
    return _draw(rng, guarded=False)


def draw_guarded(rng):
    """A guard of some bins."""
    return _draw(rng, guarded=True)


def plot(axes, function):
    """Draw which reaches are trained on and tested on."""
    starts = np.arange(0, 200, 10)
    train, test = (np.asarray(part, dtype=int) for part in function(starts, 200, 8, 10, 15))
    axes.plot(starts[train], 0 * train, "o", label="training")
    axes.plot(starts[test], 1 + 0 * test, "s", label="test")
    axes.legend()
    axes.set(xlabel="first bin of the reach", ylabel="part", title="split_reaches, a guard of 15 bins")


def _guarded(before=1.0, after=1.0):
    """A guard that is another on one of its sides; 0 for none."""

    def wrong(starts, n_bins, first, last, guard):
        ends = np.append(starts[1:], n_bins)
        reaches = np.arange(len(starts))
        test = (reaches >= first) & (reaches <= last)
        clear = (ends <= starts[first] - before * guard) | (starts >= ends[last] + after * guard)
        return reaches[clear & ~test], reaches[test]

    return wrong


def _in_reaches(starts, n_bins, first, last, guard):
    reaches = np.arange(len(starts))
    test = (reaches >= first) & (reaches <= last)
    return reaches[(reaches < first - guard) | (reaches > last + guard)], reaches[test]


def _by_start(starts, n_bins, first, last, guard):
    """A reach before the block is kept if it begins, rather than ends, early enough."""
    ends = np.append(starts[1:], n_bins)
    reaches = np.arange(len(starts))
    test = (reaches >= first) & (reaches <= last)
    return reaches[((starts <= starts[first] - guard) | (starts >= ends[last] + guard)) & ~test], reaches[
        test
    ]


def _everything(starts, n_bins, first, last, guard):
    reaches = np.arange(len(starts))
    return reaches, reaches[first : last + 1]


def _last_excluded(starts, n_bins, first, last, guard):
    return reference(starts, n_bins, first, last - 1, guard)


def _bins(starts, n_bins, first, last, guard):
    train, test = reference(starts, n_bins, first, last, guard)
    ends = np.append(starts[1:], n_bins)
    return tuple(np.concatenate([np.arange(starts[r], ends[r]) for r in part]) for part in (train, test))


def _clear(before, after):
    """Another rule of which reaches are far enough before and after the block."""

    def wrong(starts, n_bins, first, last, guard):
        ends = np.append(starts[1:], n_bins)
        reaches = np.arange(len(starts))
        test = (reaches >= first) & (reaches <= last)
        clear = before(ends, starts[first], guard) | after(starts, ends, last, guard)
        return reaches[clear & ~test], reaches[test]

    return wrong


_strict = _clear(lambda e, at, guard: e < at - guard, lambda s, e, last, guard: s > e[last] + guard)
_after_start = _clear(lambda e, at, guard: e <= at - guard, lambda s, e, last, guard: s >= s[last] + guard)
_after_end = _clear(lambda e, at, guard: e <= at - guard, lambda s, e, last, guard: e >= e[last] + guard)


def _first_excluded(starts, n_bins, first, last, guard):
    train, test = reference(starts, n_bins, first, last, guard)
    return train, test[1:]


def _masks(starts, *given):
    return tuple(np.isin(np.arange(len(starts)), part) for part in reference(starts, *given))


MISCONCEPTIONS = (
    Misconception(
        "no guard",
        "You keep the reaches right beside the test block. The guard keeps away what slow signals would "
        "carry over.",
        (_guarded(0, 0),),
    ),
    Misconception(
        "guard on one side only",
        "Your guard is on one side of the test block only. What is slow reaches over both its ends.",
        (_guarded(1, 0), _guarded(0, 1)),
    ),
    Misconception(
        "guard counted in reaches",
        "You leave out so many reaches. The guard is counted in bins.",
        (_in_reaches,),
    ),
    Misconception(
        "measured from where a reach begins",
        "A reach before the block is near it if its end is near; you look at its beginning.",
        (_by_start,),
    ),
    Misconception(
        "test reaches among the training reaches",
        "Your training reaches include those to test on. What a decoder was fitted to cannot test it.",
        (_everything,),
    ),
    Misconception(
        "last test reach left out",
        "The test block runs from `first` to `last`, both included.",
        (_last_excluded,),
    ),
    Misconception(
        "bins instead of reaches",
        "You return bins. Asked for are the numbers of whole reaches.",
        (_bins,),
    ),
    Misconception(
        "test first",
        "Return the training reaches first, then the test reaches.",
        (lambda *given: reference(*given)[::-1],),
    ),
    Misconception(
        "just far enough refused",
        "You leave out a reach that is just far enough: `guard` bins between it and the block are enough, "
        "and without a guard the neighbours of the block may be trained on.",
        (_strict,),
    ),
    Misconception(
        "measured from another place after the block",
        "After the block it is its last bin that counts: a reach has to begin at least `guard` bins after "
        "the end of the last test reach.",
        (_after_start, _after_end),
    ),
    Misconception(
        "first test reach left out",
        "Your test block begins one reach late: `first` belongs to it.",
        (_first_excluded,),
    ),
    Misconception(
        "masks instead of numbers",
        "You return masks, true or false for every reach. Asked for are the numbers of the reaches: "
        "np.flatnonzero.",
        (_masks,),
    ),
    Misconception(
        "bins where the reaches start",
        "You return the first bins of the reaches. Asked for are their numbers, counted from 0.",
        (lambda starts, *given: tuple(starts[part] for part in reference(starts, *given)),),
    ),
    Misconception(
        "guard taken twice",
        "You leave out twice the guard.",
        (_guarded(2, 2),),
    ),
)

ITEM = Item(
    name="split_reaches",
    signature="split_reaches(starts, n_bins, first, last, guard)",
    title="A test that deserves the name",
    parts=(Part("training"), Part("test")),
    reference=reference,
    questions=(
        Question("no guard", 1, draw_plain),
        Question("a guard of some bins", 1, draw_guarded, repeats=6),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "Where does each reach begin, and where does it end? Which bins belong to the test block, and which "
        "are too near to it?",
        "ends = np.append(starts[1:], n_bins). A reach may be trained on if it ends at most at "
        "starts[first] − guard, or begins at least at ends[last] + guard.",
        "The expected picture: three squares in the middle; the round dots keep a gap of two reaches to both "
        "sides of them.",
    ),
    plot=plot,
)
