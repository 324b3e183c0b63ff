"""Rules about names, messages, and fields that have been replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.base.suggest import did_you_mean
from bartizan.engines.policy.dialects.kyverno.lint.view import conditions_of, mapping, placed, sequence
from bartizan.engines.policy.remark import Said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.engines.policy.dialects.kyverno.lint.view import Placed, PolicyView

_MAX_NAME_CHARS: Final = 63
_ACTIONS: Final = ("Audit", "Enforce")
_SPEC_FIELDS: Final = {
    "validationFailureAction": "`failureAction` in the rule's `validate`",
    "validationFailureActionOverrides": "`failureActionOverrides` in the rule's `validate`",
    "generateExisting": "`generateExisting` in the rule's `generate`",
    "mutateExistingOnPolicyUpdate": "`mutateExistingOnPolicyUpdate` in the rule's `mutate`",
    "webhookTimeoutSeconds": "`webhookConfiguration.timeoutSeconds`",
    "failurePolicy": "`webhookConfiguration.failurePolicy`",
    "schemaValidation": "nothing: it has no effect any more",
}
_IMAGE_FIELDS: Final = {
    "image": "`imageReferences`",
    "key": "`attestors` with `keys`",
    "roots": "`attestors` with `keyless`",
    "subject": "`attestors` with `keyless`",
    "issuer": "`attestors` with `keyless`",
    "annotations": "`annotations` of an attestor",
}
_OPERATORS: Final = {
    "in": "AnyIn or AllIn",
    "notin": "AnyNotIn or AllNotIn",
    "durationgreaterthan": "GreaterThan",
    "durationgreaterthanorequals": "GreaterThanOrEquals",
    "durationlessthan": "LessThan",
    "durationlessthanorequals": "LessThanOrEquals",
}


def long_name(policy: PolicyView) -> Iterator[Said]:
    """Rule names that are no label."""
    for rule in policy.rules:
        if len(rule.name) > _MAX_NAME_CHARS:
            message = f"the name of this rule has {len(rule.name)} characters, and may have {_MAX_NAME_CHARS}"
            yield Said(f"{rule.at}/name", message, "Shorten it: reports keep it as a label.", rule.name)


def same_name(policy: PolicyView) -> Iterator[Said]:
    """Two rules of one name, of which nothing can be told apart in reports and exceptions."""
    seen: set[str] = set()
    for rule in policy.rules:
        if rule.name and rule.name in seen:
            yield Said(f"{rule.at}/name", f"two rules are called `{rule.name}`", "Rename one of them.", rule.name)
        seen.add(rule.name)


def missing_message(policy: PolicyView) -> Iterator[Said]:
    """Rules that refuse without saying why."""
    for rule in policy.rules:
        validate = rule.validate
        says = [item for at, block in rule.blocks_of_conditions() for item, _ in conditions_of(block, at)]
        if validate.get("message") or any(item.body.get("message") for item in says):
            continue
        way = next((way for way in ("deny", "foreach", "pattern", "anyPattern") if validate.get(way) is not None), "")
        if way:
            hint = "Write `message:` beside it, for whoever reads the report."
            yield Said(f"{rule.at}/validate", f"`{way}` without a message", hint)


def bad_action(policy: PolicyView) -> Iterator[Said]:
    """Actions that are neither word, and therefore mean Audit."""
    for at, word, exact in _actions(policy):
        if isinstance(word, str) and word.lower() not in ("audit", "enforce"):
            yield Said(at, f"`{word}` is no action, and counts as Audit", did_you_mean(word, _ACTIONS), word)
        elif isinstance(word, str) and exact and word not in _ACTIONS:
            yield Said(at, f"`{word}` is not written as it must be", f"Write `{word.capitalize()}`.", word)


def _actions(policy: PolicyView) -> Iterator[tuple[str, object, bool]]:
    """Every action, with its place, and whether its capitals count."""
    spec = policy.spec
    yield "/spec/validationFailureAction", spec.get("validationFailureAction"), False
    for index, item in enumerate(sequence(spec.get("validationFailureActionOverrides"))):
        yield f"/spec/validationFailureActionOverrides/{index}/action", mapping(item).get("action"), False
    for rule in policy.rules:
        yield f"{rule.at}/validate/failureAction", rule.validate.get("failureAction"), True
        for index, item in enumerate(sequence(rule.validate.get("failureActionOverrides"))):
            at = f"{rule.at}/validate/failureActionOverrides/{index}/action"
            yield at, mapping(item).get("action"), False
        for verification in rule.verify_images:
            yield f"{verification.at}/failureAction", verification.body.get("failureAction"), True


def replaced_field(policy: PolicyView) -> Iterator[Said]:
    """Fields that still work and have been replaced by others."""
    for field, instead in _SPEC_FIELDS.items():
        if policy.spec.get(field) is not None:
            yield Said(f"/spec/{field}", f"`{field}` is deprecated", f"Write {instead}.", field)
    for rule in policy.rules:
        for block in ("match", "exclude"):
            body = mapping(rule.body.get(block))
            if body.get("resources") is not None:
                hint = f"Write `{block}: {{any: [{{resources: …}}]}}`."
                yield Said(f"{rule.at}/{block}/resources", f"`{block}` without `any` or `all` is deprecated", hint)
        for verification in rule.verify_images:
            yield from _replaced_in_images(verification)


def _replaced_in_images(verification: Placed) -> Iterator[Said]:
    for field, instead in _IMAGE_FIELDS.items():
        if verification.body.get(field):
            yield Said(f"{verification.at}/{field}", f"`{field}` is deprecated", f"Write {instead}.", field)
    for attestation in placed(verification.body.get("attestations"), f"{verification.at}/attestations"):
        if attestation.body.get("predicateType"):
            at = f"{attestation.at}/predicateType"
            yield Said(at, "`predicateType` is deprecated", "Write `type`.", "predicateType")


def replaced_operator(policy: PolicyView) -> Iterator[Said]:
    """Operators that still work and have been replaced by others."""
    for rule in policy.rules:
        for at, block in rule.blocks_of_conditions():
            for condition, _ in conditions_of(block, at):
                word = condition.body.get("operator")
                instead = _OPERATORS.get(word.lower()) if isinstance(word, str) else None
                if instead:
                    hint = f"Write {instead}; they take wildcards and ranges too." if "In" in instead else ""
                    yield Said(f"{condition.at}/operator", f"`{word}` is deprecated", hint or f"Write {instead}.")
