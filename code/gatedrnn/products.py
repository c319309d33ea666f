"""Matrix products for the fast layers: torch's own, or oneDNN's where that is faster.

In float32 on a CPU, torch sends a matrix product to MKL, which on processors not made by Intel uses half of
the vector width; oneDNN, which torch carries for its convolutions and its LSTM, uses all of it. It takes
longer to start, so it only pays for large products. Where it is missing, everything here is `torch.addmm`.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

# Multiplications in a product from which oneDNN's faster arithmetic outweighs its slower start (measured).
WORTH_IT = 2**20


def times(weight: Tensor, rows: int) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Return a function (start, x, out) that writes start + x weightᵀ to ``out``, which may be ``start``.

    ``x`` has ``rows`` rows each time, ``weight`` is (columns, inner) and ``start`` may be a single row.
    """
    if not _onednn_pays(rows * weight.numel(), weight):
        transposed = weight.t()
        return lambda start, x, out: torch.addmm(start, x, transposed, out=out)
    packed = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), rows)
    return lambda start, x, out: torch.add(_onednn(x, packed), start, out=out)


def times_lanes(weights: Sequence[Tensor], rows: int) -> Callable:
    """Return the function of `times` for several lanes: its arguments are then tuples, one tensor per lane.

    For a single lane they are the tensors themselves: a step of a small layer has no time for tuples.
    """
    lanes = [times(weight, rows) for weight in weights]
    if len(lanes) == 1:
        return lanes[0]

    def each(starts, xs, outs):
        for lane, start, x, out in zip(lanes, starts, xs, outs, strict=True):
            lane(start, x, out)

    return each


def add_outer_products(total: Tensor, left: Tensor, right: Tensor) -> None:
    """Add leftᵀ right, which sums the outer products of all rows, to ``total``."""
    if _onednn_pays(left.numel() * right.shape[1], left):
        total.add_(_onednn(left.t(), right.t()))
    else:
        total.addmm_(left.t(), right)


def tanh_of(numbers: int, device: torch.device) -> Callable:
    """Return a function (x, out=…) that writes tanh x.

    For many numbers it is 2σ(2x) − 1, as torch's σ takes a tenth of the time of its tanh. That is
    off by a rounding of 1, not of tanh x: nothing beside the rounding of the products around it.
    """
    if numbers < 4096 or device.type != "cpu":
        return torch.tanh
    return lambda x, out: torch.mul(x, 2, out=out).sigmoid_().mul_(2).sub_(1)


def _onednn_pays(multiplications: int, like: Tensor) -> bool:
    return (
        multiplications >= WORTH_IT
        and like.dtype == torch.float32
        and like.device.type == "cpu"
        and torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    )


def _onednn(x: Tensor, weight: Tensor) -> Tensor:
    return torch.ops.mkldnn._linear_pointwise.default(x, weight, None, "none", [], None)
