"""Set 6: a second right answer to every item, and a learner's code for every mistake it knows."""

GIVEN = """
def windows(seen, first, last):
    padded = np.concatenate([np.zeros(max(0, -first)), seen, np.zeros(max(0, last))])
    rows = np.lib.stride_tricks.sliding_window_view(padded, last - first + 1)
    return rows[max(0, first) :][: len(seen)]
"""
REVERSE = """
def reverse_padded(x, lengths):
    steps = np.arange(x.shape[1])
    result = []
    for row, n in zip(x, {lengths}):
        order = np.where(steps < n, n - 1 - steps, steps)
        result.append(row[order])
    return np.array({result})
"""
BOTH = """
def run_both(inputs, U_f, W_f, U_b, W_b):
    T, H = len(inputs), len(W_f)
    forward, backward = np.zeros((T, H)), np.zeros((T, H))
    h = np.zeros(H)
    for t in range(T):
        h = np.tanh({forward})
        forward[t] = h
    h = {start}
    for t in {order}:
        h = np.tanh({backward})
        backward[t] = h
    return {result}
"""
LAG = """
def smallest_lag(signal, seen, share):
    half = len(signal) // 2

    def score(features):
        fitted = {fitted}
        weights = np.linalg.pinv(features[fitted]) @ signal[fitted]
        {judged}
        return {score}

    late = np.array([score(windows(seen, {first}, {last})) for lag in range(11)])
    both = score(windows(seen, -11, 11))
    lag = {choice}
    return {result}
"""
ENOUGH = "next(k for k in range(11) if late[k] - late[0] >= share * (both - late[0]))"
TEST = "y, said = signal[half:], features[half:] @ weights"
PAIR = "def pair_with_lag(inputs, targets, lag):\n    return "
AHEAD = """
def look_ahead(before, after, changed_from):
    change = {change}
    first = {first}
    return {result}
"""


def reverse(**changes):
    """A right answer to `reverse_padded`, with some pieces changed."""
    return REVERSE.format(**{"lengths": "lengths", "result": "result", **changes})


def both(**changes):
    """A right answer to `run_both`, with some pieces changed."""
    pieces = dict(forward="U_f @ inputs[t] + W_f @ h", backward="U_b @ inputs[t] + W_b @ h")
    pieces |= dict(start="np.zeros(H)", order="range(T - 1, -1, -1)")
    pieces |= dict(result="np.hstack([forward, backward]), np.hstack([forward[T - 1], backward[0]])")
    return BOTH.format(**{**pieces, **changes})


def lag(**changes):
    """A right answer to `smallest_lag`, with some pieces changed."""
    pieces = dict(fitted="slice(half)", judged=TEST, first="lag - 11", last="lag", choice=ENOUGH)
    pieces |= dict(score="1 - np.mean((y - said) ** 2) / np.var(y)", result="late, both, lag")
    return LAG.format(**{**pieces, **changes})


def ahead(**changes):
    """A right answer to `look_ahead`, with some pieces changed."""
    pieces = dict(change="np.any(np.abs(before - after) > 1e-9, axis=1)", first="list(change).index(True)")
    return AHEAD.format(**{**pieces, "result": "max(changed_from - first, 0)", **changes})


RIGHT = {
    "reverse_padded": reverse(),
    "run_both": both(),
    "pair_with_lag": PAIR + "inputs[lag:], targets[: len(targets) - lag]",
    "smallest_lag": lag(),
    "look_ahead": ahead(),
}
LAST = "np.hstack([forward[-1], backward[0]])"

# (item, the mistake that must be recognised, points that are earned all the same, the learner's code)
WRONG = [
    ("reverse_padded", "padding turned round too", 1,
     "def reverse_padded(x, lengths):\n    return x[:, ::-1]"),
    ("reverse_padded", "sequences in another order", 0,
     "def reverse_padded(x, lengths):\n    return x[::-1]"),
    ("reverse_padded", "features turned round", 0,
     "def reverse_padded(x, lengths):\n    return x[:, :, ::-1]"),
    ("reverse_padded", "padding moved to the front", 0,
     "def reverse_padded(x, lengths):\n"
     "    return np.array([np.roll(row, len(row) - n, axis=0) for row, n in zip(x, lengths)])"),
    ("reverse_padded", "one length for all", 1, reverse(lengths="[min(lengths)] * len(x)")),
    ("reverse_padded", "one step too few or too many", 0, reverse(lengths="lengths - 1")),
    ("reverse_padded", "nothing turned round", 0, "def reverse_padded(x, lengths):\n    return x"),
    ("run_both", "backward states not turned back", 1,
     both(result=f"np.hstack([forward, backward[::-1]]), {LAST}")),
    ("run_both", "both read forwards", 0,
     both(order="range(T)", result="np.hstack([forward, backward]), np.hstack([forward[-1], backward[-1]])")),
    ("run_both", "weights exchanged", 0,
     both(forward="U_b @ inputs[t] + W_b @ h", backward="U_f @ inputs[t] + W_f @ h")),
    ("run_both", "one set of weights for both", 0, both(backward="U_f @ inputs[t] + W_f @ h")),
    ("run_both", "backward half first", 1, both(result=f"np.hstack([backward, forward]), {LAST}")),
    ("run_both", "backward half first", 0,
     both(result="np.hstack([backward, forward]), np.hstack([backward[0], forward[-1]])")),
    ("run_both", "added instead of side by side", 1, both(result=f"forward + backward, {LAST}")),
    ("run_both", "one below the other", 1, both(result=f"np.vstack([forward, backward]), {LAST}")),
    ("run_both", "last row as last states", 2,
     both(result="np.hstack([forward, backward]), np.hstack([forward[-1], backward[-1]])")),
    ("run_both", "present left out of the backward half", 1,
     both(result=f"np.hstack([forward, np.vstack([backward[1:], np.zeros((1, H))])]), {LAST}")),
    ("run_both", "backward network started from the forward state", 0, both(start="h")),
    ("run_both", "one value returned instead of two", 0, both(result="np.hstack([forward, backward])")),
    ("pair_with_lag", "shifted the wrong way", 0,
     PAIR + "inputs[: len(inputs) - lag], targets[lag:]"),
    ("pair_with_lag", "a slice that ends at −0", 1, PAIR + "inputs[lag:], targets[:-lag]"),
    ("pair_with_lag", "rolled round", 0, PAIR + "inputs, np.roll(targets, lag, axis=0)"),
    ("pair_with_lag", "both cut at the same end", 0, PAIR + "inputs[lag:], targets[lag:]"),
    ("pair_with_lag", "only one of them cut", 0, PAIR + "inputs[lag:], targets"),
    ("pair_with_lag", "filled up with zeros", 0,
     PAIR + "inputs, np.concatenate([np.zeros((lag, targets.shape[1])), targets])[: len(targets)]"),
    ("pair_with_lag", "one step off", 0, PAIR + "inputs[lag + 1 :], targets[: len(targets) - lag - 1]"),
    ("smallest_lag", "lag in the wrong direction", 1, lag(first="-lag - 11", last="-lag",
     choice="next((k for k in range(11) if late[k] - late[0] >= share * (both - late[0])), 10)")),
    ("smallest_lag", "window grows instead of moving", 2, lag(first="-11")),
    ("smallest_lag", "scored on what it was fitted to", 0,
     lag(judged="y, said = signal[:half], features[:half] @ weights")),
    ("smallest_lag", "fitted and scored on everything", 0,
     lag(fitted="slice(None)", judged="y, said = signal, features @ weights")),
    ("smallest_lag", "correlation instead of R²", 0, lag(score="np.corrcoef(y, said)[0, 1]")),
    ("smallest_lag", "error instead of R²", 0, lag(score="np.mean((y - said) ** 2)", choice="0")),
    ("smallest_lag", "share of R² instead of share of the gain", 3,
     lag(choice="next(k for k in range(11) if late[k] >= share * both)")),
    ("smallest_lag", "the best lag", 3, lag(choice="late.argmax()")),
    ("smallest_lag", "one lag too many", 3, lag(choice=ENOUGH + " + 1")),
    ("smallest_lag", "not all three returned", 0, lag(result="late, lag")),
    ("look_ahead", "sign reversed", 0, ahead(result="min(first - changed_from, 0)")),
    ("look_ahead", "rounding taken for a change", 0, ahead(change="np.any(before != after, axis=1)")),
    ("look_ahead", "a late answer counted as negative", 2, ahead(result="changed_from - first")),
    ("look_ahead", "the step instead of the look-ahead", 0, ahead(result="first")),
    ("look_ahead", "changed answers counted", 0, ahead(result="change.sum()")),
    ("look_ahead", "changed answers counted", 0, ahead(result="change[:changed_from].sum()")),
    ("look_ahead", "only the first output looked at", 0,
     ahead(change="np.abs(before[:, 0] - after[:, 0]) > 1e-9")),
    ("look_ahead", "the largest change instead of the first", 0,
     ahead(first="np.abs(before - after).max(axis=1).argmax()")),
    ("look_ahead", "one step off", 0, ahead(result="max(changed_from - first + 1, 0)")),
    ("look_ahead", "yes or no instead of how far", 0, ahead(result="bool(first < changed_from)")),
    ("look_ahead", "a late answer counted as looking ahead", 2, ahead(result="abs(changed_from - first)")),
    ("look_ahead", "a change of all outputs waited for", 0,
     ahead(change="np.all(np.abs(before - after) > 1e-9, axis=1)")),
    ("look_ahead", "differences without their size", 0,
     ahead(change="np.max(after - before, axis=1) > 1e-9")),
    ("look_ahead", "the last instead of the first", 0, ahead(first="np.flatnonzero(change)[-1]")),
    ("look_ahead", "place in the flattened array", 0,
     ahead(first="(np.abs(before - after) > 1e-9).argmax()")),
    ("look_ahead", "a gap taken for the end", 0,
     ahead(first="0", result="next(k for k in range(changed_from + 1)"
                             " if k == changed_from or not change[changed_from - 1 - k])")),
    ("pair_with_lag", "no lag at all", 0, PAIR + "inputs, targets"),
    ("pair_with_lag", "the other way round", 0, PAIR + "targets[: len(targets) - lag], inputs[lag:]"),
    ("pair_with_lag", "filled up with NaN", 0,
     PAIR + "inputs, np.concatenate([np.full((lag, targets.shape[1]), np.nan),"
            " targets[: len(targets) - lag]])"),
    ("pair_with_lag", "pairs instead of two arrays", 0, PAIR + "list(zip(inputs[lag:], targets))"),
    ("reverse_padded", "cut instead of left in place", 1,
     "def reverse_padded(x, lengths):\n    return [row[n - 1 :: -1] for row, n in zip(x, lengths)]"),
    ("reverse_padded", "a step missing in the slice", 0,
     "def reverse_padded(x, lengths):\n    y = x.copy()\n    for i, n in enumerate(lengths):\n"
     "        y[i, :n] = x[i, n - 1 : 0 : -1]\n    return y"),
    ("reverse_padded", "a step missing in the slice", 1,
     "def reverse_padded(x, lengths):\n    y = x.copy()\n    for i, n in enumerate(lengths):\n"
     "        y[i, :n] = x[i, n::-1][:n]\n    return y"),
    ("reverse_padded", "changed and not returned", 0,
     "def reverse_padded(x, lengths):\n    for row, n in zip(x, lengths):\n        row[:n] = row[:n][::-1]"),
    ("reverse_padded", "only one sequence", 0,
     "def reverse_padded(x, lengths):\n    y = x.copy()\n    for i, n in enumerate(lengths):\n"
     "        y[i, :n] = x[i, :n][::-1]\n        return y"),
    ("run_both", "one axis too many", 1, both(result=f"np.stack([forward, backward], axis=1), {LAST}")),
    ("run_both", "one axis too many", 2,
     both(result="np.hstack([forward, backward]), (forward[-1], backward[0])")),
    ("run_both", "units interleaved", 1,
     both(result=f"np.stack([forward, backward], axis=2).reshape(T, -1), {LAST}")),
    ("run_both", "time across", 1, both(result=f"np.hstack([forward, backward]).T, {LAST}")),
    ("run_both", "the first step left out", 0, both(order="range(T - 1, 0, -1)")),
    ("run_both", "backward network fed with forward states", 0,
     both(backward="U_b @ inputs[t] + W_b @ forward[t]")),
    ("run_both", "where each direction began", 2,
     both(result="np.hstack([forward, backward]), np.hstack([forward[0], backward[-1]])")),
    ("run_both", "last states first", 0, both(result=f"{LAST}, np.hstack([forward, backward])")),
    ("smallest_lag", "a constant fitted too", 1,
     lag().replace("weights = ",
                   "features = np.column_stack([features, np.ones(len(features))]); weights = ")),
    ("smallest_lag", "halves exchanged", 0,
     lag(fitted="slice(half, None)", judged="y, said = signal[:half], features[:half] @ weights")),
    ("smallest_lag", "compared with zero instead of the mean", 1,
     lag(score="1 - np.mean((y - said) ** 2) / np.mean(y**2)")),
    ("smallest_lag", "signal decoded from itself", 0,
     lag(choice="0").replace("windows(seen", "windows(signal")),
    ("smallest_lag", "one lag too few", 2, lag().replace("for lag in range(11)", "for lag in range(10)")),
    ("smallest_lag", "share of the best lag's gain", 3,
     lag(choice="next(k for k in range(11) if late[k] - late[0] >= share * (late.max() - late[0]))")),
    ("smallest_lag", "one of the two sides only", 2,
     lag().replace("windows(seen, -11, 11)", "windows(seen, 0, 11)")),
]  # fmt: skip

HALF_DONE = (
    [
        "def reverse_padded(x, lengths):\n    return x[:, ::-1]",
        both(result="np.hstack([forward, backward]), np.hstack([forward[-1], backward[-1]])"),
        PAIR + "inputs[lag:], targets[:-lag]",
        "def look_ahead(before, after, changed_from):\n    raise NotImplementedError",
    ],
    {"reverse_padded": 1, "run_both": 2, "pair_with_lag": 1, "smallest_lag": 0, "look_ahead": 0},
)
