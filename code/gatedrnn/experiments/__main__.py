"""``python -m gatedrnn.experiments NAME``: run an experiment and write its table."""

import argparse
import sys
from pathlib import Path

from gatedrnn.cluster import ClusterError
from gatedrnn.datasets import DataUnavailable
from gatedrnn.experiments import EXPERIMENTS
from gatedrnn.experiments.reading import FOLDER
from gatedrnn.experiments.running import load, run


def main(words: list[str] | None = None) -> int:
    """Run one experiment and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m gatedrnn.experiments",
        description="Run an experiment and write its table. A run that is stopped goes on where it was.",
        epilog="; ".join(f"{name}: {what}" for name, what in EXPERIMENTS.items()),
    )
    parser.add_argument("name", choices=EXPERIMENTS, metavar="NAME", help="one of: " + ", ".join(EXPERIMENTS))
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, help="where the table goes (the package's own)"
    )
    parser.add_argument("--fresh", action="store_true", help="do not use the rows of a run that was stopped")
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="compute on the workers of this Dask scheduler: tcp://host:8786",
    )
    arguments = parser.parse_args(words)
    experiment, options = load(arguments.name), {"fresh": arguments.fresh, "scheduler": arguments.scheduler}
    try:
        path = run(experiment, arguments.name, arguments.folder, **options)
    except ClusterError as error:
        print(f"{arguments.name}: {error}; rows that are done are kept.", file=sys.stderr)
        return 1
    except DataUnavailable as error:
        print(f"{arguments.name} needs a recording: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here.", file=sys.stderr)
        return 130
    print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
