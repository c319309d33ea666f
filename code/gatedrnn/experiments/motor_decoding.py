"""How well each decoder reads hand velocity from motor cortex: models × folds × seeds.

Three recordings: ``simulated``, whose truth is known; ``real``; and ``real_overlapping``, the same with the
counts as they were published, each over 8 bins and seven eighths of it shared with the next.

Every hyperparameter that differs between candidates is chosen inside the training reaches of its row. A row
depends on nothing but its key.
"""

import functools
import math
from typing import Any

import numpy as np

from gatedrnn.datasets import REGISTRY, Recording, fetch, load_motor, simulate_motor
from gatedrnn.datasets.digests import sha256
from gatedrnn.decoders import (
    Fold,
    IdealObserver,
    KalmanFilter,
    RecurrentDecoder,
    WienerCascade,
    WienerFilter,
    choose,
    contiguous_folds,
    r2,
    select,
)

FOLDS = 5
GUARD = 8  # bins, as many as the published counts of the real recording span
STRETCH = 0.05  # s, that the Wiener filter adds up
SEEDS = (0, 1, 2)
NETWORKS = ("rnn", "gru", "lstm")
LINEAR = ("wiener_short", "wiener", "kalman")
SIMPLE = (*LINEAR, "wiener_cascade")
FEW = (10, 20, 40)  # reaches in the smaller training sets of the learning curve
SETTLED = 15  # bins into a reach, after which every decoder has had some history
STEPS = 200  # of the optimiser, whatever the size of the training set

# What `choose` decides, by decoder.
CHOSEN = {
    WienerFilter: ("taps", "width", "penalty"),
    WienerCascade: ("taps", "width", "penalty", "degree"),
    KalmanFilter: ("differences", "noise"),
    RecurrentDecoder: ("dropout",),
}

# Networks are trained in double precision with random numbers that do not depend on the processor. What is
# left is rounding, which training can amplify.
TOLERANCE = dict.fromkeys((*SIMPLE, "ideal"), 1e-6) | dict.fromkeys((*NETWORKS, "gru_window"), 2e-3)


def KEYS() -> list[dict[str, Any]]:
    """Keys of all rows: recording, model, fold, seed, and the number of training reaches (None: all)."""
    plans = [("simulated", "ideal", (0,), (None,))]
    for recording in ("simulated", "real"):
        plans += [(recording, model, (0,), (None,)) for model in LINEAR]
        plans += [(recording, model, SEEDS, (None,)) for model in NETWORKS]
        plans += [(recording, "gru_window", (0,), (None,))]
    plans += [("real", model, (0,), FEW) for model in ("wiener", "kalman", "gru", "lstm")]
    plans += [("real_overlapping", model, (0,), (None,)) for model in (*LINEAR, *NETWORKS)]
    plans += [
        (recording, "wiener_cascade", (0,), (None,))
        for recording in ("simulated", "real", "real_overlapping")
    ]
    return [
        {"recording": recording, "model": model, "fold": fold, "seed": seed, "reaches": reaches}
        for recording, model, seeds, sizes in plans
        for reaches in sizes
        for fold in range(FOLDS)
        for seed in seeds
    ]


def DATA() -> dict[str, str]:
    """sha256 of the recording that the real rows use."""
    folder = fetch("m1_reach_dad")
    return {
        f"m1_reach_dad/{file.path}": sha256(folder / file.path) for file in REGISTRY["m1_reach_dad"].files
    }


@functools.cache
def recording(name: str) -> Recording:
    """Simulate a recording or load the real one, with each bin's own counts or as published."""
    if name == "simulated":
        return simulate_motor(seed=1)
    return load_motor(per_bin=name == "real")


@functools.cache
def movements() -> Recording:
    """20,000 simulated movements for the ideal observer, none of them in the simulated recording."""
    return simulate_motor(seed=12345, n_reaches=20_000, n_cells=1)


def split(whole: Recording, fold: int, reaches: int | None = None) -> tuple[Recording, Recording]:
    """Training and test recording of one fold; ``reaches`` thins the training set evenly."""
    train, test = contiguous_folds(whole.starts, whole.n_bins, FOLDS, GUARD)[fold]
    if reaches is not None:
        train = train[np.linspace(0, len(train) - 1, reaches).astype(int)]
    return select(whole, train), select(whole, test)


def candidates(model: str, train: Recording, seed: int) -> list[Any]:
    """Decoders among which a row chooses."""
    width = round(STRETCH / train.bin_width)
    if model == "wiener_short":
        return [WienerFilter(6, 1, penalty) for penalty in (100, 300, 1000, 3000)]
    if model == "wiener":
        penalties = 300, 1000, 3000, 10_000
        return [WienerFilter(taps, width, penalty) for taps in (2, 4, 6) for penalty in penalties]
    if model == "wiener_cascade":
        options = [(taps, penalty) for taps in (4, 6) for penalty in (300, 1000, 3000)]
        return [
            WienerCascade(taps, width, penalty, degree) for taps, penalty in options for degree in (1, 3, 5)
        ]
    if model == "kalman":
        return [KalmanFilter(order, noise) for order in (0, 1, 2) for noise in (1, 2, 4, 8, 16)]
    if model == "gru_window":  # reads what the longest of the Wiener filters reads
        window = {"history": 6 * width, "epochs": 6, "batch_size": 128, "dropout": 0.4}
        return [RecurrentDecoder("gru", seed=seed, **window)]
    epochs = math.ceil(STEPS / math.ceil(len(train.starts) / 16))
    return [RecurrentDecoder(model, seed=seed, dropout=dropout, epochs=epochs) for dropout in (0.2, 0.4)]


def inner_folds(model: str, train: Recording) -> list[Fold]:
    """Splits of the training reaches; a network, slow to train, chooses on one."""
    folds = contiguous_folds(train.starts, train.n_bins, 4, GUARD)
    return folds[1:2] if model in NETWORKS else folds


def fitted(model: str, train: Recording, seed: int = 0) -> Any:
    """Choose inside the training reaches, then fit to all of them."""
    if model == "ideal":
        return IdealObserver(train.tuning, movements())
    options = candidates(model, train, seed)
    best = options[0] if len(options) == 1 else choose(options, train, inner_folds(model, train))
    return best.fit(train)


def settings(decoder: Any) -> dict[str, Any]:
    """What `choose` decided about a decoder."""
    return {name: getattr(decoder, name) for name in CHOSEN.get(type(decoder), ())}


def rebuild(row: dict[str, Any], train: Recording) -> Any:
    """Return the unfitted decoder of a row of the table, with the settings it had chosen."""
    options = candidates(row["model"], train, row["seed"])
    return next(option for option in options if settings(option) == row["chosen"])


def compute(key: dict[str, Any]) -> dict[str, Any]:
    """Make one row: R² of all test bins, of each output, and of the bins late in a reach."""
    train, test = split(recording(key["recording"]), key["fold"], key["reaches"])
    decoder = fitted(key["model"], train, key["seed"])
    decoded, true = decoder.predict(test), test.kinematics
    settled = np.arange(test.n_bins) - test.starts[test.reach] >= SETTLED
    outputs = [r2(true[:, [column]], decoded[:, [column]]) for column in range(true.shape[1])]
    return {
        "r2": round(r2(true, decoded), 6),
        "r2_outputs": [round(value, 6) for value in outputs],
        "r2_settled": round(r2(true[settled], decoded[settled]), 6),
        "chosen": settings(decoder),
    }
