"""Forward and hand-derived backward passes of one layer in torch: what makes `gatedrnn.layers` fast.

The equations are those of `gatedrnn.cells` and `gatedrnn.bptt`, rearranged for speed and nothing else:

- the input product of many steps is one matrix product, and so is every weight gradient;
- each step works in place, in a buffer made beforehand;
- what the backward pass can compute without waiting for the step after, it computes for many steps at once;
- "many" is a chunk of steps small enough to stay in the processor's cache.

Read `plain` first: the shortest cell, with both passes. `problem` holds what a layer is given and how
autograd meets it, `backward` what the backward passes of all cells share, `views` how a buffer is seen step
by step. Where a product is computed is decided in `gatedrnn.products`.

D *lanes* (the directions of a bidirectional layer) step together. Arrays are (D, T, B, H), in the order in
which a lane reads its input. A name that begins with ``d_`` holds the gradient of the loss.
"""

from gatedrnn.kernels.gru import GRU
from gatedrnn.kernels.lstm import LSTM
from gatedrnn.kernels.plain import RNN
from gatedrnn.kernels.problem import run

__all__ = ["GRU", "LSTM", "RNN", "run"]
