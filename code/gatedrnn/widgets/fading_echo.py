"""A gradient on its way back, and the echo of a kick on its way forward."""

import numpy as np
import traitlets

from gatedrnn.widgets.base import LiveFigure

STEPS, SETTLE = 100, 40


class FadingEcho(LiveFigure):
    """How a gradient fades or grows on its way back through a network of two units.

    Unit 2 pushes unit 1 and is not pushed back: W = ρ [[1, s], [0, 1]] with s = g − 1/g. Both eigenvalues are
    ρ, and the norm is ‖W‖₂ = ρ g, so that the two can be set apart from each other. The units are
    h_t = tanh(W h_{t−1} + x_t), driven by a slow swing.

    Parameters
    ----------
    radius : float
        ρ, the spectral radius, from 0.5 to 1.3.
    gain : float
        g = ‖W‖₂ / ρ, from 1 (a normal matrix) to 4.
    drive : float
        Amplitude of the input: the larger, the flatter the part of tanh on which the units work.
    horizon : int
        How many steps back, from 1 to 100.

    Examples
    --------
    >>> figure = FadingEcho(radius=0.95, horizon=60)
    >>> figure.gradients()[60].round(4)  # linear as long as nothing drives it: 0.95^60
    np.float64(0.0461)
    """

    view = "fading_echo.js"
    room = traitlets.List(traitlets.Int(), default_value=[515, 1015]).tag(sync=True)

    radius = traitlets.Float(0.95, min=0.5, max=1.3).tag(sync=True)
    gain = traitlets.Float(1.0, min=1.0, max=4.0).tag(sync=True)
    drive = traitlets.Float(0.0, min=0.0, max=2.0).tag(sync=True)
    horizon = traitlets.Int(60, min=1, max=STEPS).tag(sync=True)
    alt = traitlets.Unicode(
        "Left, on a logarithmic scale, the size of a gradient against steps before the end: measured, the "
        "bound from the norm, the estimate from the spectral radius. A handle sets the horizon. Right, the "
        "echo of a kick from the horizon to the end, in the kicked unit and in the one it pushes."
    ).tag(sync=True)

    def weights(self) -> np.ndarray:
        """Return W."""
        return self.radius * np.array([[1.0, self.gain - 1 / self.gain], [0.0, 1.0]])

    def jacobians(self) -> np.ndarray:
        """Return diag(1 − h²) W for each of the last 100 steps, (100, 2, 2)."""
        W, h, found = self.weights(), np.zeros(2), []
        for t in range(SETTLE + STEPS):
            h = np.tanh(W @ h + self.drive * np.array([np.sin(t / 3), np.cos(t / 3)]))
            found.append((1 - h**2)[:, None] * W)
        return np.stack(found[SETTLE:])

    def gradients(self) -> np.ndarray:
        """Return ‖J_T … J_{T−k+1}‖ for k = 0 … 100."""
        product, norms = np.eye(2), [1.0]
        for J in self.jacobians()[::-1]:
            product = product @ J
            norms.append(np.linalg.norm(product, 2))
        return np.array(norms)

    def echo(self) -> np.ndarray:
        """Return what is left, up to the end, of a kick to unit 2 at the horizon: (horizon + 1, 2)."""
        departure = [np.array([0.0, 1.0])]
        for J in self.jacobians()[STEPS - self.horizon :]:
            departure.append(J @ departure[-1])
        return np.stack(departure)

    def numbers(self) -> dict[str, float]:
        """Return ‖W‖₂, and the gradient at the horizon: measured, by the radius alone, and its bound."""
        norm, k = float(np.linalg.norm(self.weights(), 2)), self.horizon
        return {
            "norm": norm,
            "measured": float(self.gradients()[k]),
            "estimate": self.radius**k,
            "bound": norm**k,
        }

    def picture(self):
        """Return both panels as a matplotlib figure."""
        from matplotlib import pyplot

        from gatedrnn import figures

        figure, (back, forth) = pyplot.subplots(1, 2, figsize=figures.size(1, 0.45))
        k, blue, orange = np.arange(STEPS + 1), figures.PALETTE["blue"], figures.PALETTE["orange"]
        back.semilogy(k, (self.radius * self.gain) ** k, "--", color=orange, label="bound, ‖W‖ᵏ")
        back.semilogy(k, self.radius**k, ":", color=figures.PALETTE["green"], label="radius, ρᵏ")
        back.semilogy(k, self.gradients(), "-", color=blue, label="measured")
        back.plot(self.horizon, self.gradients()[self.horizon], "o", color=blue)
        back.set(xlim=(STEPS, 0), ylim=(1e-6, 1e6), xlabel="steps before the end", title="Gradient")
        back.legend()
        before = np.arange(self.horizon, -1, -1)
        for unit, (colour, style) in enumerate([(blue, "-"), (orange, "--")]):
            forth.plot(before, self.echo()[:, unit], style, color=colour, label=f"unit {unit + 1}")
        forth.set(xlim=(STEPS, 0), ylim=(-2, 6), xlabel="steps before the end", title="Echo of a kick")
        forth.legend()
        return figure
