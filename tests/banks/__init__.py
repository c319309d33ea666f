"""One bank for each exercise set: right answers, half-done work, typical mistakes as learners write them.

A bank is a module ``set1``, ``set2`` … with

RIGHT : dict
    A right answer to every item that a machine marks, written in another way than the notebook's.
WRONG : list of tuple
    ``(item, the mistake that must be recognised, points earned all the same, source)``.
HALF_DONE : tuple
    ``(cells, marks)``: code cells of unfinished work and the points by item that they earn.
GIVEN : str, optional
    Code that runs first, such as functions that the notebook hands to the learner.
DRAWS : int, optional
    Of how many draws a reference and the right answer must agree; 40 by default.

``PRACTICE_SETS="set-3 set-4"`` in the environment limits the tests of sets to these, while one is written.
"""

import functools
import importlib
import math
import os
import warnings

import numpy as np
from gatedrnn.practice import sets
from gatedrnn.practice.checking import ask
from gatedrnn.practice.judge import judge

SETS = [sets.load(name) for name in os.environ.get("PRACTICE_SETS", " ".join(sets.MODULES)).split()]


def bank(name):
    """The bank of a set."""
    return importlib.import_module(f"banks.{name.replace('-', '')}")


def set_of(item):
    """The name of the set that an item belongs to."""
    return next(name for name in sets.MODULES if item in [each.name for each in sets.load(name).questions])


def function(name, source):
    """The function that a learner's source defines."""
    namespace = {"np": np, "math": math}
    exec(getattr(bank(set_of(name)), "GIVEN", ""), namespace)
    exec(source, namespace)
    return namespace[name]


@functools.cache
def verdict(name, source):
    """What the check makes of it."""
    item = sets.find_item(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return judge(item, ask(item, function(name, source)))
