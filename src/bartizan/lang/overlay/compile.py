"""A pattern to a Python function, by way of readable source."""

from __future__ import annotations

from contextlib import contextmanager
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from bartizan.base.errors import SpecError
from bartizan.base.generated import load
from bartizan.base.pointer import escape
from bartizan.lang.overlay.emit import NAMES, emit
from bartizan.lang.overlay.parse import MAX_DEPTH, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bartizan.base.json import Json
    from bartizan.lang.overlay.mismatch import Mismatch

    Check = Callable[[Json], Mismatch | None]

_NUMBERS: Final = count(1)


class Pattern(NamedTuple):
    """A compiled pattern: `check(value)` is `None` where the value matches."""

    check: Callable[[Json], Mismatch | None]
    source: str


def compile_pattern(pattern: Json, *, name: str = "pattern") -> Pattern:
    """Compile a pattern. `name` shows in tracebacks and profiles.

    Raises:
        SpecError: the pattern is malformed; its `pointer` says where.
    """
    path, inner = outer_path(pattern)
    with placing(path):
        compiled = _compile(msgspec.json.encode(inner), name)
    return _below(path, compiled) if path else compiled


@contextmanager
def placing(path: tuple[str, ...]) -> Iterator[None]:
    """Say of errors in what stands at a path where in the whole they are."""
    try:
        yield
    except SpecError as error:
        where = "".join(f"/{escape(key)}" for key in path)
        raise SpecError(error.message, hint=error.hint, pointer=where + error.pointer) from error


def outer_path(pattern: Json) -> tuple[tuple[str, ...], Json]:
    """The plain keys around a pattern, each alone in its map, and what they hold.

    Patterns for a Pod, its Deployment and its CronJob differ in nothing
    else, so that what is inside is compiled once for all three.
    """
    path: list[str] = []
    while isinstance(pattern, dict) and len(pattern) == 1 and len(path) < MAX_DEPTH:
        (key,) = pattern
        # labels and annotations take wildcards in keys, which their own map must see; anchors are no plain keys
        if not isinstance(key, str) or key == "metadata" or "(" in key or not isinstance(pattern[key], dict):
            break
        path.append(key)
        pattern = pattern[key]
    return tuple(path), pattern


def _below(path: tuple[str, ...], inner: Pattern) -> Pattern:
    """A pattern for what stands at `path`; everything on the way must be a map."""
    return Pattern(descent(path)(inner.check), inner.source)


@lru_cache(maxsize=256)
def descent(path: tuple[str, ...]) -> Callable[[Check], Check]:
    """Generate the way down a path, once for all patterns below it."""
    file = f"<overlay path {'/'.join(path)!r}>"
    descend: Callable[[Check], Check] = load(descent_source(path), "descend", file, NAMES)
    return descend


def descent_source(path: tuple[str, ...]) -> str:
    """Write `def descend(inner)`, which makes a check of the whole from one of what stands at the path."""
    lines = ["def descend(inner):", "    def check(value):"]
    pointer = ""
    for step in path:
        lines += [
            "        if value.__class__ is not dict:",
            f"            return Mismatch({pointer!r}, value, 'a map')",
            f"        value = value.get({step!r})",
        ]
        pointer += f"/{escape(step)}"
    again = f"Mismatch({pointer!r} + found.pointer, found.value, found.wanted, found.reason, found.skip, found.broken)"
    lines += ["        found = inner(value)", f"        return None if found is None else {again}", "    return check"]
    return "\n".join(lines) + "\n"


@lru_cache(maxsize=4096)
def _compile(encoded: bytes, name: str) -> Pattern:
    """Compile a pattern given as JSON, once for all who have the same."""
    source, constants = emit(parse(msgspec.json.decode(encoded)))
    return Pattern(load_source(source, constants, name), source)


def load_source(source: str, constants: dict[str, Any], name: str) -> Any:
    """The function `check` of what the emitter wrote; the source shows in tracebacks and profilers."""
    return load(source, "check", f"<overlay {next(_NUMBERS)}: {name!r}>", {**NAMES, **constants})


def source_of(pattern: Json) -> str:
    """The Python that is generated for a pattern: the way down its outer path, and what is judged there.

    Raises:
        SpecError: the pattern is malformed; its `pointer` says where.
    """
    path, inner = outer_path(pattern)
    with placing(path):
        compiled = _compile(msgspec.json.encode(inner), "pattern")
    return f"{descent_source(path)}\n\n{compiled.source}" if path else compiled.source
