"""Values files: recorded answers that stand in for a cluster, as `kyverno apply` and `kyverno test` read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from bartizan.app.loose import loose

if TYPE_CHECKING:
    from bartizan.base.json import Json, JsonObject


class Values(NamedTuple):
    """Variables by where they hold: everywhere, for a policy's resource, for a policy's rule."""

    everywhere: dict[str, Any]
    of_resource: dict[tuple[str, str], dict[str, Any]]
    of_rule: dict[tuple[str, str], dict[str, Any]]
    foreach: dict[tuple[str, str], dict[str, list[Any]]]
    namespace_labels: dict[str, dict[str, str]]
    subresources: tuple[JsonObject, ...]

    def for_rule(self, policy: str, rule: str, resource: str) -> dict[str, Any]:
        """All variables of one rule on one resource, by dotted path; the narrower word wins."""
        found = {**self.everywhere, **self.of_resource.get((policy, resource), {})}
        return found | self.of_rule.get((policy, plain_rule(rule)), {}) | self.of_rule.get((policy, rule), {})


EMPTY = Values({}, {}, {}, {}, {}, ())


def plain_rule(rule: str) -> str:
    """The name a generated rule has from its own."""
    return rule.removeprefix("autogen-").removeprefix("cronjob-") if rule.startswith("autogen-") else rule


def read_values(document: Json) -> Values:
    """Read a Values document, or the `spec` of one."""
    body = loose(document)
    of_resource: dict[tuple[str, str], dict[str, Any]] = {}
    of_rule: dict[tuple[str, str], dict[str, Any]] = {}
    foreach: dict[tuple[str, str], dict[str, list[Any]]] = {}
    for policy in map(loose, body.get("policies") or ()):
        name = str(policy.get("name"))
        for resource in map(loose, policy.get("resources") or ()):
            of_resource[name, str(resource.get("name"))] = resource.get("values") or {}
        for rule in map(loose, policy.get("rules") or ()):
            of_rule[name, str(rule.get("name"))] = rule.get("values") or {}
            if rule.get("foreachvalues"):
                foreach[name, str(rule.get("name"))] = rule["foreachvalues"]
    labels = {str(item["name"]): item.get("labels") or {} for item in map(loose, body.get("namespaceselector") or ())}
    for namespace in body.get("namespaces") or ():
        metadata = namespace.get("metadata") or {}
        labels[str(metadata.get("name"))] = metadata.get("labels") or {}
    everywhere = dict(body.get("globalvalues") or {})
    return Values(everywhere, of_resource, of_rule, foreach, labels, tuple(body.get("subresources") or ()))
