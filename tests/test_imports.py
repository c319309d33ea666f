"""What a first import may bring along: torch and the plotting library only where they are needed."""

import json
import subprocess
import sys

import pytest

HEAVY = ("torch", "matplotlib", "sklearn", "pandas")


def brought(module):
    """Return the heavy packages that a fresh interpreter holds after one import."""
    words = f"import sys, json, {module}; print(json.dumps([m for m in {HEAVY} if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_the_package_itself_brings_nothing_heavy():
    assert brought("gatedrnn") == []


@pytest.mark.parametrize(
    "module", ["cells", "bptt", "dynamics", "tasks", "conventions", "counting", "datasets"]
)
def test_rooms_in_numpy_do_without_torch(module):
    assert "torch" not in brought(f"gatedrnn.{module}")


def test_the_layers_do_without_plots():
    assert "matplotlib" not in brought("gatedrnn.layers, gatedrnn.scan, gatedrnn.training")
