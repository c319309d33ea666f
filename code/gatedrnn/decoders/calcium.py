"""From light to spikes: simple decoders, a split by neuron, and what to measure.

Every decoder is fitted to a list of recordings in bins and predicts another in spikes/s,
``decoder.fit(train).predict(one)``. None of them looks across a gap.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.ndimage import gaussian_filter1d

from gatedrnn.datasets.calcium import BinnedCalcium, CalciumRecording
from gatedrnn.decoders.deconvolution import deconvolve
from gatedrnn.decoders.folds import Fold, LeakError


def noise_level(fluorescence: np.ndarray) -> float:
    """Standard deviation of the noise of one bin, from the median step between neighbouring bins.

    Spikes are rare and noise is in every bin, so the median of the steps is nearly all noise; if that is
    white and normal, it is 0.6745 √2 of its standard deviation.

    Examples
    --------
    >>> round(noise_level(np.random.default_rng(0).normal(size=10_000)), 1)
    1.0
    """
    fluorescence = np.asarray(fluorescence, dtype=float)
    if fluorescence.ndim != 1 or len(fluorescence) < 2:
        raise ValueError(f"expected the light of two bins or more in one row, got {fluorescence.shape}.")
    return float(np.median(np.abs(np.diff(fluorescence))) / (0.6745 * np.sqrt(2)))


def stretches(recording: BinnedCalcium, values: np.ndarray | None = None) -> list[np.ndarray]:
    """Cut the light, or other values of every bin, at the gaps of a recording."""
    values = recording.fluorescence if values is None else np.asarray(values, dtype=float)
    if len(values) != len(recording.fluorescence):
        raise ValueError(
            f"expected a value for each of {len(recording.fluorescence)} bins, got {len(values)}."
        )
    return np.split(values, recording.starts[1:])


def smoothed(recording: BinnedCalcium, values: np.ndarray, width: float) -> np.ndarray:
    """Values of every bin, averaged by a Gaussian of a standard deviation of ``width`` seconds."""
    bins = width / recording.bin_width
    return np.concatenate([gaussian_filter1d(part, bins) for part in stretches(recording, values)])


def correlation(recording: BinnedCalcium, predicted: np.ndarray, width: float) -> float:
    """Pearson's r between true and predicted rate, both smoothed; NaN where one of them never changes."""
    pair = [smoothed(recording, values, width) for values in (recording.spikes, predicted)]
    if min(values.std() for values in pair) == 0:
        return float("nan")
    return float(np.corrcoef(*pair)[0, 1])


def rate_ratio(recording: BinnedCalcium, predicted: np.ndarray) -> float:
    """Predicted number of spikes over the true one: 1 is right, 2 is twice too many; NaN without spikes."""
    total = recording.spikes.sum()
    return float(np.sum(predicted) * recording.bin_width / total) if total else float("nan")


def neuron_folds(recordings: Sequence[CalciumRecording], k: int = 4) -> list[Fold]:
    """Split recordings so that all those of a neuron, and its neighbours in the order given, stay together.

    Files that were made one after the other may come from one animal or one day, which the files do not tell.
    Blocks of neighbours keep most of them on one side of the split.

    Parameters
    ----------
    recordings : sequence of CalciumRecording
    k : int
        Number of blocks, of nearly equal numbers of neurons.

    Returns
    -------
    list of Fold
        Numbers of the recordings to train on and to test on.

    Examples
    --------
    >>> from gatedrnn.datasets import simulate_calcium
    >>> for fold in neuron_folds([simulate_calcium(seed) for seed in range(5)], k=2):
    ...     print(fold.train, fold.test)
    [3 4] [0 1 2]
    [0 1 2] [3 4]
    """
    neurons = list(dict.fromkeys(recording.neuron for recording in recordings))
    if not 2 <= k <= len(neurons):
        raise ValueError(f"expected 2 ≤ k ≤ number of neurons, got k={k} and {len(neurons)} neurons.")
    owner = np.array([neurons.index(recording.neuron) for recording in recordings])
    blocks = np.array_split(np.arange(len(neurons)), k)
    sides = [np.isin(owner, block) for block in blocks]
    return [Fold(np.flatnonzero(~side), np.flatnonzero(side)) for side in sides]


def check_neurons(train: Sequence[CalciumRecording], test: Sequence[CalciumRecording]) -> None:
    """Raise if a neuron is on both sides of a split, under its own name or another.

    Raises
    ------
    LeakError
        If both sides have recordings of one neuron, or share its very light.

    Examples
    --------
    >>> from gatedrnn.datasets import simulate_calcium
    >>> one, two = simulate_calcium(seed=1), simulate_calcium(seed=2)
    >>> check_neurons([one], [two])
    >>> check_neurons([one.between(0, 30)], [one.between(30, 60)])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    gatedrnn.decoders.folds.LeakError: 1 neuron is on both sides, first 'simulated ...': split by neuron.
    """
    names = {recording.neuron for recording in train} & {recording.neuron for recording in test}
    if names:
        verb = "neuron is" if len(names) == 1 else "neurons are"
        raise LeakError(f"{len(names)} {verb} on both sides, first {min(names)!r}: split by neuron.")
    seen = [(_steps(recording), recording.name) for recording in train]
    for recording in test:
        steps = _steps(recording)
        for others, name in seen:
            if len(np.intersect1d(steps, others)) > 10:
                raise LeakError(
                    f"{recording.name!r} and {name!r} hold the same light: one recording under two names; "
                    "leave one out."
                )


def _steps(recording: CalciumRecording) -> np.ndarray:
    """Every frame with the next one, as one complex number: what two copies share, whatever their names."""
    light = recording.fluorescence
    moved = light[:-1] != light[1:]  # silence looks the same everywhere
    return light[:-1][moved] + 1j * light[1:][moved]


@dataclass
class LightDecoder:
    """What the simple decoders share: a signal from the light, cut off at zero, times one gain.

    r̂_t = g · max(0, s_t) in spikes/s. A subclass says in ``signal`` how s comes from the light of a stretch;
    the gain g makes the total of all training recordings right.
    """

    gain: float | None = field(default=None, init=False, repr=False)
    bin_width: float | None = field(default=None, init=False, repr=False)

    def fit(self, recordings: Sequence[BinnedCalcium]) -> "LightDecoder":
        """Fit to recordings in bins and return the decoder."""
        self.bin_width = common_bin_width(recordings)
        self.learn(recordings)
        signal = sum(self._rectified(recording).sum() for recording in recordings)
        spikes = sum(recording.spikes.sum() for recording in recordings)
        self.gain = float(spikes / (self.bin_width * signal)) if signal > 0 else 0.0
        return self

    def predict(self, recording: BinnedCalcium) -> np.ndarray:
        """Rate of every bin in spikes/s."""
        if self.gain is None:
            raise ValueError("this decoder has not been fitted yet: call fit(recordings) first.")
        check_bin_width(recording, self.bin_width)
        return self.gain * self._rectified(recording)

    def predict_each(self, recordings: Sequence[BinnedCalcium]) -> list[np.ndarray]:
        """Rates of several recordings."""
        return [self.predict(recording) for recording in recordings]

    def _rectified(self, recording: BinnedCalcium) -> np.ndarray:
        noise = noise_level(recording.fluorescence)
        parts = [self.signal(light, noise) for light in stretches(recording)]
        return np.maximum(0.0, np.concatenate(parts))

    def learn(self, recordings: Sequence[BinnedCalcium]) -> None:
        """Learn what ``signal`` needs; by default nothing."""

    def signal(self, light: np.ndarray, noise: float) -> np.ndarray:
        """s_t for every bin of one stretch, (n_bins,); by default the light itself."""
        return light


@dataclass
class RectifiedDerivative(LightDecoder):
    """Spikes where the light rises: s_t = F_t − F_{t−step} − threshold · noise.

    Parameters
    ----------
    step : int
        Bins over which the rise is taken.
    threshold : float
        Rises smaller than so many standard deviations of the noise count as none.
    """

    step: int = 1
    threshold: float = 0.0

    def signal(self, light: np.ndarray, noise: float) -> np.ndarray:
        """Rise of the light, less the threshold."""
        earlier = np.concatenate([np.repeat(light[:1], self.step), light])[: len(light)]
        return light - earlier - self.threshold * noise


@dataclass
class LightFilter(LightDecoder):
    """A Wiener filter: the rate as a weighted sum of the light around the bin.

    s_t = b + Σ_{j=−after}^{before} w_j x_{t−j}; w minimises the squared error plus penalty · Σ w². x is the
    light F itself or, squashed, asinh(F / scale) with the standard deviation of the training light as scale.

    Parameters
    ----------
    before, after : float
        Seconds of light before and after the bin; with after=0 the filter is causal.
    penalty : float
        Ridge penalty, for light in ΔF/F and rates in spikes/s.
    squash : bool
        Whether bright light is squashed before the sum is taken.
    """

    before: float = 1.0
    after: float = 0.0
    penalty: float = 10.0
    squash: bool = False
    scale: float = field(default=1.0, init=False, repr=False)
    weights: np.ndarray | None = field(default=None, init=False, repr=False)
    offset: float | None = field(default=None, init=False, repr=False)

    def _around(self, light: np.ndarray) -> np.ndarray:
        """The light around every bin, (n_bins, taps), oldest first; the ends are repeated."""
        before, after = (round(seconds / self.bin_width) for seconds in (self.before, self.after))
        heard = np.arcsinh(light / self.scale) if self.squash else light
        padded = np.pad(heard, (before, after), mode="edge")
        return np.lib.stride_tricks.sliding_window_view(padded, before + 1 + after)

    def learn(self, recordings: Sequence[BinnedCalcium]) -> None:
        """Solve the ridge regression."""
        from sklearn.linear_model import Ridge

        self.scale = light_scale(recordings)
        light = [self._around(part) for recording in recordings for part in stretches(recording)]
        rate = np.concatenate([recording.spikes for recording in recordings]) / self.bin_width
        model = Ridge(alpha=self.penalty).fit(np.concatenate(light), rate)
        self.weights, self.offset = model.coef_, float(model.intercept_)

    def signal(self, light: np.ndarray, noise: float) -> np.ndarray:
        """Weighted sum."""
        return self._around(light) @ self.weights + self.offset


@dataclass
class Deconvolution(LightDecoder):
    """Spikes as the jumps that explain the light best, each followed by an exponential decay.

    See `gatedrnn.decoders.deconvolve`. The lowest fifth of the light counts as rest.

    Parameters
    ----------
    decay : float
        Time constant in seconds.
    penalty : float
        How dear a spike is, in standard deviations of the noise; 0 only forbids negative ones.
    """

    decay: float = 0.5
    penalty: float = 0.0

    def signal(self, light: np.ndarray, noise: float) -> np.ndarray:
        """Size of the jump in every bin."""
        kept = np.exp(-self.bin_width / self.decay)
        jumps = deconvolve(light - np.quantile(light, 0.2), kept, self.penalty * noise)
        jumps[0] = 0.0  # light from before the recording began
        return jumps


def common_bin_width(recordings: Sequence[BinnedCalcium]) -> float:
    """Width of the bins of all recordings in seconds; an error if they differ."""
    widths = sorted({recording.bin_width for recording in recordings})
    if len(widths) != 1:
        raise ValueError(f"expected recordings with one bin width, got {widths or 'no recording'}.")
    return widths[0]


def light_scale(recordings: Sequence[BinnedCalcium]) -> float:
    """Standard deviation of the light of all recordings together; 1 if it never changes."""
    return float(np.concatenate([recording.fluorescence for recording in recordings]).std()) or 1.0


def check_bin_width(recording: BinnedCalcium, bin_width: float) -> None:
    """Say in words that a recording has other bins than those that a decoder was fitted to."""
    if not np.isclose(recording.bin_width, bin_width, rtol=1e-6):
        raise ValueError(
            f"this decoder was fitted to bins of {1000 * bin_width:.1f} ms, got "
            f"{1000 * recording.bin_width:.1f} ms: bin the recording at the same rate."
        )
