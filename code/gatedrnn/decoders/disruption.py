"""Predictors of the density limit: one score a row, from that row and earlier ones of its discharge only.

Each is fitted to `Discharges` and scores others, ``predictor.fit(train).predict(test)``, with an array of
shape (n_rows,). `gatedrnn.decoders.alarms` turns scores into alarms.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gatedrnn.datasets import Discharges
from gatedrnn.decoders.alarms import padded
from gatedrnn.decoders.scaling import Scaling

HORIZONS = (5, 10, 20)  # rows, over which history features look back
SIGNALS = ("density", "plasma_current", "minor_radius", "elongation", "toroidal_B_field", "triangularity")


def measurements(discharges: Discharges) -> np.ndarray:
    """What a predictor sees of every row, (n_rows, 7): six signals and the Greenwald fraction.

    Density, current and fraction are logarithms, in which the limit is a straight line. Neither time nor
    number of the discharge is among them: both know the plans of the operators. A value that is not finite is
    replaced by the last one before it in the discharge, or by the median where there is none.
    """
    columns = [np.abs(getattr(discharges, name)) for name in SIGNALS]
    columns.append(discharges.density * np.pi * discharges.minor_radius**2)
    with np.errstate(divide="ignore", invalid="ignore"):
        columns[-1] = np.log(columns[-1] / columns[1])
        columns[:2] = [np.log(values) for values in columns[:2]]
    return np.stack([_held(values, discharges) for values in columns], axis=1)


def _held(values: np.ndarray, discharges: Discharges) -> np.ndarray:
    """Values with the last finite one in place of each that is not."""
    good = np.isfinite(values)
    if good.all():
        return values
    last = np.maximum.accumulate(np.where(good, np.arange(len(values)), -1))
    known = last >= discharges.starts[discharges.shot]
    return np.where(known, values[last], np.median(values[good]) if good.any() else 0.0)


def histories(discharges: Discharges, values: np.ndarray, horizons=HORIZONS) -> np.ndarray:
    """Values of every row beside means and changes over the last rows of its own discharge.

    Parameters
    ----------
    discharges : Discharges
    values : ndarray, shape (n_rows, n)
    horizons : sequence of int
        Rows to look back, the present one included; at the start of a discharge those that there are.

    Returns
    -------
    ndarray, shape (n_rows, n (2 + 2 len(horizons)))
        Now; means over each horizon; now less the value a horizon ago; now less the mean since the start.
    """
    now = np.arange(len(values))
    shot = discharges.shot
    begin = discharges.starts[shot]
    # one running sum for each discharge: rounding in a common one would carry news from one to the next
    sums = np.cumsum(padded(discharges, values, 0.0), axis=0)
    sums = np.concatenate([np.zeros((1, *sums.shape[1:])), sums])

    def mean_since(first):
        total = sums[now + 1 - begin, shot] - sums[first - begin, shot]
        return total / (now + 1 - first)[:, np.newaxis]

    firsts = [np.maximum(begin, now - horizon + 1) for horizon in horizons]
    parts = [values, *(mean_since(first) for first in firsts), *(values - values[first] for first in firsts)]
    return np.concatenate([*parts, values - mean_since(begin)], axis=1)


@dataclass
class GreenwaldFraction:
    """The practitioner's rule: the Greenwald fraction, averaged over the last rows.

    Parameters
    ----------
    rows : int
        Rows in the average, the present one included.
    """

    rows: int = 1

    def __post_init__(self):
        if self.rows < 1:
            raise ValueError(f"the present row is part of the average: expected rows ≥ 1, got {self.rows}.")

    def fit(self, discharges: Discharges) -> "GreenwaldFraction":
        """There is nothing to fit."""
        return self

    def predict(self, discharges: Discharges) -> np.ndarray:
        """Score every row, (n_rows,)."""
        fraction = np.exp(measurements(discharges)[:, -1:])
        return histories(discharges, fraction, (self.rows,))[:, 1]


@dataclass
class RowClassifier:
    """A logistic regression or boosted trees that look at one row, or at one row and its history.

    Parameters
    ----------
    kind : {"logistic", "boosting"}
    history : bool
        Add `histories` to the `measurements`.
    strength : float
        Of the penalty: 1/C of the regression, the L2 term of the trees.
    """

    kind: str = "logistic"
    history: bool = False
    strength: float = 1.0
    model: Any = field(default=None, init=False, repr=False)
    scaling: Scaling | None = field(default=None, init=False, repr=False)

    def __post_init__(self):
        if self.kind not in ("logistic", "boosting"):
            raise ValueError(f"expected logistic or boosting, got {self.kind!r}.")

    def fit(self, discharges: Discharges) -> "RowClassifier":
        """Train on discharges and return the classifier."""
        features = self._features(discharges)
        self.scaling = Scaling.of(features)
        self.model = self._new().fit(self.scaling(features), discharges.density_limit_phase)
        return self

    def _new(self):
        if self.kind == "logistic":
            from sklearn.linear_model import LogisticRegression

            return LogisticRegression(C=1 / self.strength, max_iter=500)
        from sklearn.ensemble import HistGradientBoostingClassifier

        return HistGradientBoostingClassifier(
            learning_rate=0.05,
            max_iter=100,
            max_leaf_nodes=8,
            min_samples_leaf=50,
            l2_regularization=self.strength,
            early_stopping=False,
            random_state=0,
        )

    def _features(self, discharges: Discharges) -> np.ndarray:
        values = measurements(discharges)
        return histories(discharges, values) if self.history else values

    def predict(self, discharges: Discharges) -> np.ndarray:
        """Probability of the phase in every row, (n_rows,)."""
        return self.model.predict_proba(self.scaling(self._features(discharges)))[:, 1]


@dataclass
class RecurrentClassifier:
    """An LSTM or GRU that reads a discharge row by row: p_t = σ(v · h_t + b).

    Parameters
    ----------
    cell : {"gru", "lstm"}
    hidden_size : int
        Units H.
    epochs, batch_size, learning_rate, weight_decay, clip
        See `gatedrnn.training.fit`; a batch holds discharges.
    stride : int
        Every ``stride``-th row is read, the rows between are scored as the one before them.
    seed : int
        Fixes initial weights and the order of the discharges.
    progress : bool
        Whether to show a bar while training.
    """

    cell: str = "lstm"
    hidden_size: int = 24
    epochs: int = 20
    batch_size: int = 16
    learning_rate: float = 1e-2
    weight_decay: float = 1e-2
    clip: float | None = 1.0
    stride: int = 2
    seed: int = 0
    progress: bool = False
    model: Any = field(default=None, init=False, repr=False)
    log: Any = field(default=None, init=False, repr=False)
    scaling: Scaling | None = field(default=None, init=False, repr=False)

    def __post_init__(self):
        if self.cell not in ("gru", "lstm"):
            raise ValueError(f"expected gru or lstm, got {self.cell!r}.")
        if self.stride < 1:
            raise ValueError(f"expected a stride of 1 row or more, got {self.stride}.")

    def fit(self, discharges: Discharges) -> "RecurrentClassifier":
        """Train on discharges and return the classifier."""
        import torch

        from gatedrnn.training import fit

        values = measurements(discharges)
        self.scaling = Scaling.of(values)
        labels = padded(discharges, discharges.density_limit_phase.astype(float))[:: self.stride]
        inside = torch.tensor(~np.isnan(labels))
        data = self._inputs(discharges, values), torch.tensor(np.nan_to_num(labels)), inside
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self.model = _network(self.cell, values.shape[1], self.hidden_size)
        self.log = fit(
            self.model,
            _cross_entropy,
            data,
            epochs=self.epochs,
            batch_size=self.batch_size,
            batch_axis=1,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            decay=True,
            clip=self.clip,
            seed=self.seed,
            progress=self.progress,
        )
        self.model.eval()
        return self

    def _inputs(self, discharges: Discharges, values: np.ndarray):
        """Scaled measurements (rows read, n_discharges, 7); zeros after each end."""
        import torch

        grid = padded(discharges, self.scaling(values), 0.0)[:: self.stride]
        return torch.tensor(np.ascontiguousarray(grid), dtype=torch.float64)

    def predict(self, discharges: Discharges) -> np.ndarray:
        """Probability of the phase in every row, (n_rows,)."""
        import torch

        with torch.no_grad():
            scores = torch.sigmoid(self.model(self._inputs(discharges, measurements(discharges)))).numpy()
        row = np.arange(len(discharges.time)) - discharges.starts[discharges.shot]
        return scores[row // self.stride, discharges.shot]


def _network(cell: str, inputs: int, hidden_size: int):
    """One recurrent layer and a readout to a logit, in double precision."""
    import torch
    from torch import nn

    from gatedrnn import layers

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            layer = {"gru": layers.GRU, "lstm": layers.LSTM}[cell]
            self.layer = layer(inputs, hidden_size, dtype=torch.float64)
            self.readout = nn.Linear(hidden_size, 1, dtype=torch.float64)
            with torch.no_grad():
                self.readout.bias -= 4.0  # begin near the rarity of the phase

        def forward(self, values):
            hidden, _ = self.layer(values)
            return self.readout(hidden).squeeze(-1)

    return Network()


def _cross_entropy(model, values, labels, inside):
    """Mean cross-entropy over the rows that belong to a discharge."""
    from torch.nn.functional import binary_cross_entropy_with_logits

    loss = binary_cross_entropy_with_logits(model(values), labels, reduction="none")
    return (loss * inside).sum() / inside.sum()
