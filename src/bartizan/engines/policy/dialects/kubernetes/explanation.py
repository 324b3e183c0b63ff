"""Why an admission policy says what it says of a resource: its expressions, part by part, and what decided.

The verdict is that of the policy's own rule; beside it every expression is
evaluated once more in its traced mode.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from bartizan.engines.policy.cel.params import ParamsError
from bartizan.engines.policy.dialects.kubernetes.bindings import UNBOUND
from bartizan.engines.policy.dialects.kubernetes.evaluation import failed
from bartizan.engines.policy.dialects.kubernetes.metering import meter_for
from bartizan.engines.policy.dialects.kubernetes.policy import matches, rules_of
from bartizan.engines.policy.dialects.kubernetes.validating import ValidatingPolicy
from bartizan.lang.cel.cost import EXPRESSION_LIMIT
from bartizan.lang.cel.trace import Traced, trace
from bartizan.model.outcome import Broken, Failed, Passed, Skipped
from bartizan.model.trace import Node, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.cel.names import Names
    from bartizan.engines.policy.dialects.kubernetes.bindings import Binding
    from bartizan.engines.policy.dialects.kubernetes.matching import Matched
    from bartizan.engines.policy.dialects.kubernetes.policy import AdmissionPolicy, Bound
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.engines.policy.plan import Rule
    from bartizan.lang.cel import Expression
    from bartizan.lang.cel.trace import Step
    from bartizan.model.outcome import Outcome
    from bartizan.model.request import Request

_PLAIN: Final = (str, bool, int, float, list, dict)


class Explained(NamedTuple):
    """One rule, why it said what it said, and what that was; `None` where it is about something else."""

    rule: Rule
    root: Node
    outcome: Outcome | None


def explain_bound(bound: Bound, request: Request, lookup: Lookup) -> Iterator[Explained]:
    """Explain a policy on one request, once for each of its bindings."""
    for rule, binding in zip(rules_of(bound), bound.bindings or (UNBOUND,), strict=True):
        outcome = rule.run(msgspec.structs.replace(request, memo={}), lookup)
        verdict, said = _said(outcome)
        children = tuple(_parts(bound.policy, binding, msgspec.structs.replace(request, memo={}), lookup))
        yield Explained(
            rule,
            Node(
                "rule",
                str(rule.info.id),
                str(request.resource.id),
                msgspec.UNSET,
                verdict,
                said,
                None,
                "/spec",
                True,
                children,
            ),
            outcome,
        )


def _said(outcome: Outcome | None) -> tuple[Verdict, str]:
    match outcome:
        case Passed(message):
            return "held", message
        case Failed(message):
            return "failed", message
        case Skipped(because):
            return "skipped", because
        case Broken(error):
            return "error", error
        case None:
            return "skipped", "the policy is about other requests"


def _parts(policy: AdmissionPolicy, binding: Binding, request: Request, lookup: Lookup) -> Iterator[Node]:
    matched = matches(policy, binding, request, lookup)
    if matched is None:
        at = "/spec/matchConstraints"
        note = "this resource is none of those it is about"
        yield Node("scope", "matchConstraints", verdict="skipped", note=note, at=at, decided=True)
        return
    yield Node("match", "matchConstraints", verdict="held", at="/spec/matchConstraints")
    try:
        found = binding.collect(request, lookup)
    except ParamsError as error:
        yield Node("params", "paramRef", verdict="error", note=str(error), at="/spec/paramKind", decided=True)
        return
    if matched.problem or not found:
        note = matched.problem or "the binding found no parameters"
        yield Node("params", "paramRef", verdict="error" if matched.problem else "skipped", note=note, decided=True)
    for params in found if not matched.problem else ():
        conditions = list(_conditions(policy, matched, lookup, params))
        yield from conditions
        if all(node.verdict == "held" for node in conditions):
            yield from _expressions(policy, matched, lookup, params)


def _conditions(policy: AdmissionPolicy, matched: Matched, lookup: Lookup, params: JsonObject | None) -> Iterator[Node]:
    names = policy.evaluation.early_names(matched, lookup, params)
    traced = [(item, trace(item, names, EXPRESSION_LIMIT)) for item in policy.evaluation.conditions]
    refused = any(found.value is False for _, found in traced)
    for index, (condition, found) in enumerate(traced):
        at = f"/spec/matchConditions/{index}/expression"
        decided = found.value is False or (found.error is not None and not refused)
        verdict: Verdict = "error" if found.error else "held" if found.value is True else "skipped"
        note = failed(condition, found.error) if found.error else "" if verdict == "held" else "this does not hold"
        yield _node("condition", f"matchConditions[{index}]", condition, (found, verdict, note), at, decided=decided)


def _expressions(
    policy: AdmissionPolicy, matched: Matched, lookup: Lookup, params: JsonObject | None
) -> Iterator[Node]:
    names = policy.evaluation.names(matched, lookup, params)
    names.account = meter_for(names)
    if not isinstance(policy, ValidatingPolicy):
        for index, mutation in enumerate(policy.mutations):
            found = trace(mutation.expression, names, EXPRESSION_LIMIT)
            field = "applyConfiguration" if mutation.merges else "jsonPatch"
            at = f"/spec/mutations/{index}/{field}/expression"
            said: tuple[Traced, Verdict, str] = (found, "error" if found.error else "held", "")
            yield _node("mutation", f"mutations[{index}]", mutation.expression, said, at, decided=bool(found.error))
        return
    decided = False
    for index, validation in enumerate(policy.validations):
        found = trace(validation.expression, names, EXPRESSION_LIMIT)
        verdict: Verdict = "error" if found.error else "failed" if found.value is False else "held"
        note = _note(policy, index, found, (matched, lookup, params))
        first, decided = verdict != "held" and not decided, decided or verdict != "held"
        at = f"/spec/validations/{index}/expression"
        yield _node(
            "validation", f"validations[{index}]", validation.expression, (found, verdict, note), at, decided=first
        )


def _note(policy: ValidatingPolicy, index: int, found: Traced, about: tuple[Matched, Lookup, JsonObject | None]) -> str:
    validation = policy.validations[index]
    if found.error is not None:
        return failed(validation.expression, found.error)
    if found.value is not False:
        return ""
    names: Names = policy.evaluation.plain_names(*about)
    return validation.failure(names)


def _node(
    kind: str, label: str, expression: Expression, said: tuple[Traced, Verdict, str], at: str, *, decided: bool
) -> Node:
    found, verdict, note = said
    text = expression.text.strip()
    children = tuple(_step(child, at, decided=decided) for child in found.step.children if child.kind != "constant")
    value = msgspec.UNSET if found.error else _shown(found.value)
    return Node(kind, label, text, value, verdict, note, None, at, decided, children)


def _step(step: Step, at: str, *, decided: bool) -> Node:
    """A part of an expression with what it came to; of those below a part that decided, some did too."""
    mine = decided and step.decided
    children = tuple(_step(child, at, decided=mine) for child in step.children if child.kind != "constant")
    verdict: Verdict = "unreached" if not step.reached else "error" if step.error else "value"
    value = _shown(step.value) if verdict == "value" else msgspec.UNSET
    return Node("expression", step.text, "", value, verdict, step.error, None, at, mine, children)


def _shown(value: Any) -> Any:
    """A value as an explanation shows it: JSON as it is, others as they write themselves."""
    return value if value is None or isinstance(value, _PLAIN) else str(value)
