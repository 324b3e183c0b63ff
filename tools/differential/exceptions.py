"""Random PolicyExceptions: several to a policy, by every filter, with conditions and pod security controls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tools.differential.topics import Question, matching, pod_security

if TYPE_CHECKING:
    from random import Random

    Document = dict[str, Any]

_KINDS: Final = (
    *("Pod", "Pod", "v1/Pod", "Deployment", "apps/v1/Deployment", "apps/*/*", "*", "ConfigMap", "StatefulSet"),
    *("Namespace", "ClusterRole", "Po*", "batch/v1/CronJob", "Pod/status"),
)
_LABELS: Final = ({"app": "web"}, {"app": "w*"}, {"a*": "web"}, {"tier": "front"}, {"app": ""})
_SUBJECTS: Final = (
    {"kind": "User", "name": "jo"},
    {"kind": "Group", "name": "dev*"},
    {"kind": "User", "name": "eve"},
    {"kind": "ServiceAccount", "name": "bot", "namespace": "shop"},
)
_CONDITIONS: Final = (
    {"key": "{{ request.object.metadata.name }}", "operator": "Equals", "value": "web"},
    {"key": "{{ request.object.metadata.name }}", "operator": "AnyIn", "value": ["w*", "one"]},
    {"key": "{{ request.object.metadata.labels.app }}", "operator": "NotEquals", "value": "api"},
    {"key": "{{ request.operation || 'CREATE' }}", "operator": "Equals", "value": "CREATE"},
    {"key": "{{ request.object.metadata.labels.none || '' }}", "operator": "Equals", "value": ""},
    {"key": "{{ note }}", "operator": "Equals", "value": "web"},
)
_CONTROLS: Final = ("Host Namespaces", "Privileged Containers", "Capabilities", "Running as Non-root", "Seccomp")


def exceptions(chance: Random, number: int) -> Question:
    """Rules of every way to judge, cluster-wide and namespaced, and exceptions that name them or nearly do."""
    about = matching(chance, 1)
    policies = [_policy(chance, index) for index in range(number)]
    with_user = about.user if chance.random() < 0.5 else None
    made = [_exception(chance, index, policy) for index, policy in enumerate(policies * 2) if chance.random() < 0.8]
    return Question(policies, about.resources, about.namespaces, with_user, made)


def pod_exceptions(chance: Random, number: int) -> Question:
    """Exceptions from controls of the Pod Security Standards, with others beside them."""
    asked = pod_security(chance, number)
    made = []
    for index, policy in enumerate(asked.policies * 2):
        item = _exception(chance, index, policy)
        controls = [{"controlName": name} for name in chance.sample(_CONTROLS, chance.choice([1, 2]))]
        if chance.random() < 0.7:
            item["spec"]["podSecurity"] = controls
        made.append(item)
    return Question(asked.policies, asked.resources, asked.namespaces, asked.user, made)


def _policy(chance: Random, index: int) -> Document:
    rules = [_rule(chance, name) for name in chance.sample(["check-a", "check-b", "other"], chance.choice([1, 2]))]
    metadata: Document = {"name": f"p{index:04}"}
    kind = "ClusterPolicy"
    if chance.random() < 0.25:
        kind, metadata["namespace"] = "Policy", chance.choice(["shop", "default"])
    spec = {"background": False, "rules": rules}
    return {"apiVersion": "kyverno.io/v1", "kind": kind, "metadata": metadata, "spec": spec}


def _rule(chance: Random, name: str) -> Document:
    kinds = chance.choice([["Pod"], ["Pod"], ["Pod", "Deployment"], ["ConfigMap"], ["*"]])
    ways: tuple[Document, ...] = (
        {"pattern": {"metadata": {"labels": {"app": "?*"}}}},
        {"pattern": {"metadata": {"name": "w*"}}},
        {"deny": {}},
        {"deny": {"conditions": {"any": [chance.choice(_CONDITIONS[:3])]}}},
    )
    rule: Document = {
        "name": name,
        "context": [{"name": "note", "variable": {"jmesPath": "request.object.metadata.name"}}],
        "match": {"any": [{"resources": {"kinds": kinds}}]},
        "validate": {"message": "m", **chance.choice(ways)},
    }
    if chance.random() < 0.25:
        rule["preconditions"] = {"all": [chance.choice(_CONDITIONS[:5])]}
    return rule


def _exception(chance: Random, index: int, policy: Document) -> Document:
    name, space = policy["metadata"]["name"], policy["metadata"].get("namespace")
    full = f"{space}/{name}" if space else name
    wrong = name if space else f"default/{name}"
    named = chance.choices([full, wrong, f"{full[:-1]}?", "*"], [80, 8, 6, 6])[0]
    rules = [rule["name"] for rule in policy["spec"]["rules"]]
    words = [*rules, *rules, "check-*", "*", "autogen-*", f"autogen-{rules[0]}", f"autogen-cronjob-{rules[0]}", "chec"]
    spec: Document = {
        "exceptions": [{"policyName": named, "ruleNames": chance.sample(words, chance.choice([1, 1, 2, 3]))}],
        "match": {chance.choice(["any", "all"]): [_filter(chance) for _ in range(chance.choice([1, 1, 2]))]},
    }
    if chance.random() < 0.35:
        wanted = chance.sample(_CONDITIONS, chance.choice([1, 2]))
        spec["conditions"] = {chance.choice(["any", "all"]): wanted}
    if chance.random() < 0.1:
        spec["podSecurity"] = [{"controlName": chance.choice(_CONTROLS)}]
    if chance.random() < 0.2:
        spec["background"] = chance.random() < 0.5
    version = chance.choice(["kyverno.io/v2", "kyverno.io/v2", "kyverno.io/v2beta1"])
    metadata = {"name": f"e{index:04}", "namespace": chance.choice(["shop", "default", "waivers"])}
    return {"apiVersion": version, "kind": "PolicyException", "metadata": metadata, "spec": spec}


def _filter(chance: Random) -> Document:
    expression = {"key": "app", "operator": chance.choice(["In", "NotIn"]), "values": ["web", "api"]}
    selector = chance.choice([{"matchLabels": chance.choice(_LABELS)}, {"matchExpressions": [expression]}])
    choices: tuple[tuple[float, str, Any], ...] = (
        (0.85, "kinds", chance.sample(_KINDS, chance.choice([1, 2]))),
        (0.15, "names", chance.sample(["web", "web-*", "*", "?eb", "one"], chance.choice([1, 2]))),
        (0.1, "name", chance.choice(["web", "w*", ""])),
        (0.25, "namespaces", chance.sample(["shop", "sh*", "default", "*", "prod-?"], chance.choice([1, 2]))),
        (0.1, "selector", selector),
        (0.1, "annotations", chance.choice([{"team": "a"}, {"team": "*"}, {"t*": "a"}])),
        (0.15, "namespaceSelector", selector),
        (0.2, "operations", chance.sample(["CREATE", "UPDATE", "DELETE"], chance.choice([1, 2]))),
    )
    resources = {name: value for share, name, value in choices if chance.random() < share}
    if "names" in resources:
        resources.pop("name", None)  # both at once are refused
    made: Document = {"resources": resources}
    if chance.random() < 0.1:
        made["subjects"] = chance.sample(_SUBJECTS, chance.choice([1, 2]))
    if chance.random() < 0.05:
        made["clusterRoles"] = chance.sample(["admin", "ed*", "edit"], chance.choice([1, 2]))
    return made
