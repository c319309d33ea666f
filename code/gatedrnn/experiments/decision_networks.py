"""Networks that decide: how well they do, how they leak, what their gates do, and one real cell as evidence.

Two kinds of row. Networks trained on the tasks of `gatedrnn.decisions` come with their weights, so that they
can be taken apart without training them again. Decoders of a single cell's spikes, real or simulated, are
tested on trials that are held out.
"""

import functools
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.signal import lfilter
from scipy.special import logit
from sklearn.model_selection import StratifiedKFold
from torch import nn

from gatedrnn import cells, layers, training
from gatedrnn.cells import GATES, Parameters
from gatedrnn.datasets import fetch
from gatedrnn.datasets.choices import FILE, Choices, load_choices, simulate_choices
from gatedrnn.datasets.digests import sha256
from gatedrnn.decisions import Decisions, accumulate, delayed_match, integrate_in_context, weighing

TASKS = {"accumulate": accumulate, "context": integrate_in_context, "match": delayed_match}
NETWORKS = {"rnn": layers.RNN, "gru": layers.GRU, "lstm": layers.LSTM}
GATED = {"gru": ("reset", "update"), "lstm": ("input", "forget", "output")}
SEEDS = (0, 1, 2)
UNITS = 12
TRIALS = 6400
EPOCHS = 10
LEARNING_RATE = 0.01  # the best of 0.003, 0.01 and 0.03 in short trials with a GRU
FRESH = 1_000_000  # seeds from here on draw trials that no network was trained on

FOLDS = 5
BIN = 0.05  # s
READ = (0.25, 0.5, 1.0, 2.0)  # s after the beginning of a trial at which the cell's decoders are asked
MEMORIES = (0.05, 0.1, 0.2, 0.5, 1.0, np.inf)  # s, of the leaky observer
SIZES = (2, 6)  # units of a network that reads the cell
DECODERS = ("fixed", "count", "leaky", "gru", "lstm")  # fixed: a count whose threshold ignores the time

# Training amplifies rounding, which differs between processors. The values are shares of right answers, which
# move in steps of one trial in ten for a fold of the cell's decoders.
TOLERANCE = {"rnn": 0.1, "gru": 0.02, "lstm": 0.02, "cell": 0.2}


def KEYS() -> list[dict[str, Any]]:
    """Keys of all rows: task, model, fold (None where trials are simulated afresh), seed."""
    keys = [
        {"task": task, "model": model, "fold": None, "seed": seed}
        for task in TASKS
        for model in NETWORKS
        for seed in SEEDS
    ]
    return keys + [
        {"task": task, "model": model, "fold": fold, "seed": seed}
        for task in ("cell", "simulated_cell")
        for model in DECODERS
        for fold in range(FOLDS)
        for seed in (SEEDS[:2] if model in NETWORKS else SEEDS[:1])
    ]


def DATA() -> dict[str, str]:
    """sha256 of the recording that the rows of the real cell use."""
    path = fetch("place_cell_kramer_eden") / FILE
    return {f"place_cell_kramer_eden/{FILE}": sha256(path)}


def compute(key: dict[str, Any]) -> dict[str, Any]:
    """Make one row."""
    if key["task"] in TASKS:
        network = export(train(key["task"], key["model"], key["seed"])[0])
        return {"weights": flat(network)} | examine(key["task"], network)
    return decode(key["task"], key["model"], key["fold"], key["seed"])


# Networks trained on simulated trials


class Decider(nn.Module):
    """A recurrent layer and, at every step, the log odds of answer 1 read from its hidden state."""

    def __init__(self, model: str, inputs: int, units: int = UNITS):
        super().__init__()
        self.layer, self.readout = NETWORKS[model](inputs, units), nn.Linear(units, 1)

    def forward(self, inputs):
        """Read (T, B, I); say (T, B)."""
        return self.readout(self.layer(inputs)[0])[..., 0]


class Network(NamedTuple):
    """What is left of a trained network without torch.

    Attributes
    ----------
    parameters : Parameters
    weight : (H,) array
        Of the readout.
    bias : float
        Of the readout.
    """

    parameters: Parameters
    weight: np.ndarray
    bias: float

    def run(self, inputs: np.ndarray, state=None) -> cells.Trace:
        """Run over inputs (T, B, I)."""
        return cells.run(cells.STEPS[self.parameters.cell], inputs, state, self.parameters)

    def odds(self, inputs: np.ndarray) -> np.ndarray:
        """Log odds of answer 1 at every step, (T, B)."""
        return self.read(self.run(inputs).outputs)

    def read(self, hidden: np.ndarray) -> np.ndarray:
        """Log odds read from hidden states (..., H)."""
        return hidden @ self.weight + self.bias


def train(task: str, model: str, seed: int) -> tuple[Decider, training.Log]:
    """Train a network on one batch of simulated trials; its first gates remember up to a whole trial."""
    trials = TASKS[task](np.random.default_rng(seed), TRIALS)
    torch.manual_seed(seed)
    decider = Decider(model, trials.inputs.shape[-1])
    if model != "rnn":
        training.bias_gates(decider.layer, "chrono", longest=len(trials.inputs))
    return decider, learn(decider, trials.inputs, trials.targets, trials.asked, seed)


def learn(
    decider: Decider, inputs, targets, asked, seed: int, epochs: int = EPOCHS, batch_size: int = 64
) -> training.Log:
    """Train on inputs (T, B, I) with targets (B,), of which the steps in asked (T, B) count."""
    return training.fit(
        decider,
        cross_entropy,
        [torch.as_tensor(np.array(part), dtype=torch.float32) for part in (inputs, targets[None], asked)],
        epochs=epochs,
        batch_size=batch_size,
        batch_axis=1,
        learning_rate=LEARNING_RATE,
        decay=True,
        seed=seed,
        progress=False,
    )


def cross_entropy(model, inputs, targets, asked):
    """Mean cross entropy of the answers over the steps at which they count."""
    odds = model(inputs)
    each = nn.functional.binary_cross_entropy_with_logits(odds, targets.expand_as(odds), reduction="none")
    return (asked * each).sum() / asked.sum()


def export(decider: Decider) -> Network:
    """Take the weights out of torch, rounded so that a table can hold them."""
    parameters = Parameters.from_torch(decider.layer)
    readout = [part.detach().numpy() for part in decider.readout.parameters()]
    rounded = [np.round(part.astype(float), 4) for part in (*parameters, readout[0][0], readout[1][0])]
    return Network(Parameters(*rounded[:4]), rounded[4], float(rounded[5]))


def flat(network: Network) -> list[float]:
    """All weights in one list."""
    parts = [*network.parameters, network.weight, network.bias]
    return [float(value) for part in parts for value in np.ravel(part)]


def network(row: dict[str, Any]) -> Network:
    """Rebuild the network of a row.

    Examples
    --------
    >>> from gatedrnn.experiments import table
    >>> row = table("decision_networks").where(task="accumulate", model="gru", seed=0)[0]
    >>> network(row).odds(np.ones((3, 2, 1))).shape
    (3, 2)
    """
    gates, inputs = GATES[row["model"]], {"accumulate": 1, "context": 4, "match": 4}[row["task"]]
    rows = gates * UNITS
    shapes = [(rows, inputs), (rows, UNITS), (rows,), (rows,), (UNITS,), (1,)]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    parts = np.split(np.asarray(row["weights"], dtype=float), ends[:-1])
    parts = [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
    return Network(Parameters(*parts[:4]), parts[4], float(parts[5][0]))


def fresh(task: str, number: int = 4000, **settings) -> Decisions:
    """Trials that no network was trained on."""
    return TASKS[task](np.random.default_rng(FRESH), number, **settings)


def examine(task: str, network: Network) -> dict[str, Any]:
    """Share of right answers on fresh trials, whole and with each gate held; the leak of an accumulator."""
    trials = fresh(task)
    trace = network.run(trials.inputs)
    row = {
        "accuracy": share(trials, network.read(trace.outputs[-1])),
        "ideal": share(trials, trials.odds),
    }
    if network.parameters.cell != "rnn":
        row["held"] = {
            gate: share(trials, held(network, gate, trace).odds(trials.inputs)[-1])
            for gate in GATED[network.parameters.cell]
        }
    if task == "accumulate":
        noise = accumulate(np.random.default_rng(FRESH), 8000, listen=(20, 20), strengths=(0.0,))
        found = weighing(noise, network.odds(noise.inputs)[-1])
        row |= {"kept": round(found.kept, 5), "kept_error": round(found.kept_error, 5)}
    return row


def share(trials: Decisions, odds: np.ndarray) -> float:
    """Share of right answers to be expected on these trials."""
    return round(trials.expected(odds), 6)


def held(network: Network, gate: str, trace: cells.Trace) -> Network:
    """Cut all inputs of one gate and hold each unit's gate at its mean over a trace, as its bias."""
    parameters = Parameters(*(part.copy() for part in network.parameters))
    units = parameters.weight_hh.shape[1]
    first = type(trace.gates)._fields.index(gate) * units
    for part in parameters:
        part[first : first + units] = 0
    means = getattr(trace.gates, gate).reshape(-1, units).mean(axis=0)
    parameters.bias_ih[first : first + units] = logit(np.clip(means, 1e-12, 1 - 1e-12))
    return network._replace(parameters=parameters)


# One cell as evidence


@functools.cache
def cell(task: str) -> Choices:
    """The recording, or a simulated cell with about its rates and its number of trials."""
    recording = load_choices() if task == "cell" else simulate_choices(seed=1)
    return recording.binned(BIN)


def folds(choices: Choices) -> list[tuple[np.ndarray, np.ndarray]]:
    """Training and test trials: of each direction, five stretches of successive trials."""
    return list(StratifiedKFold(FOLDS).split(choices.spikes, choices.direction))


def decode(task: str, model: str, fold: int, seed: int) -> dict[str, Any]:
    """Share of right answers on the test trials of a fold, at each reading time."""
    choices = cell(task)
    train, test = (choices.select(trials) for trials in folds(choices)[fold])
    chosen = choose(model, train, seed)
    odds = evidence(model, train, test, chosen, seed)
    return {"chosen": None if chosen == np.inf else chosen, "accuracy": at_reading(odds, test)}


def at_reading(odds: np.ndarray, choices: Choices) -> list[float]:
    """Share of right answers at each of `READ` for odds (T, B); odds of exactly 0 are half right."""
    bins = [min(round(seconds / choices.bin_width), len(odds)) - 1 for seconds in READ]
    right = (odds[bins] > 0) == (choices.direction == 1)
    return [round(float(v), 6) for v in np.where(odds[bins] == 0, 0.5, right).mean(axis=1)]


def choose(model: str, train: Choices, seed: int):
    """Choose a memory or a size by three folds inside the training trials; the first of equals wins."""
    options = {"fixed": (None,), "count": (None,), "leaky": MEMORIES[::-1]}.get(model, SIZES)
    if len(options) == 1:
        return options[0]
    inner = list(StratifiedKFold(3).split(train.spikes, train.direction))
    scores = [
        np.mean([
            at_reading(evidence(model, train.select(a), train.select(b), option, seed), train.select(b))
            for a, b in inner
        ])
        for option in options
    ]  # fmt: skip
    return options[int(np.argmax(scores))]


def evidence(model: str, train: Choices, test: Choices, option, seed: int) -> np.ndarray:
    """Log odds of direction 1 in the test trials after every bin, (T, B).

    ``option`` is what `choose` chose: the memory of the leaky observer in s, or the units of a network.
    """
    if model in NETWORKS:
        return _network_evidence(model, train, test, option, seed)
    kept = np.exp(-train.bin_width / option) if model == "leaky" else 1.0
    sums = leaky_sums(train.spikes, kept)
    usual = [sums[:, train.direction == d].mean(axis=1, keepdims=True) + 1e-9 for d in (0, 1)]
    if model == "fixed":  # as if the rates were those of the whole trial at any time
        share = np.arange(1, len(sums) + 1)[:, np.newaxis] / len(sums)
        usual = [share * whole[-1] for whole in usual]
    # The log likelihood ratio of a Poisson count with these two means, which differ from bin to bin.
    return leaky_sums(test.spikes, kept) * np.log(usual[1] / usual[0]) - (usual[1] - usual[0])


def leaky_sums(spikes: np.ndarray, kept: float) -> np.ndarray:
    """Counts (B, T) added up with a leak, (T, B): the sum keeps the share ``kept`` of itself per bin."""
    return lfilter([1.0], [1.0, -kept], np.asarray(spikes, dtype=float).T, axis=0)  # eq-leaky-sum


def _network_evidence(model: str, train: Choices, test: Choices, units: int, seed: int) -> np.ndarray:
    mean, spread = train.spikes.mean(), train.spikes.std()
    inputs, later = (((part.spikes - mean) / spread).T[..., np.newaxis] for part in (train, test))
    torch.manual_seed(seed)
    decider = Decider(model, 1, units)
    training.bias_gates(decider.layer, "chrono", longest=len(inputs))
    learn(decider, inputs, train.direction, np.ones(inputs.shape[:2]), seed, epochs=100, batch_size=40)
    with torch.no_grad():
        return decider(torch.as_tensor(later, dtype=torch.float32)).double().numpy()
