"""What the kinds of `policies.kyverno.io` have in common; the versions v1alpha1, v1beta1 and v1 are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.base.errors import SpecError
from bartizan.base.suggest import did_you_mean
from bartizan.engines.policy.document import Metadata, Record, decode, object_at
from bartizan.model.finding import RuleId, RuleInfo
from bartizan.model.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Collection

    from bartizan.base.json import Json, JsonObject

GROUP: Final = "policies.kyverno.io"
VERSIONS: Final = frozenset({"v1alpha1", "v1beta1", "v1"})
TOP_FIELDS: Final = frozenset({"apiVersion", "kind", "metadata", "spec", "status"})
FAILURE_POLICIES: Final = frozenset({"Fail", "Ignore"})
ACTIONS: Final = frozenset({"Deny", "Audit", "Warn"})
MODES: Final = frozenset({"Kubernetes", "JSON", "HTTP", "Envoy"})


class Switch(Record, frozen=True):
    """Something that is on or off."""

    enabled: bool | None = None


class PodControllers(Record, frozen=True):
    """For which pod controllers rules are made, by their resources."""

    controllers: tuple[str, ...] | None = None


class Autogen(Record, frozen=True):
    """`autogen` of a policy."""

    pod_controllers: PodControllers | None = None
    validating_admission_policy: Switch | None = None
    mutating_admission_policy: Switch | None = None


class WebhookConfiguration(Record, frozen=True):
    """How long the API server waits."""

    timeout_seconds: int | None = None


class Head(NamedTuple):
    """Who a policy is. `namespace` is empty for a kind that is for the whole cluster."""

    kind: str
    name: str
    namespace: str
    info: RuleInfo

    @property
    def full_name(self) -> str:
        """`namespace/name`, or the name alone."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


def is_of_group(document: Json, kinds: Collection[str]) -> bool:
    """Whether a document is of one of some kinds of the group, in a version that is read here."""
    if not isinstance(document, dict) or str(document.get("kind")) not in kinds:
        return False
    group, _, version = str(document.get("apiVersion")).partition("/")
    return group == GROUP and version in VERSIONS


def read_head(document: JsonObject) -> Head:
    """Read who a policy is, and check that it has nothing beside its parts.

    Raises:
        SpecError: it has no name or no spec, or another field.
    """
    object_at(document, "", TOP_FIELDS)
    metadata = decode(document.get("metadata") or {}, Metadata, "/metadata")
    if not metadata.name:
        raise SpecError("a policy needs a name", pointer="/metadata", hint="Write `metadata.name`.")
    if not isinstance(document.get("spec"), dict):
        raise SpecError(f"policy `{metadata.name}` has no `spec`", pointer="", hint="Write what it does in it.")
    kind = str(document.get("kind"))
    namespace = metadata.namespace or "default" if kind.startswith("Namespaced") else ""
    annotations = metadata.annotations or {}

    def note(field: str) -> str:
        return annotations.get(f"policies.kyverno.io/{field}", "").strip()

    info = RuleInfo(
        id=RuleId(f"{namespace}/{metadata.name}" if namespace else metadata.name),
        title=note("title"),
        severity=Severity.parse(note("severity"), Severity.MEDIUM),
        category=note("category"),
        origin="kyverno",
        why=note("description"),
        scored=note("scored") != "false",
    )
    return Head(kind, metadata.name, namespace, info)


def one_of(value: str | None, known: Collection[str], at: str, *, default: str) -> str:
    """A word that must be one of some.

    Raises:
        SpecError: it is another.
    """
    if value is None or value == "":
        return default
    if value not in known:
        field = next(part for part in reversed(at.split("/")) if not part.isdecimal())
        raise SpecError(f"unknown `{field}`: `{value}`", pointer=at, hint=did_you_mean(value, known))
    return value
