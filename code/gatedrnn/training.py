"""One short training loop for torch modules: seeded, clipped, watched, and stopped before it overfits."""

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm


class DivergenceError(ArithmeticError):
    """A loss or a gradient became NaN or infinite; the message says when, and what to try."""


@dataclass
class Log:
    """What happened during training.

    Attributes
    ----------
    loss : list of float
        Mean training loss of every epoch.
    validation : list of float
        Validation loss after every epoch; empty without validation data.
    gradient_norm : list of float
        Euclidean norm of the gradient over all parameters at every step, *before* clipping.
    clip : float or None
        The norm above which gradients were scaled down.
    best_epoch : int
        Epoch, counted from 0, whose weights the model has now.
    stopped_early : bool
        Whether the validation loss ended the training.
    """

    loss: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    gradient_norm: list[float] = field(default_factory=list)
    clip: float | None = None
    best_epoch: int = -1
    stopped_early: bool = False

    @property
    def clipped(self) -> float:
        """Fraction of the steps whose gradient was longer than ``clip``."""
        if self.clip is None or not self.gradient_norm:
            return 0.0
        return sum(norm > self.clip for norm in self.gradient_norm) / len(self.gradient_norm)


def fit(
    model: nn.Module,
    loss: Callable[..., Tensor],
    data: Sequence[Tensor],
    *,
    validation: Sequence[Tensor] | None = None,
    epochs: int = 50,
    batch_size: int = 16,
    batch_axis: int = 0,
    learning_rate: float = 1e-2,
    weight_decay: float = 0.0,
    decay: bool = False,
    patience: int | None = None,
    clip: float | None = 1.0,
    seed: int = 0,
    progress: bool = True,
    checkpoint: str | os.PathLike | None = None,
) -> Log:
    """Train ``model`` in place with Adam and return a log.

    Parameters
    ----------
    model : nn.Module
    loss : callable
        ``loss(model, *batch)`` gives a scalar tensor; ``batch`` holds the same tensors as ``data``, cut along
        ``batch_axis``.
    data, validation : sequence of tensors
        All training examples, and those that only decide when to stop.
    epochs, batch_size : int
        Passes over the data, and examples per step.
    batch_axis : int
        Axis that counts the examples: 1 for sequences laid out (T, B, ·).
    learning_rate, weight_decay : float
        Of Adam with decoupled weight decay (Loshchilov & Hutter 2019).
    decay : bool
        Whether the learning rate falls to 0 along half a cosine.
    patience : int, optional
        Stop after so many epochs without a better validation loss, and return to the best weights. Without
        it, training runs through, and the weights are the last.
    clip : float, optional
        Scale a gradient whose norm is larger down to this norm (Pascanu, Mikolov & Bengio 2013).
    seed : int
        Fixes the order of the examples and every random number inside the model, such as dropout. The weights
        at the start are the caller's: seed torch before making the model.
    progress : bool
        Whether to show a bar.
    checkpoint : path-like, optional
        File that is written after every epoch; if it exists, training goes on where it ended.

    Returns
    -------
    Log

    Raises
    ------
    DivergenceError
        At the first loss or gradient that is not finite. The model keeps the weights before that step.
    ValueError
        If the tensors differ in their number of examples, or patience has no validation data to watch.

    Examples
    --------
    >>> import torch
    >>> x = torch.linspace(-1, 1, 64).unsqueeze(1)
    >>> torch.manual_seed(0) and None
    >>> line = torch.nn.Linear(1, 1)
    >>> error = lambda model, x, y: ((model(x) - y) ** 2).mean()
    >>> log = fit(line, error, (x, 3 * x), epochs=80, learning_rate=0.1, progress=False)
    >>> round(line.weight.item(), 2)
    3.0
    """
    count = _count(data, batch_axis)
    if patience is not None and validation is None:
        raise ValueError("patience needs validation data to watch: pass validation=…, or leave patience out.")
    steps = epochs * math.ceil(count / batch_size)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    rate = (lambda step: (1 + math.cos(math.pi * step / steps)) / 2) if decay else (lambda step: 1.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    run = _Run(model, optimizer, schedule, Log(clip=clip), torch.Generator().manual_seed(seed))
    with torch.random.fork_rng(devices=[]):  # the caller's random numbers go on as if nothing had happened
        torch.manual_seed(seed)
        first = run.load(checkpoint)
        for _ in tqdm(range(first, epochs), desc="training", unit="epoch", disable=not progress, leave=False):
            if run.log.stopped_early:
                break
            run.epoch(loss, data, count, batch_size, batch_axis)
            if validation is not None:
                run.validate(loss, validation, patience)
            run.save(checkpoint)
    if patience is not None and run.best is not None:
        model.load_state_dict(run.best)
    else:
        run.log.best_epoch = len(run.log.loss) - 1
    return run.log


@dataclass
class _Run:
    """A training run between two epochs: everything that a checkpoint must hold."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    log: Log
    order: torch.Generator
    best: dict | None = None

    def epoch(self, loss, data, count, batch_size, axis) -> None:
        """Go once over the data in a new random order."""
        self.model.train()
        total = 0.0
        for chosen in torch.randperm(count, generator=self.order).split(batch_size):
            value = loss(self.model, *(tensor.index_select(axis, chosen) for tensor in data))
            self.optimizer.zero_grad()
            value.backward()
            self._step(value.item())
            total += value.item() * len(chosen)
        self.log.loss.append(total / count)

    def _step(self, value: float) -> None:
        """Clip, log, and step, unless something is no longer a number."""
        # a norm of infinity as limit changes nothing: the call then only measures
        limit = math.inf if self.log.clip is None else self.log.clip
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), limit).item()
        if not (math.isfinite(value) and math.isfinite(norm)):
            raise DivergenceError(self._reason(value, norm))
        self.log.gradient_norm.append(norm)
        self.optimizer.step()
        self.schedule.step()

    def _reason(self, value: float, norm: float) -> str:
        rate = self.optimizer.param_groups[0]["lr"]
        norms = self.log.gradient_norm
        before = f"{norms[-1]:.3g} one step earlier" if norms else "the very first"
        remedy = "clip gradients (clip=1.0) or " if self.log.clip is None else ""
        return (
            f"Training diverged at step {len(norms)}: the loss is {value:.3g}, the gradient norm {norm:.3g} "
            f"({before}); {remedy}lower the learning rate (now {rate:.3g}) and look for NaN in the data."
        )

    def validate(self, loss, validation, patience: int | None) -> None:
        """Measure the validation loss; keep the best weights, or stop."""
        self.model.eval()
        with torch.no_grad():
            value = loss(self.model, *validation).item()
        log = self.log
        if not log.validation or value < min(log.validation):
            log.best_epoch = len(log.validation)
            self.best = {name: tensor.clone() for name, tensor in self.model.state_dict().items()}
        log.validation.append(value)
        log.stopped_early = patience is not None and len(log.validation) - 1 - log.best_epoch >= patience

    def save(self, path) -> None:
        """Write the run to a file, whole or not at all."""
        if path is None:
            return
        path = Path(path)
        states = {name: getattr(self, name).state_dict() for name in ("model", "optimizer", "schedule")}
        states |= {"log": vars(self.log), "best": self.best, "order": self.order.get_state()}
        states["dropout"] = torch.get_rng_state()
        torch.save(states, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def load(self, path) -> int:
        """Take up the run that a file holds, and return the number of epochs already done."""
        if path is None or not Path(path).exists():
            return 0
        states = torch.load(path, weights_only=True)
        for name in ("model", "optimizer", "schedule"):
            getattr(self, name).load_state_dict(states[name])
        self.log, self.best = Log(**states["log"]), states["best"]
        self.order.set_state(states["order"])
        torch.set_rng_state(states["dropout"])
        return len(self.log.loss)


def _count(data: Sequence[Tensor], axis: int) -> int:
    counts = [tensor.shape[axis] for tensor in data]
    if not counts or len(set(counts)) > 1 or counts[0] == 0:
        raise ValueError(
            f"every tensor of data needs the same number of examples, 1 or more, on axis {axis}, got {counts}"
        )
    return counts[0]


@torch.no_grad()
def bias_gates(layer: nn.Module, start: str, longest: float | None = None) -> None:
    """Set how long an LSTM or a GRU remembers before it is trained, by the biases of its gates.

    All biases become 0 but that b of the gate that keeps, the LSTM's forget and the GRU's update gate, and
    with it the time constant τ = −1 / ln σ(b) in steps of a unit that nothing else reaches.

    Parameters
    ----------
    layer : LSTM or GRU
        Of torch.nn or `gatedrnn.layers`; every layer and direction of it is set.
    start : {"zero", "one", "chrono"}
        b = 0 (τ = 1.4 steps), b = 1 (3.2 steps), or b = ln u with u drawn for each unit uniformly from 1 to
        ``longest`` − 1, which makes τ about u; an LSTM's input gate then gets −b. Torch's random numbers are
        used: seed torch before.
    longest : float, optional
        The longest time in steps, 2 or more, over which something may have to be remembered; for "chrono".

    Raises
    ------
    ValueError
        If the start is unknown, or the longest time missing or too short.

    Notes
    -----
    A bias of 1: Gers, Schmidhuber & Cummins, Neural Computation 12 (2000), and Jozefowicz, Zaremba &
    Sutskever, ICML 2015. Chrono: Tallec & Ollivier, ICLR 2018.
    """
    if start not in ("zero", "one", "chrono"):
        raise ValueError(f'expected the start "zero", "one" or "chrono", got {start!r}')
    if start == "chrono" and (longest is None or not longest >= 2):
        raise ValueError(f"a chrono start needs the longest time to remember, 2 steps or more, got {longest}")
    units = layer.hidden_size
    for name, bias in layer.named_parameters():
        if name.startswith("bias"):
            bias.zero_()
        if not name.startswith("bias_ih"):
            continue
        if start == "one":
            bias[units : 2 * units] = 1.0
        elif start == "chrono":
            bias[units : 2 * units] = torch.log(1 + torch.rand_like(bias[:units]) * (longest - 2))
            if bias.numel() == 4 * units:
                bias[:units] = -bias[units : 2 * units]  # what is kept long is written seldom
