"""How well each decoder reads a mouse's position from CA1: recordings × models × folds × seeds.

Recordings are ``simulated``, whose place fields are known, and sessions of the real mouse as
``environment-session-direction``, counted from 1. All laps of a session begin and end in the same places, so
a decoder that starts anew at every border can go by the clock. In the column ``way``, ``carried`` decoders
run on across the borders of laps and nothing tells them the time; ``reset`` decoders begin anew each lap.

Cells, maps, weights and every hyperparameter that differs between candidates are chosen inside the training
laps of a row. A row depends on nothing but its key.
"""

import dataclasses
import functools
from typing import Any

import numpy as np

from gatedrnn.datasets import REGISTRY, Recording, fetch, load_ca1, simulate_place_cells
from gatedrnn.datasets.digests import sha256
from gatedrnn.decoders import (
    Clock,
    Fold,
    KalmanFilter,
    PlaceCellDecoder,
    RecurrentDecoder,
    WienerCascade,
    WienerFilter,
    carry_on,
    contiguous_folds,
    score,
    select,
)

FOLDS = 3
GUARD = 20  # bins: one second
PIECE = 100  # bins in a training sequence of a network, cut without regard to laps
EPOCHS = 150
FEWEST = 8  # bins with activity that a cell needs in the training laps to be heard
SEEDS = (0, 1)
MAIN = "1-1-1"
OTHERS = ("1-4-1", "2-1-2", "2-3-1")
CAUSAL = {
    "ridge": "ridge, one bin",
    "wiener": "Wiener",
    "cascade": "Wiener cascade",
    "kalman": "Kalman",
    "naive_bayes": "Bayes, window",
    "bayes": "Bayes, carried",
    "rnn": "RNN",
    "gru": "GRU",
    "lstm": "LSTM",
}
OFFLINE = {"bayes_offline": "Bayes, both ways", "gru_offline": "GRU, both ways"}
NETWORKS = ("rnn", "gru", "lstm", "gru_offline")
RESET = ("clock", "wiener", "bayes", "gru")

# What is chosen, by decoder.
CHOSEN = {
    WienerFilter: ("taps", "width", "penalty"),
    WienerCascade: ("taps", "width", "penalty", "degree"),
    KalmanFilter: ("differences", "noise"),
    PlaceCellDecoder: ("smoothing", "trust", "window"),
    RecurrentDecoder: ("dropout",),
}

# Networks are trained in double precision; what is left is rounding, which training can amplify.
TOLERANCE = dict.fromkeys(("clock", *CAUSAL, *OFFLINE), 1e-6) | dict.fromkeys(NETWORKS, 5e-3)


def KEYS() -> list[dict[str, Any]]:
    """Keys of all rows."""
    models = (*CAUSAL, *OFFLINE)
    plans = [
        (recording, "carried", model, SEEDS if model in NETWORKS else (0,))
        for recording in ("simulated", MAIN)
        for model in models
    ]
    plans += [(recording, "reset", model, (0,)) for recording in ("simulated", MAIN) for model in RESET]
    keys = [
        {"recording": recording, "way": way, "model": model, "fold": fold, "seed": seed}
        for recording, way, model, seeds in plans
        for fold in range(FOLDS)
        for seed in seeds
    ]
    return keys + [
        {"recording": recording, "way": "carried", "model": model, "fold": 1, "seed": 0}
        for recording in OTHERS  # the middle block alone
        for model in ("wiener", "bayes", "gru")
    ]


def DATA() -> dict[str, str]:
    """sha256 of the recording that the real rows use."""
    folder = fetch("hippocampus_ca1_zivlab")
    files = [file for file in REGISTRY["hippocampus_ca1_zivlab"].files if file.path.endswith(".mat")]
    return {f"hippocampus_ca1_zivlab/{file.path}": sha256(folder / file.path) for file in files}


def events(recording: Recording) -> Recording:
    """Return the recording with 1 in bins with any activity; the size of an event says little about where."""
    return dataclasses.replace(recording, spikes=(recording.spikes > 0).astype(float))


@functools.cache
def recording(name: str) -> Recording:
    """Simulate a recording, or load one session of the real mouse."""
    if name == "simulated":
        return events(simulate_place_cells(seed=1))
    sessions = load_ca1()
    names = [f"{s.environment + 1}-{s.session + 1}-{s.direction + 1}" for s in sessions]
    return events(sessions[names.index(name)])


def folds(whole: Recording) -> list[Fold]:
    """Blocks of successive laps, with a guard."""
    return contiguous_folds(whole.starts, whole.n_bins, FOLDS, GUARD)


def cut(whole: Recording, fold: Fold, way: str, model: str) -> tuple[Recording, Recording]:
    """Training and test recording of a fold: the cells that speak in training, stretches as ``way`` says."""
    if way == "reset":
        train, test = select(whole, fold.train), select(whole, fold.test)
    else:
        pieces = PIECE if model in (*NETWORKS, "cascade") else None
        train, test = carry_on(whole, fold.train, pieces), carry_on(whole, fold.test)
    heard = (train.spikes > 0).sum(axis=0) >= FEWEST
    return tuple(dataclasses.replace(part, spikes=part.spikes[:, heard]) for part in (train, test))


def candidates(model: str, seed: int) -> list[Any]:
    """Decoders among which a row chooses."""
    if model == "clock":
        return [Clock()]
    penalties = 100, 300, 1000, 3000
    if model == "ridge":
        return [WienerFilter(1, 1, penalty) for penalty in penalties]
    if model == "wiener":
        return [WienerFilter(*taps, penalty) for taps in ((10, 1), (6, 4)) for penalty in penalties[1:]]
    if model == "cascade":
        return [WienerCascade(10, 1, penalty, degree) for penalty in (1000, 3000) for degree in (3, 5)]
    if model == "kalman":
        return [KalmanFilter(order, noise) for order in (0, 1, 2) for noise in (0.5, 1, 2, 4, 8)]
    if model == "naive_bayes":
        options = [(s, trust, n) for s in (1.0, 2.0) for trust in (0.3, 0.6, 1.0) for n in (5, 10, 15)]
        return [PlaceCellDecoder(20, smoothing, trust, window) for smoothing, trust, window in options]
    if model.startswith("bayes"):
        options = [(s, trust) for s in (0.7, 1.0, 1.5, 2.0) for trust in (0.2, 0.3, 0.45, 0.7, 1.0)]
        both = model.endswith("offline")
        return [PlaceCellDecoder(20, smoothing, trust, None, both) for smoothing, trust in options]
    both = model.endswith("offline")
    return [
        RecurrentDecoder(model.split("_")[0], bidirectional=both, dropout=dropout, epochs=EPOCHS, seed=seed)
        for dropout in (0.4, 0.6)
    ]


def inner_folds(whole: Recording, train: np.ndarray, model: str) -> list[Fold]:
    """Split training laps in three blocks; a network, slow to train, chooses on the middle one."""
    splits = []
    for test in np.array_split(train, 3):
        before = whole.stops[train] <= whole.starts[test[0]] - GUARD
        after = whole.starts[train] >= whole.stops[test[-1]] + GUARD
        splits.append(Fold(train[before | after], test))
    return splits[1:2] if model in NETWORKS else splits


@functools.cache
def choose(name: str, way: str, model: str, fold: int) -> int:
    """Number of the candidate that decodes best inside the training laps, with the first seed."""
    whole = recording(name)
    options, train = candidates(model, 0), folds(whole)[fold].train
    if len(options) == 1:
        return 0
    found = np.zeros(len(options))
    for inner in inner_folds(whole, train, model):
        learn, judge = cut(whole, inner, way, model)
        found += [score(dataclasses.replace(option).fit(learn), judge) for option in options]
    return int(np.argmax(found))


def settings(decoder: Any) -> dict[str, Any]:
    """What was chosen about a decoder."""
    return {name: getattr(decoder, name) for name in CHOSEN.get(type(decoder), ())}


def rebuild(row: dict[str, Any]) -> Any:
    """Return the unfitted decoder of a row of the table, with the settings it had chosen."""
    options = candidates(row["model"], row["seed"])
    return next(option for option in options if settings(option) == row["chosen"])


def compute(key: dict[str, Any]) -> dict[str, Any]:
    """Make one row: R² of all test bins, and the median distance in bins of the track."""
    whole, model = recording(key["recording"]), key["model"]
    fold = folds(whole)[key["fold"]]
    train, test = cut(whole, fold, key["way"], model)
    best = choose(key["recording"], key["way"], model, key["fold"])
    decoder = candidates(model, key["seed"])[best].fit(train)
    error = np.abs(decoder.predict(test) - test.kinematics)
    return {
        "r2": round(score(decoder, test), 6),
        "error": round(float(np.median(error)), 4),
        "chosen": settings(decoder),
    }
