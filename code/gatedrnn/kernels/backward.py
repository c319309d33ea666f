"""What the backward passes of all cells share: dL/dh as it arrives, gradients of inputs and weights."""

import torch
from torch import Tensor

from gatedrnn.kernels import views
from gatedrnn.kernels.problem import Problem
from gatedrnn.products import add_outer_products, add_products, write_product


class Arriving:
    """Brings dL/dh of a step: what its own output is told, plus what comes back through W_hh."""

    def __init__(self, problem: Problem, d_hidden: Tensor | None, d_last: Tensor | None):
        self.problem, self.d_hidden, self.d_last = problem, d_hidden, d_last
        self.add = add_products([w[1].t() for w in problem.weights], problem.sizes[2])

    def write(self, chunk: slice, d_h: Tensor) -> None:
        """Write what the outputs of a chunk are told; the last step also hears of the final state."""
        d_h.zero_() if self.d_hidden is None else d_h.copy_(self.d_hidden[:, chunk])
        if chunk.stop == self.problem.sizes[1] and self.d_last is not None:
            d_h[:, -1] += self.d_last

    def initial(self, later) -> Tensor:
        """Return dL/dh of the initial state (D, B, H), as far as it comes through W_hh."""
        d_initial = torch.zeros_like(self.problem.state[0])
        self.add(views.apart(d_initial), later)
        return d_initial


class Gradients:
    """Collects the gradients of inputs and weights, chunk by chunk, each one product over all its steps."""

    def __init__(self, problem: Problem, needs: Problem, hidden: Tensor):
        self.problem, self.hidden = problem, hidden
        self.one_bias = False  # whether b_ih and b_hh have the same gradient
        pairs = list(zip(problem.inputs, needs.inputs, strict=True))
        self.d_inputs = [torch.empty_like(x) if need else None for x, need in pairs]
        rows = problem.length * problem.sizes[2]
        self.write_back = [
            write_product(w[0].t(), None, rows) if need else None
            for w, need in zip(problem.weights, needs.inputs, strict=True)
        ]
        # Transposed, (I, G·H) and (H, G·H): that is how the product is fastest.
        self.d_weights = [
            tuple(w if w is None else problem.zeros(*w.shape[::-1]) for w in lane) for lane in problem.weights
        ]

    def add(self, chunk: slice, d_gates: Tensor) -> None:
        """Add what a chunk contributes, where W_ih x and W_hh h enter the gates in the same way."""
        self.one_bias = True
        self.add_recurrent(chunk, d_gates)
        self.add_input(chunk, d_gates)

    def add_recurrent(self, chunk: slice, d_gates: Tensor) -> None:
        """Add dL/dW_hh and dL/db_hh of a chunk; ``d_gates`` is (D, K, B, G·H)."""
        batch = self.problem.sizes[2]
        for lane, (_, d_weight, _, d_bias) in enumerate(self.d_weights):
            rows = d_gates[lane].flatten(0, 1)
            if d_bias is not None and not self.one_bias:
                d_bias += rows.sum(0)
            if chunk.start == 0:
                add_outer_products(d_weight, self.problem.state[0][lane], rows[:batch])
                rows = rows[batch:]
            before = self.hidden[lane, max(chunk.start - 1, 0) : chunk.stop - 1]
            add_outer_products(d_weight, before.flatten(0, 1), rows)

    def add_input(self, chunk: slice, d_gates: Tensor) -> None:
        """Add dL/dW_ih and dL/db_ih of a chunk, and write dL/dx of its steps."""
        for lane, (d_weight, _, d_bias, _) in enumerate(self.d_weights):
            rows = d_gates[lane].flatten(0, 1)
            if d_bias is not None:
                d_bias += rows.sum(0)
            add_outer_products(d_weight, self.problem.inputs[lane][chunk].flatten(0, 1), rows)
            if self.d_inputs[lane] is not None:
                self.write_back[lane](self.d_inputs[lane][chunk].flatten(0, 1), rows)

    def collect(self, *d_state: Tensor) -> Problem:
        """Return all gradients in the places of the problem's tensors."""
        weights = [tuple(w if w is None else w.t() for w in lane) for lane in self.d_weights]
        if self.one_bias:
            weights = [(*w[:3], w[2] if w[2] is None else w[2].clone()) for w in weights]
        return Problem(self.d_inputs, weights, list(d_state))
