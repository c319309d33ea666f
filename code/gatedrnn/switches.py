"""Memories of cells and synapses, written as the update of a gate: x ← f x + (1 − f) target.

What differs from one to the next is what sets f, how much is kept in a step, and what sets the target. Times
are in the units of ``tau`` (hours for genes and synapses, milliseconds for a channel).
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import exprel


def gated_update(x, keep, target):
    """Keep a share of the state and fill the rest with a target: f x + (1 − f) target.

    A GRU unit does this with f = z_t and the target n_t, an LSTM's cell with f_t, i_t = 1 − f_t and g_t.

    Examples
    --------
    >>> gated_update(1.0, keep=0.75, target=0.0)
    0.75
    """
    return keep * x + (1 - keep) * target  # eq-gated-update


class Rests(NamedTuple):
    """Levels at which a switch stands still, lowest first.

    Attributes
    ----------
    levels : (N,) array
    stable : (N,) boolean array
        Whether a small push dies out.
    """

    levels: np.ndarray
    stable: np.ndarray


@dataclass(frozen=True)
class GeneSwitch:
    """A gene whose protein switches on its own gene.

    dx/dt = s + β xⁿ/(1 + xⁿ) − x/τ, with x in units of the level at which the gene runs at half its speed.

    Parameters
    ----------
    feedback : float
        β, the greatest speed of the gene, 0 or more.
    steepness : float
        n, the Hill coefficient, 1 or more.
    tau : float
        τ, the life time of the protein: it is broken down or, in a growing cell, thinned out.

    Examples
    --------
    >>> switch = GeneSwitch(feedback=1.6, steepness=4.0)
    >>> switch.rests(0.2).levels.round(2), switch.rests(0.2).stable
    (array([0.2 , 1.  , 1.58]), array([ True, False,  True]))

    Notes
    -----
    Positive autoregulation: Becskei, Séraphin & Serrano, EMBO Journal 20 (2001).
    """

    feedback: float = 1.6
    steepness: float = 4.0
    tau: float = 1.0

    def __post_init__(self):
        if not (self.feedback >= 0 and self.steepness >= 1 and self.tau > 0):
            raise ValueError(
                f"expected feedback of 0 or more, steepness of 1 or more and a life time above 0, got "
                f"{self.feedback}, {self.steepness} and {self.tau}"
            )

    def production(self, x, s):
        """s + β xⁿ/(1 + xⁿ), in levels per unit of time; s is what others add."""
        power = np.asarray(x, dtype=float) ** self.steepness
        return s + self.feedback * power / (1 + power)

    def rate(self, x, s):
        """Give dx/dt."""
        return self.production(x, s) - x / self.tau  # eq-switch

    def step(self, x, s, dt: float):
        """Advance by dt with Euler's rule, which is a gated update with f = 1 − dt/τ."""
        return gated_update(x, 1 - dt / self.tau, self.tau * self.production(x, s))  # eq-switch-gate

    def steep(self, x):
        """How steeply production rises with x: β n xⁿ⁻¹/(1 + xⁿ)²."""
        x, n = np.asarray(x, dtype=float), self.steepness
        return self.feedback * n * x ** (n - 1) / (1 + x**n) ** 2

    def return_time(self, x):
        """Time in which a small push away from a rest at x shrinks by 1/e; negative where it grows."""
        with np.errstate(divide="ignore"):  # at a fold a push neither dies out nor grows
            return 1 / (1 / self.tau - self.steep(x))

    def input_at(self, x):
        """The input s under which x is a rest: x/τ − β xⁿ/(1 + xⁿ)."""
        return x / self.tau - self.production(x, 0.0)

    def rests(self, s: float) -> Rests:
        """Find every level at which production and loss are equal, for an input s of 0 or more."""
        if not s >= 0:
            raise ValueError(f"an input adds protein, so it is 0 or more, got {s}")
        nothing = [0.0] if s == 0 else []
        bottom = 1e-9 if s == 0 else 0.0  # just above the rest at 0
        top = self.tau * (self.feedback + s) + 1
        edges = np.r_[bottom, self.folds()[0], top]  # between two folds there is at most one rest
        between = [
            brentq(self.rate, low, high, args=(s,), xtol=1e-14)
            for low, high in pairwise(edges)
            if self.rate(low, s) * self.rate(high, s) < 0
        ]
        levels = np.array(nothing + between)
        return Rests(levels, self.steep(levels) < 1 / self.tau)

    def folds(self) -> tuple[np.ndarray, np.ndarray]:
        """Levels at which two rests meet, and the inputs at which they do; empty, or two of each."""
        n = self.steepness
        steepest = ((n - 1) / (n + 1)) ** (1 / n)
        spare = lambda x: self.steep(x) - 1 / self.tau  # noqa: E731
        if spare(steepest) <= 0 or n == 1:
            return np.array([]), np.array([])
        top = max(4.0, 2 * self.tau * self.feedback * n)
        levels = np.array([brentq(spare, 0.0, steepest), brentq(spare, steepest, top)])
        return levels, self.input_at(levels)


@dataclass(frozen=True)
class Toggle:
    """Two genes that each shut the other off.

    du/dt = a/(1 + vᵇ) − u and dv/dt = a/(1 + uᵇ) − v, in units of the proteins' life time.

    Parameters
    ----------
    strength : float
        a.
    steepness : float
        b.

    Notes
    -----
    Gardner, Cantor & Collins, Nature 403 (2000), equations 1a and 1b, with both halves alike.
    """

    strength: float = 5.0
    steepness: float = 2.0

    def step(self, state: np.ndarray, silenced: np.ndarray, dt: float) -> np.ndarray:
        """Advance (u, v) by dt.

        ``silenced`` is the share of each protein that an inducer keeps from acting, from 0 to 1.
        """
        acting = (np.asarray(state) * (1 - np.asarray(silenced)))[..., ::-1]
        return gated_update(state, 1 - dt, self.strength / (1 + acting**self.steepness))


class ChannelGate(NamedTuple):
    """What a held voltage does to a channel's gate: share kept in a step, and where it is heading."""

    keep: np.ndarray
    target: np.ndarray


def potassium_gate(voltage, dt: float) -> ChannelGate:
    """The gate n of the squid's potassium channel over dt ms at a held voltage.

    dn/dt = α(V)(1 − n) − β(V) n, so that f = exp(−dt (α + β)) and the target is α/(α + β): here f itself
    follows the input.

    Parameters
    ----------
    voltage : float or array
        Depolarisation from rest in mV.
    dt : float
        ms.

    Notes
    -----
    Hodgkin & Huxley, Journal of Physiology 117 (1952), equations 7, 12 and 13, with today's sign of V.

    Examples
    --------
    >>> potassium_gate(0.0, dt=1.0).target.round(3)  # at rest
    np.float64(0.318)
    """
    alpha = 0.1 / exprel((10 - np.asarray(voltage, dtype=float)) / 10)
    beta = 0.125 * np.exp(-np.asarray(voltage, dtype=float) / 80)
    return ChannelGate(np.exp(-dt * (alpha + beta)), alpha / (alpha + beta))


@dataclass(frozen=True)
class Synapse:
    """A synapse that is tagged, and keeps what it learned if proteins arrive while the tag lasts.

    Any stimulus sets the tag h to 1, which decays with ``tag``; a strong stimulus anywhere on the cell sets
    the protein p to 1, which decays with ``protein``. The late store L fills at the rate ``capture`` h p.

    Parameters
    ----------
    tag, protein : float
        Life times in hours.
    capture : float
        Per hour.

    Notes
    -----
    The least that the finding of Frey & Morris, Nature 385 (1997), asks for. A fuller model, fitted to
    experiments: Clopath, Ziegler, Vasilaki, Büsing & Gerstner, PLoS Computational Biology 4 (2008).
    """

    tag: float = 1.0
    protein: float = 1.0
    capture: float = 4.0

    def run(self, times: np.ndarray, weak: float, strong: float) -> np.ndarray:
        """Tag, protein and late store, (T, 3), for a weak stimulus here and a strong one elsewhere.

        Parameters
        ----------
        times : (T,) array
            Hours, evenly spaced.
        weak, strong : float
            When the stimuli come.
        """
        dt = times[1] - times[0]
        keep = np.exp(-dt / np.array([self.tag, self.protein]))
        states, traces, late = [], np.zeros(2), 0.0
        for t in times:
            traces = gated_update(traces, keep, 0.0)
            traces[np.abs(t - np.array([weak, strong])) < dt / 2] = 1.0
            opened = np.exp(-dt * self.capture * traces.prod())  # eq-capture
            late = gated_update(late, opened, 1.0)
            states.append([*traces, late])
        return np.array(states)

    def captured(self, interval):
        """What is kept in the end if the strong stimulus comes ``interval`` hours after the weak one.

        The product h p starts at exp(−|interval|/life time of what came first) and decays with both.
        """
        interval = np.asarray(interval, dtype=float)
        first = np.where(interval >= 0, self.tag, self.protein)
        area = np.exp(-np.abs(interval) / first) / (1 / self.tag + 1 / self.protein)
        return 1 - np.exp(-self.capture * area)


@dataclass(frozen=True)
class NoisySwitch:
    """A gene switch of whole molecules: one is made or lost at a time, by chance.

    Parameters
    ----------
    switch : GeneSwitch
    input : float
        s.
    size : float
        Ω, molecules per unit of x: the fewer, the noisier.
    """

    switch: GeneSwitch
    input: float
    size: float

    def births(self, n):
        """Molecules made per unit of time."""
        return self.size * self.switch.production(np.asarray(n) / self.size, self.input)

    def deaths(self, n):
        """Molecules lost per unit of time."""
        return np.asarray(n) / self.switch.tau

    def edges(self) -> tuple[int, int]:
        """Whole numbers of molecules next to the high rest, and to the unstable rest below it."""
        levels = self.switch.rests(self.input).levels
        if len(levels) != 3:
            raise ValueError(
                f"expected a switch with three rests, got {len(levels)} at an input of {self.input}"
            )
        return round(levels[2] * self.size), round(levels[1] * self.size)

    def lifetime(self) -> float:
        """Mean time until a cell that is on has fallen to the unstable rest: exact.

        From n + 1 molecules it takes h to reach n; then h_n = (1 + b_n h_{n+1}) / d_n, from the top down
        (van Kampen, Stochastic Processes in Physics and Chemistry, chapter XII).
        """
        on, off = self.edges()
        top = int(3 * on + 60)  # so far up that a switch is never there
        falls = np.zeros(top + 2)
        for n in range(top, off, -1):
            falls[n] = (1 + self.births(n) * falls[n + 1]) / self.deaths(n)
        return float(falls[off + 1 : on + 1].sum())

    def fall(self, rng: np.random.Generator, copies: int) -> np.ndarray:
        """Times at which each of some cells, all on, has fallen to the unstable rest (Gillespie 1977)."""
        on, off = self.edges()
        n, time, left = np.full(copies, on), np.zeros(copies), np.arange(copies)
        while len(left):
            made, lost = self.births(n[left]), self.deaths(n[left])
            time[left] += rng.exponential(size=len(left)) / (made + lost)
            n[left] += np.where(rng.random(len(left)) * (made + lost) < made, 1, -1)
            left = left[n[left] > off]
        return time
