"""Matrix products for the fast layers: torch's own, or oneDNN's where that is faster.

In float32 on a CPU, torch sends a matrix product to MKL, which on some processors not made by Intel uses half
of the vector width; oneDNN, which torch carries for its convolutions and its LSTM, uses all of it. On others
MKL is the faster one, so the first large product of a process is timed with both. oneDNN takes longer to
start, so it only pays for large products. Where it is missing, everything here is `torch.addmm`.
"""

import functools
import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

# Multiplications in a product from which oneDNN's faster arithmetic outweighs its slower start (measured).
WORTH_IT = 2**20
# On the processors met so far oneDNN takes 0.5 or 1.0 of MKL's time for a large product. A bound well between
# the two gives the same answer in every process of a machine, however busy, and with it the same roundings.
CLEARLY_FASTER = 0.75


def write_product(weight: Tensor, bias: Tensor | None, rows: int) -> Callable[[Tensor, Tensor], Tensor]:
    """Return a function (out, x) that writes x weightᵀ + bias to ``out``; shapes as for `add_product`."""
    if not _onednn_pays(rows * weight.numel(), weight):
        transposed = weight.t()
        if bias is None:
            return lambda out, x: torch.mm(x, transposed, out=out)
        return lambda out, x: torch.addmm(bias, x, transposed, out=out)
    packed = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), rows)
    if bias is None:
        return lambda out, x: out.copy_(_onednn(x, packed))
    return lambda out, x: torch.add(_onednn(x, packed), bias, out=out)


def add_product(weight: Tensor, rows: int) -> Callable[[Tensor, Tensor], Tensor]:
    """Return a function (total, x) that adds x weightᵀ to ``total`` in place.

    ``x`` has ``rows`` rows each time, ``weight`` is (columns, inner).
    """
    if not _onednn_pays(rows * weight.numel(), weight):
        transposed = weight.t()
        return lambda total, x: total.addmm_(x, transposed)
    packed = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), rows)
    return lambda total, x: total.add_(_onednn(x, packed))


def add_products(weights: Sequence[Tensor], rows: int) -> Callable:
    """Return the function of `add_product` for several lanes: it takes tuples, one tensor per lane.

    For a single lane it takes the tensors themselves: a step of a small layer has no time for tuples.
    """
    lanes = [add_product(weight, rows) for weight in weights]
    if len(lanes) == 1:
        return lanes[0]

    def each(totals, xs):
        for add, total, x in zip(lanes, totals, xs, strict=True):
            add(total, x)

    return each


def add_outer_products(total: Tensor, left: Tensor, right: Tensor) -> None:
    """Add leftᵀ right, which sums the outer products of all rows, to ``total``."""
    if _onednn_pays(left.numel() * right.shape[1], left):
        total.add_(_onednn(left.t(), right.t()))
    else:
        total.addmm_(left.t(), right)


def sigmoid_is_faster(like: Tensor) -> bool:
    """Whether torch's σ takes a fraction of the time of its tanh."""
    return like.dtype == torch.float32 and like.device.type == "cpu"


def tanh_of(numbers: int, device: torch.device, dtype: torch.dtype) -> Callable:
    """Return a function (x, out=…) that writes tanh x.

    For many numbers it is 2σ(2x) − 1, as torch's σ takes an eighth of the time of its tanh. That is
    off by a rounding of 1, not of tanh x: nothing beside the rounding of the products around it.
    """
    if numbers < 1024 or device.type != "cpu":
        return torch.tanh
    minus_one = torch.tensor(-1.0, dtype=dtype)
    return lambda x, out: torch.add(minus_one, torch.mul(x, 2, out=out).sigmoid_(), alpha=2, out=out)


def _onednn_pays(multiplications: int, like: Tensor) -> bool:
    return (
        multiplications >= WORTH_IT
        and like.dtype == torch.float32
        and like.device.type == "cpu"
        and torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
        and _onednn_is_faster()
    )


@functools.cache
def _onednn_is_faster() -> bool:
    """Time one product of both kinds, in turns: a matter of milliseconds, once per process."""
    x, weight, out = (torch.full((256, 256), 0.5) for _ in range(3))
    packed = torch.ops.mkldnn._reorder_linear_weight(weight, len(x))
    kinds = (lambda: torch.mm(x, weight.t(), out=out), lambda: _onednn(x, packed))
    with torch.no_grad():
        rounds = [[_seconds(product) for product in kinds] for _ in range(9)]
    mkl, onednn = map(min, zip(*rounds, strict=True))  # what others did meanwhile only adds time
    return onednn < CLEARLY_FASTER * mkl


def _seconds(work: Callable) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _onednn(x: Tensor, weight: Tensor) -> Tensor:
    return torch.ops.mkldnn._linear_pointwise.default(x, weight, None, "none", [], None)
