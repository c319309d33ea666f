"""How a buffer (D, T, …) is seen step by step: whole, or lane by lane.

Making a view takes about as long as a small step, so the views of a chunk are made all at once.
"""

from collections.abc import Sequence

import torch
from torch import Tensor


def whole(part: Tensor) -> Tensor:
    """A state part (D, B, H) as the steps see it: without the axis of lanes if there is one lane."""
    return part[0] if len(part) == 1 else part


def apart(part: Tensor):
    """A state part (D, B, H) as `add_products` wants it: a tuple of lanes, or the only lane."""
    return part[0] if len(part) == 1 else part.unbind(0)


def steps(buffer: Tensor) -> tuple[Tensor, ...]:
    """Views of each step of (D, T, …), as `whole` has them."""
    return buffer[0].unbind(0) if len(buffer) == 1 else buffer.unbind(1)


def lanes(buffer: Tensor) -> tuple:
    """Views of each step of (D, T, …), as `apart` has them."""
    return buffer[0].unbind(0) if len(buffer) == 1 else tuple(zip(*map(torch.unbind, buffer), strict=True))


def both(buffer: Tensor) -> tuple[tuple, tuple]:
    """`steps` and `lanes`; for one lane they are the same views, made once."""
    views = steps(buffer)
    return views, views if len(buffer) == 1 else lanes(buffer)


def gate_by_gate(buffer: Tensor, size: int) -> list[tuple[Tensor, ...]]:
    """Views of each step of (D, T, B, G·H): a tuple of the G gates, each as `whole` has it."""
    return list(zip(*(steps(gate) for gate in buffer.split(size, -1)), strict=True))


def told_steps(d_trace: Tensor | None, chunk: slice) -> Sequence:
    """What a trace is told, step by step; None for each step if it is told nothing."""
    return [None] * (chunk.stop - chunk.start) if d_trace is None else steps(d_trace[:, chunk])
