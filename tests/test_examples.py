"""The examples in the docstrings of the package run and give what they say."""

import doctest
import importlib
import pkgutil

import gatedrnn
import pytest

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(gatedrnn.__path__, "gatedrnn.")
    if "__main__" not in module.name
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    found = doctest.testmod(importlib.import_module(name))
    assert found.failed == 0, f"{found.failed} of {found.attempted} examples in {name} fail"


def test_there_are_examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    modules = ["cells", "bptt", "layers", "scan", "dynamics", "jacobians", "fixed_points"]
    for name in modules:
        module = importlib.import_module(f"gatedrnn.{name}")
        assert any(test.examples for test in finder.find(module)), name
