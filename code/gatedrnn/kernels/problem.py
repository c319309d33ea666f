"""What a layer is given, cut into chunks of steps, and how autograd runs a cell on it."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from gatedrnn.products import tanh_of, write_product

CHUNK = 2**17  # hidden states in a chunk: half a MB in float32, with the gates of an LSTM five times that


def run(cell, inputs: list[Tensor], weights: list[tuple], state: list[Tensor], trace: bool):
    """Run a layer, recording for the backward pass only if a gradient is wanted.

    Parameters
    ----------
    cell : RNN, LSTM or GRU
        One of the classes of `gatedrnn.kernels`.
    inputs : D tensors (T, B, I)
        What each lane reads, in the order in which it reads it.
    weights : D tuples
        weight_ih, weight_hh, bias_ih, bias_hh of each lane; the biases may be None.
    state : tensors (D, B, H)
        The parts of the initial state.
    trace : bool
        Whether the traces of the gates are wanted.

    Returns
    -------
    hidden : (D, T, B, H) tensor
        Outputs.
    finals : tuple of (D, B, H) tensors
        The parts of the final state.
    traces : tuple of (D, T, B, ·) tensors
        What the cell calls its traces; empty if not wanted.
    """
    problem = Problem([x.contiguous() for x in inputs], weights, state)
    tensors = problem.flatten()
    if torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in tensors):
        hidden, *rest = _Differentiable.apply(cell, trace, len(inputs), *tensors)
        return hidden, tuple(rest[: len(state)]), tuple(rest[len(state) :])
    with torch.no_grad():
        return cell.forward(problem, record=False, trace=trace)


@dataclass
class Problem:
    """What a layer is given, or one thing about each tensor of it, such as its gradient."""

    inputs: list
    weights: list[tuple]
    state: list

    @classmethod
    def unflatten(cls, lanes: int, tensors) -> "Problem":
        """Rebuild a problem from the flat list that autograd wants."""
        weights = [tuple(tensors[lanes + 4 * d : lanes + 4 * (d + 1)]) for d in range(lanes)]
        return cls(list(tensors[:lanes]), weights, list(tensors[5 * lanes :]))

    def flatten(self) -> list:
        """Return inputs, weights and state in one list."""
        return [*self.inputs, *(weight for lane in self.weights for weight in lane), *self.state]

    @cached_property
    def sizes(self) -> tuple[int, int, int, int]:
        """Lanes, steps, batch and hidden units."""
        return len(self.inputs), *self.inputs[0].shape[:2], self.state[0].shape[2]

    @cached_property
    def length(self) -> int:
        """Steps of a chunk; the last may be shorter."""
        _, steps, batch, size = self.sizes
        return min(steps, max(1, CHUNK // max(1, batch * size)))

    def chunks(self) -> list[slice]:
        """Cut the steps into chunks."""
        steps, length = self.sizes[1], self.length
        return [slice(t, min(t + length, steps)) for t in range(0, steps, length)]

    def empty(self, *shape: int) -> Tensor:
        """Return a buffer of the problem's type, unfilled."""
        return self.state[0].new_empty(shape)

    def zeros(self, *shape: int) -> Tensor:
        """Return a buffer of the problem's type, filled with zeros."""
        return self.state[0].new_zeros(shape)

    def drive(self, weights: list[Tensor], biases: list[Tensor | None]):
        """Return a function that writes W_ih x + b for all steps of a chunk, in one product per lane."""
        rows = self.length * self.sizes[2]
        lanes = [write_product(w, bias, rows) for w, bias in zip(weights, biases, strict=True)]

        def write(chunk: slice, out: Tensor) -> None:
            for lane, inputs, into in zip(lanes, self.inputs, out, strict=True):
                lane(into.view(-1, into.shape[-1]), inputs[chunk].flatten(0, 1))

        return write

    def tanh(self, steps: int = 1):
        """Return the tanh of that many steps."""
        like = self.state[0]
        return tanh_of(like.numel() * steps, like.device, like.dtype)

    def biases(self) -> list[Tensor | None]:
        """Return b_ih + b_hh of each lane, or None."""
        return [None if w[2] is None else w[2] + w[3] for w in self.weights]


class _Differentiable(torch.autograd.Function):
    """Hands a cell's forward and backward pass to autograd."""

    @staticmethod
    def forward(ctx, cell, trace: bool, lanes: int, *tensors):
        hidden, finals, traces = cell.forward(Problem.unflatten(lanes, tensors), record=True, trace=trace)
        ctx.cell, ctx.lanes, ctx.parts = cell, lanes, len(finals)
        ctx.save_for_backward(*tensors, hidden, *traces)
        ctx.set_materialize_grads(False)
        return hidden, *finals, *traces

    @staticmethod
    def backward(ctx, d_hidden, *d_rest):
        if torch.is_grad_enabled():
            raise RuntimeError(
                "this layer's backward pass is derived by hand and cannot be differentiated again; "
                "leave out create_graph=True, or use the layer of the same name in torch.nn"
            )
        count, saved = 5 * ctx.lanes + ctx.parts, ctx.saved_tensors
        problem = Problem.unflatten(ctx.lanes, saved[:count])
        needs = Problem.unflatten(ctx.lanes, ctx.needs_input_grad[3:])
        told = Told(d_hidden, d_rest[: ctx.parts], d_rest[ctx.parts :])
        d_problem = ctx.cell.backward(problem, needs, saved[count:], told)
        return None, None, None, *d_problem.flatten()


class Told(NamedTuple):
    """What the rest of the network says about a layer's outputs; None where it says nothing."""

    d_hidden: Tensor | None
    d_finals: tuple
    d_traces: tuple
