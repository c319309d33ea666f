"""Running an experiment row by row, so that stopping it loses one row at most."""

import contextlib
import datetime
import importlib
import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

from tqdm import tqdm

from gatedrnn.cluster import Cluster

PACKAGES = ("gatedrnn", "numpy", "scikit-learn", "torch")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that make the numbers."""
    return {"python": platform.python_version()} | {package: version(package) for package in PACKAGES}


def load(name: str) -> ModuleType:
    """Import the module of an experiment."""
    return importlib.import_module(f"gatedrnn.experiments.{name}")


def run(
    experiment: ModuleType,
    name: str,
    folder: Path,
    fresh: bool = False,
    progress: bool = True,
    scheduler: str | None = None,
) -> Path:
    """Compute the rows that are missing, save each at once, and write the table when all are there.

    Parameters
    ----------
    experiment : module
        With ``KEYS() -> list of dict`` (all with the same columns), ``compute(key) -> dict``,
        ``DATA() -> dict`` and ``TOLERANCE``.
    name : str
        Of the table.
    folder : Path
        Where the table goes. Rows collect in ``NAME.rows.jsonl`` beside it until it is complete.
    fresh : bool
        Throw away the rows of a run that was stopped.
    progress : bool
        Whether to show a bar.
    scheduler : str, optional
        Address of a Dask scheduler whose workers compute the rows; this process alone writes them down.

    Returns
    -------
    Path
        The table.
    """
    folder.mkdir(parents=True, exist_ok=True)
    collected = folder / f"{name}.rows.jsonl"
    stamp = {"versions": versions(), "data": experiment.DATA()}
    keys = experiment.KEYS()
    columns = tuple(keys[0])
    done = {} if fresh else _collected(collected, stamp, columns)
    if not done:
        collected.write_text(json.dumps(stamp) + "\n", encoding="utf-8")
    with collected.open("a", encoding="utf-8") as file:
        waiting = [key for key in keys if _name(key, columns) not in done]
        results = _computed(experiment, name, waiting, scheduler)
        bar = {"desc": name, "unit": "row", "total": len(keys), "initial": len(keys) - len(waiting)}
        for key, result in tqdm(results, disable=not progress, **bar):
            row = key | result
            file.write(json.dumps(row) + "\n")
            file.flush()
            os.fsync(file.fileno())
            done[_name(key, columns)] = row
    rows = [done[_name(key, columns)] for key in keys]
    path = _write(folder / f"{name}.json", name, stamp, experiment.TOLERANCE, rows)
    collected.unlink()
    return path


def _computed(experiment: ModuleType, name: str, keys: list[dict], scheduler: str | None):
    """Yield every key with its result, here in order, on a cluster as they come."""
    if scheduler is None:
        yield from ((key, experiment.compute(key)) for key in keys)
        return
    with contextlib.closing(Cluster(scheduler)) as cluster:
        for place, result in cluster.run(compute, [(name, key) for key in keys]):
            if isinstance(result, Exception):
                raise result
            yield keys[place], result


def compute(name: str, key: dict) -> dict:
    """Compute one row of a named experiment; what a worker of a cluster is asked for."""
    return load(name).compute(key)


def _name(row: dict, columns: list[str]) -> tuple:
    """What tells one row from another: the columns of its key."""
    return tuple(row[column] for column in columns)


def _collected(path: Path, stamp: dict, columns: list[str]) -> dict[tuple, dict]:
    """Rows of a run that was stopped, unless versions or data have changed since."""
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = []
    for line in lines:
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:  # the run was killed while it wrote this line
            break
    if not rows or rows[0] != stamp:
        print(
            f"{path.name} was written with other versions or other data: starting again from the first row."
        )
        return {}
    return {_name(row, columns): row for row in rows[1:]}


def _write(path: Path, name: str, stamp: dict, tolerance: dict, rows: list[dict]) -> Path:
    """Write the table, one row a line, whole or not at all."""
    head = {"experiment": name, "date": datetime.date.today().isoformat()} | stamp | {"tolerance": tolerance}
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
    lines += ['  "rows": [', ",\n".join(f"    {json.dumps(row)}" for row in rows), "  ]"]
    part = path.with_suffix(".part")
    part.write_text("\n".join(["{", *lines, "}"]) + "\n", encoding="utf-8")
    part.replace(path)
    return path
