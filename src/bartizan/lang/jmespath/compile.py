"""Expression text to Python function, by way of readable source."""

from __future__ import annotations

import linecache
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any, Final, Literal

from bartizan.base.generated import load
from bartizan.lang.jmespath import runtime
from bartizan.lang.jmespath.check import check
from bartizan.lang.jmespath.emit import emit
from bartizan.lang.jmespath.parse import Node, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bartizan.base.json import Json
    from bartizan.lang.jmespath.library import Functions

_NUMBERS: Final = count(1)


@lru_cache(maxsize=8192)
def compile_expression(
    text: str, functions: Functions, *, missing: Literal["null", "error"] = "error"
) -> Callable[[Any], Json]:
    """Compile an expression to a function of the value it is applied to.

    The value may be any mapping; a name it lacks is asked for with `[]`, so
    that it may be loaded then. Raises `JmesPathError` when called.

    Raises:
        SpecError: the expression is malformed, or calls what is not there.
    """
    tree = parse(text, bare_literals=missing == "null")
    check(tree, text, functions)
    source, constants = emit(tree, functions, strict=missing == "error")
    function: Callable[[Any], Json] = load_source(source, constants, text, "expression")
    return function


def load_source(source: str, constants: dict[str, Any], title: str, name: str) -> Any:
    """The function `name` of what the emitter wrote; the source shows in tracebacks and profilers."""
    file = f"<jmespath {next(_NUMBERS)}: {title[:60]!r}>"
    return load(source, name, file, {**runtime.NAMES, **constants})


def source_of(function: Callable[[Any], Json]) -> str:
    """The Python that was generated for a compiled expression; empty for any other function."""
    code = getattr(function, "__code__", None)
    return "".join(linecache.getlines(code.co_filename)) if code and code.co_filename.startswith("<jmespath ") else ""


WHOLE: Final = "@"
"""Stands among roots for an expression that uses all of what it is applied to."""


@lru_cache(maxsize=8192)
def roots_of(text: str) -> frozenset[str]:
    """The names an expression reads from what it is applied to, such as `request`; `WHOLE` where it may read any.

    Raises:
        SpecError: the expression is malformed.
    """
    return frozenset(_roots(parse(text)))


def _roots(node: Node) -> Iterator[str]:
    """Names read from the root, for a node whose current value is the root."""
    kind, children = node["type"], node["children"]
    if kind == "field":
        yield node["value"]
    elif kind == "current" or (kind == "value_projection" and _is_root(children[0])):
        yield WHOLE
    elif kind in _STEPS:
        # only what comes first sees the root, unless that is the root itself
        at = next((place for place, child in enumerate(children) if not _is_root(child)), len(children) - 1)
        yield from _roots(children[at])
    elif kind in _PROJECTIONS:
        if not _is_root(children[0]):
            yield from _roots(children[0])
    elif kind != "expref":  # which sees members, never the root
        for child in children:
            if isinstance(child, dict):
                yield from _roots(child)


def _is_root(node: Node) -> bool:
    return node["type"] in ("current", "identity")


_STEPS: Final = frozenset({"subexpression", "index_expression", "pipe"})
_PROJECTIONS: Final = frozenset({"projection", "value_projection", "filter_projection", "flatten"})
