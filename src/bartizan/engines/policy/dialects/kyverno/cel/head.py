"""What every policy of `policies.kyverno.io` says of itself beside its `spec`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.base.errors import SpecError
from bartizan.engines.policy.document import Metadata, decode, object_at
from bartizan.model.finding import RuleId, RuleInfo
from bartizan.model.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Collection

    from bartizan.base.json import Json, JsonObject

_GROUP: Final = "policies.kyverno.io"
_VERSIONS: Final = frozenset({"v1alpha1", "v1beta1", "v1"})
_TOP_FIELDS: Final = frozenset({"apiVersion", "kind", "metadata", "spec", "status"})
NAMESPACED: Final = "Namespaced"
"""What the kind of a policy begins with that is for one namespace."""


class Head(NamedTuple):
    """A policy's kind, name, and the namespace it is for; none for one of the whole cluster."""

    kind: str
    name: str
    namespace: str
    info: RuleInfo
    """Its one rule, which has its name."""

    @property
    def full_name(self) -> str:
        """`namespace/name`, or the name alone for a policy of the whole cluster."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


def is_one_of(document: Json, kinds: Collection[str]) -> bool:
    """Whether a document is of one of some kinds of this group."""
    if not isinstance(document, dict) or str(document.get("kind")) not in kinds:
        return False
    group, _, version = str(document.get("apiVersion")).partition("/")
    return group == _GROUP and version in _VERSIONS


def read_head(document: JsonObject) -> Head:
    """Read everything but the `spec`.

    Raises:
        SpecError: a field is unknown or malformed, or the policy has no name.
    """
    object_at(document, "", _TOP_FIELDS)
    metadata = decode(document.get("metadata") or {}, Metadata, "/metadata")
    if not metadata.name:
        raise SpecError("a policy needs a name", pointer="/metadata", hint="Write `metadata.name`.")
    annotations = metadata.annotations or {}
    kind = str(document.get("kind"))
    namespace = (metadata.namespace or "default") if kind.startswith(NAMESPACED) else ""

    def note(field: str) -> str:
        return annotations.get(f"policies.kyverno.io/{field}", "").strip()

    full_name = f"{namespace}/{metadata.name}" if namespace else metadata.name
    info = RuleInfo(
        id=RuleId(full_name, metadata.name),
        title=note("title"),
        severity=Severity.parse(note("severity"), Severity.MEDIUM),
        category=note("category"),
        origin="kyverno",
        why=note("description"),
        scored=note("scored") != "false",
    )
    return Head(kind, metadata.name, namespace, info)
