"""Finding by regular expression, which Kubernetes adds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.lang.cel.declare import Overload
from bartizan.lang.cel.library.standard import regex
from bartizan.lang.cel.types import INT, STRING, list_of

if TYPE_CHECKING:
    from collections.abc import Mapping


def _find(text: str, pattern: str) -> str:
    match = regex(pattern).search(text)
    return "" if match is None else str(match.group(0))


def _find_all(text: str, pattern: str, count: int = -1) -> list[str]:
    found: list[str] = []
    end = -1
    for match in regex(pattern).finditer(text):
        if 0 <= count <= len(found):
            break
        if match.start() == match.end() == end:  # nothing right behind what was found is not found
            continue
        end = match.end()
        found.append(match.group(0))
    return found


FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "find": (Overload((STRING, STRING), STRING, _find, member=True),),
    "findAll": (
        Overload((STRING, STRING), list_of(STRING), _find_all, member=True, grows=True),
        Overload((STRING, STRING, INT), list_of(STRING), _find_all, member=True, grows=True),
    ),
}
