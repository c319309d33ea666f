"""How fast a measurement grows old: the decay of GRU-D, found from repeated measurements alone."""

from dataclasses import dataclass

import numpy as np

from gatedrnn.risk.inputs import carry_forward


@dataclass(frozen=True, eq=False)
class Aging:
    """What a measurement says about the next one of the same variable, by the hours between the two.

    Attributes
    ----------
    previous, product, following : ndarray, shape (n_steps, n_variables)
        Sums over all pairs that are δ = 0, 1, … steps apart of x², of x x′ and of x′², x the score of the
        earlier and x′ that of the later.
    count : ndarray of int, shape (n_steps, n_variables)
        Numbers of pairs.
    hours : float
        Length of a step.
    """

    previous: np.ndarray
    product: np.ndarray
    following: np.ndarray
    count: np.ndarray
    hours: float

    @classmethod
    def of(cls, scores: np.ndarray, hours: float = 1.0) -> "Aging":
        """Collect all pairs of successive measurements in scores (n_stays, n_steps, n_variables)."""
        n_stays, n_steps, n_variables = scores.shape
        value, _, interval = carry_forward(scores, hours)
        before = np.concatenate([np.zeros((n_stays, 1, n_variables)), value[:, :-1]], axis=1)
        known = np.maximum.accumulate(np.isfinite(scores), axis=1)
        repeated = np.isfinite(scores[:, 1:]) & known[:, :-1]
        steps = np.rint(interval[:, 1:] / hours).astype(int)
        variable = np.broadcast_to(np.arange(n_variables), steps.shape)
        place = np.ravel_multi_index((steps[repeated], variable[repeated]), (n_steps, n_variables))
        x, x_next = before[:, 1:][repeated], scores[:, 1:][repeated]

        def total(weights=None):
            sums = np.bincount(place, weights, minlength=n_steps * n_variables)
            return sums.reshape(n_steps, n_variables)

        return cls(total(x * x), total(x * x_next), total(x_next * x_next), total(), hours)

    def gamma(self) -> np.ndarray:
        """Return the best factor Σ x x′ / Σ x² for each interval, (n_steps, n_variables); NaN if unseen."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.product / self.previous

    def error(self, gamma) -> np.ndarray:
        """Return the root mean square of x′ − γ x for each variable, γ of shape (n_steps, n_variables)."""
        squares = self.following - 2 * gamma * self.product + gamma**2 * self.previous
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.sqrt(squares.sum(axis=0) / self.count.sum(axis=0))

    def fit(self):
        """Fit the slope w and the offset b of every variable by least squares.

        Returns
        -------
        InputDecay
            The module of GRU-D; its slopes are per day.
        """
        import torch

        from gatedrnn.risk.decay import InputDecay

        decay = InputDecay(self.count.shape[1]).double()
        sums = [torch.tensor(array) for array in (self.previous, self.product)]
        weight = torch.tensor(np.maximum(self.previous.sum(axis=0), 1e-9))
        interval = torch.arange(len(self.count), dtype=torch.float64)[:, None] * self.hours
        search = torch.optim.LBFGS(decay.parameters(), max_iter=200, line_search_fn="strong_wolfe")

        def loss():
            search.zero_grad()
            gamma = decay.gamma(interval.expand(-1, self.count.shape[1]))
            value = ((gamma**2 * sums[0] - 2 * gamma * sums[1]) / weight).sum()
            value.backward()
            return value

        search.step(loss)
        return decay

    def decayed(self, decay) -> np.ndarray:
        """Return γ(δ) of a fitted decay for every interval, (n_steps, n_variables)."""
        import torch

        interval = torch.arange(len(self.count), dtype=torch.float64)[:, None] * self.hours
        with torch.no_grad():
            return decay.gamma(interval.expand(-1, self.count.shape[1])).numpy()
