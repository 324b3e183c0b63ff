"""Where in a resource the paths of expressions lead: `object.spec.containers[0]`, `variables.pods[1]`, `c.image`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bartizan.base.pointer import escape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bartizan.engines.policy.explanation.places import Places

_STEP: Final = r"""\.\??(?:([A-Za-z_]\w*)|`([^`]+)`)|\[\??(?:(\d+)|'((?:[^'\\])*)')\]"""
_STEPS: Final = re.compile(_STEP, re.ASCII)
_PATH: Final = re.compile(rf"([A-Za-z_]\w*)((?:{_STEP})*)", re.ASCII)
_TEST: Final = re.compile(r"has\((.*)\)", re.ASCII | re.DOTALL)
_NAMED: Final = "variables"
_MISSING: Final[Any] = object()


class Root(NamedTuple):
    """A name that a path may begin with: its value, and where that stands, if it is known otherwise than by itself."""

    value: Any
    pointer: str | None = None


class Roots:
    """The names in reach of a part of an expression; `variables` are those of the policy that have a value."""

    def __init__(self, places: Places, names: Mapping[str, Root], variables: Mapping[str, Any]) -> None:
        self._places = places
        self._names = names
        self._variables = variables

    def plus(self, names: Mapping[str, Root]) -> Roots:
        """With more names, as inside a loop."""
        return Roots(self._places, {**self._names, **names}, self._variables)

    def pointer(self, text: str) -> str | None:
        """Where in the resource an expression reads, where it is nothing but a path or asks for one."""
        test = _TEST.fullmatch(text)
        path = _PATH.fullmatch(test[1] if test else text)
        if path is None:
            return None
        steps = [next(part for part in step if part) for step in _STEPS.findall(path[2]) if any(step)]
        if path[1] == _NAMED and steps:
            root = Root(self._variables.get(steps.pop(0), _MISSING))
        else:
            root = self._names.get(path[1], Root(_MISSING))
        return None if root.value is _MISSING else self._followed(root, steps)

    def place_of(self, value: Any) -> str | None:
        """Where a value stands that is a part of the resource."""
        return self._places.of(value)

    def _followed(self, root: Root, steps: list[str]) -> str | None:
        """The place of the last part on the way that is known to be in the resource, and the steps from there on."""
        value, known = root.value, root.pointer
        rest: list[str] = []
        if known is None:
            known = self._places.of(value)
        for step in steps:
            value = _below(value, step)
            place = self._places.of(value)
            known, rest = (known, [*rest, step]) if place is None else (place, [])
        return None if known is None else "".join([known, *(f"/{escape(step)}" for step in rest)])


def _below(value: Any, step: str) -> Any:
    if isinstance(value, dict):
        return value.get(step, _MISSING)
    if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
        return value[int(step)]
    return _MISSING
