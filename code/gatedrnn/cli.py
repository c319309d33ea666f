"""The command line: ``gatedrnn data …``, ``gatedrnn start …`` and ``gatedrnn grade …``.

Each command lives in the module that does its work; this file only parses words and picks one. A command
module offers ``add_arguments(parser)`` and ``run(arguments) -> int`` (the exit code) and is imported only
when its command is asked for, so ``gatedrnn --help`` answers at once.
"""

import argparse
import importlib
import sys

import gatedrnn

COMMANDS = {
    "data": ("gatedrnn.datasets.command", "list the real recordings, or fetch one"),
    "start": ("gatedrnn.practice.handout", "copy exercise notebooks to work on, never over your own"),
    "grade": ("gatedrnn.practice.command", "mark exercise notebooks"),
}


def main(words: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = sys.argv[1:] if words is None else words
    parser = argparse.ArgumentParser(prog="gatedrnn", description=gatedrnn.__doc__.split("\n")[0])
    parser.add_argument("--version", action="version", version=f"gatedrnn {gatedrnn.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    wanted = next((word for word in words if not word.startswith("-")), None)
    modules = {}
    for name, (module, description) in COMMANDS.items():
        command = commands.add_parser(name, help=description, description=description)
        if name == wanted:
            modules[name] = importlib.import_module(module)
            modules[name].add_arguments(command)
    arguments = parser.parse_args(words)
    return modules[arguments.command].run(arguments)


if __name__ == "__main__":
    sys.exit(main())
