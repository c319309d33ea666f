"""Forward and hand-derived backward passes of one layer in torch: what makes `gatedrnn.layers` fast.

The equations are those of `gatedrnn.cells` and `gatedrnn.bptt`, rearranged for speed and nothing else:

- the input product of many steps is one matrix product, and so is every weight gradient;
- each step works in place, in a buffer made beforehand;
- what the backward pass can compute without waiting for the step after, it computes for many steps at once;
- "many" is a chunk of steps small enough to stay in the processor's cache.

D *lanes* (the directions of a bidirectional layer) step together. Arrays are (D, T, B, H), in the order in
which a lane reads its input. A name that begins with ``d_`` holds the gradient of the loss.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from gatedrnn.products import add_outer_products, tanh_of, times, times_lanes

CHUNK = 512  # rows (steps × batch) of a chunk: 2 MB for four gates of 256 units in float32


def run(cell, inputs: list[Tensor], weights: list[tuple], state: list[Tensor], trace: bool):
    """Run a layer, recording for the backward pass only if a gradient is wanted.

    Parameters
    ----------
    cell : RNN, LSTM or GRU
        One of the classes below.
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


class Problem(NamedTuple):
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

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """Lanes, steps, batch and hidden units."""
        return len(self.inputs), *self.inputs[0].shape[:2], self.state[0].shape[2]

    @property
    def length(self) -> int:
        """Steps of a chunk; the last may be shorter."""
        return min(self.sizes[1], max(1, CHUNK // max(1, self.sizes[2])))

    def chunks(self) -> list[slice]:
        """Cut the steps into chunks."""
        return [slice(t, min(t + self.length, self.sizes[1])) for t in range(0, self.sizes[1], self.length)]

    def empty(self, *shape: int) -> Tensor:
        """Return a buffer of the problem's type, unfilled."""
        return self.state[0].new_empty(shape)

    def zeros(self, *shape: int) -> Tensor:
        """Return a buffer of the problem's type, filled with zeros."""
        return self.state[0].new_zeros(shape)

    def drive(self, weights: list[Tensor], biases: list[Tensor]):
        """Return a function that writes W_ih x + b for all steps of a chunk, in one product per lane."""
        lanes = [times(weight, self.length * self.sizes[2]) for weight in weights]

        def write(chunk: slice, out: Tensor) -> None:
            for lane, bias, inputs, rows in zip(lanes, biases, self.inputs, out, strict=True):
                rows = rows.view(-1, rows.shape[-1])
                lane(bias, inputs[chunk].flatten(0, 1), rows)

        return write

    def tanh(self, steps: int = 1):
        """Return the tanh of that many steps."""
        return tanh_of(self.state[0].numel() * steps, self.state[0].device)

    def biases(self) -> list[Tensor]:
        """Return b_ih + b_hh of each lane, or zero."""
        return [self.zeros(1) if w[2] is None else w[2] + w[3] for w in self.weights]


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
        count = 5 * ctx.lanes + ctx.parts
        problem = Problem.unflatten(ctx.lanes, ctx.saved_tensors[:count])
        needs = Problem.unflatten(ctx.lanes, ctx.needs_input_grad[3:])
        told = Told(d_hidden, d_rest[: ctx.parts], d_rest[ctx.parts :])
        d_problem = ctx.cell.backward(problem, needs, ctx.saved_tensors[count:], told)
        return None, None, None, *d_problem.flatten()


class Told(NamedTuple):
    """What the rest of the network says about a layer's outputs; None where it says nothing."""

    d_hidden: Tensor | None
    d_finals: tuple
    d_traces: tuple


def _whole(part: Tensor) -> Tensor:
    """A state part (D, B, H) as the steps see it: without the axis of lanes if there is one lane."""
    return part[0] if len(part) == 1 else part


def _apart(part: Tensor):
    """A state part (D, B, H) as `times_lanes` wants it: a tuple of lanes, or the only lane."""
    return part[0] if len(part) == 1 else part.unbind(0)


def _steps(buffer: Tensor) -> tuple[Tensor, ...]:
    """Views of each step of (D, T, …), as `_whole` has them."""
    return buffer[0].unbind(0) if len(buffer) == 1 else buffer.unbind(1)


def _lanes(buffer: Tensor) -> tuple:
    """Views of each step of (D, T, …), as `_apart` has them."""
    return buffer[0].unbind(0) if len(buffer) == 1 else tuple(zip(*map(torch.unbind, buffer), strict=True))


def _views(buffer: Tensor) -> tuple[tuple, tuple]:
    """Both of the above; for one lane they are the same views, made once."""
    steps = _steps(buffer)
    return steps, steps if len(buffer) == 1 else _lanes(buffer)


def _gate_by_gate(buffer: Tensor, size: int) -> list[tuple[Tensor, ...]]:
    """Views of each step of (D, T, B, G·H): a tuple of the G gates, each as `_whole` has it."""
    return list(zip(*(_steps(gate) for gate in buffer.split(size, -1)), strict=True))


def _told_steps(d_traces: tuple, which: int, chunk: slice) -> Sequence:
    """What a trace is told, step by step; None for each step if it is told nothing."""
    if len(d_traces) <= which or d_traces[which] is None:
        return [None] * (chunk.stop - chunk.start)
    return _steps(d_traces[which][:, chunk])


class _Arriving:
    """Brings dL/dh of a step: what its own output is told, plus what comes back through W_hh."""

    def __init__(self, problem: Problem, d_hidden: Tensor | None, d_last: Tensor | None, rows: int):
        lanes, steps, batch, size = problem.sizes
        self.send_back = times_lanes([w[1].t() for w in problem.weights], batch)
        self.steps, self.d_hidden, self.d_last = steps, d_hidden, d_last
        self.nothing = problem.zeros(lanes, batch, size)
        self.after_the_end = _apart(problem.zeros(lanes, batch, rows))  # dL/d(gates) of a step there is not

    def told(self, chunk: slice) -> list:
        """Return what the outputs of a chunk are told, step by step; the last with the final state."""
        if self.d_hidden is None:
            told = [_apart(self.nothing)] * (chunk.stop - chunk.start)
        else:
            told = list(_lanes(self.d_hidden[:, chunk]))
        if chunk.stop == self.steps and self.d_last is not None:
            last = self.d_last if self.d_hidden is None else self.d_hidden[:, -1] + self.d_last
            told[-1] = _apart(last)
        return told

    def initial(self, later) -> Tensor:
        """Return dL/dh of the initial state (D, B, H), as far as it comes through W_hh."""
        d_initial = torch.empty_like(self.nothing)
        self.send_back(_apart(self.nothing), later, _apart(d_initial))
        return d_initial


class _Gradients:
    """Collects the gradients of inputs and weights, chunk by chunk, each one product over all its steps."""

    def __init__(self, problem: Problem, needs: Problem, hidden: Tensor):
        self.problem, self.hidden, self.zero = problem, hidden, problem.zeros(1)
        self.one_bias = False  # whether b_ih and b_hh have the same gradient
        pairs = list(zip(problem.inputs, needs.inputs, strict=True))
        self.d_inputs = [torch.empty_like(x) if need else None for x, need in pairs]
        self.send_back = [times(w[0].t(), problem.length * problem.sizes[2]) for w in problem.weights]
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
                self.send_back[lane](self.zero, rows, self.d_inputs[lane][chunk].flatten(0, 1))

    def collect(self, *d_state: Tensor) -> Problem:
        """Return all gradients in the places of the problem's tensors."""
        weights = [tuple(w if w is None else w.t() for w in lane) for lane in self.d_weights]
        if self.one_bias:
            weights = [(*w[:3], w[2] if w[2] is None else w[2].clone()) for w in weights]
        return Problem(self.d_inputs, weights, list(d_state))


class RNN:
    """The plain cell, h = φ(a) with a = W_ih x + W_hh h_prev + b. Trace: a."""

    def __init__(self, relu: bool = False):
        self.relu = relu

    def fields(self, traces) -> tuple[Tensor, ...]:
        """Return the drive before the nonlinearity."""
        return traces

    def forward(self, problem: Problem, record: bool, trace: bool):
        """Return hidden, finals, traces."""
        lanes, steps, batch, size = problem.sizes
        hidden = problem.empty(lanes, steps, batch, size)
        drives = torch.empty_like(hidden) if trace else hidden  # φ works in place if nobody asks for a
        drive = problem.drive([w[0] for w in problem.weights], problem.biases())
        recurrent = times_lanes([w[1] for w in problem.weights], batch)
        activate = torch.clamp_min if self.relu else problem.tanh()
        least = (0,) if self.relu else ()
        before = _apart(problem.state[0])
        for chunk in problem.chunks():
            drive(chunk, drives[:, chunk])
            h_views = h_steps, h_lanes = _views(hidden[:, chunk])
            a_steps, a_lanes = _views(drives[:, chunk]) if trace else h_views
            for h, h_lane, a, a_lane in zip(h_steps, h_lanes, a_steps, a_lanes, strict=True):
                recurrent(a_lane, before, a_lane)
                activate(a, *least, out=h)
                before = h_lane
        return hidden, (hidden[:, -1].clone(),), (drives,) if trace else ()

    def backward(self, problem: Problem, needs: Problem, saved, told: Told) -> Problem:
        """Return the gradients of everything the layer was given."""
        hidden = saved[0]
        lanes, _, batch, size = problem.sizes
        slope, d_a = problem.empty(2, lanes, problem.length, batch, size)
        d_h = problem.empty(lanes, batch, size)
        arriving = _Arriving(problem, told.d_hidden, *told.d_finals, rows=size)
        gradients = _Gradients(problem, needs, hidden)
        (d_a_steps, d_a_lanes), slopes = _views(d_a), _steps(slope)
        d_h_whole, d_h_apart, later = _whole(d_h), _apart(d_h), arriving.after_the_end
        for chunk in reversed(problem.chunks()):
            n = chunk.stop - chunk.start
            self._slope(hidden[:, chunk], slope[:, :n])
            d_trace = _told_steps(told.d_traces, 0, chunk)
            columns = arriving.told(chunk), slopes[:n], d_a_steps[:n], d_a_lanes[:n], d_trace
            for d_output, slope_now, d_a_now, d_a_lane, d_drive in zip(*map(reversed, columns), strict=True):
                arriving.send_back(d_output, later, d_h_apart)
                torch.mul(d_h_whole, slope_now, out=d_a_now)
                if d_drive is not None:
                    d_a_now.add_(d_drive)
                later = d_a_lane
            gradients.add(chunk, d_a[:, :n])
        return gradients.collect(arriving.initial(later))

    def _slope(self, h: Tensor, out: Tensor) -> None:
        """Write φ′(a), which can be had from h = φ(a)."""
        if self.relu:
            torch.gt(h, 0, out=out)
        else:
            torch.addcmul(h.new_ones(()), h, h, value=-1, out=out)


class LSTM:
    """Long short-term memory, c = f ⊙ c_prev + i ⊙ g and h = o ⊙ tanh(c). Traces: (i, f, g, o) and c."""

    def fields(self, traces) -> tuple[Tensor, ...]:
        """Return i, f, g, o and c."""
        gates, cells = traces
        return *gates.chunk(4, -1), cells

    def forward(self, problem: Problem, record: bool, trace: bool):
        """Return hidden, finals, traces."""
        lanes, steps, batch, size = problem.sizes
        hidden = problem.empty(lanes, steps, batch, size)
        kept = steps if record or trace else problem.length  # without, each chunk overwrites the one before
        gates, cells = problem.empty(lanes, kept, batch, 4 * size), problem.empty(lanes, kept, batch, size)
        drive = problem.drive([w[0] for w in problem.weights], problem.biases())
        recurrent = times_lanes([w[1] for w in problem.weights], batch)
        before, c = _apart(problem.state[0]), _whole(problem.state[1])
        squashed, tanh = torch.empty_like(c), problem.tanh()
        for chunk in problem.chunks():
            at = chunk if kept == steps else slice(0, chunk.stop - chunk.start)
            drive(chunk, gates[:, at])
            i_and_f = _steps(gates[:, at, :, : 2 * size])
            i, f, g, o = (_steps(gate) for gate in gates[:, at].split(size, -1))
            state = _steps(cells[:, at]), *_views(hidden[:, chunk])
            columns = zip(_lanes(gates[:, at]), i_and_f, i, f, g, o, *state, strict=True)
            for a, i_f, i, f, g, o, c_now, h, h_lane in columns:
                recurrent(a, before, a)
                i_f.sigmoid_()
                tanh(g, out=g)
                o.sigmoid_()
                torch.mul(f, c, out=c_now)
                c = c_now.addcmul_(i, g)
                tanh(c, out=squashed)
                torch.mul(o, squashed, out=h)
                before = h_lane
        finals = hidden[:, -1].clone(), c.view(lanes, batch, size).clone()
        return hidden, finals, (gates, cells) if record or trace else ()

    def backward(self, problem: Problem, needs: Problem, saved, told: Told) -> Problem:
        """Return the gradients of everything the layer was given."""
        hidden, gates, cells = saved
        lanes, _, batch, size = problem.sizes
        shape = lanes, problem.length, batch
        factor, d_gates = problem.empty(2, *shape, 4 * size)  # dL/da = factor ⊙ dL/dc, for o ⊙ dL/dh
        from_h = problem.empty(*shape, size)  # ∂c/∂h: how much of dL/dh reaches the cell state
        d_h, d_c = problem.empty(2, lanes, batch, size)
        d_c.zero_() if told.d_finals[1] is None else d_c.copy_(told.d_finals[1])
        arriving = _Arriving(problem, told.d_hidden, told.d_finals[0], rows=4 * size)
        gradients = _Gradients(problem, needs, hidden)
        factors, d_parts = _gate_by_gate(factor, size), _gate_by_gate(d_gates, size)
        parts = factors, d_parts, _steps(from_h), *_views(d_gates)
        d_h_whole, d_h_apart, d_c_whole, later = _whole(d_h), _apart(d_h), _whole(d_c), arriving.after_the_end
        for chunk in reversed(problem.chunks()):
            n = chunk.stop - chunk.start
            self._factors(problem, chunk, gates, cells, factor[:, :n], from_h[:, :n])
            keeps = _steps(gates[:, chunk, :, size : 2 * size])
            d_trace = self._told_gates(gates[:, chunk], told.d_traces[0], chunk)
            columns = arriving.told(chunk), keeps, d_trace, _told_steps(told.d_traces, 1, chunk)
            columns = zip(*map(reversed, (*columns, *(part[:n] for part in parts))), strict=True)
            for d_output, keep, d_told, d_cell, by, d_a, reach, d_now, d_lane in columns:
                (by_i, by_f, by_g, by_o), (d_i, d_f, d_g, d_o) = by, d_a
                arriving.send_back(d_output, later, d_h_apart)
                d_c_whole.addcmul_(d_h_whole, reach)
                if d_cell is not None:
                    d_c_whole.add_(d_cell)
                torch.mul(d_c_whole, by_i, out=d_i)
                torch.mul(d_c_whole, by_f, out=d_f)
                torch.mul(d_c_whole, by_g, out=d_g)
                torch.mul(d_h_whole, by_o, out=d_o)
                if d_told is not None:
                    d_now.add_(d_told)
                d_c_whole.mul_(keep)
                later = d_lane
            gradients.add(chunk, d_gates[:, :n])
        return gradients.collect(arriving.initial(later), d_c)

    @staticmethod
    def _factors(
        problem: Problem, chunk: slice, gates: Tensor, cells: Tensor, factor: Tensor, from_h: Tensor
    ):
        """Write what turns dL/dc and dL/dh into dL/da, for all steps of a chunk at once."""
        size = cells.shape[-1]
        gate, one = gates[:, chunk], gates.new_ones(())
        i, _, g, o = gate.split(size, -1)
        to_i, to_f, to_g, to_o = factor.split(size, -1)
        torch.addcmul(gate, gate, gate, value=-1, out=factor)  # σ′ = σ (1 − σ)
        to_i.mul_(g)
        if chunk.start == 0:
            to_f[:, 0].mul_(problem.state[1])
            to_f[:, 1:].mul_(cells[:, : chunk.stop - 1])
        else:
            to_f.mul_(cells[:, chunk.start - 1 : chunk.stop - 1])
        torch.addcmul(one, g, g, value=-1, out=to_g).mul_(i)
        problem.tanh(steps=chunk.stop - chunk.start)(cells[:, chunk], out=from_h)
        to_o.mul_(from_h)
        torch.addcmul(one, from_h, from_h, value=-1, out=from_h).mul_(o)

    @staticmethod
    def _told_gates(gate: Tensor, d_gate: Tensor | None, chunk: slice):
        """Turn what the gates themselves are told, after their nonlinearity, into dL/da, step by step."""
        if d_gate is None:
            return [None] * (chunk.stop - chunk.start)
        slope = gate * (1 - gate)
        g = gate.chunk(4, -1)[2]
        slope.chunk(4, -1)[2].copy_(1 - g * g)
        return _steps(slope.mul_(d_gate[:, chunk]))


class GRU:
    """A gated recurrent unit, h = (1 − z) ⊙ n + z ⊙ h_prev. Trace: (n, r, z, m), with m = W_hn h_prev + b_hn.

    The new value n is the tanh of n_x + r ⊙ m. Its input part n_x stands first, so that the products fill
    neighbours: (n, r, z) from the input, (r, z, m) from the hidden state.
    """

    def fields(self, traces) -> tuple[Tensor, ...]:
        """Return r, z and n."""
        n, r, z, _ = traces[0].chunk(4, -1)
        return r, z, n

    def forward(self, problem: Problem, record: bool, trace: bool):
        """Return hidden, finals, traces."""
        lanes, steps, batch, size = problem.sizes
        hidden = problem.empty(lanes, steps, batch, size)
        kept = steps if record or trace else problem.length
        gates = problem.empty(lanes, kept, batch, 4 * size)
        drive = problem.drive([w[0].roll(size, 0) for w in problem.weights], self._drive_biases(problem))
        recurrent = times_lanes([w[1] for w in problem.weights], batch)
        before, h_before, tanh = _apart(problem.state[0]), _whole(problem.state[0]), problem.tanh()
        for chunk in problem.chunks():
            at = chunk if kept == steps else slice(0, chunk.stop - chunk.start)
            drive(chunk, gates[:, at, :, : 3 * size])
            for lane, w in enumerate(problem.weights):
                gates[lane, at, :, 3 * size :] = 0 if w[3] is None else w[3][2 * size :]
            n, r, z, m = (_steps(gate) for gate in gates[:, at].split(size, -1))
            r_and_z = _steps(gates[:, at, :, size : 3 * size])
            steps_of = _lanes(gates[:, at, :, size:]), r_and_z, n, r, z, m, *_views(hidden[:, chunk])
            for a, r_z, n, r, z, m, h, h_lane in zip(*steps_of, strict=True):
                recurrent(a, before, a)
                r_z.sigmoid_()
                tanh(n.addcmul_(r, m), out=n)
                torch.lerp(n, h_before, z, out=h)
                before, h_before = h_lane, h
        return hidden, (hidden[:, -1].clone(),), (gates,) if record or trace else ()

    @staticmethod
    def _drive_biases(problem: Problem) -> list[Tensor]:
        """Return the biases of n, r, z of each lane; b_hn is not among them, it belongs to m."""
        size = problem.sizes[3]
        biases = []
        for _, _, bias_ih, bias_hh in problem.weights:
            if bias_ih is None:
                biases.append(problem.zeros(1))
            else:
                bias = bias_ih.clone()
                bias[: 2 * size] += bias_hh[: 2 * size]
                biases.append(bias.roll(size))
        return biases

    def backward(self, problem: Problem, needs: Problem, saved, told: Told) -> Problem:
        """Return the gradients of everything the layer was given."""
        hidden, gates = saved
        lanes, _, batch, size = problem.sizes
        shape = lanes, problem.length, batch
        factor, d_gates = problem.empty(2, *shape, 3 * size)  # (r, z, m): dL/da = factor ⊙ dL/dh
        to_n, d_hs = problem.empty(2, *shape, size)
        d_h, carried = problem.empty(lanes, batch, size), problem.empty(lanes, batch, 3 * size)
        arriving = _Arriving(problem, told.d_hidden, *told.d_finals, rows=3 * size)
        gradients = _Gradients(problem, needs, hidden)
        factors, d_parts = _gate_by_gate(factor, size), _gate_by_gate(d_gates, size)
        parts = factors, d_parts, *_views(d_gates), *_views(d_hs)
        passed, later = _whole(d_h.zero_()), arriving.after_the_end  # passed by the gates: dL/dh ⊙ z
        for chunk in reversed(problem.chunks()):
            n = chunk.stop - chunk.start
            self._factors(problem, chunk, gates, hidden, factor[:, :n], to_n[:, :n])
            keeps = _steps(gates[:, chunk].split(size, -1)[2])
            d_trace, d_new = self._told_gates(gates[:, chunk], told.d_traces[0], chunk)
            columns = arriving.told(chunk), keeps, d_trace, *(part[:n] for part in parts)
            columns = zip(*map(reversed, columns), strict=True)
            for d_output, keep, d_told, by, d_a, d_now, d_lane, d_h_now, d_h_lane in columns:
                (by_r, by_z, by_m), (d_r, d_z, d_m) = by, d_a
                arriving.send_back(d_output, later, d_h_lane)
                d_h_now.add_(passed)
                torch.mul(d_h_now, by_r, out=d_r)
                torch.mul(d_h_now, by_z, out=d_z)
                torch.mul(d_h_now, by_m, out=d_m)
                if d_told is not None:
                    d_now.add_(d_told)
                torch.mul(d_h_now, keep, out=passed)
                later = d_lane
            gradients.add_recurrent(chunk, d_gates[:, :n])
            later = _apart(carried.copy_(d_gates[:, 0]))  # the step before wants m
            torch.mul(d_hs[:, :n], to_n[:, :n], out=d_gates[:, :n, :, 2 * size :])  # n_x where m was
            if d_new is not None:
                d_gates[:, :n, :, 2 * size :].add_(d_new)
            gradients.add_input(chunk, d_gates[:, :n])
        return gradients.collect(arriving.initial(later).add_(d_h))

    @staticmethod
    def _factors(problem: Problem, chunk: slice, gates: Tensor, hidden: Tensor, factor: Tensor, to_n: Tensor):
        """Write what turns dL/dh into dL/da of r, z, m and of n_x, for all steps of a chunk at once."""
        size = hidden.shape[-1]
        n, r, z, m = gates[:, chunk].split(size, -1)
        to_r, to_z, to_m = factor.split(size, -1)
        torch.addcmul(n.new_ones(()), n, n, value=-1, out=to_n)
        to_n.addcmul_(to_n, z, value=-1)  # (1 − z) (1 − n²)
        torch.mul(to_n, r, out=to_m)
        torch.addcmul(to_m, to_m, r, value=-1, out=to_r).mul_(m)
        if chunk.start == 0:
            torch.sub(problem.state[0], n[:, 0], out=to_z[:, 0])
            torch.sub(hidden[:, : chunk.stop - 1], n[:, 1:], out=to_z[:, 1:])
        else:
            torch.sub(hidden[:, chunk.start - 1 : chunk.stop - 1], n, out=to_z)
        to_z.mul_(z).addcmul_(to_z, z, value=-1)

    @staticmethod
    def _told_gates(gates: Tensor, d_gates: Tensor | None, chunk: slice):
        """Turn what the gates themselves are told into dL/da of (r, z, m), step by step, and of n_x."""
        if d_gates is None:
            return [None] * (chunk.stop - chunk.start), None
        n, r, z, m = gates.chunk(4, -1)
        d_n, d_r, d_z, d_m = d_gates[:, chunk].chunk(4, -1)
        d_n = d_n * (1 - n * n)
        d_r = (d_r + d_n * m) * r * (1 - r)
        return _steps(torch.cat([d_r, d_z * z * (1 - z), d_m + d_n * r], -1)), d_n
