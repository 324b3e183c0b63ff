"""The decision of the API server on one request: what is denied, warned of, noted, and in which words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bartizan.engines.policy.cel.names import coordinates, name_of
from bartizan.engines.policy.cel.params import ParamsError
from bartizan.engines.policy.dialects.kubernetes.matching import is_exempt
from bartizan.engines.policy.dialects.kubernetes.validating import INVALID, Decision
from bartizan.model.resource import metadata_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bartizan.engines.policy.dialects.kubernetes.bindings import Binding
    from bartizan.engines.policy.dialects.kubernetes.matching import Matched
    from bartizan.engines.policy.dialects.kubernetes.policy import Bound
    from bartizan.engines.policy.dialects.kubernetes.validating import ValidatingPolicy
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.model.request import Request

_CODES: Final = {"Forbidden": 403, "Unauthorized": 401, "RequestEntityTooLarge": 413, INVALID: 422}
_FAILURE: Final = "validation.policy.admission.k8s.io/validation_failure"


class Denied(NamedTuple):
    """Why a request is denied: the message of the answer, its reason and code."""

    message: str
    reason: str
    code: int


class Ruling(NamedTuple):
    """What the validating policies say of a request. `annotations` are those of the audit log."""

    denied: Denied | None
    warnings: tuple[str, ...]
    annotations: dict[str, str]


class _Said:
    """What has been said of one request so far."""

    def __init__(self) -> None:
        self.denials: list[tuple[str, str]] = []
        self.warnings: dict[str, None] = {}
        self.annotations: dict[str, str] = {}

    def deny(self, policy: str, binding: str, decision: Decision) -> None:
        with_binding = f" with binding '{binding}'" if binding else ""
        said = f"ValidatingAdmissionPolicy '{policy}'{with_binding} denied request: {decision.message}"
        self.denials.append((said, decision.reason))

    def warn(self, policy: str, binding: str, message: str) -> None:
        said = f"Validation failed for ValidatingAdmissionPolicy '{policy}' with binding '{binding}': {message}"
        self.warnings[said] = None

    def note(self, policy: str, binding: Binding, decision: Decision) -> None:
        """Note a failure for the audit log, which keeps the first of them."""
        failure: dict[str, Any] = {
            "message": decision.message,
            "policy": policy,
            "binding": binding.name,
            "expressionIndex": decision.number,
            "validationActions": list(binding.actions),
        }
        self.annotations.setdefault(_FAILURE, json.dumps([failure], separators=(",", ":"), ensure_ascii=False))


def rule_on(policies: Sequence[Bound], request: Request, lookup: Lookup) -> Ruling:
    """Decide on a request by the validating policies that are bound."""
    said = _Said()
    if not is_exempt(request):
        for bound in policies:
            _ask(bound.policy, bound.bindings, request, lookup, said)
    denied = _denied(request, said.denials[0]) if said.denials else None
    return Ruling(denied, tuple(said.warnings), said.annotations)


def _ask(
    policy: ValidatingPolicy, bindings: Sequence[Binding], request: Request, lookup: Lookup, said: _Said
) -> None:
    matched = policy.matcher.match(request, lookup)
    if matched is None:
        return
    noted: dict[str, dict[str, None]] = {}
    for binding in bindings:
        if binding.matcher is not None and binding.matcher.match(request, lookup) is None:
            continue
        for key, value in _ask_bound(policy, binding, matched, lookup, said):
            noted.setdefault(key, {})[value] = None
    for key, values in noted.items():
        said.annotations[f"{policy.name}/{key}"] = ", ".join(values)


def _ask_bound(
    policy: ValidatingPolicy, binding: Binding, matched: Matched, lookup: Lookup, said: _Said
) -> Iterator[tuple[str, str]]:
    """Decide by one binding; the audit annotations that it leads to."""
    try:
        found = binding.collect(matched.original, lookup)
    except ParamsError as error:
        if not policy.fails_open:
            said.deny(policy.name, binding.name, Decision(f"failed to configure binding: {error}"))
        return
    for params in found:
        judgement = policy.judge(matched, lookup, params)
        if judgement is None:
            continue
        for decision in judgement.denials:
            if not (decision.errored and policy.fails_open):
                _act(policy.name, binding, decision, said)
        yield from judgement.annotations


def _act(policy: str, binding: Binding, decision: Decision, said: _Said) -> None:
    for action in ("Deny",) if decision.always else binding.actions:
        if action == "Deny":
            said.deny(policy, binding.name, decision)
        elif action == "Warn":
            said.warn(policy, binding.name, decision.message)
        else:
            said.note(policy, binding, decision)


def _denied(request: Request, denial: tuple[str, str]) -> Denied:
    message, reason = denial
    return Denied(f"{subject_of(request)} is forbidden: {message}", reason, _CODES.get(reason, _CODES[INVALID]))


def subject_of(request: Request) -> str:
    """What a request is about in the words of the API server: `deployments.apps "web"`."""
    at = coordinates(request)
    metadata = metadata_of(request.resource.body)
    name = name_of(request) or metadata.get("generateName") or "Unknown"
    return f'{at.resource}{"." + at.group if at.group else ""} "{name}"'
