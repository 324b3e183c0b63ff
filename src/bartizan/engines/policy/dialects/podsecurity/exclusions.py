"""Exclusions from a level, as Kyverno's `podSecurity.exclude` and its exceptions write them.

A control of containers is excluded for images, one of the pod without them;
a restricted field narrows it to that field, and values to those values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bartizan.base import wildcard
from bartizan.base.errors import SpecError
from bartizan.base.json import to_text
from bartizan.base.suggest import did_you_mean
from bartizan.engines.policy.dialects.podsecurity.levels import CONTROL_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bartizan.base.json import Json
    from bartizan.engines.policy.dialects.podsecurity.exclusion import Exclusion
    from bartizan.engines.policy.dialects.podsecurity.pod import Violation


class Exclusions:
    """Compiled entries: which violations they lift."""

    def __init__(self, entries: Sequence[_Compiled]) -> None:
        self._by_control: dict[str, list[Callable[[Violation], bool]]] = {}
        for entry in entries:
            if entry.of_containers:
                self._by_control.setdefault(entry.control, []).append(entry.accepts)
        self._of_pod = [entry for entry in entries if not entry.of_containers]
        self.of_pod = frozenset(entry.control for entry in self._of_pod)
        """The controls that are excluded for the pod itself."""

    def left(self, violations: list[Violation], bare: Callable[[], list[Violation]]) -> list[Violation]:
        """The violations that no entry lifts; `bare` has those of the pod with one empty container, by `of_pod`."""
        by_control = self._by_control
        left = violations
        if by_control:
            left = []
            for violation in violations:
                for accepts in by_control.get(violation.control, ()):
                    if accepts(violation):
                        break
                else:
                    left.append(violation)
        return self._without_pods_own(left, bare) if left and self._of_pod else left

    def _without_pods_own(self, violations: list[Violation], bare: Callable[[], list[Violation]]) -> list[Violation]:
        """Lift what the pod itself violates: for each violation of the bare pod, the first in the same field."""
        if not any(violation.control in self.of_pod for violation in violations):
            return violations
        left, own = list(violations), bare()
        for entry in self._of_pod:
            for violation in own:
                if violation.control == entry.control and entry.accepts(violation):
                    _lift_first(left, violation)
        return left


def _lift_first(violations: list[Violation], like: Violation) -> None:
    for index, violation in enumerate(violations):
        if violation.control == like.control and violation.field == like.field:
            del violations[index]
            return


class _Compiled(NamedTuple):
    control: str
    accepts: Callable[[Violation], bool]
    of_containers: bool


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

    def accepts(violation: Violation) -> bool:
        image = violation.image
        if images and not (image and any(matches(image) for matches in images)):
            return False
        if field and violation.field != field:
            return False
        return not values or _all_values(violation.value, values)

    return _Compiled(name, accepts, bool(images))


def _all_values(found: Json, allowed: Sequence[Callable[[str], bool]]) -> bool:
    """Whether every offending value is among those excluded; nothing at all is not."""
    texts = [
        text if isinstance(text, str) else to_text(text) for text in (found if isinstance(found, list) else [found])
    ]
    return all(any(matches(text) for matches in allowed) for text in texts)
