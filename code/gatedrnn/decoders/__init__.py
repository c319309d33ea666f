"""From spikes to movement: Wiener and Kalman filters, recurrent networks, and a fair way to compare them.

Every decoder is fitted to one `Recording` and predicts another, ``decoder.fit(train).predict(test)``; the
borders of the reaches travel with the recording, so no decoder can look across one. ``decoder.step(counts,
state)`` decodes one bin as it arrives, with everything the decoder remembers in ``state``.
"""

from gatedrnn.decoders.folds import (
    Fold,
    LeakError,
    bins_of,
    check_split,
    choose,
    contiguous_folds,
    r2,
    score,
    select,
)
from gatedrnn.decoders.ideal import IdealObserver
from gatedrnn.decoders.kalman import KalmanFilter
from gatedrnn.decoders.recurrent import RecurrentDecoder
from gatedrnn.decoders.wiener import WienerFilter

__all__ = [
    "Fold",
    "IdealObserver",
    "KalmanFilter",
    "LeakError",
    "RecurrentDecoder",
    "WienerFilter",
    "bins_of",
    "check_split",
    "choose",
    "contiguous_folds",
    "r2",
    "score",
    "select",
]
