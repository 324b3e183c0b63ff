"""Generated source: how emitters of every language write it, and the one place where it is run."""

from __future__ import annotations

import linecache
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def load(source: str, name: str, file: str, names: Mapping[str, Any]) -> Any:
    """The function `name` of a source that sees nothing but `names`: builtins are not there.

    `file` is what tracebacks and profilers call it, and show its lines by.
    """
    namespace: dict[str, Any] = {"__builtins__": {}, **names}
    # only text from an emitter comes here: names are generated, and what a policy says stands in constants, or in
    # literals by repr()
    exec(compile(source, file, "exec"), namespace)  # noqa: S102 (argued in the lines above)
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    return namespace[name]


class Source:
    """Source being written: finished functions, the lines of the current one, and the constants they need."""

    def __init__(self) -> None:
        self.functions: list[str] = []
        self.constants: dict[str, Any] = {}
        self.lines: list[str] = []
        self.depth = 1
        self._names = 0

    def line(self, text: str) -> None:
        """Write a line of the current function, as deep as it stands."""
        self.lines.append("    " * self.depth + text)

    def name(self, prefix: str = "t") -> str:
        """A name that nothing else has."""
        self._names += 1
        return f"{prefix}{self._names}"

    def constant(self, value: Any, prefix: str = "c") -> str:
        """The name by which the source has a value; so what a policy says never stands in it."""
        name = self.name(prefix)
        self.constants[name] = value
        return name

    @contextmanager
    def body(self, depth: int = 1) -> Iterator[list[str]]:
        """The lines of a function inside, which may be begun while another is being written."""
        outer = self.lines, self.depth
        self.lines, self.depth = [], depth
        yield self.lines
        self.lines, self.depth = outer
