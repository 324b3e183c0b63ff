"""What the API server answers to one request: how it is mutated, denied, warned of and noted, and in which words.

First the policies that mutate are asked, then, about what they made, those
that validate.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bartizan.engines.policy.cel.names import coordinates, name_of
from bartizan.engines.policy.cel.params import ParamsError
from bartizan.engines.policy.dialects.kubernetes.matching import is_exempt, now, with_body
from bartizan.engines.policy.dialects.kubernetes.validating import INVALID, Decision, ValidatingPolicy
from bartizan.model.resource import metadata_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.dialects.kubernetes.bindings import Binding
    from bartizan.engines.policy.dialects.kubernetes.matching import Matched
    from bartizan.engines.policy.dialects.kubernetes.mutating import MutatingPolicy
    from bartizan.engines.policy.dialects.kubernetes.policy import Bound
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.model.request import Request

_CODES: Final = {"Forbidden": 403, "RequestEntityTooLarge": 413, INVALID: 422}
_FAILURE: Final = "validation.policy.admission.k8s.io/validation_failure"


class Denied(NamedTuple):
    """Why a request is denied: the message of the answer, its reason and code."""

    message: str
    reason: str
    code: int


class Reworked(NamedTuple):
    """What the mutating policies made of the resource of a request, or why it is denied."""

    body: JsonObject
    denied: Denied | None


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


def mutate(policies: Sequence[Bound], request: Request, lookup: Lookup) -> Reworked:
    """Change the resource of a request by the mutating policies that are bound.

    Source of the order: `mutating/dispatcher.go`. All that match what came
    in are asked in order; if any made a patch, those that want it are asked
    once more, each if it was asked before and matches what there is by now.
    """
    body = request.resource.body
    if is_exempt(request) or request.operation == "DELETE":
        return Reworked(body, None)
    rounds = _Rounds(policies, lookup)
    body = rounds.run(request, body, None)
    if rounds.is_touched and not rounds.errors:
        body = rounds.run(with_body(request, body), body, frozenset(rounds.wanting))
    return Reworked(body, Denied(rounds.errors[0], rounds.reason, _CODES["Forbidden"]) if rounds.errors else None)


class _Invocation(NamedTuple):
    policy: MutatingPolicy
    binding: Binding
    matched: Matched
    params: JsonObject | None
    key: tuple[str, str, str, str]


class _Rounds:
    """The mutating policies, asked about one request, and what they have said so far."""

    def __init__(self, policies: Sequence[Bound], lookup: Lookup) -> None:
        self._policies = policies
        self._lookup = lookup
        self.errors: list[str] = []
        self.reason = "Forbidden"
        self.wanting: list[tuple[str, str, str, str]] = []
        """Who was asked and wants to be asked again."""
        self.is_touched = False

    def run(self, request: Request, body: JsonObject, only: frozenset[tuple[str, str, str, str]] | None) -> JsonObject:
        """Ask all who match a request, or `only` some of them; the resource after that."""
        for invocation in list(self._invocations(request)):
            if only is not None and invocation.key not in only:
                continue
            policy = invocation.policy
            mutated = policy.mutate(now(invocation.matched, body), self._lookup, invocation.params)
            if mutated is None:
                continue
            body = mutated.body
            self.is_touched = self.is_touched or mutated.touched
            if policy.again:
                self.wanting.append(invocation.key)
            for error in mutated.errors:
                self._fail(policy, invocation.binding.name, error, INVALID)
        return body

    def _invocations(self, request: Request) -> Iterator[_Invocation]:
        for bound in self._policies:
            policy = bound.policy
            if isinstance(policy, ValidatingPolicy):
                continue
            matched = policy.matcher.match(request, self._lookup)
            if matched is None:
                continue
            for binding in bound.bindings:
                if binding.matcher is not None and binding.matcher.match(request, self._lookup) is None:
                    continue
                try:
                    found = binding.collect(request, self._lookup)
                except ParamsError as error:
                    self._fail(policy, binding.name, f"failed to configure binding: {error}", "Forbidden")
                    continue
                for params in found:
                    metadata = metadata_of(params or {})
                    place = (str(metadata.get("namespace", "")), str(metadata.get("name", "")))
                    yield _Invocation(policy, binding, matched, params, (policy.name, binding.name, *place))

    def _fail(self, policy: MutatingPolicy, binding: str, error: str, reason: str) -> None:
        if policy.fails_open:
            return
        if not self.errors:
            self.reason = reason
        self.errors.append(f"policy '{policy.name}' with binding '{binding}' denied request: {error}")


def rule_on(policies: Sequence[Bound], request: Request, lookup: Lookup) -> Ruling:
    """Decide on a request by the validating policies that are bound."""
    said = _Said()
    if not is_exempt(request):
        for bound in policies:
            if isinstance(bound.policy, ValidatingPolicy):
                _ask(bound.policy, bound.bindings, request, lookup, said)
    denied = _denied(request, said.denials[0]) if said.denials else None
    return Ruling(denied, tuple(said.warnings), said.annotations)


def _ask(policy: ValidatingPolicy, bindings: Sequence[Binding], request: Request, lookup: Lookup, said: _Said) -> None:
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
