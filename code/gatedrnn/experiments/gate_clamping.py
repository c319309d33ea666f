"""What each gate of an LSTM is for: networks that count clicks, whole, with a gate held, or without gates.

The task is `gatedrnn.tasks.count_clicks`. A gate is held in one of two ways: in a trained network, to see
what it did; or from the first step of training, to see what the others can do without it.
"""

from typing import Any

import numpy as np
import torch
from scipy.special import logit
from torch import nn

from gatedrnn import cells, tasks, training
from gatedrnn.cells import LSTMGates, Parameters

SEEDS = tuple(range(8))
LEARNING_RATE = {"lstm": 0.05, "rnn": 0.01}  # from short trials: LSTM 0.01 to 0.05, RNN up to 0.03
SEQUENCES = 1024
EPOCHS = 48
OPEN = 1 - 1e-12  # a gate held from the start of training: open, but with a bias that is a number
HORIZONS = (1, 5, 10, 20, 40, 79)  # steps back from the end of a delay of 80

# (gate, value) of every clamp in a trained network: gates shut and open, the candidate held at a right click.
CLAMPS = {
    "input shut": ("input", 0.0),
    "input open": ("input", 1.0),
    "forget shut": ("forget", 0.0),
    "forget open": ("forget", 1.0),
    "candidate held": ("candidate", 0.5),
    "output shut": ("output", 0.0),
    "output open": ("output", 1.0),
}

# Training amplifies rounding, which differs between processors; the errors are in clicks.
TOLERANCE = {"lstm": 0.05, "rnn": 0.15}


def KEYS() -> list[dict[str, Any]]:
    """Keys of all rows: model, units, the gate that was held while training (None: none), seed."""
    plans = [("lstm", 1, None), ("lstm", 4, None), ("rnn", 3, None), ("rnn", 16, None)]
    plans += [("lstm", units, gate) for units in (1, 4) for gate in LSTMGates._fields]
    return [
        {"model": model, "units": units, "without": gate, "seed": seed}
        for model, units, gate in plans
        for seed in SEEDS
    ]


def DATA() -> dict[str, str]:
    """No recording is used."""
    return {}


class Counter(nn.Module):
    """A recurrent layer of torch.nn that reads five channels, and one number read from its hidden state."""

    def __init__(self, model: str, units: int):
        super().__init__()
        layer = {"lstm": nn.LSTM, "rnn": nn.RNN}[model]
        self.layer, self.readout = layer(len(tasks.CLICK_CHANNELS), units), nn.Linear(units, 1)

    def forward(self, inputs):
        """Read (T, B, 5); say (T, B, 1)."""
        return self.readout(self.layer(inputs)[0])

    def export(self) -> tuple[Parameters, np.ndarray, np.ndarray]:
        """Return the layer's parameters, the readout's weights (1, H) and its bias (1,), as doubles."""
        layer = Parameters(*(part.astype(float) for part in Parameters.from_torch(self.layer)))
        return layer, *(part.detach().numpy().astype(float) for part in self.readout.parameters())


def squared_error(model, inputs, targets, weights):
    """Mean squared error in which a step counts as much as its weight."""
    return (weights * (model(inputs) - targets) ** 2).mean()


def train(
    model: str = "lstm", units: int = 1, seed: int = 0, without: str | None = None
) -> tuple[Counter, training.Log]:
    """Train a network to count; hold one gate from the start if told to."""
    trials = tasks.count_clicks(np.random.default_rng(seed), SEQUENCES)
    weights = np.where(trials.go, 10.0, 1.0)[..., None]  # one step in thirty is go
    data = [torch.tensor(part, dtype=torch.float32) for part in (trials.inputs, trials.targets, weights)]
    torch.manual_seed(seed)
    counter = Counter(model, units)
    if without is not None:
        hold(counter.layer, without, 0.5 if without == "candidate" else OPEN)
    log = training.fit(
        counter,
        squared_error,
        data,
        epochs=EPOCHS,
        batch_size=32,
        batch_axis=1,
        learning_rate=LEARNING_RATE[model],
        decay=True,
        seed=seed,
        progress=False,
    )
    return counter, log


def clamp(parameters: Parameters, gate: str, value: float) -> Parameters:
    """Cut all inputs of one gate of an LSTM and set its bias so that the gate stands at ``value``."""
    clamped = Parameters(*(part.copy() for part in parameters))
    units = parameters.weight_hh.shape[1]
    first = LSTMGates._fields.index(gate) * units
    for part in clamped:
        part[first : first + units] = 0
    with np.errstate(divide="ignore"):  # a gate at exactly 0 or 1 has an infinite bias
        bias = np.arctanh(value) if gate == "candidate" else logit(value)
    clamped.bias_ih[first : first + units] = bias
    return clamped


def hold(layer: nn.LSTM, gate: str, value: float) -> None:
    """Clamp a gate of a torch layer and let no gradient move it."""
    clamped = clamp(Parameters.from_torch(layer), gate, value)
    rows = torch.arange(4).repeat_interleave(layer.hidden_size) != LSTMGates._fields.index(gate)
    for parameter, values in zip(layer.parameters(), clamped, strict=True):
        parameter.data.copy_(torch.from_numpy(values))
        free = rows.to(parameter.dtype).reshape(-1, *[1] * (parameter.dim() - 1))
        parameter.register_hook(lambda gradient, free=free: gradient * free)


def say(parameters: Parameters, weight: np.ndarray, bias: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """Run a network in NumPy and return what it says, (T, B, 1)."""
    return cells.run(cells.STEPS[parameters.cell], inputs, None, parameters).outputs @ weight.T + bias


def errors(said: np.ndarray, trials: tasks.ClickTrials) -> tuple[float, float]:
    """Root mean square error in clicks: at go, and at every other step, where silence is asked for."""
    wrong = said - trials.targets
    return tuple(round(float(np.sqrt((wrong[steps] ** 2).mean())), 6) for steps in (trials.go, ~trials.go))


def kicked(parameters: Parameters, inputs: np.ndarray, end: int, size: float = 1e-6) -> np.ndarray:
    """Measure ∂s_end/∂s_t for every step t up to ``end`` by kicking each unit at t and running on.

    Parameters
    ----------
    parameters : Parameters
        Of an RNN, where the state s is ``hidden``, or of an LSTM, where s is ``cell`` and ``hidden`` follows
        the kick through the output gate.
    inputs : (T, I) array
    end : int
        Step at which the effect is read.
    size : float
        Of the kicks, up and down.

    Returns
    -------
    (end + 1, H, H) array
        ``[t, i, j]``: by how much unit i moves at ``end`` per kick to unit j after step t.
    """
    step, units = cells.STEPS[parameters.cell], parameters.weight_hh.shape[1]
    trace = cells.run(step, inputs[: end + 1], None, parameters)
    kicks = size * np.concatenate([np.eye(units), -np.eye(units)])
    running = cells.initial_state(parameters.cell, units, (0,))  # every kick so far, side by side as a batch
    for t, x in enumerate(inputs[: end + 1]):
        running, _ = step(np.broadcast_to(x, (len(running[0]), len(x))), running, parameters)
        if parameters.cell == "lstm":
            cell = trace.states.cell[t] + kicks
            begun = cells.LSTMState(trace.gates.output[t] * np.tanh(cell), cell)
        else:
            begun = cells.RNNState(trace.outputs[t] + kicks)
        running = type(begun)(*(np.concatenate(pair) for pair in zip(running, begun, strict=True)))
    up, down = np.moveaxis(running[-1].reshape(end + 1, 2, units, units), 1, 0)
    return np.swapaxes(up - down, -1, -2) / (2 * size)


def size_of(jacobians: np.ndarray) -> np.ndarray:
    """Largest factor by which each matrix stretches anything: the spectral norm."""
    return np.linalg.norm(jacobians, 2, axis=(-2, -1))


def fresh_trials(long: bool = False) -> tasks.ClickTrials:
    """256 sequences that no network was trained on; long ones wait three to four times as long as those."""
    rng = np.random.default_rng(1_000_000 + long)
    return tasks.count_clicks(rng, 256, steps=160, delay=(60, 80)) if long else tasks.count_clicks(rng, 256)


def waiting_trials(sequences: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Single trials with a delay of 80: inputs (120, B, 5), and the last step of each delay (B,)."""
    rng = np.random.default_rng(2_000_000)
    trials = tasks.count_clicks(rng, sequences, steps=120, delay=(80, 80))
    return trials.inputs, trials.go.argmax(axis=0) - 1


def compute(key: dict[str, Any]) -> dict[str, Any]:
    """Make one row: errors on usual and long delays, under every clamp, and what a kick has become."""
    counter, _ = train(key["model"], key["units"], key["seed"], key["without"])
    layer, weight, bias = counter.export()
    trials, long = fresh_trials(), fresh_trials(long=True)
    row = {}
    row["error"], row["leak"] = errors(say(layer, weight, bias, trials.inputs), trials)
    row["error_long"], _ = errors(say(layer, weight, bias, long.inputs), long)
    if key["without"] is None:
        inputs, ends = waiting_trials()
        sizes = [size_of(kicked(layer, inputs[:, b], end)) for b, end in enumerate(ends)]
        back = np.median([size[end - np.array(HORIZONS)] for size, end in zip(sizes, ends, strict=True)], 0)
        row["kicked"] = [float(f"{value:.6g}") for value in back]
        hidden = cells.run(cells.STEPS[key["model"]], trials.inputs, None, layer).outputs
        at_go, waiting = (np.sqrt((hidden[steps] ** 2).mean()) for steps in (trials.go, trials.delay))
        row["murmur"] = round(float(waiting / at_go), 6)
    if key["model"] == "lstm" and key["without"] is None:
        row["clamped"] = {
            name: errors(say(clamp(layer, *how), weight, bias, trials.inputs), trials)
            for name, how in CLAMPS.items()
        }
    return row
