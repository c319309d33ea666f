"""How far to trust a measurement that grows old."""

import numpy as np
import traitlets

from gatedrnn.widgets.base import LiveFigure

LONGEST = 48  # hours
AGES = np.arange(LONGEST + 1.0)


class StaleValue(LiveFigure):
    """A measurement that is trusted less and less, γ(δ) = exp(−max(0, w δ + b)), and what that costs.

    The state wanders around 0 with standard deviation 1 and time constant τ; the measurement had noise. The
    guess δ hours later is γ(δ) times the value. The best γ has w = 1/τ and b = ln(1 + noise²).

    Parameters
    ----------
    slope : float
        w per hour, from 0 to 0.4.
    offset : float
        b, from −0.5 to 1.5.
    tau : float
        τ in hours, from 2 to 48.
    noise : float
        Standard deviation of the measurement's error, from 0 to 1.

    Examples
    --------
    >>> figure = StaleValue(slope=1 / 12, offset=np.log(1.25), tau=12.0, noise=0.5)
    >>> bool(np.allclose(figure.factor(), figure.best()))
    True
    """

    view = "stale_value.js"
    room = traitlets.List(traitlets.Int(), default_value=[481, 964]).tag(sync=True)

    slope = traitlets.Float(0.02, min=0.0, max=0.4).tag(sync=True)
    offset = traitlets.Float(0.0, min=-0.5, max=1.5).tag(sync=True)
    tau = traitlets.Float(12.0, min=2.0, max=48.0).tag(sync=True)
    noise = traitlets.Float(0.5, min=0.0, max=1.0).tag(sync=True)
    alt = traitlets.Unicode(
        "Left, the share γ of a measurement that is still believed against its age from 0 to 48 hours, yours "
        "and the best one. Right, the typical error of the guess against age: trusting the last value fully "
        "is good while it is fresh and worse than the mean when it is old; the best decay is below both."
    ).tag(sync=True)

    def factor(self) -> np.ndarray:
        """Return γ at ages of 0, 1, … 48 hours."""
        return np.exp(-np.maximum(0, self.slope * AGES + self.offset))

    def best(self) -> np.ndarray:
        """Return the γ with the smallest error at these ages."""
        return np.exp(-AGES / self.tau) / (1 + self.noise**2)

    def error(self, factor) -> np.ndarray:
        """Return the root mean square error of the guess γ x at these ages, for any γ."""
        left = np.exp(-AGES / self.tau)
        return np.sqrt(1 - 2 * factor * left + factor**2 * (1 + self.noise**2))

    def typical(self, factor) -> float:
        """Return the root mean square error over all these ages."""
        return float(np.sqrt(np.mean(self.error(factor) ** 2)))

    def numbers(self) -> dict[str, float]:
        """Return the typical error of each of the four guesses, in standard deviations of the state."""
        factors = {
            "last": np.ones_like(AGES),
            "mean": np.zeros_like(AGES),
            "yours": self.factor(),
            "best": self.best(),
        }
        return {name: self.typical(factor) for name, factor in factors.items()}

    def picture(self):
        """Return γ and the errors as a matplotlib figure."""
        from matplotlib import pyplot

        from gatedrnn import figures

        figure, (trust, cost) = pyplot.subplots(1, 2, figsize=figures.size(1, 0.42))
        colour = figures.PALETTE
        trust.plot(AGES, self.factor(), "-", color=colour["orange"], label="yours")
        trust.plot(AGES, self.best(), "--", color=figures.INK, lw=1.2, label="best")
        cost.plot(AGES, self.error(np.ones_like(AGES)), "-.", color=colour["blue"], label="last value")
        cost.plot(AGES, self.error(np.zeros_like(AGES)), ":", color=colour["green"], label="mean")
        cost.plot(AGES, self.error(self.factor()), "-", color=colour["orange"], label="yours")
        cost.plot(AGES, self.error(self.best()), "--", color=figures.INK, lw=1.2, label="best")
        trust.set(xlabel="age of the measurement (h)", ylabel="share still believed, γ", ylim=(0, 1.05))
        cost.set(xlabel="age of the measurement (h)", ylabel="typical error (SD)", ylim=(0, 1.8))
        trust.legend()
        cost.legend(ncols=2)
        return figure
