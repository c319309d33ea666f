"""Reading MATLAB files with an answer in words when something in them is not as expected."""

from pathlib import Path

import numpy as np


class MalformedData(ValueError):  # noqa: N818 — reads as what it reports
    """A file is not what its loader expects; the message says what was expected, what came and what to do."""


def existing(path) -> Path:
    """Return `path` as a Path, or say in a sentence that no file is there."""
    path = Path(path).expanduser()
    if not path.is_file():
        problem = "is a folder" if path.is_dir() else "does not exist"
        raise FileNotFoundError(f"{path} {problem}; pass the path of one data file.")
    return path


def read_mat(path, fields: tuple[str, ...], what: str) -> dict[str, np.ndarray]:
    """Read the named fields of a MATLAB file.

    Parameters
    ----------
    path : path-like
        A MATLAB file of version 5 to 7.2 (not the HDF5-based 7.3).
    fields : tuple of str
        Names that the file must hold.
    what : str
        What the file should be, for the error message, such as ``"a motor-cortex recording"``.

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    FileNotFoundError, MalformedData
    """
    from scipy.io import loadmat  # a third of a second, needed only when a file is read

    path = existing(path)
    try:
        content = loadmat(path)
    except NotImplementedError:
        raise MalformedData(
            f"{path} is a MATLAB 7.3 (HDF5) file, but {what} is read from version 5 to 7.2: "
            f"in MATLAB, save it again with the option '-v7'."
        ) from None
    except Exception:  # damaged bytes provoke errors of many kinds in the reader, zlib's among them
        raise MalformedData(f"{path} cannot be read as a MATLAB file: fetch or copy it again.") from None
    missing = [name for name in fields if name not in content]
    if missing:
        found = ", ".join(sorted(name for name in content if not name.startswith("__"))) or "nothing"
        raise MalformedData(
            f"{path} lacks {', '.join(missing)}: {what} holds {', '.join(fields)}, this file holds {found}."
        )
    return {name: content[name] for name in fields}
