"""From spikes to movement and place: regressions, Kalman filter, Bayes' rule, networks, fair comparisons.

Every decoder is fitted to one `Recording` and predicts another, ``decoder.fit(train).predict(test)``; the
borders of the reaches travel with the recording, so no decoder can look across one. ``decoder.step(counts,
state)`` decodes one bin as it arrives, with everything the decoder remembers in ``state``.

From light to spikes (`gatedrnn.decoders.calcium`, `SpikeNetwork`): the same two words, fit and predict, on
lists of calcium recordings in bins.
"""

from gatedrnn.decoders.calcium import (
    Deconvolution,
    LightDecoder,
    LightFilter,
    RectifiedDerivative,
    check_neurons,
    correlation,
    neuron_folds,
    noise_level,
    rate_ratio,
    smoothed,
)
from gatedrnn.decoders.clock import Clock, check_clock, clock
from gatedrnn.decoders.deconvolution import deconvolve
from gatedrnn.decoders.folds import (
    Fold,
    LeakError,
    bins_of,
    carry_on,
    check_split,
    choose,
    contiguous_folds,
    r2,
    score,
    select,
)
from gatedrnn.decoders.ideal import IdealObserver
from gatedrnn.decoders.kalman import KalmanFilter
from gatedrnn.decoders.place_cells import PlaceCellDecoder
from gatedrnn.decoders.recurrent import RecurrentDecoder
from gatedrnn.decoders.spike_network import SpikeNetwork
from gatedrnn.decoders.wiener import WienerFilter
from gatedrnn.decoders.wiener_cascade import WienerCascade

__all__ = [
    "Clock",
    "Deconvolution",
    "Fold",
    "IdealObserver",
    "KalmanFilter",
    "LeakError",
    "LightDecoder",
    "LightFilter",
    "PlaceCellDecoder",
    "RectifiedDerivative",
    "RecurrentDecoder",
    "SpikeNetwork",
    "WienerCascade",
    "WienerFilter",
    "bins_of",
    "carry_on",
    "check_clock",
    "check_neurons",
    "check_split",
    "choose",
    "clock",
    "contiguous_folds",
    "correlation",
    "deconvolve",
    "neuron_folds",
    "noise_level",
    "r2",
    "rate_ratio",
    "score",
    "select",
    "smoothed",
]
