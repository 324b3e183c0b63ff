"""What a Kyverno document may say: the fields of `kyverno.io` ClusterPolicy, Policy and PolicyException.

Patterns, conditions and contexts stay plain JSON: their own compilers read
them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from bartizan.engines.policy.dialects.podsecurity.exclusion import Exclusion
from bartizan.engines.policy.document import Record
from bartizan.engines.policy.selector import LabelSelector

if TYPE_CHECKING:
    from collections.abc import Collection

    from bartizan.base.json import Json

JsonObject = dict[str, Any]


class Subject(Record, frozen=True):
    """A user, group or service account; names take wildcards."""

    kind: str
    name: str = ""
    namespace: str = ""
    api_group: str = ""


class ResourceFilter(Record, frozen=True):
    """Which resources are meant; whatever is given must hold."""

    kinds: list[str] | None = None
    name: str | None = None
    names: list[str] | None = None
    namespaces: list[str] | None = None
    annotations: dict[str, str] | None = None
    selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    operations: list[str] | None = None


class Filter(Record, frozen=True):
    """Which requests are meant: what is changed, and who asks."""

    resources: ResourceFilter | None = None
    roles: list[str] | None = None
    cluster_roles: list[str] | None = None
    subjects: list[Subject] | None = None


class MatchSpec(Filter, frozen=True):
    """`match` or `exclude`: `any` or `all` of several filters, or in the old form one."""

    any: list[Filter] | None = None
    all: list[Filter] | None = None


class ActionOverride(Record, frozen=True):
    """What to do with a failure in some namespaces."""

    action: str = ""
    namespaces: list[str] | None = None
    namespace_selector: LabelSelector | None = None


class PodSecuritySpec(Record, frozen=True):
    """`podSecurity` of a rule."""

    level: str = ""
    version: str = ""
    exclude: list[Exclusion] | None = None


class ValidateSpec(Record, frozen=True):
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


class RuleSpec(Record, frozen=True):
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


class PolicySpec(Record, frozen=True):
    """`spec` of a policy. Rules stay plain until autogen has made the ones for pod controllers."""

    rules: tuple[JsonObject, ...] = ()
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


class ExceptionEntry(Record, frozen=True):
    """Which rules of which policy an exception is for; rule names take wildcards."""

    policy_name: str
    rule_names: list[str]


class ExceptionSpec(Record, frozen=True):
    """`spec` of a PolicyException."""

    exceptions: list[ExceptionEntry]
    match: MatchSpec | None = None
    background: bool | None = None
    conditions: Any = None
    pod_security: list[Exclusion] | None = None


def is_of(document: Json, kinds: Collection[str], versions: Collection[str]) -> bool:
    """Whether a document is of one of some kinds of the group `kyverno.io`."""
    if not isinstance(document, dict) or str(document.get("kind")) not in kinds:
        return False
    group, _, version = str(document.get("apiVersion")).partition("/")
    return group == "kyverno.io" and version in versions
