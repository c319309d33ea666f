"""The best risk that the truth allows: what simulated charts say, when the ward behind them is known."""

from dataclasses import dataclass

import numpy as np

from gatedrnn.datasets import Stays, Ward

EDGE = 5.0  # standard deviations; the states hardly ever go beyond
POINTS = 81  # of the grid on which beliefs about a state are kept
DRAWS = 200  # of all states together from the beliefs, for each stay


@dataclass
class IdealRisk:
    """The probability of death given everything that was measured, and when, by Bayes' rule.

    The belief about each hidden state is a list of probabilities on a grid. In each hour it spreads as the
    state wanders, and is multiplied by the probability of what was seen: that somebody looked, or did not,
    and the value. The states are independent, given what was seen, so the risk is the mean over draws from
    their beliefs.

    Parameters
    ----------
    ward : Ward
        The truth.
    use_values, use_times : bool
        Whether the ideal may see the values, and whether it may conclude anything from when there are any.
        With both it gives the best possible risk; with one it says what that one is worth.
    seed : int
        Of the draws.

    Attributes
    ----------
    expected : ndarray, shape (n_stays, n_variables)
        Mean of the belief about each state at the end, after `predict`.
    """

    ward: Ward
    use_values: bool = True
    use_times: bool = True
    seed: int = 0

    def fit(self, stays: Stays) -> "IdealRisk":
        """Return the ideal: it has nothing to learn."""
        return self

    def predict(self, stays: Stays) -> np.ndarray:
        """Return the probability of death of every stay."""
        grid = stays.grid()
        rng = np.random.default_rng(self.seed)
        beliefs = [self._belief(grid[..., d], d) for d in range(grid.shape[-1])]
        points = np.linspace(-EDGE, EDGE, POINTS)
        self.expected = np.stack([belief @ points for belief in beliefs], axis=1)
        states = np.stack([_draw(rng, belief, points) for belief in beliefs], axis=-1)
        return self.ward.risk(states).mean(axis=1)

    def _belief(self, values: np.ndarray, d: int) -> np.ndarray:
        """Probabilities of state d at the end on the grid, (n_stays, POINTS)."""
        points = np.linspace(-EDGE, EDGE, POINTS)
        spread = _transitions(points, np.exp(-1 / self.ward.time_constant[d]))
        belief = np.tile(_normal(points), (len(values), 1))
        looked = -np.expm1(-self.ward.rate[d] * np.exp(self.ward.attention[d] * points))
        for hour, value in enumerate(values.T):
            belief = belief @ spread if hour else belief
            seen = np.isfinite(value)[:, np.newaxis]
            if self.use_times:
                belief = belief * np.where(seen, looked, 1 - looked)
            if self.use_values:
                error = (np.nan_to_num(value)[:, np.newaxis] - points) / self.ward.noise[d]
                belief = belief * np.where(seen, np.exp(-(error**2) / 2), 1.0)
            belief = belief / belief.sum(axis=1, keepdims=True)
        return belief


def _normal(points: np.ndarray) -> np.ndarray:
    weights = np.exp(-(points**2) / 2)
    return weights / weights.sum()


def _transitions(points: np.ndarray, keep: float) -> np.ndarray:
    """Probability of each point in the next hour, row by row of the point in this one."""
    away = (points - keep * points[:, np.newaxis]) / np.sqrt(1 - keep**2)
    weights = np.exp(-(away**2) / 2)
    return weights / weights.sum(axis=1, keepdims=True)


def _draw(rng, belief: np.ndarray, points: np.ndarray) -> np.ndarray:
    """DRAWS states for each stay, spread evenly over its belief and in random order."""
    order = rng.permuted(np.tile((np.arange(DRAWS) + 0.5) / DRAWS, (len(belief), 1)), axis=1)
    row = np.arange(len(belief))[:, np.newaxis]
    total = np.cumsum(belief, axis=1) + row  # one rising list for all stays together
    places = np.searchsorted(total.ravel(), (order + row).ravel()).reshape(order.shape)
    return points[np.clip(places - row * len(points), 0, len(points) - 1)]
