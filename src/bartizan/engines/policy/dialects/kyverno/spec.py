"""What a Kyverno document may say: the fields of `kyverno.io` ClusterPolicy, Policy and PolicyException.

Unknown fields are errors here, because a mistyped `exclude` that is ignored
changes what a policy enforces. Patterns, conditions and contexts stay plain
JSON: their own compilers read them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from bartizan.base import pointer
from bartizan.base.errors import SpecError
from bartizan.base.suggest import did_you_mean
from bartizan.engines.policy.dialects.podsecurity.exclusion import Exclusion
from bartizan.engines.policy.selector import LabelSelector

if TYPE_CHECKING:
    from collections.abc import Collection

    from bartizan.base.json import Json

JsonObject = dict[str, Any]


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Fields in camel case, as YAML has them; an unknown one is an error."""


class Subject(_Record, frozen=True):
    """A user, group or service account; names take wildcards."""

    kind: str
    name: str = ""
    namespace: str = ""
    api_group: str = ""


class ResourceFilter(_Record, frozen=True):
    """Which resources are meant; whatever is given must hold."""

    kinds: list[str] | None = None
    name: str | None = None
    names: list[str] | None = None
    namespaces: list[str] | None = None
    annotations: dict[str, str] | None = None
    selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    operations: list[str] | None = None


class Filter(_Record, frozen=True):
    """Which requests are meant: what is changed, and who asks."""

    resources: ResourceFilter | None = None
    roles: list[str] | None = None
    cluster_roles: list[str] | None = None
    subjects: list[Subject] | None = None


class MatchSpec(Filter, frozen=True):
    """`match` or `exclude`: `any` or `all` of several filters, or in the old form one."""

    any: list[Filter] | None = None
    all: list[Filter] | None = None


class ActionOverride(_Record, frozen=True):
    """What to do with a failure in some namespaces."""

    action: str = ""
    namespaces: list[str] | None = None
    namespace_selector: LabelSelector | None = None


class PodSecuritySpec(_Record, frozen=True):
    """`podSecurity` of a rule."""

    level: str = ""
    version: str = ""
    exclude: list[Exclusion] | None = None


class ValidateSpec(_Record, frozen=True):
    """`validate` of a rule; exactly one of the ways to decide is set."""

    message: str | None = None
    failure_action: str | None = None
    failure_action_overrides: list[ActionOverride] | None = None
    allow_existing_violations: bool | None = None
    pattern: Any = msgspec.UNSET
    any_pattern: Any = msgspec.UNSET
    deny: JsonObject | None = None
    foreach: list[JsonObject] | None = None
    pod_security: PodSecuritySpec | None = None
    cel: JsonObject | None = None
    manifests: JsonObject | None = None
    assert_: Any = msgspec.field(default=msgspec.UNSET, name="assert")


class RuleSpec(_Record, frozen=True):
    """One rule of a policy."""

    name: str
    context: list[JsonObject] | None = None
    match: MatchSpec | None = None
    exclude: MatchSpec | None = None
    image_extractors: JsonObject | None = None
    preconditions: Any = None
    cel_preconditions: list[JsonObject] | None = None
    mutate: JsonObject | None = None
    validate: ValidateSpec | None = None
    generate: JsonObject | None = None
    verify_images: list[JsonObject] | None = None
    skip_background_requests: bool | None = None
    report_properties: JsonObject | None = None


class Metadata(msgspec.Struct, frozen=True):
    """What is read of a document's metadata; there may be more."""

    name: str = ""
    namespace: str | None = None
    annotations: dict[str, str] | None = None


class PolicySpec(_Record, frozen=True):
    """`spec` of a policy. Rules stay plain until autogen has made the ones for pod controllers."""

    rules: list[JsonObject] = []
    apply_rules: str | None = None
    failure_policy: str | None = None
    validation_failure_action: str | None = None
    validation_failure_action_overrides: list[ActionOverride] | None = None
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
    match: MatchSpec | None = None
    background: bool | None = None
    conditions: Any = None
    pod_security: list[Exclusion] | None = None


Spec = TypeVar("Spec", bound=msgspec.Struct)

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


def is_of(document: Json, kinds: Collection[str], versions: Collection[str]) -> bool:
    """Whether a document is of one of some kinds of the group `kyverno.io`."""
    if not isinstance(document, dict) or str(document.get("kind")) not in kinds:
        return False
    group, _, version = str(document.get("apiVersion")).partition("/")
    return group == "kyverno.io" and version in versions


def list_at(value: Json, at: str) -> list[Json]:
    """A list, or none at all.

    Raises:
        SpecError: it is something else.
    """
    if value is not None and not isinstance(value, list):
        raise SpecError("this must be a list", pointer=at, hint="Begin each item with `- `.")
    return value or []


def object_at(value: Json, at: str, known: Collection[str] | None = None) -> JsonObject:
    """An object, or none at all; `known` are the fields it may have.

    Raises:
        SpecError: it is something else, or has another field.
    """
    if value is not None and not isinstance(value, dict):
        raise SpecError("this must be a mapping", pointer=at, hint="Write its fields as `name: value`.")
    for key in value or ():
        if known is not None and key not in known:
            raise SpecError(f"unknown field `{key}`", pointer=f"{at}/{key}", hint=did_you_mean(str(key), known))
    return value or {}


def _spec_error(text: str, to: type[msgspec.Struct], at: str) -> SpecError:
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


def _known_fields(to: type[msgspec.Struct], steps: list[str]) -> list[str]:
    """The fields of the record that stands where `steps` lead to."""
    kind: msgspec.inspect.Type = msgspec.inspect.type_info(to)
    for step in steps:
        kind = _below(kind, step)
    return [field.encode_name for field in kind.fields] if isinstance(kind, msgspec.inspect.StructType) else []


def _below(kind: msgspec.inspect.Type, step: str) -> msgspec.inspect.Type:
    if isinstance(kind, msgspec.inspect.UnionType):
        kind = next(one for one in kind.types if not isinstance(one, msgspec.inspect.NoneType))
    if isinstance(kind, msgspec.inspect.StructType):
        kind = next((field.type for field in kind.fields if field.encode_name == step), kind)
    elif isinstance(kind, msgspec.inspect.ListType):
        kind = kind.item_type
    if isinstance(kind, msgspec.inspect.UnionType):
        kind = next(one for one in kind.types if not isinstance(one, msgspec.inspect.NoneType))
    return kind
