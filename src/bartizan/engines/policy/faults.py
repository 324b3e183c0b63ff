"""Everything that is wrong with a document whose compiler stops at the first thing that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.base import pointer as pointers
from bartizan.engines.policy.remark import Said

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bartizan.base.errors import SpecError
    from bartizan.base.json import Json

_MOST: Final = 32
"""Times a document is compiled again without what is wrong with it, to find what else is."""


def faults(document: Json, problems: Callable[[Json], Sequence[SpecError]]) -> Iterator[Said]:
    """Everything that a compiler refuses: it is asked again without what it named, until it has no more to say."""
    removed: list[str] = []
    for _ in range(_MOST):
        fresh = [error for error in problems(document) if error.pointer not in removed]
        for problem in fresh:
            # what is missing only because of what was taken away is no fault of the policy
            if not any(place.startswith(f"{problem.pointer}/") for place in removed):
                yield Said(problem.pointer, problem.message, problem.hint, begins=problem.column - 1)
            document = _without(document, pointers.split(problem.pointer))
            removed.append(problem.pointer)
        if not fresh:
            return


def _without(value: Json, path: list[str]) -> Json:
    """The same without what stands at a path, so that the compiler comes to what is behind it."""
    if not path:
        return value
    if isinstance(value, dict) and path[0] in value:
        rest = {key: item for key, item in value.items() if key != path[0]}
        return rest if len(path) == 1 else {**value, path[0]: _without(value[path[0]], path[1:])}
    if isinstance(value, list) and path[0].isdecimal() and int(path[0]) < len(value):
        at = int(path[0])
        inner = [] if len(path) == 1 else [_without(value[at], path[1:])]
        return [*value[:at], *inner, *value[at + 1 :]]
    return value
