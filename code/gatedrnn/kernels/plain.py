"""The plain cell, h = φ(a) with a = W_ih x + W_hh h_prev + b.

torch's tanh of float32 numbers takes about eight times as long as its σ on a CPU, and as long as the matrix
product of the step. As tanh a = 2σ(2a) − 1, the state can be carried as s = (h + 1)/2 instead of h:

    s = σ(2a),    2a = 2 W_ih x + 4 W_hh s_prev + 2 (b − W_hh 1),

where 1 is a vector of ones. The factors go into the weights beforehand, and h = 2s − 1 is computed for a
whole chunk. The price: rounded are s and products of s, numbers of size 1 however small h is. So h is off by
1e-7 (4 units) to 1e-6 (256 units) *absolutely*, and zeros alone give not 0 but as little as that. Who needs
tiny states to many digits uses float64, where the steps take tanh.
"""

import torch
from torch import Tensor

from gatedrnn.kernels import views
from gatedrnn.kernels.backward import Arriving, Gradients
from gatedrnn.kernels.problem import Problem, Told
from gatedrnn.products import add_products, sigmoid_is_faster


class RNN:
    """φ is tanh or, with ``relu``, the rectifier. Trace: a."""

    def __init__(self, relu: bool = False):
        self.relu = relu

    def fields(self, traces) -> tuple[Tensor, ...]:
        """Return the drive before the nonlinearity."""
        return traces

    def forward(self, problem: Problem, record: bool, trace: bool):
        """Return hidden, finals, traces."""
        weights_ih, weights_hh = ([w[part] for w in problem.weights] for part in (0, 1))
        biases, hidden = problem.biases(), problem.empty(*problem.sizes)
        if not self.relu and sigmoid_is_faster(hidden):
            self._walk(problem, *_doubled(weights_ih, weights_hh, biases), torch.sigmoid_, hidden, True)
        else:
            activate = torch.relu_ if self.relu else torch.tanh_
            self._walk(problem, weights_ih, weights_hh, biases, activate, hidden)
        return hidden, (hidden[:, -1].clone(),), (self._drives(problem, hidden),) if trace else ()

    def _walk(self, problem, weights_ih, weights_hh, biases, activate, hidden: Tensor, doubled=False) -> None:
        """Write all hidden states; ``doubled`` if the steps are to carry s = (h + 1)/2 instead of h."""
        drive, add = problem.drive(weights_ih, biases), add_products(weights_hh, problem.sizes[2])
        before = views.apart((problem.state[0] + 1) / 2 if doubled else problem.state[0])
        carried = torch.empty_like(problem.state[0])
        for chunk in problem.chunks():
            drive(chunk, hidden[:, chunk])
            for h, h_lane in zip(*views.both(hidden[:, chunk]), strict=True):
                add(h_lane, before)
                activate(h)
                before = h_lane
            if doubled:
                before = views.apart(carried.copy_(hidden[:, chunk.stop - 1]))
                hidden[:, chunk].mul_(2).sub_(1)

    def _drives(self, problem: Problem, hidden: Tensor) -> Tensor:
        """Return a of every step, which needs no steps now that all hidden states are known."""
        drives = torch.empty_like(hidden)
        drive = problem.drive([w[0] for w in problem.weights], problem.biases())
        for chunk in problem.chunks():
            drive(chunk, drives[:, chunk])
        before = torch.cat([problem.state[0].unsqueeze(1), hidden[:, :-1]], 1)
        for a, h, w in zip(drives, before, problem.weights, strict=True):
            a += h @ w[1].t()
        return drives

    def backward(self, problem: Problem, needs: Problem, saved, told: Told) -> Problem:
        """Return the gradients of everything the layer was given."""
        hidden, *_ = saved
        lanes, _, batch, size = problem.sizes
        slope, d_a = problem.empty(2, lanes, problem.length, batch, size)
        later = views.apart(problem.zeros(lanes, batch, size))  # dL/da of the step after the last
        carried = problem.empty(lanes, batch, size)
        arriving = Arriving(problem, told.d_hidden, *told.d_finals)
        gradients = Gradients(problem, needs, hidden)
        slopes, (d_a_steps, d_a_lanes) = views.steps(slope), views.both(d_a)
        d_trace = told.d_traces[0] if told.d_traces else None
        for chunk in reversed(problem.chunks()):
            n = chunk.stop - chunk.start
            self._slope(hidden[:, chunk], slope[:, :n])
            arriving.write(chunk, d_a[:, :n])
            columns = d_a_steps[:n], d_a_lanes[:n], slopes[:n], views.told_steps(d_trace, chunk)
            for d_a_now, d_a_lane, slope_now, d_drive in zip(*map(reversed, columns), strict=True):
                arriving.add(d_a_lane, later)  # now dL/dh
                d_a_now.mul_(slope_now)
                if d_drive is not None:
                    d_a_now.add_(d_drive)
                later = d_a_lane
            gradients.add(chunk, d_a[:, :n])
            later = views.apart(carried.copy_(d_a[:, 0]))
        return gradients.collect(arriving.initial(later))

    def _slope(self, h: Tensor, out: Tensor) -> None:
        """Write φ′(a), which can be had from h = φ(a)."""
        if self.relu:
            torch.gt(h, 0, out=out)
        else:
            torch.addcmul(h.new_ones(()), h, h, value=-1, out=out)


def _doubled(weights_ih, weights_hh, biases) -> tuple[list, list, list]:
    """Return the weights and biases that give 2a from s = (h + 1)/2."""
    shifts = [-w.sum(1) if b is None else b - w.sum(1) for w, b in zip(weights_hh, biases, strict=True)]
    return [2 * w for w in weights_ih], [4 * w for w in weights_hh], [2 * shift for shift in shifts]
