"""Findings of built-in checks mended: a remediation is done only to a resource its check really fails for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from bartizan.app.ambient import ambient
from bartizan.app.selection import compile_checks, describe
from bartizan.base.errors import SpecError
from bartizan.catalog import export_fix
from bartizan.engines.policy.chain import run_chain
from bartizan.engines.policy.dialects.kyverno import compile_policy, expression_compiler
from bartizan.engines.policy.lookup import Offline
from bartizan.model.outcome import Broken, Failed
from bartizan.model.request import Request

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bartizan.catalog import CheckSpec
    from bartizan.engines.policy.chain import RequestFor
    from bartizan.engines.policy.plan import Rule
    from bartizan.model.finding import RuleInfo
    from bartizan.model.resource import Resource

_ROUNDS = 4  # one remediation may open the way for another: what is not privileged may be kept from becoming so


class Remedy(NamedTuple):
    """A check with what mends it; without `mends`, `because` says why nothing does."""

    info: RuleInfo
    judges: tuple[Rule, ...]
    mends: tuple[Rule, ...]
    because: str = ""


class Mended(NamedTuple):
    """A resource after its remediations: which findings are gone, and which are left and why."""

    resource: Resource
    fixed: tuple[RuleInfo, ...]
    left: tuple[tuple[RuleInfo, str], ...]


def compile_remedies(checks: Iterable[CheckSpec], *, risky: bool) -> list[Remedy]:
    """Compile checks on one resource with their remediations; those of a risk only where it is taken.

    Raises:
        SpecError: one is malformed, which the tests of the catalogue prevent.
    """
    compiler = expression_compiler(ambient())
    remedies: list[Remedy] = []
    for check in checks:
        judges = compile_checks([check]).rules
        remediation, document = check.remediation, export_fix(check)
        if remediation is None or document is None:
            remedies.append(Remedy(describe(check), judges, (), "no fix without knowing what is meant"))
            continue
        if remediation.risk != "none" and not risky:
            because = f"may change how programs behave; take the risk with --check {check.id}, or --risky for all"
            remedies.append(Remedy(describe(check), judges, (), because))
            continue
        policy = compile_policy(document, compiler)
        for problem in policy.problems:
            raise SpecError(f"remediation of `{check.id}`: {problem.message}", hint=problem.hint)
        mends = tuple(rule for rule in policy.rules if rule.does == "mutate")
        remedies.append(Remedy(describe(check), judges, mends))
    return remedies


def mend(resource: Resource, remedies: Sequence[Remedy], request_for: RequestFor) -> Mended:
    """Do what mends each failing check, in rounds, until nothing changes any more."""
    failing = [remedy for remedy in remedies if _fails(remedy, resource, request_for)]
    first = resource
    for _ in range(_ROUNDS):
        before = resource.body
        for remedy in failing:
            if remedy.mends and _fails(remedy, resource, request_for):
                resource = _done(remedy, resource, request_for)
        if resource.body is before:
            break
    still = [remedy for remedy in remedies if _fails(remedy, resource, request_for)]
    resource = resource if resource.body is not first.body else first
    return Mended(
        resource,
        tuple(remedy.info for remedy in failing if remedy not in still),
        tuple((remedy.info, remedy.because or "its fix does not apply here") for remedy in still),
    )


def _fails(remedy: Remedy, resource: Resource, request_for: RequestFor) -> bool:
    kind = resource.id.kind
    return any(
        isinstance(rule.run(request_for(rule, resource), Offline()), Failed)
        for rule in remedy.judges
        if rule.kinds is None or kind in rule.kinds
    )


def _done(remedy: Remedy, resource: Resource, request_for: RequestFor) -> Resource:
    steps = run_chain(remedy.mends, resource, request_for, Offline())
    for step in steps:
        if isinstance(step.outcome, Broken):  # the catalogue's own tests keep this from happening
            return resource
    return steps[-1].resource if steps else resource


def plain_request(_rule: Rule, resource: Resource) -> Request:
    """A request that knows nothing but the resource."""
    return Request(resource)


def with_body(resource: Resource, body: dict[str, object]) -> Resource:
    """The same resource with another body."""
    return msgspec.structs.replace(resource, body=body)
