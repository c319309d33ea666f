"""What gates lose that do not see the state: minimal cells beside GRU and LSTM on three of the book's tasks.

``recall`` is chapter 2's delayed recall with its batches, units and steps, so that its rows stand beside
those of ``delayed_recall``; ``parity`` asks for a state that a pulse turns over; ``simulated`` and ``real``
are the motor cortices of chapter 7 with its folds and choices, beside the rows of ``motor_decoding``. Only
what these tables do not hold is computed here. A row depends on nothing but its key.
"""

import dataclasses
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from gatedrnn import layers, scan
from gatedrnn.decoders import RecurrentDecoder, choose, contiguous_folds, r2
from gatedrnn.experiments import delayed_recall, motor_decoding
from gatedrnn.tasks import CUES, parity

DELAYS = (10, 40, 160)
LONGEST = {"min_gru": 40, "min_lstm": 40}  # with the usual start no seed gets so far: no more is tried
FOLDS = motor_decoding.FOLDS
SEEDS = {"recall": (0, 1, 2, 3), "parity": (0, 1, 2, 3), "simulated": (0, 1), "real": (0, 1)}
LAYERS = {"min_gru": scan.MinGRU, "min_lstm": scan.MinLSTM, "gru": layers.GRU, "lstm": layers.LSTM}
MINIMAL = ("min_gru", "min_lstm")
DECODERS = (*MINIMAL, "min_gru_tall", "min_lstm_tall", "gru_tall")
OPEN = tuple(f"{model}_open" for model in MINIMAL)
TALL = ("min_gru_tall", "min_lstm_tall")  # two layers, one upon the other

# Parity: units, steps of a sequence in training and in the long test, batches, and when to look.
UNITS, TRAINED, LONG, BATCH, UPDATES, RATE = 16, 20, 200, 32, 1000, 0.01
EVERY, SOLVED = 50, 0.999

# Everything is trained in double precision. Rounding differs between processors, and training amplifies it:
# by fractions of sequences named, of steps right, and of R².
TOLERANCE = {"recall": 0.1, "parity": 0.05, "simulated": 2e-3, "real": 2e-3}


def KEYS() -> list[dict[str, Any]]:
    """Keys of all rows: task, model, delay (of recall), fold (of a recording), and seed."""
    recalling = [(model, delay) for model in (*MINIMAL, *OPEN) for delay in DELAYS]
    plans = [("recall", m, delay, None) for m, delay in recalling if delay <= LONGEST.get(m, delay)]
    plans += [("parity", model, None, None) for model in ("gru", "lstm", *MINIMAL, *TALL)]
    plans += [
        (task, m, None, fold) for task in ("simulated", "real") for m in DECODERS for fold in range(FOLDS)
    ]
    return [
        {"task": task, "model": model, "delay": delay, "fold": fold, "seed": seed}
        for task, model, delay, fold in plans
        for seed in SEEDS[task]
    ]


def DATA() -> dict[str, str]:
    """sha256 of the recording that the real rows use."""
    return motor_decoding.DATA()


def layer(model: str, input_size: int, hidden_size: int) -> nn.Module:
    """Make the recurrent layer of a model in double precision."""
    cell = LAYERS[model.removesuffix("_tall").removesuffix("_open")]
    if model in TALL:
        return scan.Stacked(cell, input_size, hidden_size, dtype=torch.float64)
    return cell(input_size, hidden_size, dtype=torch.float64)


@torch.no_grad()
def open_gates(made: nn.Module, longest: int) -> None:
    """Start with time constants spread from 1 to about ``longest`` steps, as chapter 5 starts an LSTM.

    What is kept at rest is (τ − 1)/τ, with τ uniform: the odds of keeping are τ − 1.
    """
    units = made.hidden_size
    log_odds = (torch.rand(units, dtype=torch.float64) * (longest - 1)).log()
    bias = made.to_gates.bias
    if isinstance(made, scan.MinGRU):
        bias[:units] = -log_odds  # z is what is new
    else:  # f/i = f′/i′, and σ(a)/σ(−a) has the logarithm a
        bias[:units], bias[units : 2 * units] = log_odds, -log_odds


def recall(key: dict[str, Any]) -> dict[str, Any]:
    """Train as `delayed_recall` does."""
    torch.manual_seed(key["seed"])
    made = layer(key["model"], CUES + 1, delayed_recall.UNITS)
    if key["model"] in OPEN:
        open_gates(made, key["delay"])
    return delayed_recall.train(delayed_recall.Reader(made), key["delay"], key["seed"])


class Teller(nn.Module):
    """A recurrent layer that tells after every step whether it has seen an odd number of pulses."""

    def __init__(self, made: nn.Module):
        super().__init__()
        self.layer, self.readout = made, nn.Linear(made.hidden_size, 1, dtype=torch.float64)

    def forward(self, inputs: Tensor) -> Tensor:
        """Turn (T, B, 1) into the log odds of *odd*, (T, B)."""
        return self.readout(self.layer(inputs)[0]).squeeze(-1)


@torch.no_grad()
def right(teller: Teller, inputs: np.ndarray, odd: np.ndarray) -> Tensor:
    """Return the fraction of sequences whose parity is told, at every step (T,)."""
    told = teller(torch.from_numpy(inputs)) > 0
    return (told == torch.from_numpy(odd)).double().mean(1)


def taught(key: dict[str, Any]) -> tuple[Teller, int]:
    """Train a teller of parity on sequences of `TRAINED` steps; return it and the updates it took."""
    torch.manual_seed(key["seed"])
    teller = Teller(layer(key["model"], 1, UNITS))
    rng, test = np.random.default_rng(key["seed"]), parity(np.random.default_rng(10**6), 256, TRAINED)
    optimizer = torch.optim.Adam(teller.parameters(), lr=RATE)
    for update in range(1, UPDATES + 1):
        inputs, odd = parity(rng, BATCH, TRAINED)
        optimizer.zero_grad()
        wanted = torch.from_numpy(odd).double()
        functional.binary_cross_entropy_with_logits(teller(torch.from_numpy(inputs)), wanted).backward()
        nn.utils.clip_grad_norm_(teller.parameters(), 1.0)
        optimizer.step()
        if update % EVERY == 0 and right(teller, *test).min() >= SOLVED:
            break
    return teller, update


def tell(key: dict[str, Any]) -> dict[str, Any]:
    """Train a teller and test it on sequences as long as those it knows, and ten times as long."""
    teller, updates = taught(key)
    at = right(teller, *parity(np.random.default_rng(2 * 10**6), 512, LONG)).numpy()
    return {
        "steps": updates,
        "accuracy": float(at[:TRAINED].mean()),
        "accuracy_long": float(at[TRAINED:].mean()),
    }


def candidates(model: str, train, seed: int) -> list[RecurrentDecoder]:
    """Decoders among which a row chooses: chapter 7's for a network, of two layers if it is tall."""
    cell, tall = model.removesuffix("_tall"), model.endswith("_tall")
    options = motor_decoding.candidates(cell, train, seed)
    return [dataclasses.replace(option, num_layers=2 if tall else 1) for option in options]


def decoder(model: str, train, seed: int) -> RecurrentDecoder:
    """Choose the dropout inside the training reaches, and fit to all of them, as chapter 7's networks do."""
    options = candidates(model, train, seed)
    folds = contiguous_folds(train.starts, train.n_bins, 4, motor_decoding.GUARD)[1:2]
    return choose(options, train, folds).fit(train)


def decode(key: dict[str, Any]) -> dict[str, Any]:
    """Decode a fold of chapter 7 that the network has not seen."""
    train, test = motor_decoding.split(motor_decoding.recording(key["task"]), key["fold"])
    fitted = decoder(key["model"], train, key["seed"])
    return {"r2": float(f"{r2(test.kinematics, fitted.predict(test)):.6f}"), "dropout": fitted.dropout}


def compute(key: dict[str, Any]) -> dict[str, Any]:
    """Make one row."""
    return {"recall": recall, "parity": tell}.get(key["task"], decode)(key)
