"""The table of real data sets, read from ``registry.toml``."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote


@dataclass(frozen=True)
class DataFile:
    """One file of a data set.

    Attributes
    ----------
    path : str
        Below the folder of the data set, with ``/``.
    address : str
        Where the authors offer it.
    size : int or None
        In bytes; None where it is not known beforehand.
    kind, digest : str
        How the file is recognised; ``registry.toml`` explains the kinds.
    """

    path: str
    address: str
    size: int | None
    kind: str
    digest: str


@dataclass(frozen=True)
class DataSet:
    """One data set: what it is, whom to cite, what one may do with it, and its files.

    Attributes
    ----------
    name, title, citation, licence : str
    source : str
        The page on which a person finds the files.
    files : tuple of DataFile
    """

    name: str
    title: str
    citation: str
    licence: str
    source: str
    files: tuple[DataFile, ...]

    @property
    def size(self) -> int | None:
        """Sum of all sizes in bytes, None if one is unknown."""
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(sizes)


def _file(base: str, entry: dict) -> DataFile:
    """Build one file from its entry, which holds exactly one kind of digest."""
    (kind,) = {"sha256", "git_blob", "text", "records"} & entry.keys()
    address = quote(base + entry["path"], safe=":/")
    return DataFile(entry["path"], address, entry.get("size"), kind, entry[kind])


def read_registry(path: Path) -> dict[str, DataSet]:
    """Read a table of data sets.

    Parameters
    ----------
    path : Path
        A TOML file laid out like ``registry.toml``.

    Returns
    -------
    dict of str to DataSet
    """
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    words = ("title", "citation", "licence", "source")
    return {
        name: DataSet(
            name,
            *(entry[word] for word in words),
            tuple(_file(entry["base"], file) for file in entry["files"]),
        )
        for name, entry in table.items()
    }


REGISTRY = read_registry(Path(__file__).with_name("registry.toml"))
