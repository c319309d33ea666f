"""How the first biases of an LSTM's gates decide what it learns: starts × delays × seeds.

The task is `gatedrnn.tasks.delayed_recall`. Every network gets the same batches and the same number of
steps, and differs from the others of its seed and delay only in its biases. Beside the speed of learning, a
row holds how long each unit's forget gate remembers before and after the training. Single precision and
torch's own LSTM are used, because there are many runs; its weights and results are those of
`gatedrnn.layers.LSTM`.
"""

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from gatedrnn import cells, training
from gatedrnn.tasks import CUES, delayed_recall

DELAYS = (10, 40, 160)
SEEDS = tuple(range(8))
# The start, and the longest time to remember that chrono is told, in multiples of the delay.
STARTS = (("zero", None), ("one", None), ("chrono", 0.25), ("chrono", 1), ("chrono", 10), ("chrono", 100))
UNITS, BATCH, RATE, CLIP, STEPS = 32, 32, 0.01, 1.0, 600
EVERY, SOLVED, TEST = 20, 0.95, 256  # test every so many steps; the accuracy that ends a run; test sequences

# The same on one machine to the last digit. Another processor rounds otherwise, and training amplifies it.
TOLERANCE = {"steps": 4 * EVERY, "time_constant": 0.2}


def KEYS() -> list[dict[str, Any]]:
    """Keys of all rows: start, chrono's guess of the longest time, delay and seed."""
    return [
        {"start": start, "guess": guess, "delay": delay, "seed": seed}
        for delay in DELAYS
        for start, guess in STARTS
        for seed in SEEDS
    ]


def DATA() -> dict[str, str]:
    """No recording is read."""
    return {}


class Reader(nn.Module):
    """An LSTM and a linear readout of its last output: (T, B, 5) → logits (B, 4)."""

    def __init__(self, start: str, guess: float | None, delay: int, seed: int):
        super().__init__()
        torch.manual_seed(seed)
        self.layer, self.readout = nn.LSTM(CUES + 1, UNITS), nn.Linear(UNITS, CUES)
        training.bias_gates(self.layer, start, None if guess is None else max(2.0, guess * delay))

    def forward(self, inputs):
        """Answer once, after the last step."""
        return self.readout(self.layer(inputs)[0][-1])


def batch(rng: np.random.Generator, size: int, delay: int):
    """Draw the task as tensors in single precision."""
    inputs, targets = delayed_recall(rng, size, delay)
    return torch.from_numpy(inputs).float(), torch.from_numpy(targets)


@torch.no_grad()
def accuracy(model: Reader, inputs, targets) -> float:
    """Fraction of sequences whose cue is named."""
    return (model(inputs).argmax(-1) == targets).float().mean().item()


def train(model: Reader, delay: int, seed: int) -> dict[str, Any]:
    """Train on fresh batches until the test is passed or the steps are used up."""
    rng, test = np.random.default_rng(seed), batch(np.random.default_rng(10**6 + seed), TEST, delay)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    for step in range(1, STEPS + 1):
        inputs, targets = batch(rng, BATCH, delay)
        optimizer.zero_grad()
        functional.cross_entropy(model(inputs), targets).backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        if step % EVERY == 0 and (right := accuracy(model, *test)) >= SOLVED:
            break
    else:
        right = accuracy(model, *test)
    return {"solved": right >= SOLVED, "steps": step, "accuracy": round(right, 4)}


def time_constants(model: Reader, delay: int, seed: int) -> list[float]:
    """Return τ = −1 / mean(ln f) of every unit, in steps: f is its forget gate while the network waits."""
    inputs, _ = delayed_recall(np.random.default_rng(2 * 10**6 + seed), 32, delay)
    weights = cells.Parameters(*(weight.astype(float) for weight in cells.Parameters.from_torch(model.layer)))
    forget = cells.run(cells.lstm_step, inputs[:-1], None, weights).gates.forget
    return [float(f"{tau:.4g}") for tau in -1 / np.log(forget[1:]).mean(axis=(0, 1))]


def compute(key: dict[str, Any]) -> dict[str, Any]:
    """Make one row: how the training went, and the forget gates' time constants before and after it."""
    model = Reader(**key)
    before = time_constants(model, key["delay"], key["seed"])
    trained = train(model, key["delay"], key["seed"])
    return trained | {"before": before, "after": time_constants(model, key["delay"], key["seed"])}
