"""One GRU unit that hears a spike train, and the point between old and new that its update gate picks."""

import numpy as np
import traitlets

from gatedrnn import cells, dynamics
from gatedrnn.widgets.spike_train import STEPS, SpikeTrainFigure

INPUT_WEIGHT = 1.5  # of a spike on the candidate


class GRUCell(SpikeTrainFigure):
    """One GRU unit, step by step through a spike train: h = (1 − z) h_prev + z h̃.

    The candidate is h̃ = tanh(1.5 x + r u h_prev). A spike pushes the update gate, z = σ(b_z + push x), and
    the reset gate stands where its bias puts it, r = σ(b_r).

    Parameters
    ----------
    bias_update, bias_reset : float
        b_z and b_r, from −6 to 6.
    push : float
        What a spike adds to the drive of the update gate, from −6 to 6.
    feedback : float
        u, the weight of the unit's own past in the candidate, from −3 to 3.
    step : int
        Step whose arithmetic is shown.
    spikes : list of int
        Steps, from 0 to 79, at which a spike comes.

    Examples
    --------
    >>> figure = GRUCell(bias_update=-6.0, push=0.0)
    >>> figure.update().max().round(4)  # hardly anything is let in
    np.float64(0.0025)
    """

    view = "gru_cell.js"
    room = traitlets.List(traitlets.Int(), default_value=[557, 1103]).tag(sync=True)

    bias_update = traitlets.Float(-3.0, min=-6.0, max=6.0).tag(sync=True)
    bias_reset = traitlets.Float(0.0, min=-6.0, max=6.0).tag(sync=True)
    push = traitlets.Float(2.5, min=-6.0, max=6.0).tag(sync=True)
    feedback = traitlets.Float(1.0, min=-3.0, max=3.0).tag(sync=True)
    step = traitlets.Int(5, min=0, max=STEPS - 1).tag(sync=True)
    input_weight = traitlets.Float(INPUT_WEIGHT, read_only=True).tag(sync=True)
    alt = traitlets.Unicode(
        "Left, the spikes that one GRU unit hears over 80 steps, its candidate, and its state, which follows "
        "the candidate as far as the update gate lets it. Right, both gates, and below them one step as a "
        "straight line from the old state to the candidate, with a point on it that can be moved: the update "
        "gate says how far along the line the new state lies."
    ).tag(sync=True)

    def parameters(self) -> cells.Parameters:
        """Return the unit's weights in torch's layout, where the update gate says how much is *kept*."""
        from_input = np.array([[0.0], [-self.push], [INPUT_WEIGHT]])
        from_state = np.array([[0.0], [0.0], [self.feedback]])
        return cells.Parameters(
            from_input, from_state, np.array([self.bias_reset, -self.bias_update, 0.0]), np.zeros(3)
        )

    def trace(self) -> cells.Trace:
        """Return gates, in torch's sense, and states at every step."""
        return cells.run(cells.gru_step, self.inputs(), None, self.parameters())

    def update(self) -> np.ndarray:
        """Return z, how much is updated at every step, (80,)."""
        return 1 - self.trace().gates.update[:, 0]

    def numbers(self) -> dict[str, float]:
        """Return gates and states of the chosen step, and how many steps its update gate keeps for."""
        trace, t, z = self.trace(), self.step, float(self.update()[self.step])
        return {
            "update": z,
            "reset": float(trace.gates.reset[t, 0]),
            "before": float(trace.outputs[t - 1, 0]) if t else 0.0,
            "candidate": float(trace.gates.new[t, 0]),
            "hidden": float(trace.outputs[t, 0]),
            "keeps": float(dynamics.time_constant(1 - z, 1.0)),
        }

    def picture(self):
        """Return candidate and state, the gates, and the line of one step as a matplotlib figure."""
        from matplotlib import pyplot

        from gatedrnn import figures

        trace, t = self.trace(), np.arange(STEPS)
        figure, axes = pyplot.subplot_mosaic("ab;ac", figsize=figures.size(1, 0.6))
        state, gates, line = (axes[name] for name in "abc")
        state.eventplot(np.sort(self.spikes), lineoffsets=1.25, linelengths=0.2, color=figures.INK)
        state.plot(t, trace.gates.new[:, 0], ":", color=figures.PALETTE["orange"], label="candidate h̃")
        state.plot(t, trace.outputs[:, 0], "-", color=figures.PALETTE["blue"], label="state h")
        state.axvline(self.step, color=figures.FAINT, linewidth=1, linestyle="--")
        state.set(xlabel="step", ylim=(-1.1, 1.45))
        state.legend(loc="lower right")
        gates.plot(t, self.update(), "-", color=figures.PALETTE["vermilion"], label="update z")
        gates.plot(t, trace.gates.reset[:, 0], "--", color=figures.PALETTE["green"], label="reset r")
        gates.set(xlabel="step", ylim=(-0.05, 1.05))
        gates.legend(loc="upper right")
        before = trace.outputs[self.step - 1, 0] if self.step else 0.0
        line.plot([0, 1], [before, trace.gates.new[self.step, 0]], "-", color=figures.INK)
        line.plot(self.update()[self.step], trace.outputs[self.step, 0], "o", color=figures.PALETTE["blue"])
        line.set(xlabel="update z", ylabel=f"step {self.step}", ylim=(-1.1, 1.1))
        return figure
