"""Set 7: a second right answer to every item, and a learner's code for every mistake it knows."""

GIVEN = """
def ridge(rows, velocity, penalty):
    mean, spread, level = rows.mean(axis=0), rows.std(axis=0) + 1e-9, velocity.mean(axis=0)
    x = (rows - mean) / spread
    weights = np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ (velocity - level))
    return lambda new: (new - mean) / spread @ weights + level


def lags(spikes, starts, taps):
    begins, rows = set(starts.tolist()), []
    for t, counts in enumerate(spikes):
        seen = [] if t in begins else seen
        seen = [counts, *seen][:taps]
        rows.append(np.concatenate([*seen, *[0 * counts] * (taps - len(seen))]))
    return np.array(rows)


def leaky(spikes, starts):
    begins, rows, keep = set(starts.tolist()), [], np.exp(-1 / np.array([[3.0], [9.0], [30.0]]))
    for t, counts in enumerate(spikes):
        state = (0 if t in begins else keep * state) + (1 - keep) * counts
        rows.append(state.ravel())
    return np.array(rows)


def time_in_reach(starts, n):
    since = np.arange(n) - starts[np.searchsorted(starts, np.arange(n), side="right") - 1]
    return np.exp(-0.5 * (since[:, None] / 5 - np.arange(10)) ** 2)
"""
HISTORIES = """
def histories(spikes, starts, taps):
    T, cells = spikes.shape
    blocks = []
    for lag in range(taps):
        block = np.zeros_like(spikes)
        for first, end in zip(starts, [*starts[1:], T]):
            {fill}
        blocks.append(block)
    return {result}
"""
WHOLE = "def histories(spikes, starts, taps):\n    T = len(spikes)\n    return "
SPLIT = """
def split_reaches(starts, n_bins, first, last, guard):
    ends = [*starts[1:], n_bins]
    train, test = [], []
    for k in range(len(starts)):
        if {tested}:
            test.append(k)
        elif {kept}:
            train.append(k)
    return {result}
"""
DECODE = """
def decode(spikes, velocity, starts, new_spikes, new_starts):
    def rows(counts, begins):
        return {rows}

    def bent(y, begins):
        gates = time_in_reach(begins, len(y))
        return {bent}

    first = ridge(rows(spikes, starts), {velocity}, {penalty})
    said, new = first(rows(spikes, starts)) / 10, first(rows(new_spikes, new_starts)) / 10
    decoded = ridge(bent(said, starts), {velocity}, 1.0)(bent(new, new_starts))
    return {result}
"""


def histories(**changes):
    """A right answer to `histories`, with some pieces changed."""
    fill = "block[first + lag : end] = spikes[first : max(end - lag, first)]"
    return HISTORIES.format(**{"fill": fill, "result": "np.hstack(blocks)", **changes})


def split(**changes):
    """A right answer to `split_reaches`, with some pieces changed."""
    pieces = dict(tested="first <= k <= last", result="np.array(train), np.array(test)")
    pieces["kept"] = "ends[k] + guard <= starts[first] or starts[k] - guard >= ends[last]"
    return SPLIT.format(**{**pieces, **changes})


def decode(**changes):
    """A right answer to `decode`, with some pieces changed."""
    pieces = dict(rows="np.hstack([lags(counts, begins, 5), leaky(counts, begins)])", velocity="velocity")
    pieces["bent"] = "np.hstack([y, y * abs(y), y**3, gates, y[:, :1] * gates, y[:, 1:] * gates])"
    return DECODE.format(**{**pieces, "penalty": "400", "result": "decoded", **changes})


RIGHT = {"histories": histories(), "split_reaches": split(), "decode": decode()}
SMOOTHED = "np.apply_along_axis(np.convolve, 0, counts, np.ones(5) / 5, 'same')"

# (item, the mistake that must be recognised, points that are earned all the same, the learner's code)
WRONG = [
    ("histories", "history across a border", 1,
     WHOLE + "np.hstack([np.vstack([0 * spikes[:k], spikes[: T - k]]) for k in range(taps)])"),
    ("histories", "rolled round", 0, WHOLE + "np.hstack([np.roll(spikes, k, axis=0) for k in range(taps)])"),
    ("histories", "future instead of past", 0,
     histories(fill="block[first : max(end - lag, first)] = spikes[first + lag : end]")),
    ("histories", "the present left out", 0,
     histories(fill="block[first + lag + 1 : end] = spikes[first : max(end - lag - 1, first)]")),
    ("histories", "oldest bin first", 0, histories(result="np.hstack(blocks[::-1])")),
    ("histories", "grouped by cell", 0, histories(result="np.stack(blocks, axis=2).reshape(T, -1)")),
    ("histories", "first bins left out", 0, histories(result="np.hstack(blocks)[taps - 1 :]")),
    ("histories", "three axes instead of two", 0, histories(result="np.stack(blocks, axis=1)")),
    ("split_reaches", "no guard", 1, split(kept="True")),
    ("split_reaches", "guard on one side only", 1,
     split(kept="k > last or ends[k] + guard <= starts[first]")),
    ("split_reaches", "guard on one side only", 1,
     split(kept="k < first or starts[k] - guard >= ends[last]")),
    ("split_reaches", "guard counted in reaches", 1, split(kept="k < first - guard or k > last + guard")),
    ("split_reaches", "measured from where a reach begins", 1,
     split(kept="starts[k] + guard <= starts[first] or starts[k] - guard >= ends[last]")),
    ("split_reaches", "test reaches among the training reaches", 0,
     split(result="np.arange(len(starts)), np.array(test)")),
    ("split_reaches", "last test reach left out", 0,
     split(tested="first <= k < last",
           kept="ends[k] + guard <= starts[first] or starts[k] - guard >= ends[last - 1]")),
    ("split_reaches", "bins instead of reaches", 0,
     split(result="tuple(np.concatenate([np.arange(starts[k], ends[k]) for k in part])"
                  " for part in (train, test))")),
    ("split_reaches", "test first", 0, split(result="np.array(test), np.array(train)")),
    ("decode", "the mean", 0, decode(result="0 * decoded + velocity.mean(axis=0)")),
    ("decode", "directions exchanged", 0, decode(result="decoded[:, ::-1]")),
    ("decode", "another unit", 2, decode(velocity="(velocity / velocity.std(axis=0))")),
    ("decode", "both the future and the reach before", 8,
     decode(rows=f"lags({SMOOTHED}, begins, 5)")),
    ("decode", "sees the future", 9,
     decode(rows="np.hstack([lags(counts, begins, 5), lags(counts[::-1],"
                 " np.sort(len(counts) - np.append(begins[1:], len(counts))), 2)[::-1]])")),
    ("decode", "crosses borders", 10,
     decode(rows="np.hstack([lags(counts, np.array([0]), 5), leaky(counts, begins)])")),
    ("decode", "only the present bin", 7, decode(rows="counts", bent="y")),
    ("decode", "weights without a penalty", 0,
     decode(rows="lags(np.exp(np.minimum(9 * counts, 300)), begins, 5)", penalty="1e-12", bent="y")),
    ("histories", "one lag too few or too many", 0, histories().replace("range(taps)", "range(taps + 1)")),
    ("histories", "lags below each other or added up", 0, histories(result="np.vstack(blocks)")),
    ("histories", "lags below each other or added up", 0, histories(result="sum(blocks)")),
    ("histories", "something else than zero before the start", 0,
     histories().replace("np.zeros_like(spikes)", "np.full_like(spikes, np.nan)")),
    ("histories", "something else than zero before the start", 0,
     histories(fill="block[first:end] = spikes[np.maximum(np.arange(first, end) - lag, first)]")),
    ("histories", "the last reach forgotten", 0, histories().replace("[*starts[1:], T]", "starts[1:]")),
    ("split_reaches", "just far enough refused", 0,
     split(kept="ends[k] + guard < starts[first] or starts[k] - guard > ends[last]")),
    ("split_reaches", "measured from another place after the block", 1,
     split(kept="ends[k] + guard <= starts[first] or starts[k] >= starts[last] + guard")),
    ("split_reaches", "first test reach left out", 0, split(result="np.array(train), np.array(test)[1:]")),
    ("split_reaches", "masks instead of numbers", 0,
     split(result="tuple(np.isin(np.arange(len(starts)), part) for part in (train, test))")),
    ("split_reaches", "bins where the reaches start", 0, split(result="starts[train], starts[test]")),
    ("split_reaches", "guard taken twice", 1,
     split(kept="ends[k] + 2 * guard <= starts[first] or starts[k] - 2 * guard >= ends[last]")),
    ("decode", "sign reversed", 0, decode(result="-decoded")),
    ("decode", "speed instead of velocity", 0, decode(result="np.abs(decoded)")),
]  # fmt: skip
DRAWS = 20

HALF_DONE = (
    [
        WHOLE + "np.hstack([np.vstack([0 * spikes[:k], spikes[: T - k]]) for k in range(taps)])",
        split(kept="True"),
        GIVEN + decode(rows="lags(counts, begins, 3)", bent="y"),
    ],
    {"histories": 1, "split_reaches": 1, "decode": 7},
)
