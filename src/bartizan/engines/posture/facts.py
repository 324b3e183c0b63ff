"""What checks across resources are made of: facts of one resource, and conclusions from all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

from bartizan.model.resource import Resource, ResourceId

Fact: TypeAlias = list[Any]
"""Plain data that crosses a process: the name of the kind of fact, then its values."""

Facts: TypeAlias = Sequence[tuple[ResourceId, Fact]]


class Conclusion(NamedTuple):
    """What a check says of the resource behind fact number `number`."""

    number: int
    pointer: str
    message: str
    evidence: str = ""


Observe: TypeAlias = Callable[[Resource], Fact | None]
Conclude: TypeAlias = Callable[[Facts], Iterator[Conclusion]]


class Template(NamedTuple):
    """A shape of check: the kinds it looks at, those it judges, and its two phases."""

    kinds: frozenset[str]
    judged: frozenset[str]
    observe: Observe
    conclude: Conclude
