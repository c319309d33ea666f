"""`MinGRU` and `MinLSTM`, alone and `Stacked`: gated recurrences that train on all steps at once.

Their gates look only at the input, not at the state before. That makes a step linear in the state,
h_t = k_t ⊙ h_{t−1} + v_t, with what is kept, k, and what is new, v, known for all steps beforehand; and a
linear recurrence can be summed in any order. `scan` does so in about 2 log₂ T rounds, each over all steps
at once. What is kept over many steps, a product of many factors below 1, is held as a sum of logarithms.

Both are from Feng, Tung, Ahmed, Bengio & Hajimirsadeghi, "Were RNNs all we needed?" (2024).

Examples
--------
>>> import torch
>>> layer = MinGRU(input_size=3, hidden_size=5)
>>> x = torch.zeros(1000, 8, 3)
>>> output, state = layer(x)
>>> torch.allclose(output, layer(x, parallel=False)[0])
True
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


def scan(log_keep: Tensor, new: Tensor, initial: Tensor | None = None) -> Tensor:
    """Return all states of h_t = exp(log_keep_t) h_{t−1} + new_t, many steps at once.

    Two steps make one step of the same kind: it keeps exp(log_keep_1 + log_keep_2) and adds
    exp(log_keep_2) new_1 + new_2. So the states after every second step are a scan half as long, and the
    states between are one step from them.

    Parameters
    ----------
    log_keep : (T, ..., H) tensor
        The logarithm of what each step keeps, 0 or less.
    new : (T, ..., H) tensor
        What each step adds.
    initial : (..., H) tensor, optional
        h_0; left out, zero.

    Returns
    -------
    (T, ..., H) tensor
        h_1 … h_T.

    Notes
    -----
    Blelloch, "Prefix sums and their applications" (1990). Feng et al. take a cumulative log-sum-exp over
    the whole sequence instead; its logarithms grow with T and lose digits, which sums over pairs do not.

    Examples
    --------
    >>> scan(torch.full((4, 1), 0.5).log(), torch.ones(4, 1)).flatten()
    tensor([1.0000, 1.5000, 1.7500, 1.8750])
    """
    return _Scan.apply(log_keep, new, torch.zeros_like(new[0]) if initial is None else initial)


class _Scan(torch.autograd.Function):
    """Derives `scan` by hand: its gradient is a linear recurrence, too, from the end to the start."""

    @staticmethod
    def forward(ctx, log_keep: Tensor, new: Tensor, initial: Tensor) -> Tensor:
        states = _pairs(log_keep, new, initial)
        ctx.save_for_backward(log_keep, initial, states)
        return states

    @staticmethod
    def backward(ctx, d_states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        log_keep, initial, states = ctx.saved_tensors
        log_keep_next = torch.cat([log_keep[1:], torch.zeros_like(log_keep[:1])])
        d_new = scan(log_keep_next.flip(0), d_states.flip(0)).flip(0)  # eq-scan-delta
        d_before = log_keep.exp() * d_new
        before = torch.cat([initial.unsqueeze(0), states[:-1]])
        return d_before * before, d_new, d_before[0]  # eq-scan-gradients


def _pairs(log_keep: Tensor, new: Tensor, initial: Tensor) -> Tensor:
    if len(new) == 1:
        return log_keep.exp() * initial + new
    pairs = len(new) // 2
    log_first, log_second = log_keep[0::2], log_keep[1::2]
    first, second = new[0::2], new[1::2]
    log_keep_both, new_both = log_first[:pairs] + log_second, log_second.exp() * first[:pairs] + second
    after_second = _pairs(log_keep_both, new_both, initial)  # eq-scan-pair
    before_first = torch.cat([initial.unsqueeze(0), after_second])[: len(first)]
    after_first = log_first.exp() * before_first + first  # eq-linear-recurrence
    states = torch.empty_like(new)
    states[0::2], states[1::2] = after_first, after_second
    return states


def positive(x: Tensor) -> Tensor:
    """Return g(x): x + ½ above 0 and σ(x) below; positive, continuous, and not saturating above."""
    return x.relu() + x.clamp(max=0).sigmoid()  # eq-positive


def check_order(layer, inputs: Tensor) -> None:
    """Raise an error if an output depends on an input that comes after it.

    What computes all steps at once has all steps at hand, the later ones too: a mask left out, a scan from
    the wrong end or a mean over time lets the future in, and scores improve.

    Parameters
    ----------
    layer : callable
        Turns inputs (T, ..., I) into outputs (T, ..., H), alone or as the first of a tuple.
    inputs : (T, ..., I) tensor
        A sequence on which to try; random numbers will do.

    Raises
    ------
    ValueError
        With the first step whose output changes as a later input does.

    Notes
    -----
    dh_t/dx_s is summed for all s > t and every t at once, weighted at random, so that contributions do not
    cancel.

    Examples
    --------
    >>> x = torch.randn(8, 2, 3)
    >>> check_order(MinGRU(3, 4), x)
    >>> check_order(lambda x: x - x.mean(0), x)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: the output of step 0 depends on the input of step 1, which comes later: ...
    """
    with torch.enable_grad():
        inputs = inputs.detach().clone().requires_grad_()
        outputs = layer(inputs)
        outputs = outputs if isinstance(outputs, Tensor) else outputs[0]
        weighing = torch.randn(outputs.shape[1:], generator=torch.Generator().manual_seed(0))
        weighed = (outputs * weighing.to(outputs)).flatten(1).sum(1)
        for step in range(len(inputs) - 1):
            (slope,) = torch.autograd.grad(weighed[step], inputs, retain_graph=True, allow_unused=True)
            if slope is not None and (later := slope[step + 1 :].flatten(1).abs().amax(1)).any():
                first = step + 1 + int(later.nonzero()[0, 0])
                raise ValueError(
                    f"the output of step {step} depends on the input of step {first}, which comes later: "
                    "look for a mask that is missing, a scan from the wrong end, or a mean over all steps."
                )


class _Minimal(nn.Module):
    """What the two layers share: one linear map for all gates, the call, and the two ways through time."""

    gates: int

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        batch_first: bool = False,
        device=None,
        dtype=None,
    ):
        super().__init__()
        for name, size in {"input_size": input_size, "hidden_size": hidden_size}.items():
            if isinstance(size, bool) or not isinstance(size, int) or size < 1:
                raise ValueError(f"expected {name} to be a positive whole number, got {size!r}")
        self.input_size, self.hidden_size, self.batch_first = input_size, hidden_size, batch_first
        self.to_gates = nn.Linear(input_size, self.gates * hidden_size, bias=bias, device=device, dtype=dtype)

    def forward(
        self, input: Tensor, hx: Tensor | None = None, parallel: bool = True
    ) -> tuple[Tensor, Tensor]:
        """Run over a sequence.

        Parameters
        ----------
        input : (T, B, I) tensor, or (B, T, I) with ``batch_first``, or (T, I) without a batch
            The inputs.
        hx : (1, B, H) tensor, or (1, H) without a batch, optional
            The state before the first step; left out, zero.
        parallel : bool
            Whether to sum over all steps at once (fast on long sequences) or step by step (to run on, one new
            input at a time). The numbers are the same up to rounding.

        Returns
        -------
        output : tensor
            The state after every step, laid out like the input, with H features.
        state : (1, B, H) or (1, H) tensor
            The state after the last step.

        Raises
        ------
        ValueError
            If a shape or type does not fit, there is no time step, or the input holds NaN or infinity.
        """
        x = input.transpose(0, 1) if self.batch_first and input.dim() == 3 else input
        self._check(x, hx)
        initial = None if hx is None else hx[0]
        log_keep, add, new = self._gates(self.to_gates(x).chunk(self.gates, -1))
        walk = scan if parallel else self._step_by_step
        output = walk(log_keep, add * positive(new), initial)
        state = output[-1:]
        return (output.transpose(0, 1) if x is not input else output), state

    @staticmethod
    def _step_by_step(log_keep: Tensor, new: Tensor, initial: Tensor | None) -> Tensor:
        h = torch.zeros_like(new[0]) if initial is None else initial
        states = []
        for keep, added in zip(log_keep.exp(), new, strict=True):
            h = keep * h + added  # eq-linear-recurrence
            states.append(h)
        return torch.stack(states)

    def _check(self, x: Tensor, hx: Tensor | None) -> None:
        weight = self.to_gates.weight
        if x.dim() not in (2, 3) or x.shape[-1] != self.input_size:
            raise ValueError(
                f"expected input of shape (T, B, {self.input_size}) or (T, {self.input_size}), "
                f"got {tuple(x.shape)}"
            )
        if len(x) == 0:
            raise ValueError("expected at least one time step, got a sequence of length 0")
        if x.dtype != weight.dtype:
            raise ValueError(f"expected input as {weight.dtype}, like the weights, got {x.dtype}")
        if not x.isfinite().all():
            raise ValueError("the input holds NaN or infinity; fill in or cut out missing values")
        wanted = (1, *x.shape[1:-1], self.hidden_size)
        if hx is not None and tuple(hx.shape) != wanted:
            raise ValueError(f"expected the initial state of shape {wanted}, got {tuple(hx.shape)}")


class MinGRU(_Minimal):
    """The minimal GRU, h = (1 − z) ⊙ h_prev + z ⊙ g(n) with z = σ(W_z x + b_z) and n = W_n x + b_n.

    Mind the letters: z here is how much is *new*, as in the paper; in `gatedrnn.cells` it is how much is
    *kept*.

    Parameters
    ----------
    input_size, hidden_size : int
        I and H.
    bias : bool
        Whether the gates have biases.
    batch_first : bool
        Whether input and output are (B, T, ·) instead of (T, B, ·).
    device, dtype : torch.device, torch.dtype
        Where and as what the weights are made.

    Notes
    -----
    Feng et al. (2024), section 3.1 and appendix B; g is `positive`. ``to_gates`` stacks z and n.
    """

    gates = 2

    @staticmethod
    def _gates(parts: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, Tensor]:
        """Return ln(1 − z), z and n."""
        update, new = parts
        return functional.logsigmoid(-update), update.sigmoid(), new  # eq-min-gru, eq-log-keep


class MinLSTM(_Minimal):
    """The minimal LSTM, h = f ⊙ h_prev + i ⊙ g(n), with forget and input gates that sum to 1.

    f′ = σ(W_f x + b_f) and i′ = σ(W_i x + b_i) are scaled to f = f′ / (f′ + i′) and i = i′ / (f′ + i′).

    Parameters
    ----------
    input_size, hidden_size, bias, batch_first, device, dtype
        As for `MinGRU`.

    Notes
    -----
    Feng et al. (2024), section 3.2 and appendix B. ``to_gates`` stacks f, i and n.
    """

    gates = 3

    @staticmethod
    def _gates(parts: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, Tensor]:
        """Return ln f, i and n; since f/i = f′/i′ and f + i = 1, f is σ(ln f′ − ln i′)."""
        forget, input, new = parts
        balance = functional.logsigmoid(forget) - functional.logsigmoid(input)
        return functional.logsigmoid(balance), (-balance).sigmoid(), new  # eq-min-lstm


class Stacked(nn.Module):
    """Layers of one minimal cell, each reading the states of the one below, so that its gates see a state.

    Parameters
    ----------
    cell : type
        `MinGRU` or `MinLSTM`.
    input_size, hidden_size : int
        I of the first layer, and H of all.
    num_layers : int
        How many.
    **words
        For the cell: ``bias``, ``device``, ``dtype``.

    Examples
    --------
    >>> output, state = Stacked(MinGRU, 3, 5)(torch.zeros(20, 8, 3))
    >>> output.shape, state.shape
    (torch.Size([20, 8, 5]), torch.Size([2, 8, 5]))
    """

    def __init__(self, cell: type, input_size: int, hidden_size: int, num_layers: int = 2, **words):
        super().__init__()
        self.hidden_size = hidden_size
        sizes = [input_size] + [hidden_size] * (num_layers - 1)
        self.layers = nn.ModuleList([cell(size, hidden_size, **words) for size in sizes])

    def forward(self, input: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Run over (T, B, I) from states (layers, B, H); return the last layer's outputs and all states."""
        states = []
        for i, layer in enumerate(self.layers):
            input, state = layer(input, None if hx is None else hx[i : i + 1])
            states.append(state)
        return input, torch.cat(states)
