"""A recurrent network that reads light and writes a rate of spikes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gatedrnn.datasets.calcium import BinnedCalcium
from gatedrnn.decoders.calcium import check_bin_width, common_bin_width, light_scale, noise_level, stretches
from gatedrnn.decoders.recurrent import CELLS

CHUNK = 128  # bins of a training example
WARM = 20  # bins at its ends that are read but not judged: there the network knows too little


@dataclass
class SpikeNetwork:
    """An RNN, GRU or LSTM that reads the light bin by bin and says how many spikes to expect in each.

    The expected count is softplus(V h_t + b), and training makes the true counts likely under Poisson's law
    with this mean. The network hears the light, asinh(F / scale), and its rise,
    asinh((F_t − F_{t−1}) / (2 · noise)), in which asinh keeps bursts of light from drowning single spikes.
    The scale is the standard deviation of the training light; the noise is one number of each recording
    (`noise_level`).

    Parameters
    ----------
    cell : {"rnn", "gru", "lstm"}
    hidden_size : int
        Units H, in each direction.
    lag : float
        Seconds that the network may wait before it answers: at bin t it also hears the rises of the bins up
        to t + lag, all at once.
    bidirectional : bool
        Whether a second network reads the recording from its end. Needs the whole recording.
    rise : bool
        Whether the network is handed the rise; without, it hears the light alone and must subtract by itself.
    jitter : float, optional
        Largest noise that is added to the training light, in ΔF/F; every training example gets its own
        amount, uniform from 0 to this.
    steps : int
        Steps of the optimiser, however much there is to train on; a pass that is begun is completed.
    batch_size, learning_rate, weight_decay
        See `gatedrnn.training.fit`; an example is a chunk of 128 bins. The learning rate falls to zero.
    seed : int
        Fixes initial weights, order and jitter.
    """

    cell: str = "lstm"
    hidden_size: int = 16
    lag: float = 0.0
    bidirectional: bool = False
    rise: bool = True
    jitter: float | None = None
    steps: int = 300
    batch_size: int = 64
    learning_rate: float = 2e-2
    weight_decay: float = 1e-2
    seed: int = 0
    model: Any = field(default=None, init=False, repr=False)
    log: Any = field(default=None, init=False, repr=False)
    scale: float | None = field(default=None, init=False, repr=False)
    bin_width: float | None = field(default=None, init=False, repr=False)

    def __post_init__(self):
        if self.cell not in CELLS:
            raise ValueError(f"expected a cell among {', '.join(CELLS)}, got {self.cell!r}.")
        if self.lag < 0 or (self.jitter is not None and self.jitter < 0):
            raise ValueError(f"expected lag ≥ 0 and jitter ≥ 0, got {self.lag} and {self.jitter}.")
        if self.lag and not self.rise:
            raise ValueError("a lag hands the network later rises: it needs rise=True.")

    def fit(self, recordings: Sequence[BinnedCalcium]) -> "SpikeNetwork":
        """Train on recordings in bins and return the decoder."""
        import torch

        from gatedrnn.training import fit

        self.bin_width = common_bin_width(recordings)
        if self.lag > CHUNK / 2 * self.bin_width:
            raise ValueError(
                f"expected a lag of at most {CHUNK // 2} bins, got {self.lag / self.bin_width:.0f}."
            )
        self.scale = light_scale(recordings)
        inputs, spikes = self._examples(recordings)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self.model = _network(self, inputs.shape[-1])
        self.log = fit(
            self.model,
            self._surprise,
            (torch.from_numpy(inputs), torch.from_numpy(spikes)),
            epochs=math.ceil(self.steps / math.ceil(inputs.shape[1] / self.batch_size)),
            batch_size=self.batch_size,
            batch_axis=1,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            decay=True,
            seed=self.seed,
            progress=False,
        )
        self.model.eval()
        return self

    def _examples(self, recordings: Sequence[BinnedCalcium]) -> tuple[np.ndarray, np.ndarray]:
        """Inputs (T, B, ·) and spikes (T, B) of chunks of T = 128 bins."""
        rng = np.random.default_rng(self.seed)
        chunks = []
        for recording in recordings:
            noise = noise_level(recording.fluorescence)
            for light, spikes in zip(
                stretches(recording), stretches(recording, recording.spikes), strict=True
            ):
                for first in range(0, len(light) - CHUNK + 1, CHUNK):
                    part = slice(first, first + CHUNK)
                    chunks.append((*self._jittered(rng, light[part], noise), spikes[part]))
        if not chunks:
            raise ValueError(
                f"expected a stretch of {CHUNK} bins or more to train on, got only shorter ones."
            )
        inputs = np.stack([self._heard(light, noise) for light, noise, _ in chunks], axis=1)
        return inputs, np.stack([spikes for *_, spikes in chunks], axis=1)

    def _jittered(self, rng, light: np.ndarray, noise: float) -> tuple[np.ndarray, float]:
        """The light of a chunk with its share of added noise, and how noisy it then is."""
        if self.jitter is None:
            return light, noise
        added = rng.uniform(0, self.jitter)
        return light + added * rng.normal(size=len(light)), float(np.hypot(noise, added))

    def _heard(self, light: np.ndarray, noise: float) -> np.ndarray:
        """What the network hears of a stretch, (n_bins, n_inputs)."""
        heard = [np.arcsinh(light / self.scale)]
        if self.rise:
            ahead = round(self.lag / self.bin_width)
            rise = np.diff(light, prepend=light[:1]) / (2 * max(noise, 1e-9 * self.scale))
            later = np.pad(np.arcsinh(rise), (0, ahead))
            heard += [later[k : k + len(light)] for k in range(ahead + 1)]
        return np.stack(heard, axis=1)

    def _surprise(self, model, inputs, spikes):
        """−ln P(spikes | expected counts) under Poisson's law, less what no network can change, per bin."""
        unheard = max(
            WARM * self.bidirectional, round(self.lag / self.bin_width)
        )  # bins without their future
        judged = slice(WARM, CHUNK - unheard)
        expected, spikes = model(inputs)[judged], spikes[judged]
        return (expected - spikes * (expected + 1e-9).log()).mean()

    def predict(self, recording: BinnedCalcium) -> np.ndarray:
        """Rate of every bin in spikes/s."""
        return self.predict_each([recording])[0]

    def predict_each(self, recordings: Sequence[BinnedCalcium]) -> list[np.ndarray]:
        """Rates of several recordings; stretches of equal length run side by side, which is faster."""
        import torch

        if self.model is None:
            raise ValueError("this decoder has not been fitted yet: call fit(recordings) first.")
        for recording in recordings:
            check_bin_width(recording, self.bin_width)
        levels = [noise_level(recording.fluorescence) for recording in recordings]
        owners = [k for k, recording in enumerate(recordings) for _ in recording.starts]
        light = [part for recording in recordings for part in stretches(recording)]
        heard = [self._heard(part, levels[k]) for part, k in zip(light, owners, strict=True)]
        rates = [None] * len(heard)
        for length in {len(part) for part in heard}:
            chosen = [n for n, part in enumerate(heard) if len(part) == length]
            with torch.no_grad():
                counts = self.model(torch.from_numpy(np.stack([heard[n] for n in chosen], axis=1)))
            for column, n in enumerate(chosen):
                rates[n] = counts[:, column].numpy() / self.bin_width
        whose = np.array(owners)
        return [
            np.concatenate([rates[n] for n in np.flatnonzero(whose == k)]) for k in range(len(recordings))
        ]


def _network(decoder: SpikeNetwork, n_inputs: int):
    """Recurrent layer and readout in double precision: rounding then never decides how training goes."""
    import torch
    from torch import nn

    from gatedrnn import layers

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            layer = {"rnn": layers.RNN, "gru": layers.GRU, "lstm": layers.LSTM}[decoder.cell]
            both = decoder.bidirectional
            self.layer = layer(n_inputs, decoder.hidden_size, bidirectional=both, dtype=torch.float64)
            self.readout = nn.Linear(decoder.hidden_size * (1 + both), 1, dtype=torch.float64)

        def forward(self, light):
            hidden, _ = self.layer(light)
            return nn.functional.softplus(self.readout(hidden))[..., 0]  # eq-expected

    return Network()
