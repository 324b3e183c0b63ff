"""The difference of two trees as a JSON patch (RFC 6902), small and in reading order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.engines.policy.mutation.json_patch import Operation
from bartizan.engines.policy.mutation.same import same

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.base.json import Json


def difference(before: Json, after: Json) -> tuple[Operation, ...]:
    """Operations that turn `before` into `after`; none where they are the same.

    Trees that share what did not change are compared by identity first, so
    that the work is in proportion to the change.
    """
    return tuple(_steps(before, after, ()))


def _steps(before: Json, after: Json, path: tuple[str, ...]) -> Iterator[Operation]:
    if before is after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before:
            if key not in after:
                yield Operation("remove", (*path, key))
        for key, value in after.items():
            if key in before:
                yield from _steps(before[key], value, (*path, key))
            else:
                yield Operation("add", (*path, key), value)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _list_steps(before, after, path)
    elif not same(before, after):
        yield Operation("replace", path, after)


def _list_steps(before: list[Json], after: list[Json], path: tuple[str, ...]) -> Iterator[Operation]:
    """What begins and ends both lists alike stays; in between, elements change in place, then come or go."""
    shorter = min(len(before), len(after))
    start = 0
    while start < shorter and same(before[start], after[start]):
        start += 1
    end = 0
    while end < shorter - start and same(before[-1 - end], after[-1 - end]):
        end += 1
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    both = min(len(old), len(new))
    for index in range(both):
        yield from _steps(old[index], new[index], (*path, str(start + index)))
    for index in range(len(old) - 1, both - 1, -1):
        yield Operation("remove", (*path, str(start + index)))
    for index in range(both, len(new)):
        yield Operation("add", (*path, str(start + index)), new[index])
