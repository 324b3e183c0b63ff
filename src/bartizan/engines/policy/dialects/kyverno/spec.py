"""What a Kyverno document may say: the fields of `kyverno.io` ClusterPolicy, Policy and PolicyException.

Unknown fields are errors here, because a mistyped `exclude` that is ignored
changes what a policy enforces. Patterns, conditions and contexts stay plain
JSON: their own compilers read them.
"""

from __future__ import annotations

import re
from typing import Any, Final, TypeVar

import msgspec

from bartizan.base import pointer
from bartizan.base.errors import SpecError
from bartizan.base.suggest import did_you_mean

JsonObject = dict[str, Any]


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Fields in camel case, as YAML has them; an unknown one is an error."""


class ValidateSpec(_Record, frozen=True):
    """`validate` of a rule; exactly one of the ways to decide is set."""

    message: str | None = None
    failure_action: str | None = None
    failure_action_overrides: list[JsonObject] | None = None
    allow_existing_violations: bool | None = None
    pattern: Any = msgspec.UNSET
    any_pattern: Any = msgspec.UNSET
    deny: JsonObject | None = None
    foreach: list[JsonObject] | None = None
    pod_security: JsonObject | None = None
    cel: JsonObject | None = None
    manifests: JsonObject | None = None
    assert_: Any = msgspec.field(default=msgspec.UNSET, name="assert")


class RuleSpec(_Record, frozen=True):
    """One rule of a policy."""

    name: str
    context: list[JsonObject] | None = None
    match: JsonObject | None = None
    exclude: JsonObject | None = None
    image_extractors: JsonObject | None = None
    preconditions: Any = None
    cel_preconditions: list[JsonObject] | None = None
    mutate: JsonObject | None = None
    validate: ValidateSpec | None = None
    generate: JsonObject | None = None
    verify_images: list[JsonObject] | None = None
    skip_background_requests: bool | None = None
    report_properties: JsonObject | None = None


class PolicySpec(_Record, frozen=True):
    """`spec` of a policy. Rules stay plain until autogen has made the ones for pod controllers."""

    rules: list[JsonObject] = []
    apply_rules: str | None = None
    failure_policy: str | None = None
    validation_failure_action: str | None = None
    validation_failure_action_overrides: list[JsonObject] | None = None
    emit_warning: bool | None = None
    admission: bool | None = None
    background: bool | None = None
    schema_validation: bool | None = None
    webhook_timeout_seconds: int | None = None
    webhook_configuration: JsonObject | None = None
    mutate_existing_on_policy_update: bool | None = None
    generate_existing: bool | None = None
    generate_existing_on_policy_update: bool | None = None
    use_server_side_apply: bool | None = None


class ExceptionEntry(_Record, frozen=True):
    """Which rules of which policy an exception is for; rule names take wildcards."""

    policy_name: str
    rule_names: list[str]


class ExceptionSpec(_Record, frozen=True):
    """`spec` of a PolicyException."""

    exceptions: list[ExceptionEntry]
    match: JsonObject | None = None
    background: bool | None = None
    conditions: Any = None
    pod_security: list[JsonObject] | None = None


Spec = TypeVar("Spec", bound=_Record)

_UNKNOWN: Final = re.compile(r"unknown field `([^`]+)`")
_PLACE: Final = re.compile(r" - at `\$(.*)`$")
_STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+)\]")


def decode(document: object, to: type[Spec], at: str) -> Spec:
    """Read `document`, which stands at the JSON pointer `at`, as the record `to`.

    Raises:
        SpecError: a field is unknown, missing or of the wrong type.
    """
    try:
        return msgspec.convert(document, to)
    except msgspec.ValidationError as error:
        raise _spec_error(str(error), to, at) from error


def _spec_error(text: str, to: type[_Record], at: str) -> SpecError:
    place = _PLACE.search(text)
    reason = text[: place.start()] if place else text
    steps = [name or index for name, index in _STEP.findall(place.group(1))] if place else []
    where = at + pointer.join(steps)
    unknown = _UNKNOWN.search(reason)
    if unknown:
        hint = did_you_mean(unknown.group(1), _known_fields(to, steps))
        return SpecError(f"unknown field `{unknown.group(1)}`", hint=hint, pointer=f"{where}/{unknown.group(1)}")
    return SpecError(
        reason[:1].lower() + reason[1:], pointer=where, hint="Write the field as the policy's kind has it."
    )


def _known_fields(to: type[_Record], steps: list[str]) -> list[str]:
    record: type[_Record] = ValidateSpec if steps[-1:] == ["validate"] else to
    return [field.encode_name for field in msgspec.structs.fields(record)]
