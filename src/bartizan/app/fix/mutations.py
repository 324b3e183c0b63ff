"""Rules that mutate, on one resource, as admission would apply them, until they have nothing more to do.

A file is fixed again and again, where admission sees an object once. A rule
that would change its own result each time is therefore not applied at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from bartizan.app.fix.ordering import in_order
from bartizan.engines.policy.chain import run_chain
from bartizan.model.outcome import Broken, Passed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bartizan.app.asking import Asking
    from bartizan.engines.policy.chain import Step
    from bartizan.engines.policy.plan import Rule
    from bartizan.model.resource import Resource

_ROUNDS: Final = 4  # rules may build on each other, in whatever order they stand


class Mutated(NamedTuple):
    """A resource after the rules: those that changed it, and those that were left and why."""

    resource: Resource
    applied: tuple[Rule, ...]
    left: tuple[tuple[Rule, str], ...]


def mutate(resource: Resource, rules: Sequence[Rule], asking: Asking) -> Mutated:
    """Apply rules until nothing changes; those that never come to rest are left out, and the others begin anew."""
    restless: list[Rule] = []
    while True:
        calm = [rule for rule in rules if rule not in restless]
        found = _rounds(resource, calm, asking)
        if not found.again:
            left = [*found.left, *((rule, "changes its own result each time it runs") for rule in restless)]
            return Mutated(found.resource, found.applied, tuple(left))
        restless += found.again


class _Rounds(NamedTuple):
    resource: Resource
    applied: tuple[Rule, ...]
    left: tuple[tuple[Rule, str], ...]
    again: list[Rule]
    """Rules that still changed something in the last round."""


def _rounds(resource: Resource, rules: Sequence[Rule], asking: Asking) -> _Rounds:
    applied: dict[int, Rule] = {}
    left: dict[int, tuple[Rule, str]] = {}
    moving: list[Rule] = []
    for _ in range(_ROUNDS):
        moving = []
        body = resource.body
        before = resource
        for step in run_chain(rules, resource, asking.request_for, asking.lookup):
            after = in_order(body, step.resource.body)
            if after is not body:
                moving.append(step.rule)
                applied[id(step.rule)] = step.rule
            elif (reason := _not_done(step, before)) != "":
                left[id(step.rule)] = (step.rule, reason)
            body, before = after, step.resource
        if not moving:
            break
        resource = msgspec.structs.replace(resource, body=body)
    return _Rounds(resource, tuple(applied.values()), tuple(left.values()), moving)


def _not_done(step: Step, before: Resource) -> str:
    """Why a rule that has something to say did nothing to this resource."""
    match step.outcome:
        case Broken(error):
            return error
        case Passed(changes=changes) if any(change.before is not before.body for change in changes):
            return "changes other objects than the one it is asked about"
        case _:
            return ""
