"""Item 4 of set 6: how long a decoder has to wait to be nearly as good as one that sees everything."""

import functools

import numpy as np

from gatedrnn.practice.items import Item, Misconception, Part, Question

TAPS = 12
LAGS = 10


def windows(seen, first, last):
    """Row t holds seen[t + first] … seen[t + last], zeros beyond the ends; the notebook hands it out."""
    padded = np.concatenate([np.zeros(max(0, -first)), seen, np.zeros(max(0, last))])
    rows = np.lib.stride_tricks.sliding_window_view(padded, last - first + 1)
    return rows[max(0, first) :][: len(seen)]


def r2_of(features, signal, half=None):
    """Fit on the first half and return R² on the second."""
    half = len(signal) // 2 if half is None else half
    weights, *_ = np.linalg.lstsq(features[:half], signal[:half], rcond=None)
    return r2(signal[half:], features[half:] @ weights)


def r2(true, decoded):
    """Return 1 − what is left over what was there."""
    return 1 - np.sum((true - decoded) ** 2) / np.sum((true - true.mean()) ** 2)


def scores(signal, seen, taps=TAPS, lags=LAGS, score=r2_of, sign=1):
    """Return R² for every lag, and for a window that reaches as far into the future as into the past."""
    late = [score(windows(seen, sign * lag - taps + 1, sign * lag), signal) for lag in range(lags + 1)]
    return np.array(late), score(windows(seen, 1 - taps, taps - 1), signal)


def smallest(late, both, share):
    """Return the first lag with this share of what the future adds."""
    enough = late >= late[0] + share * (both - late[0])
    return int(np.argmax(enough)) if enough.any() else len(late) - 1


def reference(signal, seen, share):
    """Return R² by lag, R² of both directions, and the smallest lag that is good enough."""
    late, both = scores(signal, seen)
    return late, both, smallest(late, both, share)


def draw(rng):
    """A slow signal in much noise, and a share for which a lag of 1 to 4 steps clearly suffices."""
    wanted = int(rng.integers(1, 5))
    while True:
        f, T = float(rng.uniform(0.85, 0.97)), 900
        push = rng.normal(size=T)
        signal = np.zeros(T)
        for t in range(1, T):
            signal[t] = f * signal[t - 1] + push[t]
        seen = signal + rng.uniform(1.2, 2.0) * signal.std() * rng.normal(size=T)
        late, both = scores(signal, seen)
        gained = (late - late[0]) / (both - late[0])
        share = float(np.round((gained[:wanted].max() + gained[wanted]) / 2, 2))
        goal = late[0] + share * (both - late[0])
        clear = np.abs(late - goal).min() > 0.004 and smallest(late, both, share) == wanted
        if both - late[0] > 0.05 and clear and share < 0.96:
            return signal, seen, share


@functools.cache
def _example():
    return draw(np.random.default_rng(19))


def plot(axes, function):
    """Draw R² against the lag."""
    late, both, lag = function(*_example())
    axes.plot(np.asarray(late, dtype=float), marker="o", label="waits")
    axes.axhline(float(both), color="0.6", label="sees both sides")
    axes.axvline(int(lag), color="0.6", linestyle="--")
    axes.legend()
    axes.set(xlabel="lag (steps)", ylabel="R²", title="smallest_lag")


def _trained(features, signal):
    half = len(signal) // 2
    weights, *_ = np.linalg.lstsq(features[:half], signal[:half], rcond=None)
    return r2(signal[:half], features[:half] @ weights)


def _whole(features, signal):
    weights, *_ = np.linalg.lstsq(features, signal, rcond=None)
    return r2(signal, features @ weights)


def _squared_correlation(features, signal):
    half = len(signal) // 2
    weights, *_ = np.linalg.lstsq(features[:half], signal[:half], rcond=None)
    return np.corrcoef(signal[half:], features[half:] @ weights)[0, 1]


def _error(features, signal):
    half = len(signal) // 2
    weights, *_ = np.linalg.lstsq(features[:half], signal[:half], rcond=None)
    return np.mean((signal[half:] - features[half:] @ weights) ** 2)


def _growing(signal, seen, share):
    """The window grows with the lag instead of moving."""
    late = np.array([r2_of(windows(seen, 1 - TAPS, lag), signal) for lag in range(LAGS + 1)])
    both = r2_of(windows(seen, 1 - TAPS, TAPS - 1), signal)
    return late, both, smallest(late, both, share)


def _scored(**options):
    def wrong(signal, seen, share):
        late, both = scores(signal, seen, **options)
        return late, both, smallest(late, both, share)

    return wrong


def _chosen(choose):
    def wrong(signal, seen, share):
        late, both = scores(signal, seen)
        return late, both, int(choose(late, both, share))

    return wrong


def _with_constant(features, signal):
    return r2_of(np.column_stack([features, np.ones(len(features))]), signal)


def _about_zero(features, signal):
    half = len(signal) // 2
    weights, *_ = np.linalg.lstsq(features[:half], signal[:half], rcond=None)
    missed = signal[half:] - features[half:] @ weights
    return 1 - np.sum(missed**2) / np.sum(signal[half:] ** 2)


MISCONCEPTIONS = (
    Misconception(
        "lag in the wrong direction",
        "Your windows move into the past as the lag grows, so that the decoder knows ever less. With a lag "
        "it has heard more: up to seen[t + lag] when it speaks about signal[t].",
        (_scored(sign=-1),),
    ),
    Misconception(
        "window grows instead of moving",
        "Your windows grow with the lag. A decoder with a memory of 12 steps forgets at one end what it "
        "hears at the other: the window moves.",
        (_growing,),
    ),
    Misconception(
        "scored on what it was fitted to",
        "You score on the half that the weights were fitted to. Fit on the first half, score on the second.",
        (_scored(score=_trained),),
    ),
    Misconception(
        "fitted and scored on everything",
        "You fit on the whole recording, the test half included, and score there. Fit on the first half "
        "alone.",
        (_scored(score=_whole),),
    ),
    Misconception(
        "correlation instead of R²",
        "Your numbers are correlations. R² is 1 − squared errors over the squared distances from the mean.",
        (_scored(score=_squared_correlation),),
    ),
    Misconception(
        "error instead of R²",
        "Your numbers are mean squared errors. R² is 1 − squared errors over the squared distances from the "
        "mean.",
        (_scored(score=_error),),
    ),
    Misconception(
        "share of R² instead of share of the gain",
        "You ask for a share of the R² itself. Asked for is a share of the gain: of the way from no lag to "
        "both sides.",
        (_chosen(lambda late, both, share: np.argmax(late >= share * both)),),
    ),
    Misconception(
        "the best lag",
        "You choose the best of all lags. Waiting costs: asked for is the smallest that is good enough.",
        (_chosen(lambda late, both, share: late.argmax()),),
    ),
    Misconception(
        "one lag too many",
        "Lags are counted from 0: the place in the array is the lag.",
        (_chosen(lambda late, both, share: smallest(late, both, share) + 1),),
    ),
    Misconception(
        "not all three returned",
        "Return three things: R² for each lag, R² with both sides, and the lag.",
        (lambda *given: reference(*given)[2], lambda *given: reference(*given)[::2]),
    ),
    Misconception(
        "a constant fitted too",
        "Your decoders have a constant. The task asks for weights alone, which changes the numbers a little.",
        (_scored(score=_with_constant),),
    ),
    Misconception(
        "halves exchanged",
        "You fit on the second half and score on the first. Fit on what came first.",
        (_scored(score=lambda features, signal: r2_of(features[::-1], signal[::-1])),),
    ),
    Misconception(
        "compared with zero instead of the mean",
        "Your R² compares with saying 0. The distances below the line are those from the mean of the half "
        "that is scored.",
        (_scored(score=_about_zero),),
    ),
    Misconception(
        "signal decoded from itself",
        "Your features are windows of the signal: that decodes it from itself. The decoder only has what was "
        "seen.",
        (lambda signal, seen, share: reference(signal, signal, share),),
    ),
    Misconception(
        "one lag too few",
        "There are eleven lags, from 0 to 10: range(11).",
        (lambda *given: (reference(*given)[0][:-1], *reference(*given)[1:]),),
    ),
    Misconception(
        "share of the best lag's gain",
        "You ask for a share of what the best lag gains. Asked for is a share of what both sides gain.",
        (_chosen(lambda late, both, share: smallest(late, late.max(), share)),),
    ),
    Misconception(
        "one of the two sides only",
        "Your decoder that sees both sides has one of them: it takes seen[t - 11] … seen[t + 11].",
        (
            lambda *given: (
                reference(*given)[0],
                r2_of(windows(given[1], 0, TAPS - 1), given[0]),
                reference(*given)[2],
            ),
        ),
    ),
)

ITEM = Item(
    name="smallest_lag",
    signature="smallest_lag(signal, seen, share)",
    title="How long to wait?",
    parts=(Part("late"), Part("both"), Part("lag")),
    reference=reference,
    questions=(
        Question("how good each lag is", 2, draw, grades=("late",), atol=0.002),
        Question("how good both sides are", 1, draw, grades=("both",), atol=0.002),
        Question("which lag is enough", 1, draw, grades=("lag",), repeats=5),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "Decode signal[t] from the 12 last values that were heard when the decoder speaks. Without a lag "
        "these end at seen[t]; with one they end later.",
        "windows(seen, lag - 11, lag) are the features for a lag, windows(seen, -11, 11) those for both "
        "sides. np.linalg.lstsq on the first half, R² on the second. Then the first lag whose R² is at "
        "least late[0] + share * (both - late[0]).",
        "The expected picture: a curve that climbs with the lag, at first quickly, comes near the grey line "
        "and falls away again at the end, where the window has moved past its subject; the dashed line "
        "stands on the climb.",
    ),
    plot=plot,
)
