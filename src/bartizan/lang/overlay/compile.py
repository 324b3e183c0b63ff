"""A pattern to a Python function, by way of readable source."""

from __future__ import annotations

import linecache
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bartizan.base.errors import SpecError
from bartizan.base.pointer import escape
from bartizan.lang.overlay.emit import NAMES, emit
from bartizan.lang.overlay.parse import MAX_DEPTH, parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.base.json import Json
    from bartizan.lang.overlay.mismatch import Mismatch

    Check = Callable[[Json], Mismatch | None]

_NUMBERS: Final = count(1)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern: `check(value)` is `None` where the value matches."""

    check: Callable[[Json], Mismatch | None]
    source: str


def compile_pattern(pattern: Json, *, name: str = "pattern") -> Pattern:
    """Compile a pattern. `name` shows in tracebacks and profiles.

    Raises:
        SpecError: the pattern is malformed; its `pointer` says where.
    """
    path, inner = _outer_path(pattern)
    try:
        compiled = _compile(msgspec.json.encode(inner), name)
    except SpecError as error:
        where = "".join(f"/{escape(key)}" for key in path)
        raise SpecError(error.message, hint=error.hint, pointer=where + error.pointer) from error
    return _below(path, compiled) if path else compiled


def _outer_path(pattern: Json) -> tuple[tuple[str, ...], Json]:
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
    return Pattern(_descent(path)(inner.check), inner.source)


@lru_cache(maxsize=256)
def _descent(path: tuple[str, ...]) -> Callable[[Check], Check]:
    """Generate the way down a path, once for all patterns below it."""
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
    source = "\n".join(lines) + "\n"
    namespace: dict[str, Any] = {"__builtins__": {}, **NAMES}
    exec(compile(source, f"<overlay path {pointer!r}>", "exec"), namespace)  # noqa: S102 (keys go in through repr() alone)
    descend: Callable[[Check], Check] = namespace["descend"]
    return descend


@lru_cache(maxsize=4096)
def _compile(encoded: bytes, name: str) -> Pattern:
    """Compile a pattern given as JSON, once for all who have the same."""
    source, constants = emit(parse(msgspec.json.decode(encoded)))
    file = f"<overlay {next(_NUMBERS)}: {name!r}>"
    namespace: dict[str, Any] = {"__builtins__": {}, **NAMES, **constants}
    # only text from `emit` is compiled: names are generated, keys go through repr(), all else stands in constants
    exec(compile(source, file, "exec"), namespace)  # noqa: S102 (argued in the line above)
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    return Pattern(namespace["check"], source)
