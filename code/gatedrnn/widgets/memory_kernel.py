"""A forget gate and what it leaves of the past."""

import numpy as np
import traitlets

from gatedrnn import dynamics
from gatedrnn.widgets.base import LiveFigure

SPAN = 1000.0  # ms that the kernel is followed for


class MemoryKernel(LiveFigure):
    """The memory kernel f^k of a forget gate f = σ(b), against time in milliseconds.

    What was written falls to 1/e in τ = −Δt / ln f.

    Parameters
    ----------
    bias : float
        b, from −3 to 8; the reader may set f instead.
    dt : float
        Δt, the length of one step in ms, from 1 to 50.

    Examples
    --------
    >>> figure = MemoryKernel(bias=np.log(99), dt=10.0)  # f = 0.99
    >>> figure.time_constant().round(0)  # ms
    np.float64(995.0)
    """

    view = "memory_kernel.js"
    room = traitlets.List(traitlets.Int(), default_value=[507, 917]).tag(sync=True)

    bias = traitlets.Float(3.0, min=-3.0, max=8.0).tag(sync=True)
    dt = traitlets.Float(20.0, min=1.0, max=50.0).tag(sync=True)
    alt = traitlets.Unicode(
        "Left, the time constant of a forget gate in milliseconds, on a logarithmic scale, against its "
        "bias, a curve that becomes a straight line; the gate is a handle on it. Right, what is left of "
        "something written at time 0 over one second, for this gate and for biases of 0 and 1; a mark "
        "shows where it has fallen to 1/e. A larger bias stretches the decay, a longer step stretches it"
        " in proportion."
    ).tag(sync=True)

    def gate(self) -> float:
        """Return f = σ(b)."""
        return float(1 / (1 + np.exp(-self.bias)))

    def time_constant(self):
        """Return τ = −Δt / ln f in ms."""
        return dynamics.time_constant(self.gate(), self.dt)

    def kernel(self) -> np.ndarray:
        """Return f^k for k = 0 … ⌈1 s / Δt⌉."""
        return self.gate() ** np.arange(np.ceil(SPAN / self.dt) + 1)

    def numbers(self) -> dict[str, float]:
        """Return τ in steps and in ms, and what is left after one second."""
        steps = float(dynamics.time_constant(self.gate(), 1.0))
        return {"steps": steps, "tau": self.dt * steps, "left": self.gate() ** (SPAN / self.dt)}

    def picture(self):
        """Return the curve and the kernel as a matplotlib figure."""
        from matplotlib import pyplot

        from gatedrnn import figures

        figure, (curve, time) = pyplot.subplots(1, 2, figsize=figures.size(1, 0.42), width_ratios=(1, 1.25))
        biases = np.linspace(-3, 8, 111)
        curve.semilogy(
            biases,
            dynamics.time_constant(1 / (1 + np.exp(-biases)), self.dt),
            "-",
            color=figures.PALETTE["blue"],
        )
        curve.semilogy(self.bias, self.time_constant(), "o", color=figures.PALETTE["blue"], markersize=8)
        curve.set(xlabel="forget bias b", ylabel="τ (ms)")
        kernel = self.kernel()
        time.step(
            self.dt * np.arange(len(kernel)), kernel, "-", where="post", color=figures.PALETTE["orange"]
        )
        time.plot([0, self.time_constant()], 2 * [np.exp(-1)], "--", color=figures.INK, linewidth=1)
        time.set(
            xlabel="time since it was written (ms)", ylabel="what is left", xlim=(0, SPAN), ylim=(0, 1.05)
        )
        return figure
