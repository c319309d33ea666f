"""Intensive care: the PhysioNet/Computing in Cardiology Challenge 2012.

Each record is a text of lines ``hh:mm,parameter,value`` of the first 48 hours of one stay. The first
lines describe the patient, the others are measurements at irregular times, most variables missing most
of the time. A second file, ``Outcomes-a.txt``, says who died in hospital (Silva et al. 2012, Computing
in Cardiology 39:245-248).
"""

import csv
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gatedrnn.datasets.digests import archived_records
from gatedrnn.datasets.matfile import MalformedData

HOURS = 48
HEADER = "Time,Parameter,Value"
DESCRIPTORS = {"Age": "years", "Gender": "0 female, 1 male", "Height": "cm", "ICUType": "1 to 4"}
VARIABLES = {
    "Albumin": "g/dL",
    "ALP": "IU/L",
    "ALT": "IU/L",
    "AST": "IU/L",
    "Bilirubin": "mg/dL",
    "BUN": "mg/dL",
    "Cholesterol": "mg/dL",
    "Creatinine": "mg/dL",
    "DiasABP": "mmHg",
    "FiO2": "fraction",
    "GCS": "3 to 15",
    "Glucose": "mg/dL",
    "HCO3": "mmol/L",
    "HCT": "%",
    "HR": "beats/min",
    "K": "mmol/L",
    "Lactate": "mmol/L",
    "MAP": "mmHg",
    "MechVent": "1 while ventilated",
    "Mg": "mmol/L",
    "Na": "mmol/L",
    "NIDiasABP": "mmHg",
    "NIMAP": "mmHg",
    "NISysABP": "mmHg",
    "PaCO2": "mmHg",
    "PaO2": "mmHg",
    "pH": "",
    "Platelets": "1000/µL",
    "RespRate": "breaths/min",
    "SaO2": "%",
    "SysABP": "mmHg",
    "Temp": "°C",
    "TroponinI": "µg/L",
    "TroponinT": "µg/L",
    "Urine": "mL",
    "WBC": "1000/µL",
    "Weight": "kg",
}
# What a living adult can have, wide on purpose: a value outside was typed wrongly, or the sensor was off.
PLAUSIBLE = {
    "DiasABP": (10, 200),
    "FiO2": (0.2, 1),
    "HCT": (5, 75),
    "HR": (10, 300),
    "K": (1, 12),
    "MAP": (10, 250),
    "NIDiasABP": (10, 200),
    "NIMAP": (10, 250),
    "NISysABP": (20, 320),
    "PaCO2": (5, 250),
    "PaO2": (15, 800),
    "pH": (6.5, 8),
    "RespRate": (1, 100),
    "SaO2": (20, 100),
    "SysABP": (20, 320),
    "Temp": (25, 45),
    "Weight": (25, 350),
}
OUTCOMES = ("RecordID", "SAPS-I", "SOFA", "Length_of_stay", "Survival", "In-hospital_death")


@dataclass(frozen=True, eq=False)
class Stays:
    """Intensive-care stays: who, what was measured when, and how it ended.

    Values are as recorded, impossible ones included; only −1, which stands for unknown, is left out.

    Attributes
    ----------
    record_id : ndarray of int, shape (n_stays,)
        Sorted.
    descriptors : ndarray, shape (n_stays, 4)
        Age (years), Gender (0 female, 1 male), Height (cm), ICUType (1 coronary, 2 cardiac surgery recovery,
        3 medical, 4 surgical); NaN where unknown.
    stay, variable : ndarray of int, shape (n_measurements,)
        Row of `record_id` and column of `variables` of each measurement, sorted by stay and time.
    hour, value : ndarray, shape (n_measurements,)
        Time since admission in hours, and the value in the unit of its variable.
    death : ndarray of bool, shape (n_stays,), or None
        Whether the patient died in hospital; None where no outcomes were loaded.
    saps, sofa, length_of_stay, survival : ndarray, shape (n_stays,)
        Severity scores; days in hospital; days until death. NaN where unknown; survival is NaN too for
        those who were not seen to die.
    variables, units : tuple of str
        Name and unit of the variables, 37 in the challenge.
    """

    record_id: np.ndarray
    descriptors: np.ndarray
    stay: np.ndarray
    variable: np.ndarray
    hour: np.ndarray
    value: np.ndarray
    death: np.ndarray | None
    saps: np.ndarray
    sofa: np.ndarray
    length_of_stay: np.ndarray
    survival: np.ndarray
    variables: tuple[str, ...] = tuple(VARIABLES)
    units: tuple[str, ...] = tuple(VARIABLES.values())

    def __repr__(self):
        end = "outcomes unknown" if self.death is None else f"{self.death.mean():.1%} died in hospital"
        return (
            f"Stays({len(self.record_id)} stays, {len(self.value)} measurements of {len(self.variables)} "
            f"variables, {end})"
        )

    def select(self, stays) -> "Stays":
        """Return some of the stays, in the order given.

        Parameters
        ----------
        stays : sequence of int, or of bool with one entry a stay
            Rows of `record_id`; a row that is named twice comes twice.
        """
        rows = np.arange(len(self.record_id))[np.asarray(stays)]
        first = np.searchsorted(self.stay, np.arange(len(self.record_id) + 1))
        length = np.diff(first)[rows]
        offset = np.repeat(first[rows] - np.cumsum(length) + length, length)
        kept = np.arange(length.sum()) + offset
        per_stay = ("record_id", "descriptors", "death", "saps", "sofa", "length_of_stay", "survival")
        changed = {name: None if (old := getattr(self, name)) is None else old[rows] for name in per_stay}
        changed |= {name: getattr(self, name)[kept] for name in ("variable", "hour", "value")}
        return replace(self, stay=np.repeat(np.arange(len(rows)), length), **changed)

    def keep(self, measurements: np.ndarray) -> "Stays":
        """Return all stays with only some of the measurements, a mask of shape (n_measurements,)."""
        names = ("stay", "variable", "hour", "value")
        return replace(self, **{name: getattr(self, name)[measurements] for name in names})

    def until(self, hour: float) -> "Stays":
        """Return all stays with what was measured before ``hour``: all that was known by then."""
        return self.keep(self.hour < hour)

    def plausible(self) -> "Stays":
        """Leave out values that no living adult has (`PLAUSIBLE`), such as a pH of 735 or a pressure of 0."""
        low, high = np.array([PLAUSIBLE.get(name, (-np.inf, np.inf)) for name in self.variables]).T
        return self.keep((self.value >= low[self.variable]) & (self.value <= high[self.variable]))

    def grid(self, hours: float = 1.0) -> np.ndarray:
        """Average the measurements on a regular grid of time.

        Parameters
        ----------
        hours : float
            Width of a step; it must divide 48.

        Returns
        -------
        ndarray, shape (n_stays, 48 / hours, n_variables)
            NaN where nothing was measured. What came at 48:00 counts to the last step.
        """
        n_steps = round(HOURS / hours) if hours > 0 else 0
        if n_steps < 1 or abs(n_steps * hours - HOURS) > 1e-9:
            raise ValueError(f"hours must divide {HOURS}, got {hours}.")
        step = np.minimum((self.hour / hours + 1e-9).astype(int), n_steps - 1)
        shape = (len(self.record_id), n_steps, len(self.variables))
        place = np.ravel_multi_index((self.stay, step, self.variable), shape)
        count = np.bincount(place, minlength=np.prod(shape))
        total = np.bincount(place, self.value, minlength=np.prod(shape))
        with np.errstate(invalid="ignore"):
            return (total / count).reshape(shape)


def load_icu(path=None, outcomes=None) -> Stays:
    """Load intensive-care stays of the PhysioNet Challenge 2012.

    Parameters
    ----------
    path : path-like, optional
        A folder of records, an archive of them (tar or zip), or a folder that has one of the two; by default
        set-a, found or downloaded by `gatedrnn.datasets.fetch`.
    outcomes : path-like or False, optional
        The file of outcomes; by default the one named ``Outcomes-….txt`` in or beside `path`. False loads
        stays whose end is not known: ``death`` is then None, and scores and days are NaN.

    Returns
    -------
    Stays

    Raises
    ------
    FileNotFoundError, MalformedData
        With a sentence that says what is wrong with a file.
    DataUnavailable
        If no path is given and the stays can be neither found nor downloaded.
    """
    if path is None:
        from gatedrnn.datasets.fetching import fetch

        path = fetch("physionet2012_seta")
    path = Path(path).expanduser()
    records = dict(sorted(_records(path).items(), key=lambda item: int(item[0].removesuffix(".txt"))))
    descriptors, stay, variable, hour, value = _parse(records)
    record_id = np.array([int(name.removesuffix(".txt")) for name in records])
    order = np.lexsort((hour, stay))
    if outcomes is False:
        results = None, *np.full((4, len(record_id)), np.nan)
    else:
        file = _outcomes_file(path) if outcomes is None else Path(outcomes).expanduser()
        results = _outcomes(file, record_id)
    return Stays(record_id, descriptors, stay[order], variable[order], hour[order], value[order], *results)


def _records(path: Path) -> dict[str, bytes]:
    """Name and content of every record in a folder or an archive."""
    if path.is_file():
        return _unpacked(path)
    if not path.is_dir():
        raise FileNotFoundError(f"{path} does not exist; pass a folder or an archive of records.")
    found = {p.name: p.read_bytes() for p in path.rglob("*.txt") if p.stem.isdigit()}
    archives = sorted(p for pattern in ("*.tar.gz", "*.tgz", "*.tar", "*.zip") for p in path.glob(pattern))
    if not found and len(archives) != 1:
        raise FileNotFoundError(
            f"{path} holds {len(archives)} archives and no records such as 132539.txt; pass one archive or "
            f"one folder of records."
        )
    return found or _unpacked(archives[0])


def _unpacked(path: Path) -> dict[str, bytes]:
    """Name and content of every record in an archive."""
    try:
        content = dict(archived_records(path))
    except Exception as error:  # tarfile, zipfile, gzip and zlib each have errors of their own
        raise MalformedData(f"{path} cannot be unpacked ({error}): fetch or copy it again.") from None
    if not content:
        raise MalformedData(f"{path} holds no records such as 132539.txt; pass an archive of records.")
    return content


def _parse(records: dict[str, bytes]):
    """Read all records into a table of descriptors and one list of measurements."""
    names = [*VARIABLES, *DESCRIPTORS]
    column = {name: number for number, name in enumerate(names)}
    hours, stay, variable, hour, value = _Hours(), [], [], [], []
    for row, (name, content) in enumerate(records.items()):
        clocks, parameters, numbers = _columns(name, content)
        try:
            hour += [hours[clock] for clock in clocks]
            value += map(float, numbers)
        except ValueError:
            _point_at_line(name, zip(clocks, parameters, numbers, strict=True))
        variable += [column.get(parameter, -1) for parameter in parameters]
        stay += [row] * len(clocks)
    stay, variable, hour, value = (np.array(column) for column in (stay, variable, hour, value))
    known = (variable >= 0) & (value != -1) & np.isfinite(value)
    described = known & (variable >= len(VARIABLES))
    descriptors = np.full((len(records), len(DESCRIPTORS)), np.nan)
    descriptors[stay[described], variable[described] - len(VARIABLES)] = value[described]
    measured = known & ~described
    return descriptors, stay[measured], variable[measured], hour[measured], value[measured]


class _Hours(dict):
    """Hours of a clock such as ``01:30``, each worked out once."""

    def __missing__(self, clock: str) -> float:
        hours, minutes = clock.split(":")
        self[clock] = int(hours) + int(minutes) / 60
        return self[clock]


def _columns(name: str, content: bytes) -> tuple[list[str], list[str], list[str]]:
    """Times, parameters and values of one record, as text."""
    header, *lines = content.decode("utf-8", "replace").split() or [""]
    if header != HEADER:
        raise MalformedData(f"record {name} must begin with the line {HEADER}, got {header!r}.")
    words = ",".join(lines).split(",") if lines else []  # one list for a record, not one for each line
    if len(words) != 3 * len(lines):
        _point_at_line(name, (line.split(",") for line in lines))
    return words[::3], words[1::3], words[2::3]


def _point_at_line(name: str, rows) -> None:
    """Raise the error of the first line of a record that is not a time, a parameter and a number."""
    for row in rows:
        try:
            clock, _, number = row
            _Hours()[clock], float(number)
        except ValueError:
            line = ",".join(row)
            raise MalformedData(f"record {name}: expected hh:mm,parameter,value, got {line!r}.") from None


def _outcomes_file(path: Path) -> Path:
    """The file of outcomes in or beside the records."""
    for folder in (path, path.parent):
        found = sorted(folder.glob("Outcomes-*.txt")) if folder.is_dir() else []
        if len(found) == 1:
            return found[0]
    raise FileNotFoundError(
        f"no file Outcomes-….txt in or beside {path}; get it where the records came from, pass outcomes=…, "
        f"or outcomes=False if the end of the stays is not known."
    )


def _outcomes(path: Path, record_id: np.ndarray):
    """Death, SAPS-I, SOFA, length of stay and survival of every record."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist; pass the file of outcomes.")
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    header = [word.strip() for word in header]
    if missing := [word for word in OUTCOMES if word not in header]:
        raise MalformedData(f"{path} lacks the columns {', '.join(missing)}; it has {', '.join(header)}.")
    try:
        table = np.array([[float(cell) for cell in row] for row in rows if row])
        known = {int(row[header.index("RecordID")]): row for row in table}
        ordered = np.array([known[number] for number in record_id.tolist()])
    except KeyError as number:
        raise MalformedData(
            f"{path} has no outcome for record {number}; pass the outcomes of this set."
        ) from None
    except ValueError:
        raise MalformedData(f"{path} must hold numbers, {len(header)} in every row.") from None
    ordered[ordered == -1] = np.nan
    get = {word: ordered[:, header.index(word)] for word in OUTCOMES}
    if not np.isin(get["In-hospital_death"], (0, 1)).all():
        raise MalformedData(f"{path}: In-hospital_death must be 0 or 1 for every record.")
    return get["In-hospital_death"] == 1, *(get[word] for word in OUTCOMES[1:5])
