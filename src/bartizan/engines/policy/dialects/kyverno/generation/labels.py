"""The labels by which a generated object is known: which rule made it, for which trigger, from which source.

They are Kyverno's, to the letter, so that either program finds what the
other has made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.base.json import to_text
from bartizan.engines.policy.lookup import ObjectsQuestion
from bartizan.model.resource import labels_of

if TYPE_CHECKING:
    from bartizan.base.json import JsonObject
    from bartizan.model.resource import Resource, ResourceId

MANAGED_BY: Final = "app.kubernetes.io/managed-by"
MANAGER: Final = "kyverno"
POLICY: Final = "generate.kyverno.io/policy-name"
POLICY_NAMESPACE: Final = "generate.kyverno.io/policy-namespace"
RULE: Final = "generate.kyverno.io/rule-name"
TRIGGER_GROUP: Final = "generate.kyverno.io/trigger-group"
TRIGGER_VERSION: Final = "generate.kyverno.io/trigger-version"
TRIGGER_KIND: Final = "generate.kyverno.io/trigger-kind"
TRIGGER_NAMESPACE: Final = "generate.kyverno.io/trigger-namespace"
TRIGGER_NAME: Final = "generate.kyverno.io/trigger-name"
"""Written by versions before 1.12 and read still, and by policies in CEL; a name may be longer than a label."""
TRIGGER_UID: Final = "generate.kyverno.io/trigger-uid"
CLONE_SOURCE: Final = "generate.kyverno.io/clone-source"
SOURCE_GROUP: Final = "generate.kyverno.io/source-group"
SOURCE_VERSION: Final = "generate.kyverno.io/source-version"
SOURCE_KIND: Final = "generate.kyverno.io/source-kind"
SOURCE_NAMESPACE: Final = "generate.kyverno.io/source-namespace"
SOURCE_UID: Final = "generate.kyverno.io/source-uid"
_MAX_LABEL: Final = 63


class Maker(NamedTuple):
    """The rule that makes an object."""

    policy: str
    namespace: str
    rule: str


def maker_labels(maker: Maker) -> dict[str, str]:
    """What every object that a rule made bears."""
    return {MANAGED_BY: MANAGER, POLICY: maker.policy, POLICY_NAMESPACE: maker.namespace, RULE: maker.rule}


def trigger_labels(rid: ResourceId, uid: str) -> dict[str, str]:
    """What every object that was made for a trigger bears."""
    return {
        TRIGGER_VERSION: rid.version,
        TRIGGER_GROUP: rid.group,
        TRIGGER_KIND: rid.kind,
        TRIGGER_NAMESPACE: rid.namespace,
        TRIGGER_UID: uid,
    }


def cel_labels(policy: str, trigger: ResourceId, uid: str) -> dict[str, str]:
    """What every object bears that a policy in CEL made for a trigger; such a policy has no rules to name.

    The name of the trigger is left out where it is longer than a label may be.
    """
    name = {TRIGGER_NAME: trigger.name} if len(trigger.name) <= _MAX_LABEL else {}
    return {MANAGED_BY: MANAGER, POLICY: policy, **trigger_labels(trigger, uid), **name}


def source_labels(source: ResourceId, uid: str) -> dict[str, str]:
    """What a clone bears of the object it was copied from.

    The mark of the source itself is among them, for it is set before the copy is made.
    """
    return {
        CLONE_SOURCE: "",
        SOURCE_GROUP: source.group,
        SOURCE_VERSION: source.version,
        SOURCE_KIND: source.kind,
        SOURCE_NAMESPACE: source.namespace,
        SOURCE_UID: uid,
    }


def is_made_by(body: JsonObject, maker: Maker) -> bool:
    """Whether a rule made this object, as its labels have it."""
    labels = labels_of(body)
    return all(labels.get(name, "") == value for name, value in maker_labels(maker).items())


def downstream_of(kind: str, maker: Maker, trigger: Resource | None = None) -> tuple[ObjectsQuestion, ...]:
    """How to ask for the objects of a kind that a rule made: for one trigger, or for all.

    The second question is for objects of older versions, which name their
    trigger and not its uid, and is asked where the first finds nothing.
    """
    labels = maker_labels(maker)
    if trigger is None:
        return (labelled(kind, labels),)
    by_uid = labels | trigger_labels(trigger.id, trigger.uid)
    by_name = {name: value for name, value in by_uid.items() if name != TRIGGER_UID} | {TRIGGER_NAME: trigger.id.name}
    return labelled(kind, by_uid), labelled(kind, by_name)


def labelled(kind: str, labels: dict[str, str], namespace: str = "") -> ObjectsQuestion:
    """How to ask for the objects of a kind that bear labels."""
    return ObjectsQuestion(kind, namespace, selector=to_text({"matchLabels": labels}))


def clones_of(source: Resource) -> ObjectsQuestion:
    """How to ask for the copies of an object."""
    labels = source_labels(source.id, source.uid)
    del labels[CLONE_SOURCE]
    return labelled(f"{source.id.api_version}/{source.id.kind}", labels)


def without_maker(body: JsonObject) -> JsonObject:
    """An object that is nobody's any more; its rule has come to make something else."""
    gone = (POLICY, POLICY_NAMESPACE, RULE)
    labels = {name: value for name, value in labels_of(body).items() if name not in gone}
    return {**body, "metadata": {**body["metadata"], "labels": labels}}


def marked_source(body: JsonObject) -> JsonObject | None:
    """A source with the mark that changes to it matter to its copies; `None` where it is marked."""
    labels = labels_of(body)
    if CLONE_SOURCE in labels:
        return None
    return {**body, "metadata": {**(body.get("metadata") or {}), "labels": {**labels, CLONE_SOURCE: ""}}}
