"""Item 3 of set 7: a decoder for a recording that nobody has seen, marked against baselines.

Each question hands over a training recording and a new one, and keeps the movement of the new one back.

- *Honest* asks about reaches that begin alike and go on differently, and about one reach after different
  others. A decoder that sees no future and crosses no border has to say the same where it has heard the same.
- *Simulated* and *kept back* measure R² on whole new reaches and compare it with decoders that are fitted to
  the same training reaches, here, each time.
"""

import functools

import numpy as np

from gatedrnn.practice.items import Asked, Item, Misconception, Part, Question
from gatedrnn.practice.scoring import Rung, Score, numbers, scale
from gatedrnn.practice.sets.set7.histories import reach_of
from gatedrnn.practice.sets.set7.histories import reference as histories

SAME = 1e-6  # of the spread of the velocity: what counts as the same answer
NEAR, MARGIN = 0.01, 0.02  # of R²: who comes so near to a baseline has built it; the last rung lies above


def ridge(rows, velocity, penalty):
    """Fit a penalised linear regression on standardised columns; return what decodes new rows."""
    mean, spread, level = rows.mean(axis=0), rows.std(axis=0) + 1e-9, velocity.mean(axis=0)
    x = (rows - mean) / spread
    weights = np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ (velocity - level))
    return lambda new: (new - mean) / spread @ weights + level


def linear(spikes, velocity, starts, new_spikes, new_starts, taps, penalty=300.0):
    """Decode with a Wiener filter of some bins of history."""
    decoder = ridge(histories(spikes, starts, taps), velocity, penalty)
    return decoder(histories(new_spikes, new_starts, taps))


def slow_averages(spikes, starts, scales=(4, 12, 36)):
    """Return leaky averages with time constants of so many bins, side by side, from rest at each start."""
    begins = set(np.asarray(starts).tolist())
    keep = np.exp(-1 / np.asarray(scales, dtype=float))[:, None]
    rows, state = [], 0.0
    for t, counts in enumerate(spikes):
        state = (0.0 if t in begins else keep * state) + (1 - keep) * counts
        rows.append(state.ravel())
    return np.array(rows)


def clock(starts, n_bins):
    """Return twelve soft bumps, one after the other, by the time since the start of the reach."""
    since = np.arange(n_bins) - np.asarray(starts)[reach_of(starts, n_bins)]
    return np.exp(-0.5 * (since[:, None] / 4.0 - np.arange(12)) ** 2)


def reference(spikes, velocity, starts, new_spikes, new_starts):
    """Decode linearly from short and long memories, then bend and gate what comes out."""

    def rows(counts, begins):
        return np.hstack([histories(counts, begins, 6), slow_averages(counts, begins)])

    def bent(y, begins):
        gates = clock(begins, len(y))
        return np.hstack([y, y * np.abs(y), y**3, gates, *(y[:, [k]] * gates for k in (0, 1))])

    first = ridge(rows(spikes, starts), velocity, 300.0)
    decoded, new = first(rows(spikes, starts)) / 10, first(rows(new_spikes, new_starts)) / 10
    return ridge(bent(decoded, starts), velocity, 1.0)(bent(new, new_starts))


def r2(true, decoded):
    """Return the R² of the book's own decoders, which only this item's questions have to load."""
    from gatedrnn import decoders

    return decoders.r2(true, decoded)


def pick(recording, reaches):
    """Return spikes, velocity and starts of some reaches, one after the other."""
    from gatedrnn.decoders import select

    some = select(recording, reaches)
    return some.spikes.astype(float), some.kinematics, some.starts.astype(np.int64)


def simulated(rng, n_reaches):
    """Simulate a recording whose cells nobody knows."""
    from gatedrnn.datasets import simulate_motor

    return simulate_motor(seed=int(rng.integers(2**31)), n_reaches=n_reaches, n_cells=40)


def divided(recording, rng, test):
    """Keep a block of reaches back and hand over the rest."""
    n = len(recording.starts)
    first = int(rng.integers(0, n - test + 1))
    inside = np.arange(first, first + test)
    outside = np.array([r for r in range(n) if r < first - 1 or r > first + test])
    spikes, velocity, starts = pick(recording, outside)
    new_spikes, new_velocity, new_starts = pick(recording, inside)
    return Asked((spikes, velocity, starts, new_spikes, new_starts), kept=new_velocity)


def draw_simulated(rng):
    """A simulated recording: 80 reaches to learn from and some 25 new ones."""
    return divided(simulated(rng, 107), rng, test=25)


def draw_real(rng):
    """The recording of a monkey's motor cortex, a fifth of its reaches kept back."""
    from gatedrnn.datasets import load_motor

    recording = load_motor(per_bin=True)
    return divided(recording, rng, test=len(recording.starts) // 5)


def draw_honest(rng):
    """Reaches B, A, B, a copy of A that goes on differently half-way, C, and A again."""
    recording = simulated(rng, 46)
    spikes, velocity, starts = pick(recording, range(40))
    ends = np.append(recording.starts[1:], recording.n_bins)
    a, b, c = (slice(recording.starts[r], ends[r]) for r in (41, 42, 43))
    half = (a.stop - a.start) // 2
    changed = recording.spikes[a].copy()
    changed[half:] = rng.poisson(2.0, size=changed[half:].shape)
    pieces = [changed if part == "changed" else recording.spikes[part] for part in (b, a, b, "changed", c, a)]
    new_starts = np.append(0, np.cumsum([len(piece) for piece in pieces])[:-1]).astype(np.int64)
    true = np.concatenate([recording.kinematics[part] for part in (b, a)])
    new_spikes = np.concatenate(pieces).astype(float)
    return Asked((spikes, velocity, starts, new_spikes, new_starts), kept=(true, half))


def _decoded(arguments, answer):
    return numbers(answer, (len(arguments[3]), 2))


def honesty(arguments, answer):
    """Return R² on the plain reaches, and how far answers differ that should be the same."""
    decoded, (true, half) = _decoded(arguments, answer), arguments.kept
    pieces = np.split(decoded, arguments[4][1:])
    spread = arguments[1].std()
    future = np.abs(pieces[3][:half] - pieces[1][:half]).max() / spread
    border = np.abs(pieces[5] - pieces[1]).max() / spread
    return r2(true, decoded[: len(true)]), float(future), float(border)


def score_honest(arguments, answer):
    """Two points for seeing no future, one for crossing no border; both need a decoder that decodes."""
    found, future, border = honesty(arguments, answer)
    if found < 0.3:
        said = (
            f"R² on plain reaches is {found:.2f}; a decoder that decodes reaches 0.3, so this cannot be told"
        )
        return Score(0, said, "at least 0.3", f"{found:.2f}")
    if future > SAME and border > SAME:
        return Score(0, "answers depend on what comes later and on the reach before", "the same", "others")
    if future > SAME:
        said = f"answers change by {future:.2g} spreads where only later spikes were changed"
        return Score(1, said, "no change", f"{future:.2g}")
    if border > SAME:
        said = f"answers change by {border:.2g} spreads where only the reach before is another"
        return Score(2, said, "no change", f"{border:.2g}")
    return Score(3, "what was heard alike is answered alike, whatever comes later or came before")


@functools.lru_cache(maxsize=8)
def _rungs(key):
    """Fit the baselines of one question once, however often it is judged."""
    arguments, true = key.arguments, key.arguments.kept
    bins = [linear(*arguments, taps=taps) for taps in (1, 6)]
    one, six = (r2(true, decoded) for decoded in bins)
    return [
        Rung(0.1, 1, "a little better than the mean"),
        Rung(one - NEAR, 2, "a regression on the present bin, nearly"),
        Rung(six - NEAR, 3, "a Wiener filter of six bins, nearly"),
        Rung(six + MARGIN, 4, f"{MARGIN} more than a Wiener filter of six bins"),
    ]


class _Key:
    """The arguments of a question as a key: the same object, the same key."""

    def __init__(self, arguments):
        self.arguments = arguments

    def __hash__(self):
        return hash(self.arguments[3].tobytes())

    def __eq__(self, other):
        return np.array_equal(self.arguments[3], other.arguments[3])


def score(arguments, answer):
    """R² on the new reaches against a ladder of baselines."""
    found = r2(arguments.kept, _decoded(arguments, answer))
    return scale("R² on the reaches that were kept back", found, _rungs(_Key(arguments)))


def plot(axes, function):
    """Draw the true and the decoded velocity of three new reaches."""
    asked = divided(simulated(np.random.default_rng(1), 60), np.random.default_rng(1), test=3)
    decoded = np.asarray(function(*asked), dtype=float)
    axes.plot(asked.kept[:, 0], label="true")
    axes.plot(decoded[:, 0], "--", label="decoded")
    axes.legend()
    axes.set(xlabel="bin", ylabel="velocity (cm/s)", title="decode, three new reaches")


def _shows_honest(test):
    """Recognise by what differs, in the question that looks for it."""

    def shows(arguments, answer):
        if not isinstance(arguments.kept, tuple):
            return False
        found, future, border = honesty(arguments, answer)
        return bool(found >= 0.3 and test(future > SAME, border > SAME))

    return shows


def _shows(test):
    """Recognise a decoder by its answers, in the questions that measure R²."""

    def shows(arguments, answer):
        plain = not isinstance(arguments.kept, tuple)
        decoded = _decoded(arguments, answer)
        true = arguments.kept if plain else arguments.kept[0]
        return bool(test(true, decoded[: len(true)], arguments))

    return shows


def _rescaled(true, decoded, arguments):
    """Whether the right movement came in other units."""
    if (decoded.std(axis=0) < 1e-9).any():
        return False
    fitted = [np.polyval(np.polyfit(decoded[:, k], true[:, k], 1), decoded[:, k]) for k in (0, 1)]
    return r2(true, np.column_stack(fitted)) > max(0.3, r2(true, decoded) + 0.15)


def _without_sign(true, decoded, _):
    """Whether answers never fall below zero, and their size is that of the movement."""
    return bool((decoded >= 0).all() and r2(np.abs(true), decoded) > 0.3)


MISCONCEPTIONS = (
    Misconception(
        "the mean",
        "You answer with one and the same velocity all the time. What do the spikes say?",
        shows=_shows(lambda true, decoded, _: decoded.std(axis=0).max() < 1e-6),
    ),
    Misconception(
        "directions exchanged",
        "Your two columns are exchanged: column 0 of the answer is column 0 of the velocity.",
        shows=_shows(lambda true, decoded, _: r2(true, decoded[:, ::-1]) > max(0.3, r2(true, decoded))),
    ),
    Misconception(
        "sign reversed",
        "What you decode is the movement the other way round. Look where a minus came in.",
        shows=_shows(lambda true, decoded, _: r2(true, -decoded) > max(0.3, r2(true, decoded))),
    ),
    Misconception(
        "speed instead of velocity",
        "Your answers have lost their sign. A velocity says which way, too.",
        shows=_shows(_without_sign),
    ),
    Misconception(
        "another unit",
        "What you decode goes with the movement and is in other units: undo the standardisation of the "
        "velocity before you return it.",
        shows=_shows(_rescaled),
    ),
    Misconception(
        "both the future and the reach before",
        "What comes later and what came in another reach both change your answers, as smoothing to both "
        "sides does. Build each row of features from the past of its own reach.",
        shows=_shows_honest(lambda future, border: future and border),
    ),
    Misconception(
        "sees the future",
        "Spikes that come later change your answers. The device that is driven by this decoder has not heard "
        "them.",
        shows=_shows_honest(lambda future, border: future),
    ),
    Misconception(
        "crosses borders",
        "The reach before changes your answers. Start afresh at every border: both recordings are cut there.",
        shows=_shows_honest(lambda future, border: border),
    ),
    Misconception(
        "only the present bin",
        "Your decoder does about as well as a regression on the present bin. The past of a reach tells more.",
        shows=_shows(
            lambda true, decoded, given: (
                abs(r2(true, decoded) - _rungs(_Key(given))[1].value) < 0.03
                if not isinstance(given.kept, tuple)
                else False
            )
        ),
    ),
    Misconception(
        "weights without a penalty",
        "Far too large: with many columns and few bins, least squares fits the noise. A ridge penalty keeps "
        "the weights small.",
        shows=_shows(lambda true, decoded, _: r2(true, decoded) < -0.2 and decoded.std() > 2 * true.std()),
    ),
)

ITEM = Item(
    name="decode",
    signature="decode(spikes, velocity, starts, new_spikes, new_starts)",
    title="A recording never seen before",
    parts=(Part("velocity"),),
    reference=reference,
    questions=(
        Question("the future and the reach before", 3, draw_honest, repeats=1, score=score_honest),
        Question("a simulated recording", 4, draw_simulated, repeats=1, score=score),
        Question("a recording kept back", 4, draw_real, repeats=1, score=score, rehearse=draw_simulated),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "Begin with a regression on your histories and a penalty. Which part of the past is still missing, "
        "and how can few numbers hold much of it?",
        "Standardise with the training recording; ridge regression; more history, or leaky averages with "
        "several time constants that start at zero in every reach. Then see whether bending the output, or "
        "a recurrent network, adds something on reaches that you kept back yourself.",
        "The expected picture: three humps, up or down, that the dashed line follows closely, with a little "
        "noise where the hand rests.",
    ),
    plot=plot,
    seconds=60.0,
)
