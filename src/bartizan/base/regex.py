"""Regular expressions as policies mean them: RE2 syntax, linear time.

Kyverno, OPA, CEL and Falco all run on Go's or Google's RE2. Python's `re`
would differ in syntax and could be made to hang by a hostile pattern.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import re2

from bartizan.base.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Callable

_MEMORY_BYTES = 8 << 20  # RE2's own default; a larger program is refused rather than swapped in
_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.max_mem = _MEMORY_BYTES


@lru_cache(maxsize=1024)
def compile_test(pattern: str) -> Callable[[str], bool]:
    """Compile `pattern` to a function that tells whether some part of a text matches it.

    RE2's Python wrapper makes an object of every match, with offsets in
    characters, which takes five times as long as matching a short text; what
    it wraps is asked itself.

    Raises:
        SpecError: the pattern is not RE2.
    """
    compiled = compile_regex(pattern)
    inner = getattr(compiled, "_regexp", None)
    match, anchors = getattr(inner, "Match", None), getattr(type(inner), "Anchor", None)
    if match is None or anchors is None:
        return lambda text: compiled.search(text) is not None

    anywhere = anchors.UNANCHORED

    def test(text: str) -> bool:
        data = text.encode(errors="replace")
        return bool(match(anywhere, data, 0, len(data))[0][0] >= 0)

    return test


@lru_cache(maxsize=1024)
def compile_regex(pattern: str) -> Any:
    """Compile `pattern`; the result has RE2's `search`, `fullmatch` and `sub`.

    Raises:
        SpecError: the pattern is not RE2.
    """
    try:
        return re2.compile(pattern, _OPTIONS)
    except re2.error as error:
        reason = error.args[0] if error.args else error
        text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise SpecError(
            f"bad regular expression `{pattern}`: {text}",
            hint="Write it in RE2 syntax, which has no look-around and no back-references.",
        ) from error
