"""LSTM and GRU with equal numbers of parameters: tasks × models × seeds × learning rates.

Every model of a seed sees the same batches, in the same order, for the same number of steps. A row depends on
nothing but its key.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy import stats
from torch import Tensor, nn
from torch.nn import functional

from gatedrnn import layers, tasks, training

PARAMETERS = 4600  # of layer and readout together, as nearly as whole units allow
SEEDS = tuple(range(8))
MODELS = ("lstm", "lstm_open", "gru")
RATES = (0.01, 0.03)  # the better one is chosen on sequences that are neither trained nor tested on
BATCH, TEST, PIECES = 32, 1000, 10


class Task(NamedTuple):
    """A task, how to draw it at its length and at a greater one, and how long to train.

    Attributes
    ----------
    draw, draw_longer : callable
        From a random generator and a number of sequences to inputs and targets.
    outputs : int
        Numbers that the readout gives at a step; with more than one, they are the logits of classes.
    steps : int
        Training steps.
    """

    draw: Callable
    draw_longer: Callable
    outputs: int
    steps: int


def _task(draw, length: str, short: int, long: int, outputs: int, steps: int) -> Task:
    return Task(
        functools.partial(draw, **{length: short}), functools.partial(draw, **{length: long}), outputs, steps
    )


TASKS = {
    "adding": _task(tasks.adding, "steps", 20, 40, outputs=1, steps=800),
    "copy": _task(tasks.delayed_copy, "delay", 10, 20, outputs=8, steps=800),
    "comparison": _task(tasks.comparison, "delay", 15, 30, outputs=2, steps=800),
    "clicks": _task(tasks.click_difference, "steps", 40, 160, outputs=1, steps=300),
    "lead": _task(tasks.leading_side, "steps", 30, 120, outputs=3, steps=500),
    "hold": _task(tasks.sample_and_hold, "steps", 40, 160, outputs=1, steps=300),
}

# The same on one machine to the last digit. Elsewhere rounding differs and training amplifies it; this much,
# of an error that is 1 for a network which has learned nothing, is still the same result.
TOLERANCE = dict.fromkeys(MODELS, 0.02)


def KEYS() -> list[dict[str, Any]]:
    """Keys of all rows: task, model, seed, and learning rate."""
    return [
        {"task": task, "model": model, "seed": seed, "learning_rate": rate}
        for seed in SEEDS
        for task in TASKS
        for model in MODELS
        for rate in RATES
    ]


def DATA() -> dict[str, str]:
    """No recording is read."""
    return {}


class Network(nn.Module):
    """One recurrent layer and a linear readout at every step: (T, B, I) → (T, B, outputs)."""

    def __init__(self, layer: nn.Module, outputs: int):
        super().__init__()
        self.layer = layer
        self.readout = nn.Linear(layer.hidden_size, outputs, dtype=torch.float64)

    def forward(self, inputs: Tensor) -> Tensor:
        """Answer at every step."""
        return self.readout(self.layer(inputs)[0])


def count(cell: str, inputs: int, units: int, outputs: int) -> int:
    """Numbers that training may change: G gates with two biases each, and the readout."""
    gates = {"lstm": 4, "gru": 3}[cell]
    return gates * units * (inputs + units + 2) + (units + 1) * outputs


def units(cell: str, inputs: int, outputs: int) -> int:
    """Return the number of units that brings the count nearest to `PARAMETERS`."""
    return min(range(1, 200), key=lambda n: abs(count(cell, inputs, n, outputs) - PARAMETERS))


def network(task: str, model: str, seed: int) -> Network:
    """Draw a network as torch does; ``lstm_open`` then has 1 added to its forget biases."""
    torch.manual_seed(seed)
    draw, _, outputs, _ = TASKS[task]
    inputs, cell = draw(np.random.default_rng(0), 1)[0].shape[-1], model.split("_")[0]
    size = units(cell, inputs, outputs)
    layer = {"lstm": layers.LSTM, "gru": layers.GRU}[cell](inputs, size, dtype=torch.float64)
    if model == "lstm_open":
        with torch.no_grad():
            layer.bias_ih_l0[size : 2 * size] += 1
    return Network(layer, outputs)


def loss(model: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy of classes, mean squared error of numbers, at the last steps, as many as have targets."""
    targets = targets if targets.ndim == 2 else targets[None]
    answers = model(inputs)[-len(targets) :]
    if targets.is_floating_point():
        return functional.mse_loss(answers[..., 0], targets)
    return functional.cross_entropy(answers.flatten(0, 1), targets.flatten())


def chance(task: str, targets: np.ndarray) -> float:
    """Loss of the best answer that does not look at the input."""
    return float(targets.var()) if targets.dtype.kind == "f" else float(np.log(TASKS[task].outputs))


def error(task: str, model: nn.Module, draw: Callable, stream: tuple[int, ...]) -> float:
    """Loss on 1,000 sequences over the loss of not looking: 1 is nothing learned, 0 is perfect."""
    inputs, targets = draw(np.random.default_rng(stream), TEST)
    with torch.no_grad():
        value = loss(model, torch.from_numpy(inputs), torch.from_numpy(targets)).item()
    return value / chance(task, targets)


def train(task: str, model: str, seed: int, rate: float) -> tuple[Network, list[float]]:
    """Train on fresh batches only; return the network and the loss of every step."""
    draw, _, _, steps = TASKS[task]
    data = [torch.from_numpy(a) for a in draw(np.random.default_rng((seed, 0)), steps * BATCH)]
    made, losses = network(task, model, seed), []

    def watched(model, inputs, targets):
        value = loss(model, inputs, targets)
        losses.append(value.item())
        return value

    data[1] = data[1] if data[1].ndim == 2 else data[1][None]
    settings = {"batch_size": BATCH, "batch_axis": 1, "learning_rate": rate, "decay": True}
    training.fit(made, watched, data, epochs=1, seed=seed, progress=False, **settings)
    return made, losses


def compute(key: dict[str, Any]) -> dict[str, Any]:
    """Make one row: errors for choosing, for reporting and on longer sequences, and the way there."""
    task, model, seed, rate = (key[name] for name in ("task", "model", "seed", "learning_rate"))
    made, losses = train(task, model, seed, rate)
    start = chance(task, TASKS[task].draw(np.random.default_rng((seed, 0)), TEST)[1])
    curve = np.array_split(np.array(losses) / start, PIECES)
    draw, draw_longer, _, _ = TASKS[task]
    return {
        "validation": float(f"{error(task, made, draw, (seed, 1)):.5g}"),
        "error": float(f"{error(task, made, draw, (seed, 2)):.5g}"),
        "error_longer": float(f"{error(task, made, draw_longer, (seed, 3)):.5g}"),
        "curve": [float(f"{piece.mean():.4g}") for piece in curve],
    }


def chosen(table, task: str, model: str) -> list[dict[str, Any]]:
    """For every seed, the row of the learning rate with the smaller validation error."""
    rows = table.where(task=task, model=model)
    return [min((row for row in rows if row["seed"] == seed), key=_validation) for seed in SEEDS]


def scores(table, column: str = "error") -> dict[tuple[str, str], np.ndarray]:
    """Return one column of the chosen rows, by task and model, in the order of the seeds."""
    pairs = [(task, model) for task in TASKS for model in MODELS]
    return {pair: np.array([row[column] for row in chosen(table, *pair)]) for pair in pairs}


def _validation(row: dict[str, Any]) -> float:
    return row["validation"]


class Comparison(NamedTuple):
    """How many times the error of one model is that of another, over the seeds.

    Attributes
    ----------
    ratio : float
        Geometric mean over the seeds. Below 1 the first model is the better one.
    low, high : float
        Confidence interval of Student's t on the logarithms, the seeds paired.
    """

    ratio: float
    low: float
    high: float

    @property
    def noise(self) -> bool:
        """Whether the interval holds 1, so that the seeds do not tell the two models apart."""
        return self.low <= 1 <= self.high


def compare(table, task: str, model: str, other: str, column: str = "error", level=0.95) -> Comparison:
    """Compare two models on a task at the rates chosen for each, with an interval of this confidence."""
    first, second = (np.array([row[column] for row in chosen(table, task, name)]) for name in (model, other))
    logs = np.log(first / second)
    middle, error = logs.mean(), logs.std(ddof=1) / np.sqrt(len(logs))
    reach = stats.t.ppf((1 + level) / 2, len(logs) - 1) * error
    return Comparison(*(float(np.exp(value)) for value in (middle, middle - reach, middle + reach)))


def averaging_observer(seed: int, shown: int = 5, noise: float = 0.3) -> float:
    """Error, on a seed's test, of an observer of *comparison* that averages over each stimulus.

    It knows when the stimuli come and how large the noise is: the difference of the two means is off by a
    normal number of variance 2 noise² / shown, and the observer is as sure as that allows.
    """
    inputs, targets = TASKS["comparison"].draw(np.random.default_rng((seed, 2)), TEST)
    felt = inputs[:shown, :, 0].mean(axis=0) - inputs[-shown:, :, 0].mean(axis=0)
    sure = felt / (noise * np.sqrt(2 / shown))
    cost = -np.where(targets == 1, stats.norm.logcdf(sure), stats.norm.logcdf(-sure)).mean()
    return float(cost / chance("comparison", targets))
