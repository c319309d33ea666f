"""One LSTM unit at work: it steps through a spike train by itself until somebody takes hold of it."""

import numpy as np
import traitlets

from gatedrnn import cells
from gatedrnn.widgets.spike_train import STEPS, SpikeTrainFigure

# Of a spike, of the unit's own past, and the biases, on i, f, g, o: a unit whose gates all answer to what
# it hears. A spike opens the input gate and loosens the grip of the forget gate; a full cell opens the output
# gate. The candidate is never negative, so neither is the cell.
WEIGHTS = (3.4, -1.6, 1.4, 1.4)
RECURRENT = (-1.0, 1.0, 0.0, 1.8)
BIASES = (-2.4, 0.0, 0.0, -1.0)


class ListeningUnit(SpikeTrainFigure):
    """One LSTM unit stepping through a spike train, its gates opening and closing as it goes.

    Parameters
    ----------
    bias_forget : float
        Bias of the forget gate, from −3 to 6: how long the unit remembers.
    step : int
        Step at which the unit stands, from 0 to 79.
    spikes : list of int
        Steps, from 0 to 79, at which a spike comes.

    Examples
    --------
    >>> unit = ListeningUnit(spikes=[3])
    >>> gates = unit.trace().gates
    >>> bool(gates.input[3, 0] > 5 * gates.input[2, 0])  # the spike opens the input gate
    True
    """

    view = "listening_unit.js"
    room = traitlets.List(traitlets.Int(), default_value=[451, 765]).tag(sync=True)

    bias_forget = traitlets.Float(2.8, min=-3.0, max=6.0).tag(sync=True)
    step = traitlets.Int(14, min=0, max=STEPS - 1).tag(sync=True)
    weights = traitlets.List(traitlets.Float(), list(WEIGHTS), read_only=True).tag(sync=True)
    recurrent = traitlets.List(traitlets.Float(), list(RECURRENT), read_only=True).tag(sync=True)
    biases = traitlets.List(traitlets.Float(), list(BIASES), read_only=True).tag(sync=True)
    alt = traitlets.Unicode(
        "An LSTM unit listens to a train of spikes. Left, the unit: three discs, the input, the forget and "
        "the output gate, grow and shrink as the gates open and close around a cell that fills and empties. "
        "Right, the spikes, the cell state and the hidden state over 80 steps, with a handle on the step at "
        "which the unit stands."
    ).tag(sync=True)

    def parameters(self) -> cells.Parameters:
        """Return the unit's weights and biases, with the forget gate's bias as it is set."""
        biases = np.array(BIASES)
        biases[1] = self.bias_forget
        return cells.Parameters(np.array([WEIGHTS]).T, np.array([RECURRENT]).T, biases, np.zeros(4))

    def trace(self) -> cells.Trace:
        """Return gates and states at every step."""
        return cells.run(cells.lstm_step, self.inputs(), None, self.parameters())

    def numbers(self) -> dict[str, float]:
        """Return gates, cell state and hidden state at the step at which the unit stands."""
        trace, t = self.trace(), self.step
        gates = {name: float(getattr(trace.gates, name)[t, 0]) for name in ("input", "forget", "output")}
        return {**gates, "cell": float(trace.states.cell[t, 0]), "hidden": float(trace.outputs[t, 0])}

    def picture(self):
        """Return the three gates, the cell state and the hidden state as a matplotlib figure."""
        from matplotlib import pyplot

        from gatedrnn import figures

        trace, t = self.trace(), np.arange(STEPS)
        figure, (gates, states) = pyplot.subplots(2, 1, sharex=True, figsize=figures.size(1, 0.5))
        gates.eventplot(np.sort(self.spikes), lineoffsets=1.2, linelengths=0.2, color=figures.INK)
        for name in ("input", "forget", "output"):
            gates.plot(t, getattr(trace.gates, name)[:, 0], label=f"{name} gate")
        gates.set(ylim=(-0.05, 1.4), ylabel="open")
        gates.legend(ncols=3, loc="upper right")
        states.plot(t, trace.states.cell[:, 0], color=figures.PALETTE["blue"], label="cell state c")
        states.plot(t, trace.outputs[:, 0], color=figures.PALETTE["vermilion"], label="hidden state h")
        states.legend(ncols=2, loc="upper right")
        states.set(xlabel="step")
        for axis in (gates, states):
            axis.axvline(self.step, color=figures.FAINT, linewidth=1, linestyle="--")
        return figure
