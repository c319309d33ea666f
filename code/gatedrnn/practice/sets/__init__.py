"""The exercise sets by name. A set is a package here, ``set1``, ``set2`` …, with a constant ``SET``.

Sets of your own may lie in any other folder that the environment variable ``GATEDRNN_SETS`` names (or
several, separated as in ``PATH``).
"""

import importlib
import os
import pkgutil
import re

from gatedrnn.practice.items import ExerciseSet, Item

__path__ = [*__path__, *filter(None, os.environ.get("GATEDRNN_SETS", "").split(os.pathsep))]


def _modules() -> dict[str, str]:
    """The modules of all sets by the set's name, in the order of their numbers."""
    numbers = [re.fullmatch(r"set(\d+)", module.name) for module in pkgutil.iter_modules(__path__)]
    found = sorted(int(number[1]) for number in numbers if number)
    return {f"set-{number}": f"{__name__}.set{number}" for number in found}


MODULES = _modules()


def load(name: str) -> ExerciseSet:
    """Return the set called ``name``.

    Raises
    ------
    KeyError
        If there is none; the message lists the known ones.
    """
    if name not in MODULES:
        raise KeyError(f"there is no set {name!r}; known sets: {', '.join(MODULES)}")
    return importlib.import_module(MODULES[name]).SET


def find_item(name: str) -> Item:
    """Return the item called ``name``, whichever set it is in.

    Raises
    ------
    KeyError
        If no set has it; the message lists the items of all sets.
    """
    items = {item.name: item for module in MODULES for item in load(module).questions}
    if name not in items:
        raise KeyError(f"there is no item {name!r}; known items: {', '.join(items)}")
    return items[name]
