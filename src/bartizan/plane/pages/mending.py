"""What would mend an object: the catalogue's remediations, done to what is kept of it, as a difference to read."""

from __future__ import annotations

from difflib import unified_diff
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from bartizan.app.asking import Asker, Asking
from bartizan.app.fix.remedies import NEEDS_KNOWLEDGE, compile_remedies, mend
from bartizan.app.given_world import GivenWorld
from bartizan.base.errors import BartizanError
from bartizan.catalog import CheckSpec, load_catalog
from bartizan.model.resource import resource_from
from bartizan.outputs.text import printable
from bartizan.outputs.yaml import lines
from bartizan.plane.pages.source import LONGEST, ordered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bartizan.app.fix.remedies import Remedy

_WIDEST: Final = 400


class Change(NamedTuple):
    """A line of a difference."""

    kind: Literal["add", "del", "at", "same"]
    text: str


class Patch(NamedTuple):
    """What mends: the difference, the checks that pass after it, and what a program may notice of each."""

    changes: tuple[Change, ...]
    fixed: tuple[str, ...]
    warnings: tuple[tuple[str, str], ...]


NO_PATCH: Final = Patch((), (), ())


def check_of(rule: str) -> CheckSpec | None:
    """The check of the catalogue that a rule is; nothing where it is a rule of somebody's own policy."""
    return load_catalog().checks.get(rule)


def patch(body: Mapping[str, Any], rules: Iterable[str], *, risky: bool = False) -> Patch:
    """What the remediations of some rules change in an object; those of a risk only where it is taken."""
    checks = [check for check in map(check_of, dict.fromkeys(rules)) if check is not None and check.remediation]
    taken = [check for check in checks if risky or (check.remediation and check.remediation.risk == "none")]
    remedies = [remedy for check in taken for remedy in _remedies(check.id) if remedy.because != NEEDS_KNOWLEDGE]
    if not remedies:
        return NO_PATCH
    before = ordered(body)
    try:
        asking = Asking(Asker().request_for, GivenWorld(lambda: ()))
        done = mend(resource_from(before), remedies, asking)
        old, new = list(lines(before)), list(lines(ordered(done.resource.body)))
    except (BartizanError, RecursionError):  # an object that no remediation was made for keeps its findings
        return NO_PATCH
    fixed = tuple(str(info.id) for info in done.fixed)
    if not fixed or max(len(old), len(new)) > LONGEST:
        return NO_PATCH
    warnings = tuple(
        (check.id, check.remediation.warning)
        for check in taken
        if check.remediation and check.remediation.warning and check.id in fixed
    )
    return Patch(tuple(_changes(old, new)), fixed, warnings)


@lru_cache(maxsize=256)
def _remedies(name: str) -> tuple[Remedy, ...]:
    """Compiled once a process."""
    return tuple(compile_remedies([load_catalog().checks[name]], risky=True))


def _changes(old: list[str], new: list[str]) -> Iterable[Change]:
    for line in list(unified_diff(old, new, lineterm="", n=3))[2:]:
        mark, text = line[:1], printable(line[: _WIDEST + 1])
        if mark == "@":
            yield Change("at", text)
        elif mark in "+-":
            yield Change("add" if mark == "+" else "del", text)
        else:
            yield Change("same", text)
