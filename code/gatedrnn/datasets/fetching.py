"""Finding a real data set on this machine, or downloading it from its authors' own public place.

Every file is recognised by its hash each time it is asked for. A file that fails is never returned: in the
cache it is moved aside under a new name, in the user's own folder it is left where it is and named.
"""

import contextlib
import difflib
import errno
import logging
import os
import shutil
import tempfile
from pathlib import Path

from gatedrnn.datasets.digests import matches
from gatedrnn.datasets.registry import REGISTRY, DataFile, DataSet

VARIABLE = "GATEDRNN_DATA"  # names a folder with one folder per data set


class DataUnavailable(RuntimeError):  # noqa: N818 — reads as what it reports
    """A data set cannot be had; the message is one sentence that says why and what to do."""


def fetch(name: str, progress: bool = True) -> Path:
    """Return the folder of a real data set, downloading it if it is not on this machine.

    If the environment variable ``GATEDRNN_DATA`` names a folder, the data set is taken from there and nowhere
    else. Otherwise it is taken from the user's cache, and what is missing there is downloaded from the
    authors' public place, pinned by commit.

    Parameters
    ----------
    name : str
        A key of `REGISTRY`; ``gatedrnn data list`` prints them.
    progress : bool
        Show a progress bar while downloading.

    Returns
    -------
    Path
        The folder that holds the files of the data set, each checked by its hash.

    Raises
    ------
    DataUnavailable
        With one sentence: unknown name, no network, wrong hash, disk full, cache not writable, or a
        ``GATEDRNN_DATA`` that does not have the data set.
    """
    dataset = find(name)
    folder = data_folder()
    if folder is not None:
        return _checked(dataset, folder)
    folder = cache_folder() / name
    missing = [file for file in dataset.files if not _in_cache(folder, file)]
    if missing:
        _download(dataset, missing, folder, progress)
    return folder


def find(name: str) -> DataSet:
    """Return the entry of a data set, or say which names are known."""
    if name in REGISTRY:
        return REGISTRY[name]
    close = difflib.get_close_matches(name, REGISTRY, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}? The" if close else "the"
    raise DataUnavailable(f"there is no data set {name!r}; {hint} known ones are {', '.join(REGISTRY)}.")


def locate(name: str) -> Path | None:
    """Return the folder of a data set that is on this machine, whole and undamaged, else None.

    Nothing is downloaded, moved or written. A chapter asks this to decide whether it can run on real data.

    Parameters
    ----------
    name : str

    Returns
    -------
    Path or None
    """
    return home() / name if state(name) in ("local", "cached") else None


def state(name: str) -> str:
    """Say where a data set is: ``local`` (GATEDRNN_DATA), ``cached``, ``damaged`` or ``not here``.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
    """
    dataset = find(name)
    paths = [home() / name / file.path for file in dataset.files]
    if not all(path.is_file() for path in paths):
        return "not here"
    with contextlib.suppress(OSError):
        if all(matches(p, f.kind, f.digest) for p, f in zip(paths, dataset.files, strict=True)):
            return "local" if os.environ.get(VARIABLE) else "cached"
    return "damaged"


def home() -> Path:
    """Return the folder in which data sets are looked for, whether or not it exists."""
    own = os.environ.get(VARIABLE)
    return Path(own).expanduser() if own else cache_folder()


def cache_folder() -> Path:
    """Return the user's cache, as the operating system has it; nothing is created."""
    import pooch  # a tenth of a second, not needed where GATEDRNN_DATA is set

    return Path(pooch.os_cache("gatedrnn"))


def data_folder() -> Path | None:
    """Return the folder that ``GATEDRNN_DATA`` names, None where it is not set.

    Raises
    ------
    DataUnavailable
        If it names something that is not a folder.
    """
    own = os.environ.get(VARIABLE)
    if not own:
        return None
    folder = Path(own).expanduser()
    if not folder.is_dir():
        raise DataUnavailable(
            f"{VARIABLE} is set to {own}, which is not a folder; set it to the folder that holds one folder "
            f"per data set, or unset it to let gatedrnn download."
        )
    return folder


def _checked(dataset: DataSet, folder: Path) -> Path:
    """Return the user's own copy of a data set once every file is there and passes its hash."""
    own = folder / dataset.name
    absent = [file.path for file in dataset.files if not (own / file.path).is_file()]
    if absent:
        more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
        raise DataUnavailable(
            f"{VARIABLE} ({folder}) lacks {dataset.name}/{absent[0]}{more}; put what {dataset.source} "
            f"offers there, or unset {VARIABLE} to let gatedrnn download it."
        )
    for file in dataset.files:
        if not _readable_match(own / file.path, file):
            raise DataUnavailable(
                f"{own / file.path} is not the file it should be ({file.kind} differs from "
                f"{file.digest[:12]}…) and was left as it is; replace it by {file.address}."
            )
    return own


def _readable_match(path: Path, file: DataFile) -> bool:
    """Whether a file passes its hash; a file that cannot be read is an error of its own."""
    try:
        return matches(path, file.kind, file.digest)
    except OSError as error:
        raise DataUnavailable(f"{path} cannot be read ({error.strerror}); check its permissions.") from None


def _in_cache(folder: Path, file: DataFile) -> bool:
    """Whether a file is in the cache and sound; a damaged one is moved aside."""
    path = folder / file.path
    if not path.is_file():
        return False
    if _readable_match(path, file):
        return True
    with _sentences(folder, file):
        _set_aside(path, path)
    return False


def _set_aside(path: Path, wanted: Path) -> Path:
    """Move a file that fails its hash next to `wanted`, under a name that is not taken, and return it."""
    number, aside = 1, wanted.with_name(wanted.name + ".wrong-hash")
    while aside.exists():
        number += 1
        aside = wanted.with_name(f"{wanted.name}.wrong-hash-{number}")
    os.replace(path, aside)
    return aside


def _download(dataset: DataSet, files: list[DataFile], folder: Path, progress: bool) -> None:
    """Download files into the cache; each appears under its name only when whole and checked."""
    from tqdm import tqdm

    sizes = [file.size for file in files]
    bar = tqdm(
        desc=dataset.name,
        total=None if None in sizes else sum(sizes),
        unit="B",
        unit_scale=True,
        disable=not progress,
        leave=False,
    )
    with bar:
        for file in files:
            with _sentences(folder, file):
                _download_one(file, folder, _FileProgress(bar, file.size))


def _download_one(file: DataFile, folder: Path, progress: "_FileProgress") -> None:
    """Download one file beside its place, check it, and move it there in one step."""
    import pooch

    target = folder / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    pooch.get_logger().setLevel(logging.WARNING)  # it would print the hash that it was not told
    workshop = Path(tempfile.mkdtemp(prefix=".download-", dir=folder))
    try:
        fresh = Path(
            pooch.retrieve(
                file.address,
                known_hash=None,  # pooch deletes what fails its hash; here it is kept aside, see below
                fname=target.name,
                path=workshop,
                downloader=pooch.HTTPDownloader(progressbar=progress, chunk_size=1 << 16, timeout=(10, 60)),
            )
        )
        if not matches(fresh, file.kind, file.digest):
            aside = _set_aside(fresh, target)
            raise DataUnavailable(
                f"what {file.address} gave is not the expected file ({file.kind} differs from "
                f"{file.digest[:12]}…); it was kept as {aside} and will not be used: try again, and if it "
                f"comes out the same the authors have changed the file."
            )
        os.replace(fresh, target)
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


@contextlib.contextmanager
def _sentences(folder: Path, file: DataFile):
    """Turn what can go wrong with a network or a disk into one sentence each."""
    import requests  # pooch's own dependency

    try:
        yield
    except requests.HTTPError as error:
        raise DataUnavailable(
            f"the server answered {error.response.status_code} for {file.address}; get the file by hand "
            f"and put it at {folder / file.path}, or set {VARIABLE} to a folder that has "
            f"{folder.name}/{file.path}."
        ) from None
    except requests.RequestException as error:
        problem = "the connection broke off while downloading" if _broke_off(error) else "no connection to"
        raise DataUnavailable(
            f"{problem} {file.address}; try again, or get the file on a machine with network and put it "
            f"at {folder / file.path}, or set {VARIABLE} to a folder that has {folder.name}/{file.path}."
        ) from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            size = f"{file.size / 1e6:.1f} MB for " if file.size else ""
            raise DataUnavailable(
                f"no space left in {folder} ({size}{file.path}); free some, or keep the data elsewhere and "
                f"set {VARIABLE} to that folder."
            ) from None
        raise DataUnavailable(
            f"cannot write to {folder} ({error.strerror or error}); make it writable, or put the data into a "
            f"folder of your own and set {VARIABLE} to it."
        ) from None


def _broke_off(error: Exception) -> bool:
    """Whether the server had begun to answer."""
    import requests

    return isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ReadTimeout) or (
        "IncompleteRead" in str(error) or "Read timed out" in str(error)
    )


class _FileProgress:
    """One file's share of the bar of a whole data set, in the words that pooch uses for a bar.

    pooch counts in chunks, so that the last one overshoots, then resets and adds the true total.
    """

    def __init__(self, bar, size: int | None):
        self.bar, self.start, self.size = bar, bar.n, size
        self.total = size  # pooch overwrites it with what the server announces

    def update(self, n: int) -> None:
        """Move on by `n` bytes, not beyond the end of the file."""
        end = self.start + (self.total or self.size or self.bar.n + n)
        self.bar.update(min(self.bar.n + n, end) - self.bar.n)

    def reset(self) -> None:
        """Go back to where the file began."""
        self.bar.update(self.start - self.bar.n)

    def close(self) -> None:
        """Leave the bar to the next file."""
