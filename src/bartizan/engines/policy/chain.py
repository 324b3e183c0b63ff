"""Rules in the order of admission: what mutates, what verifies images, what judges, what generates.

Each rule sees the resource as the rules before it left it. Nothing is done
here; the changes are said, and the caller does them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import msgspec

from bartizan.model.outcome import Broken, Failed, Passed, Skipped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bartizan.engines.policy.lookup import Lookup
    from bartizan.engines.policy.plan import Deed, Rule, Run
    from bartizan.model.outcome import Outcome
    from bartizan.model.request import Request
    from bartizan.model.resource import Resource

ORDER: Final[tuple[Deed, ...]] = ("mutate", "verify", "validate", "generate", "delete")


class Step(NamedTuple):
    """What one rule said, and the resource as it was afterwards."""

    rule: Rule
    outcome: Outcome
    resource: Resource


TOO_DEEP: Final = Broken("the resource, or what the rule makes of it, nests too deep")
"""What comes of a rule that runs out of Python's stack, which must not end the run of all."""


def asked(run: Run, request: Request, lookup: Lookup) -> Outcome | None:
    """What a rule says of a request."""
    try:
        return run(request, lookup)
    except RecursionError:
        return TOO_DEEP


class RequestFor(Protocol):
    """Makes the request one rule is asked about, for recorded values may differ from rule to rule."""

    def __call__(self, rule: Rule, resource: Resource) -> Request:
        """The request, about the resource as it is now."""


def run_chain(
    rules: Iterable[Rule], resource: Resource, request_for: RequestFor, lookup: Lookup, *, all_kinds: bool = False
) -> list[Step]:
    """Ask every rule about one resource; rules that give no answer are left out.

    With `all_kinds` also those that are for other kinds, which may mean the
    parent of a subresource.
    """
    ordered = [rule for rule in rules if all_kinds or rule.kinds is None or resource.id.kind in rule.kinds]
    steps: list[Step] = []
    applied: set[tuple[str, Deed]] = set()
    for deed in ORDER:
        for rule in ordered:
            if rule.does != deed:
                continue
            policy = (rule.info.id.policy, deed)
            if rule.yields and policy in applied:
                continue
            outcome = asked(rule.run, request_for(rule, resource), lookup)
            if outcome is None:
                continue
            if isinstance(outcome, Passed | Failed):
                applied.add(policy)
            resource = changed(resource, outcome)
            steps.append(Step(rule, outcome, resource))
        if deed == "mutate":
            resource = _asked_again(steps, resource, request_for, lookup)
    return steps


def _asked_again(steps: list[Step], resource: Resource, request_for: RequestFor, lookup: Lookup) -> Resource:
    """Ask some rules once more where the resource was changed; the resource after that.

    The API server asks again whoever wants it, even the one that made the change.
    """
    if not any(_changes(step) for step in steps):
        return resource
    for rule in [step.rule for step in steps if step.rule.again and not isinstance(step.outcome, Skipped)]:
        outcome = asked(rule.run, request_for(rule, resource), lookup)
        if outcome is not None and not isinstance(outcome, Skipped):
            resource = changed(resource, outcome)
            steps.append(Step(rule, outcome, resource))
    return resource


def _changes(step: Step) -> bool:
    return isinstance(step.outcome, Passed) and bool(step.outcome.changes)


def changed(resource: Resource, outcome: Outcome) -> Resource:
    """The resource after a rule: as it was, unless the rule changed it and not only others."""
    if isinstance(outcome, Passed):
        for change in outcome.changes:
            if change.before is resource.body and change.after is not None:
                return msgspec.structs.replace(resource, body=change.after)
    return resource
