"""The shape of the source: how long its files and functions are, and what goes beyond our limits.

    python tools/shape.py src

Prints the table that a review fills in, then each place beyond a limit, worst
first. A limit is a question to the reader and no failure of a build.
"""

from __future__ import annotations

import ast
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIMITS: Final = {"lines of a file": 400, "lines of a function": 60, "parameters": 5, "nesting": 4}
_BLOCKS: Final = (ast.If, ast.For, ast.While, ast.Try, ast.With, ast.Match)
_SCOPES: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_BROAD: Final = ("", "Exception", "BaseException")


class Measure(NamedTuple):
    """One number about one place."""

    what: str
    number: int
    place: str


def measures(path: Path) -> Iterator[Measure]:
    """Everything that is measured of one file; shares are 0 or 1 each."""
    text = path.read_text()
    tree = ast.parse(text)
    yield Measure("lines of a file", text.count("\n"), str(path))
    yield Measure("module has a docstring", int(ast.get_docstring(tree) is not None), str(path))
    yield Measure("type: ignore", text.count("# type: ignore"), str(path))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and _is_public(node)]
    for child in (*tree.body, *(child for node in classes for child in node.body)):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and _is_public(child):
            has = int(ast.get_docstring(child) is not None)
            yield Measure("public function has a docstring", has, f"{path}:{child.lineno} {child.name}")
    for node in ast.walk(tree):
        place = f"{path}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.ExceptHandler):
            yield Measure("handler is broad", int((ast.unparse(node.type) if node.type else "") in _BROAD), place)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _of_function(node, f"{place} {node.name}")


def _is_public(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    return not node.name.startswith("_")


def _of_function(node: ast.FunctionDef | ast.AsyncFunctionDef, place: str) -> Iterator[Measure]:
    given = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
    own = [arg for arg in given if arg.arg not in ("self", "cls")]
    yield Measure("lines of a function", (node.end_lineno or node.lineno) - node.lineno + 1, place)
    yield Measure("parameters", len(own), place)
    yield Measure("nesting", _nesting(node), place)
    yield from (Measure("parameter is annotated", int(arg.annotation is not None), place) for arg in own)


def _nesting(node: ast.AST, depth: int = 0) -> int:
    """How many blocks stand in each other; `elif` stands beside its `if`."""
    deepest = depth
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _SCOPES):
            continue
        beside = isinstance(child, ast.If) and isinstance(node, ast.If) and node.orelse == [child]
        deepest = max(deepest, _nesting(child, depth + (isinstance(child, _BLOCKS) and not beside)))
    return deepest


def report(found: list[Measure]) -> Iterator[str]:
    """The table, then what goes beyond a limit."""
    kinds = dict.fromkeys(item.what for item in found)
    for what in kinds:
        numbers = sorted(item.number for item in found if item.what == what)
        if what in _LIMITS:
            middle, high = statistics.median(numbers), numbers[int(len(numbers) * 0.95)]
            yield f"{what:32} median {middle:g}, p95 {high}, max {numbers[-1]}, of {len(numbers):,}"
        else:
            yield f"{what:32} {sum(numbers):,} of {len(numbers):,}"
    for item in sorted(found, key=lambda item: (item.what, -item.number)):
        if item.number > _LIMITS.get(item.what, item.number):
            yield f"{item.what}: {item.number}  {item.place}"


if __name__ == "__main__":
    paths = [path for root in sys.argv[1:] or ["src"] for path in sorted(Path(root).rglob("*.py"))]
    print("\n".join(report([item for path in paths for item in measures(path)])))
