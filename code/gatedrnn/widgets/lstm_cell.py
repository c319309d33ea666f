"""One LSTM unit that hears a spike train, and the biases of its four gates."""

import numpy as np
import traitlets

from gatedrnn import cells, dynamics
from gatedrnn.widgets.spike_train import STEPS, SpikeTrainFigure

WEIGHTS = np.array([3.0, 0.0, 1.0, 0.0])  # of a spike on i, f, g, o


class LSTMCell(SpikeTrainFigure):
    """One LSTM unit, step by step through a spike train, with a slider for the bias of every gate.

    A spike pushes the input gate by 3 and the candidate by 1; the forget and the output gate stand where
    their biases put them, unless the hidden state is fed back to the gates.

    Parameters
    ----------
    bias_input, bias_forget, bias_candidate, bias_output : float
        From −6 to 6.
    feedback : float
        Weight of the hidden state on each of the four gates, from −4 to 4.
    step : int
        Step whose arithmetic is shown.
    spikes : list of int
        Steps, from 0 to 79, at which a spike comes.

    Examples
    --------
    >>> figure = LSTMCell(bias_forget=6.0)
    >>> figure.trace().gates.forget.min().round(4)
    np.float64(0.9975)
    """

    view = "lstm_cell.js"
    room = traitlets.List(traitlets.Int(), default_value=[529, 1144]).tag(sync=True)

    bias_input = traitlets.Float(-4.0, min=-6.0, max=6.0).tag(sync=True)
    bias_forget = traitlets.Float(3.0, min=-6.0, max=6.0).tag(sync=True)
    bias_candidate = traitlets.Float(0.0, min=-6.0, max=6.0).tag(sync=True)
    bias_output = traitlets.Float(0.0, min=-6.0, max=6.0).tag(sync=True)
    feedback = traitlets.Float(0.0, min=-4.0, max=4.0).tag(sync=True)
    step = traitlets.Int(14, min=0, max=STEPS - 1).tag(sync=True)
    weights = traitlets.List(traitlets.Float(), WEIGHTS.tolist(), read_only=True).tag(sync=True)
    alt = traitlets.Unicode(
        "Left, the four gates of one LSTM unit over 80 steps, with the spikes it hears. Right, its cell "
        "state and its hidden state. A handle picks the step whose arithmetic is spelled out; a slider moves "
        "the bias of each gate."
    ).tag(sync=True)

    def parameters(self) -> cells.Parameters:
        """Return the unit's weights and biases."""
        biases = [self.bias_input, self.bias_forget, self.bias_candidate, self.bias_output]
        feedback = np.full((4, 1), self.feedback)
        return cells.Parameters(WEIGHTS[:, None], feedback, np.array(biases), np.zeros(4))

    def trace(self) -> cells.Trace:
        """Return gates and states at every step."""
        return cells.run(cells.lstm_step, self.inputs(), None, self.parameters())

    def numbers(self) -> dict[str, float]:
        """Return gates and states of the chosen step, and how many steps its forget gate keeps for."""
        trace, t = self.trace(), self.step
        found = {name: float(values[t, 0]) for name, values in trace.gates._asdict().items()}
        keeps = float(dynamics.time_constant(found["forget"], 1.0))
        cell, hidden = trace.states.cell[t, 0], trace.outputs[t, 0]
        return {**found, "cell": float(cell), "hidden": float(hidden), "keeps": keeps}

    def picture(self):
        """Return gates, cell state and hidden state as a matplotlib figure."""
        from matplotlib import pyplot

        from gatedrnn import figures

        trace, t = self.trace(), np.arange(STEPS)
        figure, (gates, cell, hidden) = pyplot.subplots(3, 1, sharex=True, figsize=figures.size(1, 0.75))
        names = {"input": "i", "forget": "f", "candidate": "g", "output": "o"}
        for (name, letter), values in zip(names.items(), trace.gates, strict=True):
            gates.plot(t, values[:, 0], label=f"{letter}, {name}")
        gates.eventplot(np.sort(self.spikes), lineoffsets=1.2, linelengths=0.2, color=figures.INK)
        cell.plot(t, trace.states.cell[:, 0], color=figures.PALETTE["blue"])
        hidden.plot(t, trace.outputs[:, 0], color=figures.PALETTE["vermilion"])
        for axis in (gates, cell, hidden):
            axis.axvline(self.step, color=figures.FAINT, linewidth=1, linestyle="--")
        gates.set(ylabel="gates", ylim=(-1.1, 1.4))
        gates.legend(ncols=4, loc="lower right")
        cell.set(ylabel="cell state c")
        hidden.set(ylabel="hidden state h", xlabel="step", ylim=(-1.1, 1.1))
        return figure
