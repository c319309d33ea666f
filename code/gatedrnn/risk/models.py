"""Models of the risk of death: logistic regressions, boosted trees and recurrent networks, in one manner.

``model.fit(stays)`` learns everything, scales and hyperparameters included, from the stays it is given;
``model.predict(stays)`` gives a probability for each stay.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gatedrnn.datasets import Stays
from gatedrnn.risk.inputs import Background, Scaling, carry_forward, means, summaries

FEATURES = {"means": means, "summaries": summaries}
INPUTS = ("mean", "last", "mask", "decay")


@dataclass
class Regression:
    """Logistic regression with a ridge penalty, chosen inside the training stays.

    log p/(1 − p) = b + Σ w_k f_k, f the means or the summaries of every variable and what is known at
    admission. A feature that is missing is taken to be at its mean, 0.

    Parameters
    ----------
    features : {"means", "summaries"}
    strengths : tuple of float
        Inverse penalties C among which the log loss on four inner folds decides.
    balanced : bool
        Whether the dead count as much as the living, whatever their number. It lifts every probability.
    seed : int
        Of the inner folds.

    Attributes
    ----------
    chosen : float
        The inverse penalty.
    unseen : tuple of ndarray
        Probabilities of training stays by fits that had not seen them, and whether they died.
    """

    features: str = "summaries"
    strengths: tuple[float, ...] = (0.0003, 0.001, 0.003, 0.01, 0.03)
    balanced: bool = False
    seed: int = 0
    chosen: float | None = field(default=None, init=False, repr=False)
    unseen: Any = field(default=None, init=False, repr=False)

    def fit(self, stays: Stays) -> "Regression":
        """Fit to stays and return the model."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.metrics import log_loss

        self._scaling, self._background = Scaling.of(stays.plausible()), Background(stays)
        raw, death = self._raw(stays), _deaths(stays)
        self._centre = np.nan_to_num(_quietly(np.nanmean, raw))
        self._spread = np.nan_to_num(_quietly(np.nanstd, raw))
        self._spread[self._spread < 1e-9] = 1.0
        weight = "balanced" if self.balanced else None
        models = [LogisticRegression(C=c, class_weight=weight, max_iter=500) for c in self.strengths]
        features = self._features(raw)
        tried = [cross_predict(model, features, death, self.seed) for model in models]
        best = int(np.argmin([log_loss(death, probability) for probability in tried]))
        self.chosen, self.unseen = self.strengths[best], (tried[best], death)
        self._model = models[best].fit(features, death)
        return self

    def predict(self, stays: Stays) -> np.ndarray:
        """Return the probability of death of every stay."""
        return self._model.predict_proba(self._features(self._raw(stays)))[:, 1]

    def _raw(self, stays: Stays) -> np.ndarray:
        scores = self._scaling(stays.plausible().grid())
        return np.column_stack([FEATURES[self.features](scores), self._background(stays)])

    def _features(self, raw: np.ndarray) -> np.ndarray:
        return np.nan_to_num((raw - self._centre) / self._spread)


@dataclass
class Boosting:
    """Gradient-boosted trees on the summaries; missing ones are left missing.

    Parameters
    ----------
    trees : tuple of int
        Numbers of trees among which the log loss on four inner folds decides.
    seed : int
        Of the inner folds and the trees.
    """

    trees: tuple[int, ...] = (60, 120)
    seed: int = 0
    chosen: int | None = field(default=None, init=False, repr=False)
    unseen: Any = field(default=None, init=False, repr=False)

    def fit(self, stays: Stays) -> "Boosting":
        """Fit to stays and return the model."""
        from sklearn.ensemble import HistGradientBoostingClassifier
        from sklearn.metrics import log_loss

        self._scaling, self._background = Scaling.of(stays.plausible()), Background(stays)
        features, death = self._features(stays), _deaths(stays)
        models = [
            HistGradientBoostingClassifier(
                max_iter=n, learning_rate=0.06, max_leaf_nodes=6, min_samples_leaf=30, l2_regularization=10.0,
                max_features=0.3, early_stopping=False, random_state=self.seed,
            )
            for n in self.trees
        ]  # fmt: skip
        tried = [cross_predict(model, features, death, self.seed) for model in models]
        best = int(np.argmin([log_loss(death, probability) for probability in tried]))
        self.chosen, self.unseen = self.trees[best], (tried[best], death)
        self._model = models[best].fit(features, death)
        return self

    def predict(self, stays: Stays) -> np.ndarray:
        """Return the probability of death of every stay."""
        return self._model.predict_proba(self._features(stays))[:, 1]

    def _features(self, stays: Stays) -> np.ndarray:
        scores = self._scaling(stays.plausible().grid())
        return np.column_stack([summaries(scores), self._background(stays)])


@dataclass
class Recurrent:
    """A GRU that reads a stay hour by hour, with four ways to treat what is missing.

    Parameters
    ----------
    inputs : {"mean", "last", "mask", "decay"}
        ``mean``: a gap is the mean. ``last``: a gap is the last value before. ``mask``: the last value, the
        mask, and the interval. ``decay``: GRU-D, see `gatedrnn.risk.decay.GRUD`.
    hidden_size : int
        Units H.
    dropout : float
        Probability with which an input or a unit is left out in training.
    epochs, patience, batch_size, learning_rate, weight_decay
        See `gatedrnn.training.fit`. A sixth of the training stays decides when to stop.
    seed : int
        Fixes the sixth, the initial weights, the order and dropout.

    Attributes
    ----------
    network : torch.nn.Module
    log : gatedrnn.training.Log
    chosen : int
        Number of epochs.
    unseen : tuple of ndarray
        Probabilities of the sixth that only decided when to stop, and whether they died.
    """

    inputs: str = "decay"
    hidden_size: int = 32
    dropout: float = 0.3
    epochs: int = 15
    patience: int = 3
    batch_size: int = 64
    learning_rate: float = 4e-3
    weight_decay: float = 1e-2
    seed: int = 0
    network: Any = field(default=None, init=False, repr=False)
    log: Any = field(default=None, init=False, repr=False)
    chosen: int | None = field(default=None, init=False, repr=False)
    unseen: Any = field(default=None, init=False, repr=False)

    def __post_init__(self):
        if self.inputs not in INPUTS:
            raise ValueError(f"expected inputs among {', '.join(INPUTS)}, got {self.inputs!r}.")

    def fit(self, stays: Stays) -> "Recurrent":
        """Train on stays and return the model."""
        import torch

        from gatedrnn.risk.networks import Classifier, loss
        from gatedrnn.training import fit

        train, held = self._hold_out(stays)
        self._scaling, self._background = Scaling.of(train.plausible()), Background(train)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self.network = Classifier(self.inputs, len(stays.variables), self.hidden_size, self.dropout)
        self.log = fit(
            self.network,
            loss,
            (*self._tensors(train), torch.tensor(_deaths(train), dtype=torch.float64)),
            validation=(*self._tensors(held), torch.tensor(_deaths(held), dtype=torch.float64)),
            epochs=self.epochs,
            patience=self.patience,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            seed=self.seed,
            progress=False,
        )
        self.network.eval()
        self.chosen = self.log.best_epoch + 1
        self.unseen = (self.predict(held), _deaths(held))
        return self

    def _hold_out(self, stays: Stays) -> tuple[Stays, Stays]:
        """Training stays, and a sixth that decides when to stop, with the same share of deaths."""
        from gatedrnn.risk.splits import stratified_folds

        train, held = stratified_folds(stays, k=6, seed=self.seed)[0]
        return stays.select(train), stays.select(held)

    def predict(self, stays: Stays) -> np.ndarray:
        """Return the probability of death of every stay."""
        import torch

        with torch.no_grad():
            return torch.sigmoid(self.network(*self._tensors(stays))).numpy()

    def _tensors(self, stays: Stays):
        """Value, mask and interval, and the background, in double precision."""
        import torch

        scores = self._scaling(stays.plausible().grid())
        series = carry_forward(scores)
        if self.inputs == "mean":
            series = series._replace(value=np.nan_to_num(scores))
        return [torch.tensor(array, dtype=torch.float64) for array in (*series, self._background(stays))]


def cross_predict(model, features: np.ndarray, death: np.ndarray, seed: int, k: int = 4) -> np.ndarray:
    """Predict each stay by a fit to the inner folds without it."""
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    folds = StratifiedKFold(k, shuffle=True, random_state=seed)
    return cross_val_predict(model, features, death, cv=folds, method="predict_proba")[:, 1]


def _deaths(stays: Stays) -> np.ndarray:
    if stays.death is None:
        raise ValueError("these stays have no outcomes to learn from; load them with their file of outcomes.")
    if stays.death.all() or not stays.death.any():
        raise ValueError("expected stays of both ends to learn from, got only one: pass more stays.")
    return stays.death


def _quietly(statistic, raw: np.ndarray) -> np.ndarray:
    """A statistic over stays of features some of which are missing everywhere."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return statistic(raw, axis=0)
