"""A pattern to a Python function, by way of readable source."""

from __future__ import annotations

import linecache
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from bartizan.lang.overlay.emit import NAMES, emit
from bartizan.lang.overlay.parse import parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.base.json import Json
    from bartizan.lang.overlay.mismatch import Mismatch

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
    source, constants = emit(parse(pattern))
    file = f"<overlay {next(_NUMBERS)}: {name}>"
    namespace: dict[str, Any] = {"__builtins__": {}, **NAMES, **constants}
    # only text from `emit` is compiled: names are generated, keys go through repr(), all else stands in constants
    exec(compile(source, file, "exec"), namespace)  # noqa: S102 (argued in the line above)
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    return Pattern(namespace["check"], source)
