"""Long short-term memory, c = f ⊙ c_prev + i ⊙ g and h = o ⊙ tanh(c)."""

import torch
from torch import Tensor

from gatedrnn.kernels import views
from gatedrnn.kernels.backward import Arriving, Gradients
from gatedrnn.kernels.problem import Problem, Told
from gatedrnn.products import add_products


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
        add = add_products([w[1] for w in problem.weights], batch)
        before, c = views.apart(problem.state[0]), views.whole(problem.state[1])
        squashed, tanh = torch.empty_like(c), problem.tanh()
        for chunk in problem.chunks():
            at = chunk if kept == steps else slice(0, chunk.stop - chunk.start)
            drive(chunk, gates[:, at])
            i_and_f = views.steps(gates[:, at, :, : 2 * size])
            i, f, g, o = (views.steps(gate) for gate in gates[:, at].split(size, -1))
            state = views.steps(cells[:, at]), *views.both(hidden[:, chunk])
            columns = zip(views.lanes(gates[:, at]), i_and_f, i, f, g, o, *state, strict=True)
            for a, i_f, i, f, g, o, c_now, h, h_lane in columns:
                add(a, before)
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
        d_h, d_c = problem.empty(*shape, size), problem.empty(lanes, batch, size)
        d_c.zero_() if told.d_finals[1] is None else d_c.copy_(told.d_finals[1])
        arriving = Arriving(problem, told.d_hidden, told.d_finals[0])
        gradients = Gradients(problem, needs, hidden)
        factors, d_parts = views.gate_by_gate(factor, size), views.gate_by_gate(d_gates, size)
        parts = factors, d_parts, views.steps(from_h), *views.both(d_gates), *views.both(d_h)
        d_c_now = views.whole(d_c)
        later = views.apart(problem.zeros(lanes, batch, 4 * size))  # dL/da of the step after the last
        for chunk in reversed(problem.chunks()):
            n = chunk.stop - chunk.start
            self._factors(problem, chunk, gates, cells, factor[:, :n], from_h[:, :n])
            keeps = views.steps(gates[:, chunk, :, size : 2 * size])
            d_trace = self._told_gates(gates[:, chunk], told.d_traces[0], chunk)
            arriving.write(chunk, d_h[:, :n])
            columns = keeps, d_trace, views.told_steps(told.d_traces[1], chunk)
            columns = zip(*map(reversed, (*columns, *(part[:n] for part in parts))), strict=True)
            for keep, d_told, d_cell, by, d_a, reach, d_now, d_lane, d_h_now, d_h_lane in columns:
                (by_i, by_f, by_g, by_o), (d_i, d_f, d_g, d_o) = by, d_a
                arriving.add(d_h_lane, later)
                d_c_now.addcmul_(d_h_now, reach)
                if d_cell is not None:
                    d_c_now.add_(d_cell)
                torch.mul(d_c_now, by_i, out=d_i)
                torch.mul(d_c_now, by_f, out=d_f)
                torch.mul(d_c_now, by_g, out=d_g)
                torch.mul(d_h_now, by_o, out=d_o)
                if d_told is not None:
                    d_now.add_(d_told)
                d_c_now.mul_(keep)
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
        return views.steps(slope.mul_(d_gate[:, chunk]))
