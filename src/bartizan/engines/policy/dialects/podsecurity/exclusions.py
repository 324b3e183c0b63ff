"""Exclusions from a level, as Kyverno's `podSecurity.exclude` and its exceptions write them.

A control of containers is excluded for images, one of the pod without them;
a restricted field narrows it to that field, and values to those values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from bartizan.base import wildcard
from bartizan.base.errors import SpecError
from bartizan.base.json import to_text
from bartizan.base.suggest import did_you_mean
from bartizan.engines.policy.dialects.podsecurity.levels import CONTROL_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bartizan.base.json import Json
    from bartizan.engines.policy.dialects.podsecurity.pod import Violation


class Exclusion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A control that is not asked, for some images or some values of a field."""

    control_name: str
    images: list[str] | None = None
    restricted_field: str = ""
    values: list[str] | None = None


class Exclusions:
    """Compiled entries, by control: which violations they lift."""

    def __init__(self, entries: Sequence[_Compiled]) -> None:
        self._by_control: dict[str, list[Callable[[Violation], bool]]] = {}
        for entry in entries:
            self._by_control.setdefault(entry.control, []).append(entry.lifts)

    def left(self, violations: list[Violation]) -> list[Violation]:
        """The violations that no entry lifts."""
        by_control = self._by_control
        if not by_control:
            return violations
        left = []
        for violation in violations:
            for lifts in by_control.get(violation.control, ()):
                if lifts(violation):
                    break
            else:
                left.append(violation)
        return left


class _Compiled(NamedTuple):
    control: str
    lifts: Callable[[Violation], bool]


def compile_exclusions(entries: Sequence[Exclusion], at: str) -> Exclusions:
    """Compile `exclude` entries.

    Raises:
        SpecError: an unknown control.
    """
    return Exclusions([_compile(entry, f"{at}/{index}") for index, entry in enumerate(entries)])


def _compile(entry: Exclusion, at: str) -> _Compiled:
    name = entry.control_name
    if name not in CONTROL_NAMES:
        hint = did_you_mean(name, CONTROL_NAMES)
        raise SpecError(f"unknown control `{name}`", pointer=f"{at}/controlName", hint=hint)
    images = [wildcard.matcher(image) for image in entry.images or ()]
    field = entry.restricted_field
    values = [wildcard.matcher(value) for value in entry.values or ()]

    def lifts(violation: Violation) -> bool:
        image = violation.image
        if bool(image) != bool(images):
            return False
        if images and not any(matches(image) for matches in images):
            return False
        if field and violation.field != field:
            return False
        return not values or _all_values(violation.value, values)

    return _Compiled(name, lifts)


def _all_values(found: Json, allowed: Sequence[Callable[[str], bool]]) -> bool:
    """Whether every offending value is among those excluded; nothing at all is not."""
    texts = [
        text if isinstance(text, str) else to_text(text) for text in (found if isinstance(found, list) else [found])
    ]
    return all(any(matches(text) for matches in allowed) for text in texts)
