"""Generated source to a function: the one place where what an emitter wrote is run, for every language."""

from __future__ import annotations

import linecache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


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
