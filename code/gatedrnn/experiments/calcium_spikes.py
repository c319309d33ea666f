"""How well spikes are read from light: models × folds × seeds, split by neuron.

Two sets of recordings at 30 bins per second: ``simulated``, 16 neurons that differ in amplitude, decay, rise
and rate and move out of focus now and then; ``real``, the 23 of the ground-truth database.
``real_stretches`` commits a leak on purpose: the same recordings cut into stretches of 20 s, which are split
without regard to the neuron; ``stretches_by_neuron`` are the same stretches, split as they should be.

A row holds, for every test recording, the correlation at several smoothing widths and the ratio of predicted
to true number of spikes; both once more with noise added to the test recordings. What differs between
candidates of the simple decoders is chosen inside the training recordings.
"""

import functools
from typing import Any

import numpy as np

from gatedrnn.datasets import REGISTRY, CalciumRecording, fetch, load_calcium, simulate_calcium
from gatedrnn.datasets.calcium import BinnedCalcium
from gatedrnn.datasets.digests import sha256
from gatedrnn.decoders import (
    Deconvolution,
    Fold,
    LightDecoder,
    LightFilter,
    RectifiedDerivative,
    SpikeNetwork,
    correlation,
    neuron_folds,
    rate_ratio,
)

RATE = 30.0  # bins per second
FOLDS = 4
SEEDS = (0, 1)
WIDTHS = (0.05, 0.1, 0.2, 0.5)  # s
MAIN = "r_0.2"
ADDED = (0.05, 0.1, 0.2)  # ΔF/F, standard deviation in a bin
JITTER = 0.2  # ΔF/F, up to which the network with jitter has met noise in training
STRETCH = 20.0  # s
NEURONS = 16

PENALTIES = (1.0, 10.0, 100.0, 1000.0)
SIMPLE = {
    "raw": lambda: [LightDecoder()],
    "derivative": lambda: [RectifiedDerivative(step, low) for step in (1, 2) for low in (0.0, 1.0, 2.0)],
    "deconvolution": lambda: [Deconvolution(tau, low) for tau in (0.3, 0.5, 0.8) for low in (0.0, 1.0)],
    "filter_causal": lambda: [LightFilter(1.0, 0.0, penalty) for penalty in PENALTIES],
    "filter": lambda: [LightFilter(0.5, 1.0, penalty) for penalty in PENALTIES],
    "squashed_causal": lambda: [LightFilter(1.0, 0.0, penalty, squash=True) for penalty in PENALTIES],
    "squashed": lambda: [LightFilter(0.5, 1.0, penalty, squash=True) for penalty in PENALTIES],
}
NETWORKS = {
    "lstm_light": {"rise": False},
    "lstm": {},
    "lstm_tenth": {"lag": 0.1},
    "lstm_both": {"bidirectional": True},
    "gru_both": {"cell": "gru", "bidirectional": True},
    "lstm_both_jitter": {"bidirectional": True, "jitter": JITTER},
}
NAMES = {
    "raw": "light itself",
    "derivative": "derivative",
    "deconvolution": "deconvolution",
    "filter_causal": "filter, causal",
    "filter": "filter",
    "squashed_causal": "squashed, causal",
    "squashed": "squashed filter",
    "lstm_light": "LSTM, light alone",
    "lstm": "LSTM, causal",
    "lstm_tenth": "LSTM, lag 0.1 s",
    "lstm_both": "LSTM, both ways",
    "gru_both": "GRU, both ways",
    "lstm_both_jitter": "both ways, jitter",
}  # in tables and figures
CHOSEN = {
    LightDecoder: (),
    RectifiedDerivative: ("step", "threshold"),
    Deconvolution: ("decay", "penalty"),
    LightFilter: ("penalty",),
}
TOLERANCE = dict.fromkeys(SIMPLE, 1e-4) | dict.fromkeys(NETWORKS, 1e-2)


def KEYS() -> list[dict[str, Any]]:
    """Keys of all rows: recordings, model, fold, seed."""
    plans = [("real", model, (0,)) for model in SIMPLE]
    plans += [("real", model, SEEDS) for model in NETWORKS]
    for name in ("real_stretches", "stretches_by_neuron"):
        plans += [(name, model, (0,)) for model in ("squashed", "lstm_both")]
    plans += [("simulated", model, (0,)) for model in SIMPLE]
    plans += [("simulated", model, SEEDS) for model in ("lstm_tenth", "lstm_both")]
    return [
        {"recording": recording, "model": model, "fold": fold, "seed": seed}
        for recording, model, seeds in plans
        for fold in range(FOLDS)
        for seed in seeds
    ]


def DATA() -> dict[str, str]:
    """sha256 of every recording that the real rows use."""
    name = "calcium_gt_cascade"
    folder = fetch(name)
    return {f"{name}/{file.path}": sha256(folder / file.path) for file in REGISTRY[name].files}


def neuron(number: int, noise: float = 0.05, motion: float = 0.05) -> CalciumRecording:
    """One of the simulated neurons, 120 s; noise and motion change what is seen, not what it does."""
    rng = np.random.default_rng([number, 8])
    return simulate_calcium(
        seed=1000 + number,
        duration=120.0,
        frame_rate=RATE,
        rate=float(np.exp(rng.normal(0.0, 0.6))),
        rise=float(rng.uniform(0.03, 0.08)),
        decay=float(rng.uniform(0.3, 0.8)),
        amplitude=float(0.25 * np.exp(rng.normal(0.0, 0.4))),
        noise=noise,
        motion=motion,
    )


@functools.cache
def recordings(name: str) -> list[CalciumRecording]:
    """Simulate the neurons, or load the real ones, whole or in stretches."""
    if name == "simulated":
        return [neuron(number) for number in range(NEURONS)]
    whole = load_calcium()
    if name == "real":
        return whole
    return [
        one.between(start, start + STRETCH)
        for one in whole
        for start in np.arange(0, one.time[-1] - one.time[0] - STRETCH, STRETCH)
    ]


@functools.cache
def binned(name: str) -> list[BinnedCalcium]:
    """The recordings in bins."""
    return [recording.binned(RATE) for recording in recordings(name)]


def split(name: str, fold: int) -> Fold:
    """Numbers of the training and the test recordings of one fold."""
    if name != "real_stretches":
        return neuron_folds(recordings(name), FOLDS)[fold]
    order = np.random.default_rng(0).permutation(len(recordings(name)))  # the leak: neurons on both sides
    test = np.sort(order[fold::FOLDS])
    return Fold(np.setdiff1d(order, test), test)


def candidates(model: str, seed: int = 0) -> list[Any]:
    """Decoders among which a row chooses."""
    return SIMPLE[model]() if model in SIMPLE else [SpikeNetwork(**NETWORKS[model], seed=seed)]


def choose(options: list[Any], train: list[BinnedCalcium]) -> Any:
    """Return the candidate with the best mean correlation over held-out thirds of the training set."""
    if len(options) == 1:
        return options[0]
    thirds = np.array_split(np.arange(len(train)), 3)  # recordings of a neuron are neighbours

    def mean_score(option) -> float:
        scores = []
        for held in thirds:
            option.fit([one for number, one in enumerate(train) if number not in held])
            scores += [correlation(train[k], option.predict(train[k]), 0.2) for k in held]
        return float(np.nanmean(scores))

    return max(options, key=mean_score)


def fitted(model: str, train: list[BinnedCalcium], seed: int = 0) -> Any:
    """Choose inside the training recordings, then fit to all of them."""
    return choose(candidates(model, seed), train).fit(train)


def settings(decoder: Any) -> dict[str, Any]:
    """What `choose` decided about a decoder."""
    return {name: getattr(decoder, name) for name in CHOSEN.get(type(decoder), ())}


def noisier(recording: BinnedCalcium, added: float, seed: int) -> BinnedCalcium:
    """The recording with white noise added, the same noise for every model."""
    noise = np.random.default_rng([seed, 80]).normal(size=len(recording.fluorescence))
    return recording._replace(fluorescence=recording.fluorescence + added * noise)


def compute(key: dict[str, Any]) -> dict[str, Any]:
    """Make one row: lists with one number for every test recording."""
    everything = binned(key["recording"])
    fold = split(key["recording"], key["fold"])
    decoder = fitted(key["model"], [everything[k] for k in fold.train], key["seed"])
    row = {"test": fold.test.tolist(), "chosen": settings(decoder)}
    tests = [everything[k] for k in fold.test]
    noisy = [noisier(one, added, k) for added in ADDED for k, one in zip(fold.test, tests, strict=True)]
    rates = decoder.predict_each(tests + noisy)
    for width in WIDTHS:
        row[f"r_{width}"] = _listed(map(correlation, tests, rates, [width] * len(tests)))
    row["ratio"] = _listed(map(rate_ratio, tests, rates))
    for number, added in enumerate(ADDED, start=1):
        these = rates[number * len(tests) : (number + 1) * len(tests)]
        row[f"r_0.2_added_{added}"] = _listed(map(correlation, tests, these, [0.2] * len(tests)))
        row[f"ratio_added_{added}"] = _listed(map(rate_ratio, tests, these))
    return row


def _listed(values) -> list[float | None]:
    """Numbers to four digits; None where a score has no meaning, as in a stretch without a spike."""
    return [round(float(value), 4) if np.isfinite(value) else None for value in values]


def peak(recording: CalciumRecording, spikes: int) -> float:
    """Median peak of the light, in ΔF/F, after so many spikes within 0.1 s and none in the 0.3 s after these.

    A second without a spike goes before. The peak is the highest mean of 50 ms within 0.4 s of the first
    spike, over the mean of the 0.3 s before it; NaN where fewer than three such groups are found.
    """
    time, fired = recording.time, recording.spike_times
    first = fired[np.diff(fired, prepend=-np.inf) > 1.0]
    until = [
        np.searchsorted(fired, first + seconds) - np.searchsorted(fired, first) for seconds in (0.1, 0.4)
    ]
    alone = (until[0] == spikes) & (until[1] == spikes) & (first > time[0] + 0.3) & (first < time[-1] - 0.4)
    frames = max(1, round(0.05 * recording.frame_rate))
    peaks = []
    for start in first[alone]:
        before = recording.fluorescence[(time > start - 0.3) & (time < start)]
        after = recording.fluorescence[(time >= start) & (time < start + 0.4)]
        peaks.append(np.convolve(after, np.full(frames, 1 / frames), "valid").max() - before.mean())
    return float(np.median(peaks)) if len(peaks) > 2 else float("nan")


def by_recording(table, column: str, **conditions) -> np.ndarray:
    """One column for every recording in order, averaged over the seeds; NaN where it has no meaning."""
    rows = table.where(**conditions)
    values = {}
    for row in rows:
        for number, value in zip(row["test"], row[column], strict=True):
            values.setdefault(number, []).append(np.nan if value is None else value)
    return np.array([np.mean(values[number]) for number in sorted(values)])
