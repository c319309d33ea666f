"""The exercise sets by name. A set is a module here with a constant ``SET``; add its name to ``MODULES``."""

import importlib

from gatedrnn.practice.items import ExerciseSet, Item

MODULES = {"set-1": "gatedrnn.practice.sets.set1"}


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
