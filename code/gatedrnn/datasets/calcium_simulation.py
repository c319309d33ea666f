"""Calcium whose rise and decay are known: Poisson spikes seen through a slow indicator and a camera."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.signal import lfilter

from gatedrnn.datasets.calcium import CalciumRecording


class Kinetics(NamedTuple):
    """How an indicator answers one spike.

    Attributes
    ----------
    rise, decay : float
        Time constants in seconds, rise below decay.
    amplitude : float
        Peak of the answer to one spike, in ΔF/F.
    """

    rise: float
    decay: float
    amplitude: float

    @property
    def peak_time(self) -> float:
        """Seconds from the spike to the peak, where the derivative of `response` is zero."""
        return np.log(self.decay / self.rise) * self.decay * self.rise / (self.decay - self.rise)

    @property
    def scale(self) -> float:
        """Factor that brings the peak of exp(−t/decay) − exp(−t/rise) to the amplitude."""
        t = self.peak_time
        return self.amplitude / (np.exp(-t / self.decay) - np.exp(-t / self.rise))

    def response(self, time) -> np.ndarray:
        """Return ΔF/F at ``time`` seconds after a spike; 0 before it."""
        time = np.asarray(time, dtype=float)
        after = np.maximum(time, 0.0)
        return self.scale * (np.exp(-after / self.decay) - np.exp(-after / self.rise))


@dataclass(frozen=True, eq=False, repr=False)
class SimulatedCalcium(CalciumRecording):
    """A simulated calcium recording with its truth.

    Attributes
    ----------
    clean : ndarray, shape (n_frames,)
        The fluorescence of a cell that holds still, without noise, in ΔF/F.
    kinetics : Kinetics
    lost : ndarray, shape (n_frames,)
        Fraction of the light that movement of the tissue takes away.
    """

    clean: np.ndarray
    kinetics: Kinetics
    lost: np.ndarray


def simulate_calcium(
    seed: int,
    duration: float = 60.0,
    frame_rate: float = 50.0,
    rate: float = 1.0,
    rise: float = 0.05,
    decay: float = 0.4,
    amplitude: float = 0.2,
    noise: float = 0.05,
    motion: float = 0.0,
    depth: float = 0.3,
) -> SimulatedCalcium:
    """Simulate the fluorescence of one neuron whose spikes and indicator are known.

    Spikes are Poisson. Each adds a (exp(−t/decay) − exp(−t/rise)) to the fluorescence, with a such that one
    spike peaks at ``amplitude``; every frame is the mean over its exposure, which lasts until the next frame,
    plus white noise.

    Parameters
    ----------
    seed : int
        The same seed gives the same recording.
    duration : float
        In seconds.
    frame_rate : float
        Frames per second.
    rate : float
        Spikes per second; 0 gives noise alone.
    rise, decay : float
        Time constants in seconds, 0 < rise < decay.
    amplitude : float
        Peak of the answer to one spike, in ΔF/F.
    noise : float
        Standard deviation of the noise of one frame, in ΔF/F.
    motion : float
        How often per second the cell moves out of focus, on average; see Notes.
    depth : float
        Mean fraction of its light that the cell loses when it moves, from 0 to below 0.5.

    Returns
    -------
    SimulatedCalcium
        What `load_calcium` returns for a real neuron, with the truth beside it. ``time`` is the start of each
        frame, so that the spikes of a bin of `binned` are those that fell during its exposure.

    Raises
    ------
    ValueError
        If a number is out of its range.

    Notes
    -----
    The two exponentials are the usual linear model of an indicator (Vogelstein et al., Journal of
    Neurophysiology 104 (2010), has the decay alone); saturation and drift are left out.

    A movement takes the fraction d of *all* light, resting light included, so that ΔF/F becomes
    (1 + ΔF/F)(1 − d) − 1. The cell leaves within a frame and comes back at a random moment 0.2 to 1 s later,
    on average after half a second; d is uniform from 0 to twice ``depth``. Movements use random numbers of
    their own: with and without them, a seed gives the same spikes and the same noise.

    Examples
    --------
    >>> recording = simulate_calcium(seed=1, duration=10.0)
    >>> recording
    CalciumRecording('simulated calcium, seed 1': 10 s at 50 Hz, 8 spikes)
    >>> recording.kinetics.peak_time.round(3)
    np.float64(0.119)
    """
    kinetics = Kinetics(rise, decay, amplitude)
    if not 0 < rise < decay:
        raise ValueError(f"expected 0 < rise < decay in seconds, got rise {rise} and decay {decay}")
    if not frame_rate > 0 or not duration * frame_rate >= 2:
        raise ValueError(f"expected two frames or more, got {duration} s at {frame_rate} frames per second")
    if rate < 0 or noise < 0:
        raise ValueError(f"rate and noise cannot be negative, got rate {rate} and noise {noise}")
    if motion < 0 or not 0 <= depth < 0.5:
        raise ValueError(f"expected motion ≥ 0 and 0 ≤ depth < 0.5, got motion {motion} and depth {depth}")
    rng = np.random.default_rng(seed)
    frames = round(duration * frame_rate)
    spikes = np.sort(rng.uniform(0, frames / frame_rate, rng.poisson(rate * frames / frame_rate)))
    slow, fast = (_decayed(spikes, tau, frames, frame_rate) for tau in (decay, rise))
    clean = kinetics.scale * (slow - fast)
    lost = _lost(np.random.default_rng([seed, 1]), frames, frame_rate, motion, depth)
    return SimulatedCalcium(
        time=np.arange(frames) / frame_rate,
        fluorescence=clean - lost * (1 + clean) + noise * rng.normal(size=frames),
        spike_times=spikes,
        starts=np.array([0]),
        name=f"simulated calcium, seed {seed}",
        clean=clean,
        kinetics=kinetics,
        lost=lost,
    )


def _lost(rng: np.random.Generator, frames: int, frame_rate: float, motion: float, depth: float):
    """Fraction of the light that movements take from each frame; of two at once, the deeper one counts."""
    lost = np.zeros(frames)
    number = rng.poisson(motion * frames / frame_rate)
    leaves = rng.integers(frames, size=number)
    lasts = 0.2 + np.minimum(rng.exponential(0.4, size=number), 0.8)  # seconds
    for first, duration, deep in zip(leaves, lasts, rng.uniform(0, 2 * depth, size=number), strict=True):
        away = slice(first, first + max(1, round(duration * frame_rate)))
        lost[away] = np.maximum(lost[away], deep)
    return lost


def _decayed(spikes: np.ndarray, tau: float, frames: int, frame_rate: float) -> np.ndarray:
    """Mean over each exposure of Σ exp(−(t − spike)/τ), exact wherever in its frame a spike falls."""
    frame = np.minimum((spikes * frame_rate).astype(int), frames - 1)
    left = np.exp(-((frame + 1) / frame_rate - spikes) / tau)  # of each spike, at the end of its own frame
    kept, exposure = np.exp(-1 / (frame_rate * tau)), tau * frame_rate
    at_end = lfilter([1.0], [1.0, -kept], np.bincount(frame, left, minlength=frames))
    at_start = np.r_[0.0, at_end[:-1]]
    own = np.bincount(frame, exposure * (1 - left), minlength=frames)  # ∫ from the spike to the frame's end
    return at_start * exposure * (1 - kept) + own
