"""How long a decoder should look back."""

from collections.abc import Callable

import numpy as np
import traitlets

from gatedrnn.widgets.base import LiveFigure

BASELINE = 20.0
GAIN = 1.0
SMOOTHNESS = 0.25
SPEED = 10.0
LONGEST = 24
_GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))


class DecoderWindow(LiveFigure):
    """Velocity decoded from simulated cosine-tuned neurons by averaging over the last bins.

    Neuron i fires max(0, b + g v·u_i) spikes per second with its own preferred direction u_i, Poisson counts
    and Gaussian noise on top. The decoder solves counts = tuning · velocity by least squares in each bin and
    averages the last ``window`` answers: averaging takes away noise and adds a delay of (window − 1)/2 bins.

    Parameters
    ----------
    neurons : int
        How many neurons are recorded, from 3 to 60.
    window : int
        How many bins, the present one included, are averaged; from 1 to 24.
    noise : float
        Standard deviation of the added noise in spikes per bin.
    dt : float
        Width of a bin in seconds.
    steps : int
        How many bins are simulated.
    seed : int
        Seed of the simulation; the same seed gives the same spikes in every browser and in NumPy.
    """

    view = "decoder_window.js"
    room = traitlets.List(traitlets.Int(), default_value=[461, 826]).tag(sync=True)

    neurons = traitlets.Int(20, min=3, max=60).tag(sync=True)
    window = traitlets.Int(4, min=1, max=LONGEST).tag(sync=True)
    noise = traitlets.Float(0.5, min=0.0, max=3.0).tag(sync=True)
    dt = traitlets.Float(0.05, min=1e-3).tag(sync=True)
    steps = traitlets.Int(200, min=60, max=1000).tag(sync=True)
    seed = traitlets.Int(1, min=0).tag(sync=True)
    alt = traitlets.Unicode(
        "Left, the true velocity of a simulated hand over ten seconds and what a decoder reads from spikes. "
        "Right, R² against the length of the history: it rises while averaging removes noise and falls when "
        "the answer comes too late."
    ).tag(sync=True)

    def velocity(self) -> np.ndarray:
        """Return the true velocity in cm/s, shape (2, steps)."""
        return wander(self.steps, self.dt, self.seed)

    def read(self) -> np.ndarray:
        """Return the velocity read from each bin alone in cm/s, shape (2, steps)."""
        return invert(counts(self.velocity(), self.dt, self.neurons, self.noise, self.seed), self.dt)

    def decoded(self) -> np.ndarray:
        """Return the velocity read with the present window in cm/s, shape (2, steps)."""
        return smooth(self.read(), self.window)

    def score(self) -> float:
        """Return R², the mean over x and y, on the bins that the longest window has filled."""
        return r_squared(self.velocity(), self.decoded())

    def numbers(self) -> dict[str, float]:
        """Return R², the delay of the average in s, and the length of the best history for these neurons."""
        truth, raw = self.velocity(), self.read()
        scores = [r_squared(truth, smooth(raw, window)) for window in range(1, LONGEST + 1)]
        delay = (self.window - 1) / 2 * self.dt
        return {"score": scores[self.window - 1], "delay": delay, "best": int(np.argmax(scores)) + 1}

    def picture(self):
        """Return true and decoded velocity as a matplotlib figure."""
        from matplotlib import pyplot

        from gatedrnn import figures

        figure, axes = pyplot.subplots(figsize=figures.size(1, 0.4))
        time = np.arange(self.steps) * self.dt
        axes.plot(time, self.velocity()[0], "-", color=figures.INK, label="true")
        axes.plot(time, self.decoded()[0], "-", color=figures.PALETTE["orange"], label="decoded")
        axes.set(xlabel="time (s)", ylabel="velocity along x (cm/s)")
        axes.set_title(f"History of {self.window} bins, {self.neurons} neurons: R² = {self.score():.2f}")
        axes.legend(loc="upper right", ncols=2)
        return figure


def uniforms(seed: int) -> Callable[[], float]:
    """Return a generator of numbers in [0, 1), the same as ``uniforms`` in core.js."""
    state = [seed & 0xFFFFFFFF]

    def draw() -> float:
        state[0] = (state[0] + 0x6D2B79F5) & 0xFFFFFFFF
        bits = state[0]
        bits = (bits ^ (bits >> 15)) * (bits | 1) & 0xFFFFFFFF
        bits ^= (bits + ((bits ^ (bits >> 7)) * (bits | 61) & 0xFFFFFFFF)) & 0xFFFFFFFF
        return (bits ^ (bits >> 14)) / 4294967296

    return draw


def normal(uniform: Callable[[], float]) -> float:
    """Return one standard normal number from two uniform ones (Box and Muller 1958)."""
    radius = np.sqrt(-2 * np.log(1 - uniform()))
    return radius * np.cos(2 * np.pi * uniform())


def poisson(mean: float, uniform: Callable[[], float]) -> int:
    """Return one Poisson number: how many uniform numbers multiply to more than e^(−mean) (Knuth)."""
    limit, count, product = np.exp(-mean), 0, uniform()
    while product > limit:
        count, product = count + 1, product * uniform()
    return count


def wander(steps: int, dt: float, seed: int) -> np.ndarray:
    """Return a hand's velocity in cm/s, (2, steps): white noise through two equal low-pass filters."""
    uniform = uniforms(seed)
    keep = np.exp(-dt / SMOOTHNESS)
    velocity = np.empty((2, steps))
    for component in velocity:
        first = second = 0.0
        for t in range(-100, steps):
            first = keep * first + (1 - keep) * normal(uniform)
            second = keep * second + (1 - keep) * first
            if t >= 0:
                component[t] = second
    centred = velocity - velocity.mean(axis=1, keepdims=True)
    return SPEED * centred / centred.std(axis=1, keepdims=True)


def directions(neurons: int) -> np.ndarray:
    """Return preferred directions spread by the golden angle, (neurons, 2) unit vectors."""
    angles = _GOLDEN_ANGLE * np.arange(neurons)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def counts(velocity: np.ndarray, dt: float, neurons: int, noise: float, seed: int) -> np.ndarray:
    """Return spike counts, (neurons, steps): Poisson around cosine tuning, and Gaussian noise on top."""
    rates = np.maximum(0, BASELINE + GAIN * directions(neurons) @ velocity)
    spikes = np.empty_like(rates)
    for i, rate in enumerate(rates):
        uniform = uniforms(seed + 7919 * (i + 1))
        spikes[i] = [poisson(mean, uniform) + noise * normal(uniform) for mean in rate * dt]
    return spikes


def invert(spikes: np.ndarray, dt: float) -> np.ndarray:
    """Return the velocity read from each bin alone, (2, steps): least squares of counts on the tuning."""
    tuning = GAIN * dt * directions(len(spikes))
    return np.linalg.lstsq(tuning, spikes - BASELINE * dt, rcond=None)[0]


def smooth(values: np.ndarray, window: int) -> np.ndarray:
    """Return the mean of the last ``window`` values at every time; at the start of those there are."""
    sums = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    end = np.arange(1, values.shape[1] + 1)
    start = np.maximum(0, end - window)
    return (sums[:, end] - sums[:, start]) / (end - start)


def r_squared(truth: np.ndarray, guess: np.ndarray) -> float:
    """Return R², the mean over x and y, on the bins that the longest window has filled."""
    truth, guess = truth[:, LONGEST - 1 :], guess[:, LONGEST - 1 :]
    error = ((truth - guess) ** 2).sum(axis=1)
    return float(np.mean(1 - error / ((truth - truth.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)))
