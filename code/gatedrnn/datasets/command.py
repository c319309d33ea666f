"""``gatedrnn data``: list the real data sets, or fetch one."""

import os
import sys

from gatedrnn.datasets.fetching import DataUnavailable, fetch, home, state
from gatedrnn.datasets.registry import REGISTRY


def add_arguments(parser) -> None:
    """Define ``gatedrnn data list`` and ``gatedrnn data fetch NAME…``."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="name, size, place, licence and citation of every data set")
    fetching = actions.add_parser("fetch", help="find or download data sets and print their folders")
    fetching.add_argument("names", nargs="+", metavar="NAME", help=", ".join(REGISTRY))
    fetching.add_argument("--quiet", action="store_true", help="no progress bar")


def run(arguments) -> int:
    """Do what the command line says; return the exit code."""
    try:
        if arguments.action == "list":
            print(table(), flush=True)
        else:
            for name in arguments.names:
                print(fetch(name, progress=not arguments.quiet))
    except DataUnavailable as error:
        print(f"gatedrnn data: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print("gatedrnn data: stopped; nothing half-downloaded is left.", file=sys.stderr)
        return 130
    return 0


def table() -> str:
    """Return the list of data sets as text: one line of facts each, its title and citation below.

    Returns
    -------
    str
    """
    rows = [("NAME", "SIZE", "WHERE", "LICENCE")]
    rows += [(d.name, size(d.size), state(d.name), d.licence) for d in REGISTRY.values()]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[3]]) for row in rows
    ]
    text = [lines[0]]
    for line, dataset in zip(lines[1:], REGISTRY.values(), strict=True):
        text += [line, f"    {dataset.title}.", f"    Cite: {dataset.citation}"]
    return "\n".join([*text, "", f"Looked in {home()}."])


def size(n: int | None) -> str:
    """Write a number of bytes for people; a dash where it is unknown.

    Examples
    --------
    >>> size(78391), size(9_912_345), size(None)
    ('78 kB', '9.9 MB', '–')
    """
    if n is None:
        return "–"
    return f"{n / 1e6:.1f} MB" if n >= 1e6 else f"{n / 1e3:.0f} kB"
