"""Findings of checks mended: a remediation is done only to a resource its check really fails for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import msgspec

from bartizan.app.ambient import ambient
from bartizan.app.fix.ordering import in_order
from bartizan.app.selection import compile_checks, describe
from bartizan.base.errors import SpecError
from bartizan.catalog import export_fix
from bartizan.engines.policy.chain import run_chain
from bartizan.engines.policy.dialects.kyverno import compile_policy, expression_compiler
from bartizan.model.outcome import Broken, Failed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from bartizan.app.asking import Asking
    from bartizan.base.json import Json
    from bartizan.catalog import CheckSpec
    from bartizan.engines.policy.plan import Rule
    from bartizan.model.finding import RuleInfo
    from bartizan.model.resource import Resource

    Accepts: TypeAlias = Callable[[RuleInfo, Resource, Failed], str]
    """Who accepted a finding: the id of a waiver, or nothing."""

NEEDS_KNOWLEDGE: Final = "takes knowledge of the program"
RISKY: Final = "may change how a program behaves (--risky, or name it with --check)"
ELSEWHERE: Final = "its fix does not apply here"
_ROUNDS: Final = (
    4  # one remediation may open the way for another: what is privileged cannot be kept from gaining rights
)


class Remedy(NamedTuple):
    """What judges, and what mends; without `mends`, `because` says why nothing does."""

    info: RuleInfo
    judges: tuple[Rule, ...]
    mends: tuple[Rule, ...]
    because: str = ELSEWHERE
    fields: frozenset[str] = frozenset()
    """The fields that the remediation sets; nothing else may change."""


class Mended(NamedTuple):
    """A resource after its remediations: which findings are gone, and which are left and why."""

    resource: Resource
    fixed: tuple[RuleInfo, ...]
    left: tuple[tuple[RuleInfo, str], ...]


def accepts_none(_info: RuleInfo, _resource: Resource, _outcome: Failed) -> str:
    """Nothing is waived."""
    return ""


def compile_remedies(checks: Iterable[CheckSpec], *, risky: bool, named: Collection[str] = ()) -> list[Remedy]:
    """Compile checks on one resource with their remediations; those of a risk only where it is taken, or `named`.

    Checks that compare resources are left out: no one of them is to blame.

    Raises:
        SpecError: one is malformed, which the tests of the catalogue prevent.
    """
    compiler = expression_compiler(ambient())
    remedies: list[Remedy] = []
    for check in checks:
        if check.template:
            continue
        info, judges = describe(check), compile_checks([check]).rules
        remediation, document = check.remediation, export_fix(check)
        if remediation is None or document is None:
            remedies.append(Remedy(info, judges, (), NEEDS_KNOWLEDGE))
        elif remediation.risk != "none" and not risky and check.id not in named:
            remedies.append(Remedy(info, judges, (), RISKY))
        else:
            policy = compile_policy(document, compiler)
            for problem in policy.problems:
                raise SpecError(f"remediation of `{check.id}`: {problem.message}", hint=problem.hint)
            written = (field for block in remediation.mutate for field in _fields_set(block))
            fields = frozenset(remediation.fields or written)
            remedies.append(Remedy(info, judges, policy.rules, fields=fields))
    return remedies


def judging_only(rules: Iterable[Rule]) -> list[Remedy]:
    """Rules of policies that judge: what they find is mended by rules that mutate, or is left."""
    return [Remedy(rule.info, (rule,), (), "no rule mends it") for rule in rules if rule.does == "validate"]


def mend(resource: Resource, remedies: Sequence[Remedy], asking: Asking, accepts: Accepts = accepts_none) -> Mended:
    """Do what mends each failing check that nobody accepted, in rounds, until nothing changes any more."""
    accepted = {remedy.info.id: waiver for remedy, waiver in failing(resource, remedies, asking, accepts)}
    at_work = [remedy for remedy in remedies if accepted.get(remedy.info.id) == ""]
    after = resource
    for _ in range(_ROUNDS):
        before = after.body
        for remedy in at_work:
            if remedy.mends and _failure(remedy, after, asking):
                after = _done(remedy, after, asking)
        if after.body is before:
            break
    left: list[tuple[RuleInfo, str]] = []
    fixed: list[RuleInfo] = []
    for remedy in remedies:
        waiver = accepted.get(remedy.info.id)
        if _failure(remedy, after, asking) is not None:
            left.append((remedy.info, f"accepted by waiver `{waiver}`" if waiver else remedy.because))
        elif waiver is not None:
            fixed.append(remedy.info)
    return Mended(after, tuple(fixed), tuple(left))


def failing(
    resource: Resource, remedies: Sequence[Remedy], asking: Asking, accepts: Accepts
) -> list[tuple[Remedy, str]]:
    """The checks that fail, each with the waiver that accepts it or nothing."""
    outcomes = ((remedy, _failure(remedy, resource, asking)) for remedy in remedies)
    return [(remedy, accepts(remedy.info, resource, outcome)) for remedy, outcome in outcomes if outcome is not None]


def _failure(remedy: Remedy, resource: Resource, asking: Asking) -> Failed | None:
    kind = resource.id.kind
    for rule in remedy.judges:
        if rule.kinds is None or kind in rule.kinds:
            outcome = rule.run(asking.request_for(rule, resource), asking.lookup)
            if isinstance(outcome, Failed):
                return outcome
    return None


def _done(remedy: Remedy, resource: Resource, asking: Asking) -> Resource:
    """The resource after a remediation; as it was where that cannot be done, or its check would still fail.

    A resource of a kind that does not exist, such as a Pod of `apps/v1`, has
    lists that nobody knows how to merge: a patch would replace them.
    """
    steps = run_chain(remedy.mends, resource, asking.request_for, asking.lookup)
    if not steps or any(isinstance(step.outcome, Broken) for step in steps):
        return resource
    after = in_order(resource.body, steps[-1].resource.body)
    if after is resource.body or _strays(resource.body, after, remedy.fields):
        return resource
    done = msgspec.structs.replace(resource, body=after)
    return resource if _failure(remedy, done, asking) else done


def _fields_set(patch: Json) -> Iterator[str]:
    """The fields that a `mutate` block, or a patch in it, gives a value or takes out."""
    for key, item in patch.items() if isinstance(patch, dict) else ():
        if key == "foreach":
            yield from (field for loop in item for field in _fields_set(loop["patchStrategicMerge"]))
        elif isinstance(item, dict) and item:
            yield from _fields_set(item)
        elif isinstance(item, list) and item and isinstance(item[0], dict):
            yield from (field for element in item for field in _fields_set(element))
        elif not key.endswith(")"):  # an anchor is a condition
            yield key


def _strays(before: Json, after: Json, fields: frozenset[str]) -> bool:
    """Whether anything differs that is neither one of the fields nor inside one."""
    if before is after:
        return False
    if isinstance(before, dict) and isinstance(after, dict):
        if any(key not in after and key not in fields for key in before):
            return True
        return any(
            _strays(before.get(key, {} if isinstance(item, dict) else None), item, fields)
            for key, item in after.items()
            if key not in fields
        )
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return any(_strays(old, new, fields) for old, new in zip(before, after, strict=True))
    return bool(before != after)
