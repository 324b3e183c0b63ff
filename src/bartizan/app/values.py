"""Values files: recorded answers that stand in for a cluster, as `kyverno apply` and `kyverno test` read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from bartizan.app.fields import Fields

if TYPE_CHECKING:
    from bartizan.base.json import Json


class Subresource(NamedTuple):
    """A kind that is a part of another, such as Scale of Deployments: `name` is the part's."""

    kind: str
    name: str
    parent_kind: str
    parent_group: str


class Values(NamedTuple):
    """Variables by where they hold: everywhere, for a policy's resource, for a policy's rule."""

    everywhere: dict[str, Any]
    of_resource: dict[tuple[str, str], dict[str, Any]]
    of_rule: dict[tuple[str, str], dict[str, Any]]
    foreach: dict[tuple[str, str], dict[str, list[Any]]]
    namespace_labels: dict[str, dict[str, str]]
    namespaces: dict[str, dict[str, Any]]
    """Namespaces as objects, for who asks more than their labels."""
    subresources: tuple[Subresource, ...]

    def for_rule(self, policy: str, rule: str, resource: str) -> dict[str, Any]:
        """All variables of one rule on one resource, by dotted path; the narrower word wins."""
        found = {**self.everywhere, **self.of_resource.get((policy, resource), {})}
        return found | self.of_rule.get((policy, plain_rule(rule)), {}) | self.of_rule.get((policy, rule), {})


EMPTY = Values({}, {}, {}, {}, {}, {}, ())


def plain_rule(rule: str) -> str:
    """The name a generated rule has from its own."""
    return rule.removeprefix("autogen-").removeprefix("cronjob-") if rule.startswith("autogen-") else rule


def read_values(document: Json) -> Values:
    """Read a Values document, or the `spec` of one.

    Raises:
        SpecError: a field is not what it must be.
    """
    body = Fields(document)
    body.must_be("Values", "Value")
    of_resource: dict[tuple[str, str], dict[str, Any]] = {}
    of_rule: dict[tuple[str, str], dict[str, Any]] = {}
    foreach: dict[tuple[str, str], dict[str, list[Any]]] = {}
    for policy in body.entries("policies"):
        name = policy.text("name")
        for resource in policy.entries("resources"):
            of_resource[name, resource.text("name")] = resource.mapping("values")
        for rule in policy.entries("rules"):
            of_rule[name, rule.text("name")] = rule.mapping("values")
            if "foreachValues" in rule:
                loops = rule.fields("foreachValues")
                foreach[name, rule.text("name")] = {path: loops.items(path) for path in rule.mapping("foreachValues")}
    labels = {item.text("name"): item.mapping("labels") for item in body.entries("namespaceSelector")}
    namespaces: dict[str, dict[str, Any]] = {}
    for namespace, whole in zip(body.entries("namespaces"), body.items("namespaces"), strict=True):
        metadata = namespace.fields("metadata")
        name = metadata.text("name")
        labels[name] = metadata.mapping("labels")
        namespaces[name] = whole
    subresources = tuple(_subresource(entry) for entry in body.entries("subresources"))
    everywhere = dict(body.mapping("globalValues"))
    return Values(everywhere, of_resource, of_rule, foreach, labels, namespaces, subresources)


def _subresource(entry: Fields) -> Subresource:
    own, parent = entry.fields("subresource"), entry.fields("parentResource")
    name = own.text("name").partition("/")[2]
    return Subresource(own.text("kind"), name, parent.text("kind"), parent.text("group"))
