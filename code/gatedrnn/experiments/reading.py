"""Reading the table of an experiment."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).with_name("tables")


@dataclass(frozen=True)
class Table:
    """What one complete run of an experiment found.

    Attributes
    ----------
    experiment : str
    date : str
        Day on which the run ended.
    versions : dict of str to str
        Of everything that could change a number.
    data : dict of str to str
        sha256 of every data file that was read.
    tolerance : dict of str to float
        By how much a row may differ when it is computed again, by model.
    rows : list of dict
        The columns of the key, and what was computed.
    """

    experiment: str
    date: str
    versions: dict[str, str]
    data: dict[str, str]
    tolerance: dict[str, float]
    rows: list[dict[str, Any]]

    def where(self, **conditions) -> list[dict[str, Any]]:
        """Rows whose columns have these values.

        Raises
        ------
        KeyError
            If no row fits.
        """
        rows = [row for row in self.rows if all(row.get(name) == conditions[name] for name in conditions)]
        if not rows:
            raise KeyError(
                f"no row of {self.experiment} has {conditions}; its columns are {list(self.rows[0])}."
            )
        return rows

    def by_fold(self, column: str = "r2", **conditions) -> np.ndarray:
        """Mean of one column in every fold, over the seeds, in the order of the folds."""
        rows = self.where(**conditions)
        folds = sorted({row["fold"] for row in rows})
        return np.array([np.mean([row[column] for row in rows if row["fold"] == fold]) for fold in folds])


def table(name: str) -> Table:
    """Read the committed table of an experiment.

    Raises
    ------
    ValueError
        If there is none of that name.

    Examples
    --------
    >>> table("motor_decoding").experiment
    'motor_decoding'
    """
    path = FOLDER / f"{name}.json"
    if not path.exists():
        known = ", ".join(sorted(file.stem for file in FOLDER.glob("*.json")))
        raise ValueError(f"there is no table {name!r}; the known ones are: {known}.")
    return Table(**json.loads(path.read_text(encoding="utf-8")))
