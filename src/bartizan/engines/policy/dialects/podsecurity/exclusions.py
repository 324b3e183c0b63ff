"""Exclusions from a level, as Kyverno's `podSecurity.exclude` and its exceptions write them.

A control of containers is excluded for images, one of the pod without them;
a restricted field narrows it to that field, and values to those values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.base import wildcard
from bartizan.base.errors import SpecError
from bartizan.base.json import to_text
from bartizan.base.suggest import did_you_mean
from bartizan.engines.policy.dialects.podsecurity.levels import CONTROL_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.podsecurity.pod import Violation

_FIELDS: Final = frozenset({"controlName", "images", "restrictedField", "values"})


class Exclusion(NamedTuple):
    """One entry, compiled: whether it lifts a violation."""

    control: str
    lifts: Callable[[Violation], bool]


def compile_exclusions(entries: Sequence[JsonObject], at: str) -> tuple[Exclusion, ...]:
    """Compile `exclude` entries.

    Raises:
        SpecError: an unknown field or control.
    """
    return tuple(_compile(entry, f"{at}/{index}") for index, entry in enumerate(entries))


def _compile(entry: Json, at: str) -> Exclusion:
    for field in entry:
        if field not in _FIELDS:
            raise SpecError(f"unknown field `{field}`", pointer=f"{at}/{field}", hint=did_you_mean(field, _FIELDS))
    name = str(entry.get("controlName", ""))
    if name not in CONTROL_NAMES:
        hint = did_you_mean(name, CONTROL_NAMES)
        raise SpecError(f"unknown control `{name}`", pointer=f"{at}/controlName", hint=hint)
    images = [wildcard.matcher(str(image)) for image in entry.get("images") or ()]
    field = str(entry.get("restrictedField") or "")
    values = [wildcard.matcher(str(value)) for value in entry.get("values") or ()]

    def lifts(violation: Violation) -> bool:
        if violation.control != name or bool(violation.image) != bool(images):
            return False
        if images and not any(matches(violation.image) for matches in images):
            return False
        if field and violation.field != field:
            return False
        return not values or _all_values(violation.value, values)

    return Exclusion(name, lifts)


def _all_values(found: Json, allowed: Sequence[Callable[[str], bool]]) -> bool:
    """Whether every offending value is among those excluded; nothing at all is not."""
    texts = [
        text if isinstance(text, str) else to_text(text) for text in (found if isinstance(found, list) else [found])
    ]
    return all(any(matches(text) for matches in allowed) for text in texts)
