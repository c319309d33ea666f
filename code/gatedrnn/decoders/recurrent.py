"""A recurrent network that reads spikes and writes movement."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gatedrnn.datasets import Recording, sequences, windows
from gatedrnn.decoders.scaling import Scaling, check_cells

CELLS = ("rnn", "gru", "lstm", "min_gru", "min_lstm")


@dataclass
class RecurrentDecoder:
    """An RNN, GRU or LSTM from `gatedrnn.layers`, or a minimal cell from `gatedrnn.scan`, with a readout.

    v̂_t = V h_t + b, where h_t is the hidden state after bin t. By default the network reads whole reaches and
    carries its state from bin to bin; with ``history`` it reads a window of that many bins afresh for each
    bin, and so knows exactly what a Wiener filter of that length knows.

    Parameters
    ----------
    cell : {"rnn", "gru", "lstm", "min_gru", "min_lstm"}
    hidden_size : int
        Units H.
    num_layers : int
        Layers, each reading the states of the one below.
    history : int, optional
        Bins in the window, the present one included; None reads whole reaches.
    bidirectional : bool
        Also run a second layer from the end of every reach to its beginning, for analysis once all is
        recorded. Such a decoder knows the future and has no `step`.
    dropout : float
        Probability with which an input or a hidden unit is left out of the readout, in training only.
    epochs, batch_size, learning_rate, weight_decay, clip
        See `gatedrnn.training.fit`. A batch holds reaches, or windows.
    patience : int, optional
        Stop early: the last sixth of the training reaches then only decides when. By default all reaches
        train and the learning rate falls to zero.
    seed : int
        Fixes initial weights, order and dropout.
    progress : bool
        Whether to show a bar while training.

    Attributes
    ----------
    log : gatedrnn.training.Log
        Losses and gradient norms of the last fit.
    """

    cell: str = "lstm"
    hidden_size: int = 64
    num_layers: int = 1
    history: int | None = None
    bidirectional: bool = False
    dropout: float = 0.5
    epochs: int = 40
    batch_size: int = 16
    learning_rate: float = 1e-2
    weight_decay: float = 1e-2
    patience: int | None = None
    clip: float | None = 1.0
    seed: int = 0
    progress: bool = False
    model: Any = field(default=None, init=False, repr=False)
    log: Any = field(default=None, init=False, repr=False)
    scaling: Scaling | None = field(default=None, init=False, repr=False)
    output_scaling: Scaling | None = field(default=None, init=False, repr=False)

    def __post_init__(self):
        if self.cell not in CELLS:
            raise ValueError(f"expected a cell among {', '.join(CELLS)}, got {self.cell!r}.")
        if self.num_layers < 1:
            raise ValueError(f"expected at least one layer, got {self.num_layers}.")
        if self.history is not None and self.history < 1:
            raise ValueError(
                f"history counts the present bin as well: expected 1 or more, got {self.history}."
            )
        if self.history is not None and self.bidirectional:
            raise ValueError("a window of the past has no future: leave out history or bidirectional.")
        if self.bidirectional and self.cell.startswith("min_"):
            raise ValueError(
                f"a {self.cell} decoder has one direction: leave out bidirectional, or take a gru."
            )
        if not 0 <= self.dropout < 1:
            raise ValueError(f"expected dropout from 0 to below 1, got {self.dropout}.")

    def fit(self, recording: Recording) -> "RecurrentDecoder":
        """Train on a recording and return the decoder."""
        import torch

        from gatedrnn.training import fit

        self.scaling, self.output_scaling = Scaling.of(recording.spikes), Scaling.of(recording.kinematics)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self.model = _network(self, recording.n_cells, recording.kinematics.shape[1])
        train, validation = self._hold_out(recording)
        self.log = fit(
            self.model,
            _masked_error,
            self._tensors(train),
            validation=None if validation is None else self._tensors(validation),
            epochs=self.epochs,
            batch_size=self.batch_size,
            batch_axis=1,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            decay=self.patience is None,
            patience=self.patience,
            clip=self.clip,
            seed=self.seed,
            progress=self.progress,
        )
        self.model.eval()
        return self

    def _hold_out(self, recording: Recording) -> tuple[Recording, Recording | None]:
        """Keep the last reaches back if training is to stop early, with one reach as guard before them."""
        from gatedrnn.decoders.folds import select

        if self.patience is None:
            return recording, None
        n = len(recording.starts)
        held = max(1, n // 6)
        if n < held + 2:
            raise ValueError(f"early stopping needs at least 3 reaches, got {n}; leave patience out.")
        return select(recording, range(n - held - 1)), select(recording, range(n - held, n))

    def _tensors(self, recording: Recording):
        """Inputs (T, B, n_cells), outputs (T, B, n_outputs) and mask (T, B, 1) in double precision."""
        import torch

        scores = dataclasses.replace(
            recording,
            spikes=self.scaling(recording.spikes),
            kinematics=self.output_scaling(recording.kinematics),
        )
        if self.history is None:
            batch = sequences(scores)
            inputs, outputs, mask = batch.spikes, batch.kinematics, batch.mask
        else:
            past, _ = windows(scores, before=self.history - 1, fill=0.0)
            inputs = past.swapaxes(0, 1)
            outputs = np.broadcast_to(scores.kinematics, (self.history, *scores.kinematics.shape))
            mask = np.zeros(inputs.shape[:2], dtype=bool)
            mask[-1] = True  # a window answers once, at its end
        arrays = inputs, outputs, mask[..., np.newaxis]
        return tuple(torch.tensor(np.ascontiguousarray(array), dtype=torch.float64) for array in arrays)

    def predict(self, recording: Recording) -> np.ndarray:
        """Decode every bin, (n_bins, n_outputs)."""
        import torch

        check_cells(recording.spikes, self.scaling)
        inputs, _, mask = self._tensors(recording)
        with torch.no_grad():
            outputs, _ = self.model(inputs, mask=mask)
        outputs = outputs.transpose(0, 1)[mask.transpose(0, 1).squeeze(-1) > 0]  # reach by reach, in time
        return self.output_scaling.back(outputs.numpy())

    def step(self, counts: np.ndarray, state=None) -> tuple[np.ndarray, Any]:
        """Decode one bin as it arrives; see `WienerFilter.step`. The state is the network's hidden state."""
        import torch

        check_cells(counts, self.scaling)
        if self.history is not None:
            raise ValueError("a network that reads windows carries no state: use predict, or history=None.")
        if self.bidirectional:
            raise ValueError(
                "a bidirectional decoder needs the bins to come: use predict when all are there."
            )
        with torch.no_grad():
            x = torch.from_numpy(self.scaling(counts)).reshape(1, 1, -1)
            output, state = self.model(x, state)
        return self.output_scaling.back(output[0, 0].numpy()), state


def _network(decoder: RecurrentDecoder, n_inputs: int, n_outputs: int):
    """Recurrent layer and readout in double precision: rounding then never decides how training goes."""
    import torch
    from torch import nn
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

    from gatedrnn import layers, scan

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            gated = {"rnn": layers.RNN, "gru": layers.GRU, "lstm": layers.LSTM}
            minimal = {"min_gru": scan.MinGRU, "min_lstm": scan.MinLSTM}
            both = decoder.bidirectional
            sizes, words = (n_inputs, decoder.hidden_size, decoder.num_layers), {"dtype": torch.float64}
            if decoder.cell in gated:
                self.layer = gated[decoder.cell](*sizes, bidirectional=both, **words)
            else:
                self.layer = scan.Stacked(minimal[decoder.cell], *sizes, **words)
            self.readout = nn.Linear((1 + both) * decoder.hidden_size, n_outputs, dtype=torch.float64)

        def forward(self, spikes, state=None, mask=None):
            spikes = self.drop(spikes)
            if decoder.bidirectional and mask is not None:  # from the end of a reach, not of the batch
                hidden, state = self.backwards_from_ends(spikes, mask)
            else:
                hidden, state = self.layer(spikes, state)
            return self.readout(self.drop(hidden)), state

        def backwards_from_ends(self, spikes, mask):
            lengths = mask.sum(dim=(0, 2)).long()
            hidden, state = self.layer(pack_padded_sequence(spikes, lengths, enforce_sorted=False))
            return pad_packed_sequence(hidden, total_length=len(spikes))[0], state

        def drop(self, values):
            # torch.nn.Dropout draws differently on machines with and without Intel's library; this does not
            if not self.training or decoder.dropout == 0:
                return values
            return values * (torch.rand_like(values) >= decoder.dropout) / (1 - decoder.dropout)

    return Network()


def _masked_error(model, inputs, outputs, mask):
    """Mean squared error over the bins that belong to a reach."""
    return ((model(inputs, mask=mask)[0] - outputs) ** 2 * mask).sum() / (mask.sum() * outputs.shape[-1])
