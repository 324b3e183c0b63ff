"""Frameworks of the catalogue as scores take them.

A control that rules serve and a person attests to as well is two for a
score: what the rules see, and what was attested. Neither speaks for the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.findings.score import Control, Framework

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.catalog.loader import Control as Demand
    from bartizan.catalog.loader import Framework as Demands

_BY_WORD: Final = "by-word"


def scored(framework: Demands) -> Framework:
    """A framework as scores take it."""
    return Framework(framework.id, tuple(_controls(framework)))


def attested_name(name: str, demand: Demand) -> str:
    """What a score calls the attested part of a control; empty where none is attested."""
    if not demand.manual:
        return ""
    return f"{name}:{_BY_WORD}" if demand.checks else name


def _controls(framework: Demands) -> Iterator[Control]:
    for name, demand in framework.controls.items():
        if demand.checks:
            yield Control(name)
        if demand.manual:
            yield Control(attested_name(name, demand), manual=True)
