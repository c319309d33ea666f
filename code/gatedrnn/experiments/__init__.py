"""Runs that are too long for a chapter, and the committed tables that they wrote.

``python -m gatedrnn.experiments NAME`` runs one, shows its progress, and goes on where it was stopped;
`table` reads what the last complete run found. An experiment is a module with a ``KEYS`` function that lists
its rows, and a ``compute`` function that makes any one of them from its key alone, so that rows can be made
in any order, on any machine, and again.
"""

from gatedrnn.experiments.reading import Table, table

EXPERIMENTS = {
    "calcium_spikes": "models × folds × seeds, on simulated neurons and 23 real ones, split by neuron",
    "decision_networks": "deciding networks: tasks × models × seeds; one cell: models × folds × seeds",
    "delayed_recall": "how long a delay each cell learns to bridge: models × delays × seeds",
    "disruption_warning": "warning of the density limit: regimes × models × folds × seeds, simulated",
    "gate_clamping": "what each gate of an LSTM is for: whole, with a gate held, and plain networks",
    "icu_mortality": "risk of death after 48 hours: models × folds × seeds, on a simulated and a real ward",
    "initial_biases": "first biases of an LSTM's gates: starts × delays × seeds",
    "lstm_against_gru": "equal parameters: tasks × models × seeds × learning rates",
    "minimal_cells": "minimal cells: delayed recall, parity, a simulated and a real motor cortex",
    "motor_decoding": "models × folds × seeds, on a simulated and a real motor cortex",
    "position_decoding": "models × folds × seeds, on simulated place cells and sessions of one mouse",
    "recovered_time_scales": "known time constants and trained networks: signals × models × seeds",
}

__all__ = ["EXPERIMENTS", "Table", "table"]
