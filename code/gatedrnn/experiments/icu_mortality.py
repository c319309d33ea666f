"""How well the risk of death is told from the first 48 hours: models × folds × seeds.

Two wards: ``simulated``, whose hazard is known, and ``real``. Patients are split into five folds with the
same share of deaths; scales, penalties, numbers of trees and of epochs, and the line that recalibrates a
model are all found inside the training stays of a row. A row depends on nothing but its key, and no row
holds anything about a single patient.
"""

import functools
from typing import Any

import numpy as np

from gatedrnn.datasets import REGISTRY, SimulatedICU, Stays, fetch, load_icu, simulate_icu
from gatedrnn.datasets.digests import KINDS
from gatedrnn.risk import (
    Aging,
    Boosting,
    IdealRisk,
    Recalibration,
    Recurrent,
    Regression,
    Scaling,
    auc,
    average_precision,
    bootstrap,
    brier,
    calibration,
    net_benefit,
    stratified_folds,
)

FOLDS = 5
SEEDS = (0, 1)
NETWORKS = ("mean", "last", "mask", "decay")
ENOUGH = 500  # pairs of measurements, to say how a variable grows old
EARLIER = 24.0  # hours, for a prediction that is made sooner
THRESHOLDS = np.round(np.arange(0.02, 0.61, 0.02), 2)
IDEALS = {
    "ideal": {},
    "ideal_values": {"use_times": False},
    "ideal_times": {"use_values": False},
}

# Networks are trained in double precision; what rounding is left can move the epoch at which one stops.
TOLERANCE = dict.fromkeys((*IDEALS, "saps", "means", "summaries", "summaries_24", "balanced", "aging"), 1e-3)
TOLERANCE |= {"boosting": 5e-3} | dict.fromkeys(NETWORKS, 5e-3)


def KEYS() -> list[dict[str, Any]]:
    """Keys of all rows: ward, model, fold and seed."""
    plans = [("simulated", model, (0,)) for model in (*IDEALS, "balanced", "aging")]
    plans += [("real", model, (0,)) for model in ("saps", "summaries_24", "balanced", "aging")]
    plans += [
        (ward, model, SEEDS) for ward in ("real", "simulated") for model in ("means", "summaries", "boosting")
    ]
    plans += [("real", model, SEEDS) for model in NETWORKS]
    plans += [("simulated", "decay", SEEDS)]
    return [
        {"ward": ward, "model": model, "fold": fold, "seed": seed}
        for ward, model, seeds in plans
        for seed in seeds
        for fold in range(FOLDS)
    ]


def DATA() -> dict[str, str]:
    """Digest of what the real rows use: of the records, however their archive was packed, and of the text."""
    folder = fetch("physionet2012_seta")
    return {
        f"physionet2012_seta/{file.path}": KINDS[file.kind](folder / file.path)
        for file in REGISTRY["physionet2012_seta"].files
    }


@functools.cache
def ward(name: str) -> Stays:
    """Stays of the simulated or of the real ward."""
    return simulation().stays if name == "simulated" else load_icu()


@functools.cache
def simulation() -> SimulatedICU:
    """The simulated ward with its truth."""
    return simulate_icu(seed=1)


def split(stays: Stays, fold: int) -> tuple[Stays, Stays]:
    """Training and test stays of one fold."""
    train, test = stratified_folds(stays, FOLDS)[fold]
    return stays.select(train), stays.select(test)


def unfitted(model: str, seed: int = 0) -> Any:
    """Return the model of a row."""
    if model in IDEALS:
        return IdealRisk(simulation().ward, **IDEALS[model])
    if model in NETWORKS:
        return Recurrent(model, seed=seed)
    if model == "boosting":
        return Boosting(seed=seed)
    features = "means" if model == "means" else "summaries"
    return Regression(features, balanced=model == "balanced", seed=seed)


def compute(key: dict[str, Any]) -> dict[str, Any]:
    """Make one row: what `judged` says of a model, or how fast measurements grow old."""
    train, test = split(ward(key["ward"]), key["fold"])
    if key["model"] == "aging":
        return aging(train, test)
    if key["model"] == "saps":
        known = np.nan_to_num(test.saps, nan=np.nanmedian(train.saps))
        return {"auc": round(auc(test.death, known), 6), "ap": round(average_precision(test.death, known), 6)}
    if key["model"] == "summaries_24":
        train, test = train.until(EARLIER), test.until(EARLIER)
    model = unfitted(key["model"], key["seed"]).fit(train)
    return judged(model, test)


def judged(model: Any, test: Stays) -> dict[str, Any]:
    """Ranking, calibration and net benefit on test stays, as predicted and recalibrated."""
    risk, death = model.predict(test), test.death
    low, high = bootstrap(auc, death, risk, draws=200)
    row = {
        "auc": auc(death, risk),
        "auc_low": low,
        "auc_high": high,
        "ap": average_precision(death, risk),
        **_probabilities(death, risk),
        "chosen": getattr(model, "chosen", None),
    }
    if hasattr(model, "unseen"):
        line = Recalibration().fit(*model.unseen)
        row |= {"intercept": line.intercept, "slope": line.slope}
        row["recalibrated"] = _rounded(_probabilities(death, line(risk)))
    return _rounded(row)


def _probabilities(death: np.ndarray, risk: np.ndarray) -> dict[str, Any]:
    """All that depends on the probabilities themselves, and not only on their order."""
    groups = calibration(death, risk)
    return {
        "brier": brier(death, risk),
        "ece": groups.error,
        "predicted": groups.predicted.tolist(),
        "observed": groups.observed.tolist(),
        "benefit": net_benefit(death, risk, THRESHOLDS).tolist(),
    }


def aging(train: Stays, test: Stays) -> dict[str, Any]:
    """How measurements of training stays grow old, and how well that tells the next one of test stays.

    Of each variable: time constant in hours, offset, what is left of a deviation after an hour and after a
    day, and the root mean square error of three guesses for the next score: the last one, the mean, and the
    last one decayed. None where a variable is measured too seldom.
    """
    train, test = train.plausible(), test.plausible()
    scaling = Scaling.of(train)
    learned, fresh = (Aging.of(scaling(stays.grid())) for stays in (train, test))
    decay = learned.fit()
    enough = (learned.count.sum(axis=0) >= ENOUGH) & (learned.previous.sum(axis=0) > 0)
    gamma, slope = learned.decayed(decay), decay.slope.detach().numpy()
    row = {
        "tau": np.where(slope > 0, 24 / slope, np.nan),
        "left_hour": gamma[1],
        "left_day": gamma[24],
        "offset": decay.offset.detach().numpy(),
        "error_last": fresh.error(1.0),
        "error_mean": fresh.error(0.0),
        "error_decayed": fresh.error(gamma),
    }
    kept = {
        name: [float(v) if fine and np.isfinite(v) else None for v, fine in zip(values, enough, strict=True)]
        for name, values in row.items()
    }
    return _rounded(kept)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return round(float(value), 5) if isinstance(value, float | np.floating) else value
