"""Torch layers `RNN`, `LSTM` and `GRU`: torch.nn's words, calls and weights, and every gate on request.

They can stand where ``torch.nn.RNN``, ``LSTM`` and ``GRU`` stand: the constructor takes the same words, the
call the same tensors, ``state_dict`` has the same keys, and a seeded constructor draws the same numbers. With
``return_gates=True`` the call also returns what each gate did at each step, which torch.nn does not offer.
The equations are those of `gatedrnn.cells`.

Examples
--------
>>> import torch
>>> layer = LSTM(input_size=3, hidden_size=5, num_layers=2, bidirectional=True)
>>> output, (h, c), gates = layer(torch.zeros(20, 8, 3), return_gates=True)
>>> output.shape, h.shape, len(gates), gates[0].forget.shape
(torch.Size([20, 8, 10]), torch.Size([4, 8, 5]), 4, torch.Size([20, 8, 5]))
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from gatedrnn import kernels
from gatedrnn.cells import GATES, GRUGates, RNNGates

# Multiplications per step with W_hh below which torch's compiled LSTM is faster than ours in training
# (measured); without gradients it is up to 64 times as many. With 0 it is never used.
HAND_OVER = 2**23


class LSTMTrace(NamedTuple):
    """The four gates of an LSTM layer and its cell state, each (T, B, H) in the caller's layout."""

    input: Tensor
    forget: Tensor
    candidate: Tensor
    output: Tensor
    cell: Tensor


class _Recurrent(nn.Module):
    """What the three layers share: parameters, checks, layouts, stacking, directions, packing.

    A subclass names its ``cell``, the ``parts`` of its state and its ``trace``, and gives the ``_kernel``
    that runs one layer.
    """

    cell: str
    parts: tuple[str, ...]
    trace: type

    def __init__(
        self, input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, device, dtype
    ):
        super().__init__()
        _check_sizes(input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
        if isinstance(dropout, bool) or not 0 <= dropout <= 1:
            raise ValueError(f"expected dropout to be a probability between 0 and 1, got {dropout!r}")
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout = bias, batch_first, float(dropout)
        self.bidirectional = bidirectional
        for layer in range(num_layers):
            for suffix in self._suffixes(layer):
                for name, shape in self._shapes(layer).items():
                    parameter = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
                    self.register_parameter(name + suffix, parameter)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw every weight and bias uniformly from ±1/√H, in torch.nn's order, so that seeds agree."""
        bound = self.hidden_size**-0.5
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def extra_repr(self) -> str:
        """Say what the layer was made with, leaving out what is as usual."""
        usual = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0, "bidirectional": False}
        words = [f"{name}={getattr(self, name)}" for name in usual if getattr(self, name) != usual[name]]
        return ", ".join([f"{self.input_size}, {self.hidden_size}", *words])

    def forward(self, input: Tensor | PackedSequence, hx=None, return_gates: bool = False):
        """Run over a sequence.

        Parameters
        ----------
        input : tensor or PackedSequence
            (T, B, I), or (B, T, I) with ``batch_first``, or (T, I) without a batch, or a packed sequence.
        hx : tensor, or a pair of tensors (h, c) for the LSTM, optional
            The state before the first step, (layers · directions, B, H), without B for input without a batch.
            Left out, it is zero.
        return_gates : bool
            Also return the trace of every gate.

        Returns
        -------
        output : tensor or PackedSequence
            The last layer's hidden state at every step, its directions side by side: (T, B, directions · H),
            in the layout of the input.
        state : tensor, or a pair (h, c) for the LSTM
            The state after the last step, shaped like ``hx``.
        gates : tuple of named tuples, only with ``return_gates``
            One per layer and direction, in the order of ``hx``: layer 0 forward, layer 0 backward, layer 1 …
            Each field is laid out like the input, with H features and the input's own time. For a packed
            sequence it is padded, (T, B, H), with zeros after the end of a sequence.

        Raises
        ------
        ValueError
            If a shape or type does not fit, there is no time step, or the input holds NaN or infinity.
        """
        packed, batched = isinstance(input, PackedSequence), not isinstance(input, Tensor) or input.dim() != 2
        inputs, lengths = pad_packed_sequence(input) if packed else (self._time_first(input), None)
        self._check_input(inputs)
        state = self._state(hx, inputs, batched)
        output, state, gates = self._layers(inputs, state, lengths, return_gates)
        if packed:
            output = _pack_like(input, output, lengths)
        else:
            output = self._as_given(output, batched)
            gates = [[self._as_given(part, batched) for part in trace] for trace in gates]
        state = tuple(state if batched else (part.squeeze(1) for part in state))
        state = state if len(state) > 1 else state[0]
        return (
            (output, state, tuple(self.trace(*trace) for trace in gates)) if return_gates else (output, state)
        )

    def _layers(self, inputs: Tensor, state: tuple, lengths: Tensor | None, return_gates: bool):
        """Run layer upon layer over (T, B, I); return output, final state and all gates."""
        states, gates = [], []
        for layer in range(self.num_layers):
            if layer > 0:
                inputs = functional.dropout(inputs, self.dropout, self.training)
            suffixes = self._suffixes(layer)
            turns = [_Turn(suffix.endswith("reverse"), inputs, lengths) for suffix in suffixes]
            hidden, final, traces = kernels.run(
                self._kernel(),
                [turn(inputs) for turn in turns],
                [self._weights(suffix) for suffix in suffixes],
                [part[layer * len(turns) : (layer + 1) * len(turns)] for part in state],
                return_gates or lengths is not None,
            )
            if lengths is not None:
                final = [_last(part, lengths) for part in (hidden, *traces[1:])]
            states.append(final)
            outputs = [turn.back(lane) for turn, lane in zip(turns, _lanes(hidden), strict=True)]
            inputs = torch.cat(outputs, -1) if self.bidirectional else outputs[0]
            if return_gates:
                fields = zip(*(_lanes(field) for field in self._kernel().fields(traces)), strict=True)
                gates += [
                    [turn.back(field) for field in lane] for turn, lane in zip(turns, fields, strict=True)
                ]
        return inputs, [torch.cat(part) for part in zip(*states, strict=True)], gates

    def _suffixes(self, layer: int) -> list[str]:
        return [f"_l{layer}", f"_l{layer}_reverse"][: 1 + self.bidirectional]

    def _shapes(self, layer: int) -> dict[str, tuple[int, ...]]:
        rows = GATES[self.cell] * self.hidden_size
        columns = self.input_size if layer == 0 else self.hidden_size * (1 + self.bidirectional)
        weights = {"weight_ih": (rows, columns), "weight_hh": (rows, self.hidden_size)}
        return weights | ({"bias_ih": (rows,), "bias_hh": (rows,)} if self.bias else {})

    def _weights(self, suffix: str) -> list[Tensor | None]:
        names = "weight_ih", "weight_hh", "bias_ih", "bias_hh"
        return [getattr(self, name + suffix, None) for name in names]

    def _time_first(self, input: Tensor) -> Tensor:
        """Lay out what came as (T, B, I)."""
        if input.dim() not in (2, 3):
            shape = "(B, T, I)" if self.batch_first else "(T, B, I)"
            raise ValueError(
                f"expected input of shape {shape}, or (T, I) without a batch, got {tuple(input.shape)}; "
                "one feature still needs its axis"
            )
        if input.dim() == 2:
            return input.unsqueeze(1)
        return input.transpose(0, 1) if self.batch_first else input

    def _as_given(self, output: Tensor, batched: bool) -> Tensor:
        """Lay out (T, B, H) as the caller laid out the input."""
        if not batched:
            return output.squeeze(1)
        return output.transpose(0, 1) if self.batch_first else output

    def _state(self, hx, inputs: Tensor, batched: bool) -> tuple[Tensor, ...]:
        """Check the initial state, or make one of zeros: a tuple of (layers · directions, B, H)."""
        rows = self.num_layers * (1 + self.bidirectional)
        shape = (rows, inputs.shape[1], self.hidden_size)
        if hx is None:
            return tuple(inputs.new_zeros(shape) for _ in self.parts)
        state = (hx,) if isinstance(hx, Tensor) else tuple(hx)
        if len(state) != len(self.parts):
            raise ValueError(
                f"expected the state of {type(self).__name__} to be {' and '.join(self.parts)}, "
                f"got {len(state)} tensor{'s' if len(state) > 1 else ''}"
            )
        wanted = shape if batched else (rows, self.hidden_size)
        for name, part in zip(self.parts, state, strict=True):
            if tuple(part.shape) != wanted:
                raise ValueError(
                    f"expected the initial {name} of shape {wanted}, that is (layers · directions"
                    f"{', B' if batched else ''}, H), got {tuple(part.shape)}"
                )
            if part.dtype != inputs.dtype or part.device != inputs.device:
                raise ValueError(
                    f"expected the initial {name} as {inputs.dtype} on {inputs.device}, like the input, "
                    f"got {part.dtype} on {part.device}; move it with {name}.to(input)"
                )
        return tuple(state if batched else (part.unsqueeze(1) for part in state))

    def _check_input(self, inputs: Tensor) -> None:
        weight, steps = self.weight_hh_l0, inputs.shape[0]
        if inputs.shape[2] != self.input_size:
            raise ValueError(
                f"expected {self.input_size} features (input_size) on the last axis, got {inputs.shape[2]}"
            )
        if steps == 0:
            raise ValueError("expected at least one time step, got a sequence of length 0")
        if inputs.dtype != weight.dtype or inputs.device != weight.device:
            raise ValueError(
                f"expected input as {weight.dtype} on {weight.device}, like the weights, "
                f"got {inputs.dtype} on {inputs.device}; convert it with input.to(layer.weight_hh_l0)"
            )
        # A sum is NaN or infinite if a term is, or if it overflows: only then is it worth looking at each.
        if not inputs.detach().sum().isfinite() and not (finite := inputs.detach().isfinite()).all():
            step = int((~finite).nonzero()[0, 0])
            raise ValueError(
                f"the input holds NaN or infinity, first at step {step}; fill in or cut out missing values"
            )


class RNN(_Recurrent):
    """A plain recurrent network, h = φ(W x + b + U h_prev + b'), in the words of ``torch.nn.RNN``.

    Parameters
    ----------
    input_size, hidden_size : int
        I, the features of the input, and H, the units of each layer and direction.
    num_layers : int
        Layers, each reading the outputs of the one below.
    nonlinearity : {"tanh", "relu"}
        φ.
    bias : bool
        Whether there are biases.
    batch_first : bool
        Whether input and output are (B, T, ·) instead of (T, B, ·). States are not affected.
    dropout : float
        The probability with which each output of a layer is set to zero on its way to the next, in training.
    bidirectional : bool
        Whether a second network reads the sequence from its end.
    device, dtype : torch.device, torch.dtype
        Where and as what the weights are made.

    Notes
    -----
    Parameters, initialisation and returns are those of ``torch.nn.RNN``; see `gatedrnn.cells.rnn_step` for
    the equation and `forward` for the call.
    """

    cell, parts, trace = "rnn", ("h",), RNNGates

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device=None,
        dtype=None,
    ):
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f'expected the nonlinearity "tanh" or "relu", got {nonlinearity!r}')
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, device, dtype
        )
        self.nonlinearity = nonlinearity

    def extra_repr(self) -> str:
        """Say what the layer was made with, leaving out what is as usual."""
        unusual = f", nonlinearity={self.nonlinearity}" if self.nonlinearity != "tanh" else ""
        return super().extra_repr() + unusual

    def _kernel(self):
        return kernels.RNN(relu=self.nonlinearity == "relu")


class LSTM(_Recurrent):
    """Long short-term memory, c = f ⊙ c_prev + i ⊙ g and h = o ⊙ tanh(c), in the words of ``torch.nn.LSTM``.

    Parameters
    ----------
    input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, device, dtype
        As for `RNN`.
    proj_size : int
        Only 0: a projected state is not supported.

    Notes
    -----
    In float32 on a CPU torch has its LSTM in compiled form (oneDNN). Where a step is too small to be worth
    starting a dozen operations, and for inference, the work is handed over to it, unless gates are asked for.

    The state is a pair (h, c). Parameters, initialisation and returns are those of ``torch.nn.LSTM``; see
    `gatedrnn.cells.lstm_step` for the equations and `forward` for the call.
    """

    cell, parts, trace = "lstm", ("h", "c"), LSTMTrace

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device=None,
        dtype=None,
    ):
        if proj_size:
            raise ValueError(
                f"expected proj_size 0, got {proj_size}: this LSTM does not project its state; "
                "put a torch.nn.Linear after it, or use torch.nn.LSTM"
            )
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, device, dtype
        )

    def _kernel(self):
        return kernels.LSTM()

    def _layers(self, inputs: Tensor, state: tuple, lengths: Tensor | None, return_gates: bool):
        if return_gates or lengths is not None or not self._torch_is_faster(inputs):
            return super()._layers(inputs, state, lengths, return_gates)
        suffixes = [suffix for layer in range(self.num_layers) for suffix in self._suffixes(layer)]
        weights = [weight for suffix in suffixes for weight in self._weights(suffix) if weight is not None]
        output, *state = torch.lstm(
            inputs,
            state,
            weights,
            self.bias,
            self.num_layers,
            self.dropout,
            self.training,
            self.bidirectional,
            False,
        )
        return output, state, []

    def _torch_is_faster(self, inputs: Tensor) -> bool:
        """Whether torch's own LSTM takes less time: a compiled one, which it has in float32 on CPUs."""
        compiled = inputs.dtype == torch.float32 and inputs.device.type == "cpu"
        per_step = inputs.shape[1] * self.weight_hh_l0.numel()
        small = per_step < (HAND_OVER if torch.is_grad_enabled() else 64 * HAND_OVER)
        return compiled and small and torch.backends.mkldnn.is_available()


class GRU(_Recurrent):
    """A gated recurrent unit, h = (1 − z) ⊙ n + z ⊙ h_prev, in the words of ``torch.nn.GRU``.

    Parameters
    ----------
    input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, device, dtype
        As for `RNN`.

    Notes
    -----
    Parameters, initialisation and returns are those of ``torch.nn.GRU``; see `gatedrnn.cells.gru_step` for
    the equations and `forward` for the call.
    """

    cell, parts, trace = "gru", ("h",), GRUGates

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device=None,
        dtype=None,
    ):
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, device, dtype
        )

    def _kernel(self):
        return kernels.GRU()


class _Turn:
    """The order in which one direction reads a padded batch (T, B, ·): a call turns, ``back`` turns back.

    The backward direction reads each sequence from its own end, so the padding stays behind its last step.
    """

    def __init__(self, reverse: bool, inputs: Tensor, lengths: Tensor | None):
        self.reverse, self.order = reverse, None
        if lengths is not None:
            lengths = lengths.to(inputs.device)
            time = torch.arange(inputs.shape[0], device=inputs.device).unsqueeze(1)
            self.beyond = (time >= lengths).unsqueeze(2)
            self.order = torch.where(time < lengths, lengths - 1 - time, time).unsqueeze(2)

    def __call__(self, values: Tensor) -> Tensor:
        if not self.reverse:
            return values
        return values.flip(0) if self.order is None else values.gather(0, self.order.expand_as(values))

    def back(self, values: Tensor) -> Tensor:
        values = self(values)  # turning twice is turning back
        return values if self.order is None else values.masked_fill(self.beyond, 0)


def _lanes(values: Tensor) -> tuple[Tensor, ...]:
    """The lanes of (D, T, B, H), each (T, B, H)."""
    return (values.squeeze(0),) if len(values) == 1 else values.unbind(0)


def _last(values: Tensor, lengths: Tensor) -> Tensor:
    """What each sequence of (D, T, B, H) holds at its own last step: (D, B, H)."""
    last = (lengths.to(values.device) - 1).view(1, 1, -1, 1)
    return values.gather(1, last.expand(len(values), 1, *values.shape[2:])).squeeze(1)


def _pack_like(packed: PackedSequence, output: Tensor, lengths: Tensor) -> PackedSequence:
    """Pack (T, B, H) in the order in which ``packed`` holds its sequences."""
    order = packed.sorted_indices
    if order is not None:
        output, lengths = output.index_select(1, order), lengths[order.cpu()]
    data = pack_padded_sequence(output, lengths).data
    return PackedSequence(data, packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices)


def _check_sizes(**sizes) -> None:
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ValueError(f"expected {name} to be a positive whole number, got {size!r}")
