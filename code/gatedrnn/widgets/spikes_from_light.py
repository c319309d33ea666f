"""A light, the calcium that explains it, and what a wrong assumption does."""

import numpy as np
import traitlets

from gatedrnn import decoders
from gatedrnn.datasets import simulate_calcium
from gatedrnn.widgets.base import LiveFigure

RATE = 30  # bins per second
SECONDS = 20
DECAY = 500.0  # ms, of the simulated indicator
WIDTHS = (33, 50, 75, 100, 150, 200, 300, 500, 750, 1000)  # ms


class SpikesFromLight(LiveFigure):
    """Non-negative deconvolution of a simulated light, with a decay that the reader assumes.

    Parameters
    ----------
    assumed : float
        Decay that the deconvolution takes for granted, in ms, from 50 to 2000; the true one is 500.
    noise : float
        Standard deviation of the noise of a bin, in ΔF/F, from 0 to 0.3.
    price : float
        λ, what a jump of 1 costs, in ΔF/F, from 0 to 2.
    clean, grain : list of float
        The light without noise, in ΔF/F, and noise of standard deviation 1 for every bin.
    spikes : list of int
        True spikes of every bin.

    Examples
    --------
    >>> figure = SpikesFromLight(noise=0.0)
    >>> bool(figure.correlations()["deconvolution"][-1] > 0.95)
    True
    """

    view = "spikes_from_light.js"
    room = traitlets.List(traitlets.Int(), default_value=[504, 977]).tag(sync=True)

    assumed = traitlets.Float(DECAY, min=50.0, max=2000.0).tag(sync=True)
    noise = traitlets.Float(0.05, min=0.0, max=0.3).tag(sync=True)
    price = traitlets.Float(0.0, min=0.0, max=2.0).tag(sync=True)
    clean = traitlets.List(traitlets.Float()).tag(sync=True)
    grain = traitlets.List(traitlets.Float()).tag(sync=True)
    spikes = traitlets.List(traitlets.Int()).tag(sync=True)
    rate = traitlets.Int(RATE, read_only=True).tag(sync=True)
    true_decay = traitlets.Float(DECAY, read_only=True).tag(sync=True)
    widths = traitlets.List(traitlets.Int(), default_value=list(WIDTHS), read_only=True).tag(sync=True)
    alt = traitlets.Unicode(
        "Left, twenty seconds of simulated light with its true spikes as ticks above, the calcium that a "
        "deconvolution with the assumed decay puts into its place, and below the jumps of that calcium. "
        "Right, correlation of the jumps and of the rectified derivative with the true spikes, against the "
        "smoothing width. With the right decay the jumps stand at the spikes; with a decay that is too short "
        "there are more and smaller ones in the tails; noise takes the correlation away at narrow widths "
        "first, and more of the derivative's."
    ).tag(sync=True)

    def __init__(self, **numbers):
        if "clean" not in numbers:
            numbers["clean"], numbers["grain"], numbers["spikes"] = _recording()
        super().__init__(**numbers)

    def light(self) -> np.ndarray:
        """Return the light with its noise."""
        return np.array(self.clean) + self.noise * np.array(self.grain)

    def kept(self) -> float:
        """Return γ, what a bin keeps of the one before by the assumed decay."""
        return float(np.exp(-1000 / (self.rate * self.assumed)))

    def jumps(self) -> np.ndarray:
        """Return the jumps, (n_bins,)."""
        return decoders.deconvolve(self.light(), self.kept(), self.price)

    def correlations(self) -> dict[str, np.ndarray]:
        """Return the correlation with the true spikes at every width, by reader."""
        from scipy.ndimage import gaussian_filter1d

        read = {"deconvolution": self.jumps(), "derivative": np.diff(self.light(), prepend=self.light()[0])}
        result = {}
        for name, values in read.items():
            result[name] = np.zeros(len(self.widths))
            for k, bins in enumerate(np.array(self.widths) * self.rate / 1000):
                pair = [gaussian_filter1d(np.maximum(0.0, v), bins) for v in (values, self.spikes)]
                if np.ptp(pair[0]) > 0:
                    result[name][k] = np.corrcoef(*pair)[0, 1]
        return result

    def ratio(self) -> float:
        """Return jumps over what the true spikes would give without noise and with the right decay."""
        true = decoders.deconvolve(np.array(self.clean), np.exp(-1000 / (self.rate * self.true_decay)))
        return float(self.jumps().sum() / true.sum())

    def numbers(self) -> dict[str, float]:
        """Return both correlations at a smoothing of 200 ms, and :meth:`ratio`."""
        at = list(self.widths).index(200)
        read = self.correlations()
        return {
            "jumps": float(read["deconvolution"][at]),
            "rise": float(read["derivative"][at]),
            "ratio": self.ratio(),
        }

    def picture(self):
        """Return light, calcium and correlations as a matplotlib figure."""
        from matplotlib import pyplot
        from scipy.signal import lfilter

        from gatedrnn import figures

        figure, (seen, right) = pyplot.subplots(1, 2, figsize=figures.size(1, 0.45), width_ratios=(1.5, 1))
        seconds = np.arange(len(self.clean)) / self.rate
        jumps = self.jumps()
        seen.plot(seconds, self.light(), "-", color=figures.FAINT, lw=0.9)
        calcium = lfilter([1.0], [1.0, -self.kept()], jumps)
        seen.plot(seconds, calcium, "-", color=figures.PALETTE["blue"], lw=1.4)
        seen.vlines(seconds, -0.35, -0.35 + jumps, color=figures.PALETTE["orange"], lw=1.2)
        fired = seconds[np.array(self.spikes) > 0]
        seen.vlines(fired, 1.05, 1.15, color=figures.PALETTE["vermilion"])
        seen.set(xlabel="time (s)", ylabel="ΔF/F")
        for (name, values), (colour, dashes) in zip(
            self.correlations().items(), (("blue", "-"), ("green", "--")), strict=True
        ):
            right.semilogx(self.widths, values, dashes, color=figures.PALETTE[colour], label=name)
        right.set(xlabel="smoothing width (ms)", ylabel="correlation", ylim=(0, 1.02))
        right.set_xticks([50, 200, 1000], ["50", "200", "1000"])
        right.legend()
        return figure


def _recording() -> tuple[list[float], list[float], list[int]]:
    """Return light without noise, noise and spikes of the same twenty seconds each time."""
    settings = {"duration": SECONDS, "frame_rate": RATE, "rate": 1.2, "rise": 0.03, "decay": DECAY / 1000}
    recording = simulate_calcium(seed=11, amplitude=0.25, noise=0.0, **settings)
    grain = np.random.default_rng(11).normal(size=len(recording.clean))
    spikes = recording.binned(RATE).spikes
    return recording.clean.round(6).tolist(), grain.round(6).tolist(), spikes.tolist()
