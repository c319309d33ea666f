"""How long a delay each cell learns to bridge: models × delays × seeds on `gatedrnn.tasks.delayed_recall`.

Every model gets the same batches, the same number of units and the same number of steps. A row depends on
nothing but its key.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from gatedrnn import layers
from gatedrnn.tasks import CUES, delayed_recall

DELAYS = (5, 10, 20, 40, 80, 160)
SEEDS = tuple(range(6))
MODELS = ("rnn", "rnn_orthogonal", "gru", "gru_open", "lstm", "lstm_open")
LONGEST = {"gru": 40, "lstm": 40}  # no seed gets so far: longer delays are not tried
RATES = (0.01, 0.003)  # the second from a delay of 40 on, to see whether the first was unfair to some model
# A model that bridges 40 steps with every seed at the second rate goes on with it.
SLOW = dict.fromkeys(MODELS, 40) | dict.fromkeys(("rnn_orthogonal", "gru_open", "lstm_open"), 160)

UNITS, BATCH, STEPS, CLIP = 32, 32, 1000, 1.0
EVERY, SOLVED = 50, 0.95  # how often to test, and the accuracy that ends a run
TEST = 256

# The same on one machine to the last digit. Elsewhere rounding differs, and training amplifies it; this much
# in the number of steps is still the same result.
TOLERANCE = dict.fromkeys(MODELS, 2 * EVERY)


def KEYS() -> list[dict[str, Any]]:
    """Keys of all rows: model, delay, seed, and learning rate."""
    longest = {RATES[0]: dict.fromkeys(MODELS, DELAYS[-1]) | LONGEST, RATES[1]: SLOW}
    return [
        {"model": model, "delay": delay, "seed": seed, "learning_rate": rate}
        for rate in RATES
        for delay in DELAYS
        for model in MODELS
        if delay <= longest[rate][model] and (rate == RATES[0] or delay >= 40)
        for seed in SEEDS
    ]


def DATA() -> dict[str, str]:
    """No recording is read."""
    return {}


class Reader(nn.Module):
    """A recurrent layer and a linear readout of its last output: (T, B, 5) → logits (B, 4)."""

    def __init__(self, layer: nn.Module):
        super().__init__()
        self.layer = layer
        self.readout = nn.Linear(layer.hidden_size, CUES, dtype=torch.float64)

    def forward(self, inputs: Tensor, window: int | None = None) -> Tensor:
        """Answer once, after the last step; gradients go back ``window`` steps, or all the way."""
        state = None
        if window is not None and window < len(inputs):
            with torch.no_grad():
                _, state = self.layer(inputs[:-window])
            inputs = inputs[-window:]
        output, _ = self.layer(inputs, state)
        return self.readout(output[-1])


def reader(model: str, delay: int, seed: int) -> Reader:
    """Draw a reader as torch does, then give the special ones their start.

    ``rnn_orthogonal`` starts from a random rotation, whose radius and norm are both 1. The two ``_open``
    models start with time constants spread from 1 to about ``delay`` steps (Tallec & Ollivier, ICLR 2018).
    """
    torch.manual_seed(seed)
    cell = {"rnn": layers.RNN, "gru": layers.GRU, "lstm": layers.LSTM}[model.split("_")[0]]
    layer = cell(CUES + 1, UNITS, dtype=torch.float64)
    if model == "rnn_orthogonal":
        nn.init.orthogonal_(layer.weight_hh_l0)
    elif model.endswith("_open"):
        _open(layer, delay)
    return Reader(layer)


@torch.no_grad()
def _open(layer: nn.Module, delay: int) -> None:
    """Bias the gate that keeps towards 1 − 1/τ, with τ uniform between 1 and the delay."""
    bias = torch.log(1 + torch.rand(UNITS, dtype=torch.float64) * (delay - 1))
    layer.bias_ih_l0.zero_(), layer.bias_hh_l0.zero_()
    layer.bias_ih_l0[UNITS : 2 * UNITS] = bias  # the LSTM's forget gate, the GRU's update gate
    if isinstance(layer, layers.LSTM):
        layer.bias_ih_l0[:UNITS] = -bias  # what is kept long is written seldom


def batch(rng: np.random.Generator, size: int, delay: int) -> tuple[Tensor, Tensor]:
    """Draw the task as tensors."""
    inputs, targets = delayed_recall(rng, size, delay)
    return torch.from_numpy(inputs), torch.from_numpy(targets)


def train(
    model: Reader,
    delay: int,
    seed: int,
    rate: float = RATES[0],
    steps: int = STEPS,
    window: int | None = None,
) -> dict[str, Any]:
    """Train on fresh batches until the test is passed or the steps are used up.

    Parameters
    ----------
    model : Reader
        Changed in place.
    delay, seed : int
        Of the task, and of its random numbers.
    rate : float
        Learning rate of Adam.
    steps : int
        The most steps to take.
    window : int, optional
        How many steps gradients go back; all the way if left out.

    Returns
    -------
    dict
        ``solved``, ``steps`` taken, and ``accuracy`` on 256 sequences never trained on.
    """
    rng, test = np.random.default_rng(seed), batch(np.random.default_rng(10**6 + seed), TEST, delay)
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    for step in range(1, steps + 1):
        inputs, targets = batch(rng, BATCH, delay)
        optimizer.zero_grad()
        functional.cross_entropy(model(inputs, window), targets).backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        if step % EVERY == 0 and (right := accuracy(model, *test)) >= SOLVED:
            return {"solved": True, "steps": step, "accuracy": right}
    return {"solved": False, "steps": steps, "accuracy": accuracy(model, *test)}


@torch.no_grad()
def accuracy(model: Reader, inputs: Tensor, targets: Tensor) -> float:
    """Fraction of sequences whose cue is named."""
    return (model(inputs).argmax(-1) == targets).double().mean().item()


def fading(model: Reader, delay: int, seed: int) -> float:
    """Return the size of the loss's gradient at the cue over that at the signal, before any training."""
    inputs, targets = batch(np.random.default_rng(seed), TEST, delay)
    inputs.requires_grad_(True)
    functional.cross_entropy(model(inputs), targets).backward()
    return (inputs.grad[0].norm() / inputs.grad[-1].norm()).item()


def compute(key: dict[str, Any]) -> dict[str, Any]:
    """Make one row: how the training went, and by how much the gradient faded before it."""
    model = reader(key["model"], key["delay"], key["seed"])
    faded = fading(model, key["delay"], key["seed"])
    model.zero_grad()
    return train(model, key["delay"], key["seed"], key["learning_rate"]) | {"gradient": float(f"{faded:.4g}")}
