"""The gated recurrent unit, h = (1 − z) ⊙ n + z ⊙ h_prev."""

import torch
from torch import Tensor

from gatedrnn.kernels import views
from gatedrnn.kernels.backward import Arriving, Gradients
from gatedrnn.kernels.problem import Problem, Told
from gatedrnn.products import add_products


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
        add = add_products([w[1] for w in problem.weights], batch)
        before, h_before, tanh = views.apart(problem.state[0]), views.whole(problem.state[0]), problem.tanh()
        for chunk in problem.chunks():
            at = chunk if kept == steps else slice(0, chunk.stop - chunk.start)
            drive(chunk, gates[:, at, :, : 3 * size])
            for lane, w in enumerate(problem.weights):
                gates[lane, at, :, 3 * size :] = 0 if w[3] is None else w[3][2 * size :]
            n, r, z, m = (views.steps(gate) for gate in gates[:, at].split(size, -1))
            r_and_z = views.steps(gates[:, at, :, size : 3 * size])
            steps_of = views.lanes(gates[:, at, :, size:]), r_and_z, n, r, z, m, *views.both(hidden[:, chunk])
            for a, r_z, n, r, z, m, h, h_lane in zip(*steps_of, strict=True):
                add(a, before)
                r_z.sigmoid_()
                tanh(n.addcmul_(r, m), out=n)
                torch.lerp(n, h_before, z, out=h)
                before, h_before = h_lane, h
        return hidden, (hidden[:, -1].clone(),), (gates,) if record or trace else ()

    @staticmethod
    def _drive_biases(problem: Problem) -> list[Tensor | None]:
        """Return the biases of n, r, z of each lane; b_hn is not among them, it belongs to m."""
        size = problem.sizes[3]
        biases = []
        for _, _, bias_ih, bias_hh in problem.weights:
            if bias_ih is None:
                biases.append(None)
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
        arriving = Arriving(problem, told.d_hidden, *told.d_finals)
        gradients = Gradients(problem, needs, hidden)
        factors, d_parts = views.gate_by_gate(factor, size), views.gate_by_gate(d_gates, size)
        parts = factors, d_parts, *views.both(d_gates), *views.both(d_hs)
        passed = views.whole(d_h.zero_())  # by the gates: dL/dh ⊙ z
        later = views.apart(problem.zeros(lanes, batch, 3 * size))  # dL/da of the step after the last
        for chunk in reversed(problem.chunks()):
            n = chunk.stop - chunk.start
            self._factors(problem, chunk, gates, hidden, factor[:, :n], to_n[:, :n])
            keeps = views.steps(gates[:, chunk].split(size, -1)[2])
            d_trace, d_new = self._told_gates(gates[:, chunk], told.d_traces[0], chunk)
            arriving.write(chunk, d_hs[:, :n])
            columns = keeps, d_trace, *(part[:n] for part in parts)
            columns = zip(*map(reversed, columns), strict=True)
            for keep, d_told, by, d_a, d_now, d_lane, d_h_now, d_h_lane in columns:
                (by_r, by_z, by_m), (d_r, d_z, d_m) = by, d_a
                arriving.add(d_h_lane, later)
                d_h_now.add_(passed)
                torch.mul(d_h_now, by_r, out=d_r)
                torch.mul(d_h_now, by_z, out=d_z)
                torch.mul(d_h_now, by_m, out=d_m)
                if d_told is not None:
                    d_now.add_(d_told)
                torch.mul(d_h_now, keep, out=passed)
                later = d_lane
            gradients.add_recurrent(chunk, d_gates[:, :n])
            later = views.apart(carried.copy_(d_gates[:, 0]))  # the step before wants m
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
        return views.steps(torch.cat([d_r, d_z * z * (1 - z), d_m + d_n * r], -1)), d_n
