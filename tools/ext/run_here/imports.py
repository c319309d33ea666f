"""What some code needs besides Python itself, read from its imports and those of the package behind them."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[3] / "code" / "gatedrnn"


def outside_functions(node: ast.AST) -> Iterator[ast.stmt]:
    """Yield the imports that run when a module is imported or a cell is run."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.Import, ast.ImportFrom)):
            yield child
        elif not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield from outside_functions(child)


def imported(source: str) -> set[str]:
    """Dotted names that a source imports; of ``from a import b`` both, since ``a.b`` may be a module."""
    names = set()
    for statement in outside_functions(ast.parse(source)):
        if isinstance(statement, ast.Import):
            names |= {alias.name for alias in statement.names}
        else:
            names |= {statement.module} | {f"{statement.module}.{alias.name}" for alias in statement.names}
    return names


def files_behind(name: str) -> list[Path]:
    """The package's files that are run when one of its modules is imported."""
    parts = name.split(".")[1:]
    stems = [PACKAGE.joinpath(*parts[:depth]) for depth in range(len(parts) + 1)]
    found = [path for stem in stems for path in (stem / "__init__.py", stem.with_suffix(".py"))]
    return [path for path in found if path.is_file()]


def needed(source: str) -> set[str]:
    """Top-level names of the libraries that some code needs, directly or through the package."""
    libraries, seen, waiting = set(), set(), [source]
    while waiting:
        for name in imported(waiting.pop()):
            top = name.split(".")[0]
            if top == PACKAGE.name:
                new = set(files_behind(name)) - seen
                seen |= new
                waiting += [path.read_text(encoding="utf-8") for path in sorted(new)]
            elif top not in sys.stdlib_module_names:
                libraries.add(top)
    return libraries
