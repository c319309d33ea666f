"""Which time scales a trained network has, when those of its signal are known: signals × models × seeds.

``calcium``: from the spikes of `simulate_calcium` to its fluorescence; a decay of 100 to 800 ms, a rise of
50 ms. ``after_effect``: from a stimulus to the fatigue it leaves, `gatedrnn.tasks.after_effect`, with two
time constants, 100 ms and up to 8 times that. ``recording``: from the true spikes of a real neuron to its
fluorescence, whose time scales nobody knows; only the model with constant gates is fitted to it.

A network is asked for its time scales in three ways: by the decay of its answer to one pulse, by its forget
gates at work, and by the decay of its answer after the recurrent weights were cut, so that only the gates'
biases are left to remember.
"""

import copy
import functools
from typing import Any

import numpy as np
import torch
from scipy.optimize import least_squares
from torch import nn
from torch.nn import functional

from gatedrnn import cells, dynamics, training
from gatedrnn.datasets import REGISTRY, fetch, load_calcium
from gatedrnn.datasets.calcium_simulation import simulate_calcium
from gatedrnn.datasets.digests import sha256
from gatedrnn.tasks import after_effect

DT = 20.0  # ms per step of the simulated signals
STEPS, SEQUENCES, TESTS = 250, 64, 32  # of each sequence; to train and to test
RISE, NOISE = 50.0, 0.05  # ms; standard deviation of the noise in both simulated signals
DECAYS, RATIOS, FAST = (100, 200, 400, 800), (1.5, 2, 4, 8), 100.0  # ms, and the faster trace in ms
SEEDS = (0, 1, 2)
STARTS = ("zero", "one", "chrono")
LONGEST = 100  # steps (2 s) that chrono is told
UNITS, BATCH, RATE, CLIP, UPDATES = 8, 16, 0.01, 1.0, 1200
GATES_FROM = ([0.0, 3.0], [-1.0, 1.0])  # first biases of the two constant gates
REAL_RATE = 25.0  # bins per second of the real recordings
REAL_STEPS, BURN = 500, 3.0  # bins per piece of a real recording; seconds at its start that do not count

# Of a time constant, as a fraction; other processors round otherwise, and training amplifies it.
TOLERANCE = {"constant": 1e-3, "lstm": 0.25}


def KEYS() -> list[dict[str, Any]]:
    """Keys of all rows: signal, its two time constants in ms, model, start and seed."""
    signals = [("calcium", RISE, decay) for decay in DECAYS]
    signals += [("after_effect", FAST, FAST * ratio) for ratio in RATIOS]
    networks = {"calcium": [("lstm", start) for start in STARTS], "after_effect": [("lstm", "chrono")]}
    keys = [
        (*signal, *network, seed)
        for signal in signals
        for network in (("constant", "one"), *networks[signal[0]])
        for seed in SEEDS
    ]
    files = len(REGISTRY["calcium_gt_cascade"].files)
    keys += [("recording", None, None, "constant", "one", number) for number in range(files)]
    columns = ("signal", "fast", "slow", "model", "start", "seed")
    return [dict(zip(columns, key, strict=True)) for key in keys]


def DATA() -> dict[str, str]:
    """sha256 of the recordings that the real rows use."""
    folder = fetch("calcium_gt_cascade")
    files = REGISTRY["calcium_gt_cascade"].files
    return {f"calcium_gt_cascade/{file.path}": sha256(folder / file.path) for file in files}


def simulated(signal: str, fast: float, slow: float, seed: int, count: int, noise: float = NOISE):
    """Return inputs and targets, two tensors (T, B, 1); every sequence starts from rest."""
    if signal == "after_effect":
        rng = np.random.default_rng(seed)
        pair = after_effect(rng, count, STEPS, [fast / DT, slow / DT], noise)
    else:
        settings = {"duration": STEPS * DT / 1000, "frame_rate": 1000 / DT, "noise": noise}
        settings |= {"rise": fast / 1000, "decay": slow / 1000}
        seeds = range(1000 * seed, 1000 * seed + count)
        drawn = [simulate_calcium(one, **settings).binned(1000 / DT) for one in seeds]
        pair = (np.stack([getattr(one, part) for one in drawn], 1) for part in ("spikes", "fluorescence"))
    return [torch.from_numpy(values.reshape(STEPS, count, 1)).float() for values in pair]


@functools.cache
def recordings():
    """Load the real recordings once."""
    return load_calcium()


def real(number: int):
    """Cut one neuron's recording into pieces: inputs and targets (T, B, 1), a piece's mean taken away."""
    binned = recordings()[number].binned(REAL_RATE)
    ends = [*binned.starts[1:], len(binned.spikes)]
    pieces = [
        slice(first, first + REAL_STEPS)
        for start, end in zip(binned.starts, ends, strict=True)
        for first in range(start, end - REAL_STEPS + 1, REAL_STEPS)
    ]
    pair = (
        np.stack([values[piece] for piece in pieces], 1) for values in (binned.spikes, binned.fluorescence)
    )
    return [torch.from_numpy(values).float().unsqueeze(-1) for values in pair]


class ConstantGates(nn.Module):
    """Leaky units whose forget gates are learned, and look at nothing.

    Each unit averages its input, h_t = f h_{t−1} + (1 − f) x_t, with f = σ(b), and the readout is
    y_t = a + u x_t + Σ v_i h_{i,t}; u is for the present step, of which a camera sees only a part. What a
    unit remembers is set by one number, b_i. (T, B, 1) → (T, B, 1).
    """

    def __init__(self, bias):
        super().__init__()
        self.bias = nn.Parameter(torch.as_tensor(bias, dtype=torch.float64))  # b, (H,)
        self.read = nn.Parameter(torch.zeros_like(self.bias))  # v, (H,)
        self.offset, self.present = (nn.Parameter(torch.zeros(1, dtype=torch.float64)) for _ in "au")

    def kernel(self, steps: int):
        """The echo of one pulse, Σ v_i (1 − f_i) f_i^k for k = 0 … steps − 1, and u more at k = 0."""
        k = torch.arange(steps).unsqueeze(1)
        kept = torch.exp(k * functional.logsigmoid(self.bias))  # f^k = exp(k ln σ(b)), (steps, H)
        written = self.read * torch.sigmoid(-self.bias)  # 1 − σ(b) = σ(−b)
        return kept @ written + functional.pad(self.present, (0, steps - 1))

    def forward(self, inputs):
        """Add up the echoes of everything that came, in one convolution."""
        past = functional.pad(inputs.permute(1, 2, 0), (len(inputs) - 1, 0))
        kernel = self.kernel(len(inputs)).flip(0)[None, None]
        return functional.conv1d(past, kernel).permute(2, 0, 1) + self.offset

    def time_constants(self, dt: float) -> np.ndarray:
        """Return τ = −dt / ln σ(b) of every unit."""
        return dynamics.time_constant(torch.sigmoid(self.bias.detach()).numpy(), dt)

    def fit(self, inputs, targets, burn: int = 0, rounds: int = 300) -> list[float]:
        """Fit by least squares, all sequences at once; return the mean squared error of every evaluation.

        So few numbers need no small steps: L-BFGS follows the gradient and learns the curvature on its way.
        The first ``burn`` steps, in which a real neuron still remembers what nobody saw, do not count.
        """
        optimizer = torch.optim.LBFGS(
            self.parameters(),
            max_iter=rounds,
            tolerance_grad=1e-9,
            tolerance_change=1e-13,
            line_search_fn="strong_wolfe",
        )
        log = []

        def closure():
            optimizer.zero_grad()
            error = ((self(inputs) - targets)[burn:] ** 2).mean()
            error.backward()
            log.append(error.item())
            return error

        optimizer.step(closure)
        return log


def two_gates(inputs, targets, burn: int = 0) -> tuple[ConstantGates, float]:
    """Fit two constant gates from each start, and return the better model with its mean squared error.

    One start is not enough: two gates that meet on their way do the work of one, and may stay together.
    """
    fits = []
    for start in GATES_FROM:
        model = ConstantGates(start)
        fits.append((model, model.fit(inputs.double(), targets.double(), burn)[-1]))
    return min(fits, key=lambda fit: fit[1])


def smallest_spread(fast: float, slow: float, seed: int = 0) -> np.ndarray:
    """How precisely anybody can know the two time constants of the after-effect from one row's data, in ms.

    The standard deviation of the best unbiased estimate, for white noise of standard deviation σ, is the root
    of the diagonal of σ² (JᵀJ)⁻¹, where J holds the derivatives of the signal by everything that is unknown
    (Cramér and Rao): here the two biases, with dτ/db = (1 − f) τ²/Δt, the two heights, a and u.
    """
    inputs, _ = simulated("after_effect", fast, slow, seed, SEQUENCES)
    kept = dynamics.forget_gate(np.array([fast, slow]), DT)
    known = np.r_[np.log(kept / (1 - kept)), 0.5, 0.5, 0, 0]

    @torch.no_grad()
    def signal(numbers):
        model = ConstantGates(numbers[:2])
        nn.utils.vector_to_parameters(torch.from_numpy(numbers), model.parameters())
        return model(inputs.double()).numpy().ravel()

    J = np.stack([(signal(known + step) - signal(known - step)) / 2e-4 for step in 1e-4 * np.eye(6)], axis=1)
    spread = NOISE * np.sqrt(np.diag(np.linalg.inv(J.T @ J)))
    return spread[:2] * (1 - kept) * np.array([fast, slow]) ** 2 / DT


class Network(nn.Module):
    """An LSTM with one input and a linear readout at every step: (T, B, 1) → (T, B, 1)."""

    def __init__(self, start: str, seed: int):
        super().__init__()
        torch.manual_seed(seed)
        self.layer, self.readout = nn.LSTM(1, UNITS), nn.Linear(UNITS, 1)
        training.bias_gates(self.layer, start, LONGEST)

    def forward(self, inputs):
        """Answer at every step."""
        return self.readout(self.layer(inputs)[0])

    def weights(self) -> cells.Parameters:
        """The LSTM's weights in double precision, for `gatedrnn.cells`."""
        return cells.Parameters(*(part.astype(float) for part in cells.Parameters.from_torch(self.layer)))


def train(model: Network, inputs, targets) -> None:
    """Fit an LSTM by least squares on random batches, the learning rate falling to 0."""
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, UPDATES)
    order = torch.Generator().manual_seed(0)
    for _ in range(UPDATES):
        chosen = torch.randperm(inputs.shape[1], generator=order)[:BATCH]
        optimizer.zero_grad()
        ((model(inputs[:, chosen]) - targets[:, chosen]) ** 2).mean().backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        schedule.step()


@torch.no_grad()
def echo(model: nn.Module, steps: int = 150, settle: int = 500) -> np.ndarray:
    """What a network at rest answers to one pulse of height 1, beyond what it says without: (steps,)."""
    inputs = torch.zeros(settle + steps, 2, 1)
    inputs[settle, 1] = 1
    answers = model(inputs)[settle:, :, 0].double().numpy()
    return answers[:, 1] - answers[:, 0]


def decays(answer: np.ndarray, dt: float) -> list[float]:
    """Fit the sum of two exponential decays to an echo, and return their time constants, the faster first.

    The step of the pulse itself is left out, since a camera sees only a part of it. For any two time
    constants the best heights are a linear problem; only the time constants are searched for, from three
    starts (Golub & Pereyra, SIAM Journal on Numerical Analysis 10 (1973)).
    """
    time, answer = dt * np.arange(1, len(answer)), answer[1:]

    def misfit(log_tau):
        shapes = np.exp(-time[:, np.newaxis] / np.exp(log_tau))
        return shapes @ np.linalg.lstsq(shapes, answer, rcond=None)[0] - answer

    starts = np.log(dt * np.array([[2, 10], [2, 40], [8, 40]]))
    best = min((least_squares(misfit, start) for start in starts), key=lambda found: found.cost)
    return sorted(float(f"{tau:.5g}") for tau in np.exp(best.x))


def gates_at_work(model: Network, inputs) -> list[float]:
    """Return τ = −dt / mean(ln f) of every unit in ms: f is its forget gate while the network listens."""
    forget = cells.run(cells.lstm_step, inputs.double().numpy(), None, model.weights()).gates.forget
    return sorted(float(f"{tau:.4g}") for tau in -DT / np.log(forget).mean(axis=(0, 1)))


def without_loop(model: Network) -> list[float]:
    """Time constants of the echo when the recurrent weights are 0: every gate is then deaf to the past."""
    cut = copy.deepcopy(model)
    nn.init.zeros_(cut.layer.weight_hh_l0)
    return decays(echo(cut), DT)


def compute(key: dict[str, Any]) -> dict[str, Any]:
    """Make one row: time constants found, of the gates, and without loop; and the error beyond the noise."""
    if key["signal"] == "recording":
        return fit_recording(key["seed"])
    signal = key["signal"], key["fast"], key["slow"]
    inputs, targets = simulated(*signal, key["seed"], SEQUENCES)
    new, clean = simulated(*signal, 10_000 + key["seed"], TESTS, noise=0.0)
    if key["model"] == "constant":
        model, _ = two_gates(inputs, targets)
        gates = found = sorted(float(f"{tau:.5g}") for tau in model.time_constants(DT))
        new = new.double()
    else:
        model = Network(key["start"], key["seed"])
        train(model, inputs, targets)
        gates, found = gates_at_work(model, inputs), decays(echo(model), DT)
    with torch.no_grad():
        error = ((model(new) - clean) ** 2).mean() / clean.var()
    cut = found if key["model"] == "constant" else without_loop(model)
    return {"found": found, "gates": gates, "cut": cut, "error": float(f"{error.item():.3g}")}


def fit_recording(number: int) -> dict[str, Any]:
    """Fit two constant gates to a real neuron; the error is the share of the variance that is left."""
    inputs, targets = real(number)
    burn = round(BURN * REAL_RATE)
    model, error = two_gates(inputs, targets, burn)
    found = sorted(float(f"{tau:.5g}") for tau in model.time_constants(1000 / REAL_RATE))
    left = error / targets[burn:].double().var().item()
    return {"found": found, "gates": found, "cut": found, "error": float(f"{left:.3g}")}
