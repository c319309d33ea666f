"""Fusion: discharges of the Alcator C-Mod tokamak, some of which end at the density limit.

The Open Density Limit Database (Maris, Rea, Trevisan et al. 2025) is one table with a row for every 10
ms of a discharge: density, current, field and shape of the plasma, and whether the precursor of the
density limit is on.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gatedrnn.datasets.matfile import MalformedData, existing

COLUMNS = {
    "discharge_ID": "",
    "time": "s",
    "density_limit_phase": "0 before, 1 during",
    "density": "1e20 m^-3",
    "elongation": "",
    "minor_radius": "m",
    "plasma_current": "MA",
    "toroidal_B_field": "T",
    "triangularity": "",
}


@dataclass(frozen=True, eq=False)
class Discharges:
    """Time slices of tokamak discharges, sorted by discharge and time.

    Each attribute but `starts` and `units` is an array of shape (n_rows,). The discharge, not the row, is the
    unit of a split: neighbouring rows are nearly copies of each other.

    Attributes
    ----------
    discharge_ID : ndarray of int
    time : ndarray
        In seconds since the discharge began.
    density_limit_phase : ndarray of int
        1 while the precursor of the density limit is on, else 0.
    density : ndarray
        Mean electron density in 1e20 m⁻³.
    elongation, triangularity : ndarray
        Shape of the plasma.
    minor_radius : ndarray
        In metres.
    plasma_current : ndarray
        In MA.
    toroidal_B_field : ndarray
        In tesla.
    starts : ndarray of int, shape (n_discharges,)
        First row of every discharge.
    units : dict of str to str
    truth : Any, optional
        The ground truth of simulated discharges; None for real ones.
    """

    discharge_ID: np.ndarray  # noqa: N815 — the table's own word
    time: np.ndarray
    density_limit_phase: np.ndarray
    density: np.ndarray
    elongation: np.ndarray
    minor_radius: np.ndarray
    plasma_current: np.ndarray
    toroidal_B_field: np.ndarray  # noqa: N815
    triangularity: np.ndarray
    starts: np.ndarray
    units: dict
    truth: Any = field(default=None, repr=False)

    def __repr__(self):
        return (
            f"Discharges({len(self.starts)} discharges, {len(self.time)} rows, "
            f"{self.density_limit_phase.mean():.2%} in the density-limit phase)"
        )

    @property
    def greenwald_fraction(self) -> np.ndarray:
        """Density over the Greenwald limit, n / (I_p / (π a²)), in the units of this table.

        Greenwald M (2002) Plasma Physics and Controlled Fusion 44:R27, equation 1: n_G in 1e20 m⁻³ is
        the current in MA over π times the square of the minor radius in m.
        """
        return self.density * np.pi * self.minor_radius**2 / np.abs(self.plasma_current)

    @property
    def stops(self) -> np.ndarray:
        """One past the last row of every discharge, shape (n_discharges,)."""
        return np.append(self.starts[1:], len(self.time))

    @property
    def shot(self) -> np.ndarray:
        """Number, from 0, of the discharge that each row belongs to, shape (n_rows,)."""
        return np.repeat(np.arange(len(self.starts)), self.stops - self.starts)

    @property
    def limited(self) -> np.ndarray:
        """Whether each discharge reaches the density limit, bool of shape (n_discharges,)."""
        return np.maximum.reduceat(self.density_limit_phase, self.starts) > 0

    def select(self, shots: Sequence[int]) -> "Discharges":
        """Return the discharges with these numbers, in the order given, without the truth.

        Raises
        ------
        ValueError
            If there is none.
        """
        shots = np.asarray(shots, dtype=int)
        if not len(shots):
            raise ValueError("expected at least one discharge, got none.")
        lengths = (self.stops - self.starts)[shots]
        starts = np.cumsum(lengths) - lengths
        rows = np.arange(lengths.sum()) + np.repeat(self.starts[shots] - starts, lengths)
        columns = {name: getattr(self, name)[rows] for name in COLUMNS}
        return dataclasses.replace(self, **columns, starts=starts, truth=None)


def load_density_limit(path=None) -> Discharges:
    """Load the Open Density Limit Database or another table with its columns.

    Parameters
    ----------
    path : path-like, optional
        A comma-separated file whose first line names the columns, in any order; further columns are
        ignored. By default ``DL_DataFrame.csv``, found or downloaded by `gatedrnn.datasets.fetch`.

    Returns
    -------
    Discharges

    Raises
    ------
    FileNotFoundError, MalformedData
        With a sentence that says what is wrong with the file.
    DataUnavailable
        If no path is given and the table can be neither found nor downloaded.
    """
    if path is None:
        from gatedrnn.datasets.fetching import fetch

        path = fetch("open_density_limit") / "DL_DataFrame.csv"
    path = existing(path)
    with path.open(encoding="utf-8", errors="replace") as file:
        header = [word.strip().strip('"') for word in file.readline().split(",")]
        empty = not file.readline().strip()
    if missing := [name for name in COLUMNS if name not in header]:
        raise MalformedData(
            f"{path} lacks the columns {', '.join(missing)}; its first line names {', '.join(header)[:200]}."
        )
    if empty:
        raise MalformedData(f"{path} names its columns but holds no row.")
    try:
        table = np.loadtxt(
            path, delimiter=",", skiprows=1, usecols=[header.index(name) for name in COLUMNS], ndmin=2
        )
    except ValueError as error:
        raise MalformedData(f"{path}: every cell must be a number ({str(error).split(';')[0]}).") from None
    column = dict(zip(COLUMNS, table.T, strict=True))
    whole = column["discharge_ID"] == np.round(column["discharge_ID"])
    if not (np.isfinite(column["time"]).all() and whole.all()):
        raise MalformedData(f"{path}: discharge_ID must be a whole number and time finite in every row.")
    if not np.isin(column["density_limit_phase"], (0, 1)).all():
        raise MalformedData(f"{path}: density_limit_phase must be 0 or 1 in every row.")
    order = np.lexsort((column["time"], column["discharge_ID"]))
    column = {name: values[order] for name, values in column.items()}
    for name in ("discharge_ID", "density_limit_phase"):
        column[name] = column[name].astype(int)
    starts = np.r_[0, np.flatnonzero(np.diff(column["discharge_ID"])) + 1]
    return Discharges(**column, starts=starts, units=dict(COLUMNS))
