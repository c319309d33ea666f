"""Gated recurrent networks in equations, gradients and figures.

The companion package of *Machines with Memory*. Importing it is cheap: torch, matplotlib and
scikit-learn are imported by the modules that need them, not here.
"""

__version__ = "0.1.0"
