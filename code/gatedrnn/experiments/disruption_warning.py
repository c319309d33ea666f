"""How well each predictor warns of the density limit: regimes × models × folds × seeds.

Three simulated campaigns: ``prompt``, in which the limit acts at once, nothing lowers it unseen and sensors
are good; ``slow``, in which the edge's load builds up over 0.1 s, impurities lower the limit by an unknown
share, and sensors are noisy and fail; and ``many``, the same with as many discharges as the Open Density
Limit Database has. Folds hold whole discharges.

Settings and alarms are chosen inside the training discharges of a row: candidates are fitted to two thirds
of them and compared on the rest; the alarm is tuned there too; then the best is fitted to all.
What is not chosen (units on offer, learning rate, number of steps, trees) was fixed on a campaign of its own,
simulated with seed 2.
"""

import functools
import math
from typing import Any

import numpy as np

from gatedrnn.datasets import Discharges, simulate_density_limit
from gatedrnn.decoders.alarms import (
    Alarm,
    check_shots,
    cost,
    first_alarms,
    judge,
    padded,
    receiver,
    shot_folds,
    tune,
)
from gatedrnn.decoders.disruption import GreenwaldFraction, RecurrentClassifier, RowClassifier

FOLDS = 5
SEEDS = (0, 1)
NETWORKS = ("gru", "lstm")
ROWWISE = ("logistic", "logistic_history", "boosting", "boosting_history")
FRACTIONS = ("fraction", "fraction_mean")
MODELS = (*FRACTIONS, *ROWWISE, *NETWORKS)
WITH_HISTORY = ("fraction_mean", "logistic_history", "boosting_history", *NETWORKS)
LARGE = ("fraction_mean", "logistic_history", "boosting_history", "gru")  # of the large campaign
REGIMES = {
    "prompt": {
        "seed": 1,
        "n_discharges": 800,
        "build_up": 1e-3,
        "impurity": 0.0,
        "noise": 0.02,
        "dropouts": 0.0,
    },
    "slow": {"seed": 1, "n_discharges": 800},
    "many": {"seed": 11, "n_discharges": 2333},
}
RATIOS = (1, 3, 10, 30, 100)  # cost of a disruption that nobody saw coming, in false alarms
RATIO = 10
SHARES = (0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.5)  # of quiet discharges alarmed
LASTING = 3  # rows that a score must last in the receiver curve
STEPS = 600  # of the optimiser, whatever the size of the training set

TOLERANCE = dict.fromkeys(FRACTIONS, 1e-6) | dict.fromkeys(ROWWISE, 1e-3) | dict.fromkeys(NETWORKS, 5e-3)


def KEYS() -> list[dict[str, Any]]:
    """Keys of all rows: regime, model, fold and seed."""
    return [
        {"regime": regime, "model": model, "fold": fold, "seed": seed}
        for regime in REGIMES
        for model in (LARGE if regime == "many" else MODELS)
        for fold in range(FOLDS)
        for seed in (SEEDS if model in NETWORKS else SEEDS[:1])
    ]


def DATA() -> dict[str, str]:
    """No file is read: the discharges are simulated."""
    return {}


@functools.cache
def discharges(regime: str) -> Discharges:
    """Simulate the campaign of a regime."""
    return simulate_density_limit(**REGIMES[regime])


def split(whole: Discharges, fold: int) -> tuple[Discharges, Discharges]:
    """Training and test discharges of one fold, checked for a leak."""
    train, test = shot_folds(whole, FOLDS)[fold]
    rows = [np.flatnonzero(np.isin(whole.shot, part)) for part in (train, test)]
    check_shots(whole, *rows)
    return whole.select(train), whole.select(test)


def candidates(model: str, n_discharges: int, seed: int = 0) -> list[Any]:
    """Predictors among which a row chooses."""
    if model == "fraction":
        return [GreenwaldFraction(1)]
    if model == "fraction_mean":
        return [GreenwaldFraction(rows) for rows in (5, 10, 20)]
    if model in ROWWISE:
        kind, _, history = model.partition("_")
        strengths = (1, 10, 100) if kind == "logistic" else (1, 100)
        return [RowClassifier(kind, bool(history), strength) for strength in strengths]
    epochs = math.ceil(STEPS / math.ceil(n_discharges / 16))
    sizes = ((8, 0.3), (16, 0.1))
    return [
        RecurrentClassifier(model, hidden_size=units, weight_decay=decay, epochs=epochs, seed=seed)
        for units, decay in sizes
    ]


def settings(predictor: Any) -> dict[str, Any]:
    """What was chosen about a predictor."""
    names = {
        GreenwaldFraction: ("rows",),
        RowClassifier: ("strength",),
        RecurrentClassifier: ("hidden_size", "weight_decay"),
    }
    return {name: getattr(predictor, name) for name in names[type(predictor)]}


def rebuild(row: dict[str, Any], n_discharges: int) -> tuple[Any, Alarm]:
    """Return the unfitted predictor of a row of the table and its alarm at the main ratio of costs."""
    options = candidates(row["model"], n_discharges, row["seed"])
    return next(option for option in options if settings(option) == row["chosen"]), Alarm(**row["alarm"])


def precision(test: Discharges, scores: np.ndarray) -> float:
    """Average precision over rows."""
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(test.density_limit_phase, scores))


def fitted(model: str, train: Discharges, seed: int = 0) -> tuple[Any, dict[int, Alarm]]:
    """Choose a predictor and its alarms inside the training discharges; fit it to all of them."""
    inner = shot_folds(train, 3, seed=1)[0]
    first, held = train.select(inner.train), train.select(inner.test)
    options = candidates(model, len(train.starts), seed)
    scores = [option.fit(first).predict(held) for option in options]
    best = int(np.argmax([precision(held, values) for values in scores]))
    grid = padded(held, scores[best])
    alarms = {ratio: tune(held, grid, ratio)[0] for ratio in RATIOS}
    return options[best].fit(train), alarms


def evaluate(test: Discharges, scores: np.ndarray, alarms: dict[int, Alarm], delay: float = 0.0) -> dict:
    """Every number of a row, from the scores of the test discharges."""
    from sklearn.metrics import roc_auc_score

    grid = padded(test, scores)
    verdicts = {ratio: judge(test, first_alarms(grid, alarm), delay) for ratio, alarm in alarms.items()}
    curve, main = receiver(test, grid, LASTING), verdicts[RATIO]
    caught = [curve.caught[curve.false <= share].max(initial=0.0) for share in SHARES]
    return {
        "auc_rows": round(float(roc_auc_score(test.density_limit_phase, scores)), 6),
        "precision_rows": round(precision(test, scores), 6),
        "area": round(curve.area, 6),
        "caught_at": [round(float(share), 4) for share in caught],
        "costs": [round(float(cost(verdicts[ratio], ratio)), 6) for ratio in alarms],
        "caught": int(main.caught.sum()),
        "missed": int(main.missed.sum()),
        "false": int(main.false.sum()),
        "limited": int(test.limited.sum()),
        "discharges": len(test.starts),
        "warnings": [round(float(seconds), 2) for seconds in main.warning[main.caught]],
    }


def compute(key: dict[str, Any]) -> dict[str, Any]:
    """Make one row."""
    train, test = split(discharges(key["regime"]), key["fold"])
    predictor, alarms = fitted(key["model"], train, key["seed"])
    row = evaluate(test, predictor.predict(test), alarms)
    main = alarms[RATIO]
    return row | {
        "alarm": {"threshold": round(main.threshold, 6), "duration": main.duration},
        "chosen": settings(predictor),
    }
