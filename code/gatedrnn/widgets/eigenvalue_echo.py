"""A pair of eigenvalues and its echo."""

import numpy as np
import traitlets

from gatedrnn.widgets.base import LiveFigure


class EigenvalueEcho(LiveFigure):
    """The echo of a unit pulse in a linear recurrent network with one pair of eigenvalues.

    The pair is λ = r e^{±iθ}, and t steps after the pulse r^t cos(θ t) is left of it: it decays with
    τ = −Δt / ln r and swings at ν = θ / (2π Δt).

    Parameters
    ----------
    radius : float
        r, from 0 to 1.1; above 1 the echo grows.
    angle : float
        θ in radians, from 0 to π.
    dt : float
        Δt, the length of one step in seconds.
    steps : int
        How many steps the echo is followed for.

    Examples
    --------
    >>> figure = EigenvalueEcho(radius=0.95, angle=0.3)
    >>> figure.echo()[-1].round(3)  # after 60 steps
    np.float64(0.03)
    """

    view = "eigenvalue_echo.js"
    room = traitlets.List(traitlets.Int(), default_value=[472, 834]).tag(sync=True)

    radius = traitlets.Float(0.95, min=0.0, max=1.1).tag(sync=True)
    angle = traitlets.Float(0.1 * np.pi, min=0.0, max=np.pi).tag(sync=True)
    dt = traitlets.Float(0.01, min=1e-6).tag(sync=True)
    steps = traitlets.Int(60, min=2, max=400).tag(sync=True)
    alt = traitlets.Unicode(
        "Left, the complex plane with the unit circle and a pair of eigenvalues that can be moved. Right, "
        "what is left of a unit pulse over time: it fades faster the nearer the pair is to the origin, and "
        "swings faster the larger its angle."
    ).tag(sync=True)

    def echo(self) -> np.ndarray:
        """Return r^t cos(θ t) for t = 0 … steps."""
        t = np.arange(self.steps + 1)
        return self.radius**t * np.cos(self.angle * t)

    def numbers(self) -> dict[str, float]:
        """Return τ in s, ν in Hz, and what the mode keeps after all steps."""
        with np.errstate(divide="ignore"):  # a mode of radius 0 is gone at once, one of radius 1 stays
            tau = float(-self.dt / np.log(np.float64(self.radius)))
        nu = self.angle / (2 * np.pi * self.dt)
        return {"decay": tau, "frequency": nu, "left": self.radius**self.steps}

    def picture(self):
        """Return the plane and the echo as a matplotlib figure."""
        from matplotlib import pyplot

        from gatedrnn import figures

        figure, (plane, time) = pyplot.subplots(1, 2, figsize=figures.size(1, 0.42), width_ratios=(1, 1.4))
        circle = np.exp(1j * np.linspace(0, 2 * np.pi, 200))
        pair = self.radius * np.exp(1j * self.angle * np.array([1, -1]))
        plane.plot(circle.real, circle.imag, color=figures.INK, linewidth=1, linestyle="-")
        plane.plot(pair.real, pair.imag, "o", color=figures.PALETTE["blue"])
        plane.set(xlabel="real part", ylabel="imaginary part", title="Eigenvalues", aspect="equal")
        t, envelope = np.arange(self.steps + 1), self.radius ** np.arange(self.steps + 1)
        for sign in (1, -1):
            time.plot(t * self.dt, sign * envelope, color=figures.FAINT, linewidth=1, linestyle="--")
        time.plot(t * self.dt, self.echo(), "o-", color=figures.PALETTE["orange"], markersize=3, linewidth=1)
        time.set(xlabel="time after the pulse (s)", title="Echo of one pulse", ylim=(-1.3, 1.3))
        return figure
