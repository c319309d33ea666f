"""One module per data set: simulators with known ground truth, and loaders of real recordings.

`fetch` finds or downloads a real data set; the ``load_…`` functions read it into NumPy arrays with units and
borders; the ``simulate_…`` functions return the same containers with the truth attached.
"""

from gatedrnn.datasets.fetching import DataUnavailable, fetch, locate
from gatedrnn.datasets.matfile import MalformedData
from gatedrnn.datasets.motor import load_motor
from gatedrnn.datasets.motor_simulation import Tuning, simulate_motor
from gatedrnn.datasets.recording import Recording, Sequences, sequences, windows
from gatedrnn.datasets.registry import REGISTRY

__all__ = [
    "REGISTRY",
    "DataUnavailable",
    "MalformedData",
    "Recording",
    "Sequences",
    "Tuning",
    "fetch",
    "load_motor",
    "locate",
    "sequences",
    "simulate_motor",
    "windows",
]
