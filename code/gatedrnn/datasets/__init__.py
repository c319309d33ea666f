"""One module per data set: simulators with known ground truth, and loaders of real recordings.

`fetch` finds or downloads a real data set; the ``load_…`` functions read it into NumPy arrays with units and
borders; the ``simulate_…`` functions return the same containers with the truth attached.
"""

from gatedrnn.datasets.calcium import BinnedCalcium, CalciumRecording, load_calcium
from gatedrnn.datasets.calcium_simulation import Kinetics, SimulatedCalcium, simulate_calcium
from gatedrnn.datasets.choices import Choices, load_choices, simulate_choices
from gatedrnn.datasets.fetching import DataUnavailable, fetch, locate
from gatedrnn.datasets.fusion import Discharges, load_density_limit
from gatedrnn.datasets.fusion_simulation import PlasmaTruth, simulate_density_limit
from gatedrnn.datasets.hippocampus import Session, load_ca1
from gatedrnn.datasets.intensive_care import Stays, load_icu
from gatedrnn.datasets.intensive_care_simulation import SimulatedICU, Ward, simulate_icu
from gatedrnn.datasets.matfile import MalformedData
from gatedrnn.datasets.motor import load_motor
from gatedrnn.datasets.motor_simulation import Tuning, simulate_motor
from gatedrnn.datasets.place_cell_simulation import PlaceFields, simulate_place_cells
from gatedrnn.datasets.recording import Recording, Sequences, join, sequences, windows
from gatedrnn.datasets.registry import REGISTRY

__all__ = [
    "REGISTRY",
    "BinnedCalcium",
    "CalciumRecording",
    "Choices",
    "DataUnavailable",
    "Discharges",
    "Kinetics",
    "MalformedData",
    "PlaceFields",
    "PlasmaTruth",
    "Recording",
    "Sequences",
    "Session",
    "SimulatedCalcium",
    "SimulatedICU",
    "Stays",
    "Tuning",
    "Ward",
    "fetch",
    "join",
    "load_ca1",
    "load_calcium",
    "load_choices",
    "load_density_limit",
    "load_icu",
    "load_motor",
    "locate",
    "sequences",
    "simulate_calcium",
    "simulate_choices",
    "simulate_density_limit",
    "simulate_icu",
    "simulate_motor",
    "simulate_place_cells",
    "windows",
]
