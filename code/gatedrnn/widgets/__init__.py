"""Live figures: the same code in JupyterLab, in VS Code and on the static site.

Each figure is an anywidget made of three JavaScript files: ``core.js`` is pure mathematics and is tested
against NumPy, ``kit.js`` is the shared look and behaviour, and a thin view draws. On the site no kernel
runs: a small script starts the same module from the state that the build leaves in the page.
"""

from gatedrnn.widgets.alarm_threshold import AlarmThreshold
from gatedrnn.widgets.base import LiveFigure
from gatedrnn.widgets.both_ways import BothWays
from gatedrnn.widgets.decoder_window import DecoderWindow
from gatedrnn.widgets.eigenvalue_echo import EigenvalueEcho
from gatedrnn.widgets.fading_echo import FadingEcho
from gatedrnn.widgets.gene_memory import GeneMemory
from gatedrnn.widgets.gru_cell import GRUCell
from gatedrnn.widgets.listening_unit import ListeningUnit
from gatedrnn.widgets.lstm_cell import LSTMCell
from gatedrnn.widgets.memory_kernel import MemoryKernel
from gatedrnn.widgets.prerendered import Frames, frames
from gatedrnn.widgets.scan_tree import ScanTree
from gatedrnn.widgets.spikes_from_light import SpikesFromLight
from gatedrnn.widgets.stale_value import StaleValue

__all__ = [
    "AlarmThreshold",
    "BothWays",
    "DecoderWindow",
    "EigenvalueEcho",
    "FadingEcho",
    "Frames",
    "GRUCell",
    "GeneMemory",
    "LSTMCell",
    "ListeningUnit",
    "LiveFigure",
    "MemoryKernel",
    "ScanTree",
    "SpikesFromLight",
    "StaleValue",
    "frames",
]
