"""What random policies are about: one function a topic, each giving policies and the resources to judge by them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tests.engines.policy.podsecurity.pods import random_pod

from bartizan.engines.policy.dialects.podsecurity.levels import CONTROLS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from random import Random

    Document = dict[str, Any]

_OPERATORS: Final = (
    *("Equals", "NotEquals", "AnyIn", "AllIn", "AnyNotIn", "AllNotIn", "Equal", "NotEqual"),
    *("GreaterThan", "GreaterThanOrEquals", "LessThan", "LessThanOrEquals"),
    *("DurationGreaterThan", "DurationLessThanOrEquals"),
)
_TEXTS: Final = (
    *("1", "10", "1.0", "1k", "1Ki", "100m", "1h", "60m", "3600", "0", "0s", "abc", "a*", "ab", "*", "", "a?c"),
    *("1.2.3", "v1.2.3", "1.10.0", "true", "1-10", "1h-2h", "x-y", '["a","b"]', "b", "1!-5", "null", "{}", "1e3"),
)
_NUMBERS: Final = (0, 1, 10, 5, -1, 1.5, True, False, 3600, 1000, 60)
_POD: Final = {"containers": [{"name": "c", "image": "x"}]}


class Question(NamedTuple):
    """Policies and resources, with what the peer's values and user files say."""

    policies: list[Document]
    resources: list[Document]
    namespaces: Mapping[str, Mapping[str, str]] = MappingProxyType({})
    user: Document | None = None
    exceptions: Sequence[Document] = ()


def _policy(number: int, rule: Document, **spec: object) -> Document:
    metadata = {"name": f"p{number:04}"}
    rules = [{"name": "r", **rule}]
    return {
        "apiVersion": "kyverno.io/v1",
        "kind": "ClusterPolicy",
        "metadata": metadata,
        "spec": {"background": False, **spec, "rules": rules},
    }


def _about(kind: str) -> Document:
    return {"match": {"any": [{"resources": {"kinds": [kind]}}]}}


def _config_map(number: int, data: Document) -> Document:
    metadata = {"name": f"m{number:03}", "namespace": "shop"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


# patterns


def patterns(chance: Random, number: int) -> Question:
    """Overlay patterns with every anchor, on values made after them and on others."""
    trees = [_map_pattern(chance, 3) for _ in range(number)]
    policies = []
    for index, tree in enumerate(trees):
        judged: Document = {"pattern": {"data": tree}}
        if chance.random() < 0.15:
            judged = {"anyPattern": [{"data": tree}, {"data": _map_pattern(chance, 2)}]}
        policies.append(_policy(index, {**_about("ConfigMap"), "validate": {"message": "m", **judged}}))
    data = [_like(chance, chance.choice(trees)) if index % 3 else _tree(chance, 3) for index in range(60)]
    return Question(policies, [_config_map(i, one if isinstance(one, dict) else {}) for i, one in enumerate(data)])


def _pattern(chance: Random, depth: int) -> Any:
    kind = chance.random()
    if depth <= 0 or kind < 0.25:
        leaves = (1, 2, "x", "y", "x*", "?*", "*", "!x", "x | y", ">1", "<=1", "1-2", True, None, "1", "!1 & !2", "")
        return chance.choice(leaves)
    return _map_pattern(chance, depth) if kind < 0.75 else [_map_pattern(chance, depth - 1)]


def _map_pattern(chance: Random, depth: int) -> Document:
    made: Document = {}
    for key in chance.sample("abc", chance.randint(1, 3)):
        anchor = chance.choices(["", "(", "=(", "X(", "<(", "^("], [45, 15, 15, 7, 10, 8])[0]
        name = f"{anchor}{key})" if anchor else key
        if anchor == "X(":
            made[name] = "null"
        elif anchor == "^(":
            made[name] = [_map_pattern(chance, depth - 1)]
        else:
            made[name] = _pattern(chance, depth - 1)
    return made


def _like(chance: Random, pattern: Any) -> Any:
    """A value that the pattern mostly matches."""
    if isinstance(pattern, dict):
        kept = {key: value for key, value in pattern.items() if not key.startswith("X(") and chance.random() > 0.15}
        return {key.strip("=<^()"): _like(chance, value) for key, value in kept.items()}
    if isinstance(pattern, list):
        return [_like(chance, pattern[0]) for _ in range(chance.randint(0, 3))]
    if chance.random() < 0.3:
        return _scalar(chance)
    known = {"x*": "xz", "?*": "q", "*": 1, "!x": "y", "x | y": "y", ">1": 2, "<=1": 1, "1-2": 1, "!1 & !2": 3}
    return known.get(pattern, pattern) if isinstance(pattern, str) else pattern


def _tree(chance: Random, depth: int) -> Any:
    if depth <= 0 or chance.random() < 0.3:
        return _scalar(chance)
    if chance.random() < 0.6:
        return {key: _tree(chance, depth - 1) for key in chance.sample("abc", chance.randint(0, 3))}
    return [{key: _tree(chance, depth - 2) for key in chance.sample("abc", 2)} for _ in range(chance.randint(0, 3))]


def _scalar(chance: Random) -> Any:
    return chance.choice([1, 2, "x", "y", "xx", "", True, False, None, "1", 0, 3, 1.5])


# conditions


def conditions(chance: Random, number: int) -> Question:
    """Every operator with keys and values of every type, each from a policy or from a resource."""
    policies = []
    for index in range(number):
        condition = {
            "key": "{{ request.object.data.v }}",
            "operator": chance.choice(_OPERATORS),
            "value": _side(chance),
        }
        if chance.random() < 0.3:
            condition |= {"key": _side(chance), "value": "{{ request.object.data.v }}"}
        deny = {"conditions": {"all": [condition]}}
        policies.append(_policy(index, {**_about("ConfigMap"), "validate": {"message": "m", "deny": deny}}))
    return Question(policies, [_config_map(index, {"v": _side(chance)} if index else {}) for index in range(80)])


def _side(chance: Random) -> Any:
    def one() -> Any:
        return chance.choice(_NUMBERS) if chance.random() < 0.25 else chance.choice(_TEXTS)

    # lists of numbers are left out: in them the peer takes 1 and 1.0 for different, and In ends its process
    if chance.random() < 0.6:
        return one()
    return [chance.choice(_TEXTS) for _ in range(chance.choice([0, 1, 1, 2, 3]))]


# matching


def matching(chance: Random, number: int) -> Question:
    """`match` and `exclude` by kinds, names, selectors, namespaces and users; also what autogen makes of them."""
    filters = _Filters(chance)
    policies = []
    for index in range(number):
        rule: Document = {"match": filters.block(), "validate": {"message": "m", "deny": {}}}
        if chance.random() < 0.45:
            rule["exclude"] = filters.block()
        policy = _policy(index, rule)
        autogen = chance.choice([None, "none", "Deployment", "Deployment,CronJob", "StatefulSet,Job", "all"])
        if autogen:
            policy["metadata"]["annotations"] = {"pod-policies.kyverno.io/autogen-controllers": autogen}
        policies.append(policy)
    user = {"username": "jo", "groups": ["devs"]}
    namespaces = {"shop": {"app": "web", "tier": "front"}, "default": {"app": "api"}, "prod-1": {"x": "z"}}
    info = {"clusterRoles": ["edit"], "roles": ["shop:reader"], "userInfo": user}
    return Question(policies, _workloads(chance), namespaces, info)


class _Filters:
    """Random filters of requests."""

    _KINDS: Final = (
        *("Pod", "Pod", "Pod", "v1/Pod", "*/Pod", "apps/v1/Deployment", "Deployment", "apps/*/Deployment", "*/*", "*"),
        *("Po*", "*Map", "ConfigMap", "v1/*", "batch/v1/CronJob", "Namespace", "pod", "Pod/status", "StatefulSet"),
        *("ClusterRole", "rbac.authorization.k8s.io/*/ClusterRole", "Secret", "v1beta1/Pod"),
    )
    _LABELS: Final = ({"app": "web"}, {"app": "w*"}, {"a*": "web"}, {"app": "?*"}, {"tier": "front"}, {"app": ""})
    _SUBJECTS: Final = (
        {"kind": "User", "name": "jo"},
        {"kind": "User", "name": "j*"},
        {"kind": "Group", "name": "dev*"},
        {"kind": "User", "name": "eve"},
        {"kind": "ServiceAccount", "name": "bot", "namespace": "shop"},
    )

    def __init__(self, chance: Random) -> None:
        self._chance = chance

    def block(self) -> Document:
        """A `match` or `exclude`."""
        form = self._chance.choice(["any", "all", "flat"])
        if form == "flat":
            return self._filter()
        return {form: [self._filter() for _ in range(self._chance.choice([1, 2]))]}

    def _filter(self) -> Document:
        chance = self._chance
        fields: tuple[tuple[float, str, Callable[[], Any]], ...] = (
            (
                0.1,
                "names",
                lambda: chance.sample(["web", "web-*", "*", "?eb", "w*b", "one", ""], chance.choice([1, 2])),
            ),
            (
                0.3,
                "namespaces",
                lambda: chance.sample(["shop", "sh*", "default", "*", "prod-?"], chance.choice([1, 2])),
            ),
            (0.1, "selector", self._selector),
            (0.1, "annotations", lambda: chance.choice([{"team": "a"}, {"team": "*"}, {"t*": "a"}])),
            (0.2, "namespaceSelector", self._selector),
            (0.2, "operations", lambda: chance.sample(["CREATE", "UPDATE", "DELETE"], chance.choice([1, 2]))),
        )
        resources = {"kinds": chance.sample(self._KINDS, chance.choice([1, 1, 2]))}
        resources |= {name: make() for share, name, make in fields if chance.random() < share}
        made: Document = {"resources": resources}
        if chance.random() < 0.2:
            made["subjects"] = chance.sample(self._SUBJECTS, chance.choice([1, 2]))
        if chance.random() < 0.1:
            made["clusterRoles"] = chance.sample(["admin", "ed*", "edit"], chance.choice([1, 2]))
        if chance.random() < 0.1:
            made["roles"] = chance.sample(["shop:reader", "sh*:*"], 1)
        return made

    def _selector(self) -> Document:
        chance = self._chance
        expression = {"key": "app", "operator": chance.choice(["In", "NotIn"]), "values": ["web", "api"]}
        return chance.choice([{"matchLabels": chance.choice(self._LABELS)}, {"matchExpressions": [expression]}])


def _workloads(chance: Random) -> list[Document]:
    kinds = (
        *(("v1", "Pod"), ("apps/v1", "Deployment"), ("v1", "ConfigMap"), ("v1", "Namespace"), ("v1", "Secret")),
        *(("rbac.authorization.k8s.io/v1", "ClusterRole"), ("batch/v1", "CronJob"), ("apps/v1", "StatefulSet")),
    )
    template = {"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": _POD}}
    specs = {
        "Pod": _POD,
        "Deployment": template,
        "StatefulSet": template,
        "CronJob": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": {"spec": _POD}}}},
    }
    made: dict[tuple[str, ...], Document] = {}
    for _ in range(60):
        version, kind = chance.choice(kinds)
        metadata: Document = {"name": chance.choice(["web", "api", "web-1", "one", "two"])}
        if kind not in ("Namespace", "ClusterRole"):
            metadata["namespace"] = chance.choice(["shop", "default", "prod-1", "kube-system"])
        if chance.random() < 0.7:
            metadata["labels"] = chance.choice([{"app": "web"}, {"app": "api", "tier": "front"}, {"abc": "web"}])
        if chance.random() < 0.4:
            metadata["annotations"] = chance.choice([{"team": "a"}, {"team": "b"}, {"tz": "a"}])
        body = {"apiVersion": version, "kind": kind, "metadata": metadata}
        made[kind, metadata["name"], metadata.get("namespace", "")] = body | (
            {"spec": specs[kind]} if kind in specs else {}
        )
    return list(made.values())


# variables and loops


def loops(chance: Random, number: int) -> Question:
    """Variables, contexts, preconditions and loops within loops."""
    rules = _Rules(chance)
    policies = [_policy(index, {**_about("ConfigMap"), **rules.rule()}) for index in range(number)]
    return Question(policies, [_config_map(index, rules.data()) for index in range(40)])


class _Rules:
    """Random rules that read a few keys, and data that has most of them."""

    _PATHS: Final = (
        *(f"request.object.data.{path}" for path in ("a", "list", "list[]", "list[*].name", "m", "list[0]", "m.k")),
        *(
            f"request.object.data.{path}"
            for path in ("list[?name=='x'].v | [0]", "missing", "strs", "a || 'd'", "nums")
        ),
        *(f"request.object.{path}" for path in ("data.list[].parts[]", "data.list[].{n: name}", "metadata.labels")),
        *("ctx", "length(request.object.data.list || `[]`)", "keys(request.object.data)", "request.operation"),
    )
    _ELEMENTS: Final = (
        *("element", "element.name", "element.v", "element.parts", "element.parts[0]", "element.missing"),
        *(
            "element.name || 'n'",
            "elementIndex",
            "element0",
            "element1",
            "to_string(element)",
            "length(element)",
            "ctx",
        ),
    )
    _VALUES: Final = ("x", "z", "a*", "", "1", 1, 0, True, ["x", "z"], "{{request.object.data.a}}", {"k": "x"}, "2", 2)
    _LISTS: Final = tuple(
        f"request.object.data.{key}" for key in ("list", "list[]", "strs", "missing", "m", "a", "nums")
    )

    def __init__(self, chance: Random) -> None:
        self._chance = chance

    def rule(self) -> Document:
        """A rule with a context, perhaps preconditions, and something to judge by."""
        chance = self._chance
        entry: Document = {"jmesPath": chance.choice(["request.object.data.a", "request.object.data.missing", "'lit'"])}
        if chance.random() < 0.5:
            entry["default"] = chance.choice(["d", 1, ["x"], "{{request.object.metadata.name}}"])
        made: Document = {"context": [{"name": "ctx", "variable": entry}]}
        if chance.random() < 0.3:
            made["preconditions"] = self._conditions(self._PATHS)
        if chance.random() < 0.5:
            judged: Document = {"foreach": [self._loop(0) for _ in range(chance.choice([1, 1, 2]))]}
        elif chance.random() < 0.5:
            judged = {"deny": {"conditions": self._conditions(self._PATHS)}}
        else:
            judged = chance.choice([{"pattern": self._overlay()}, {"anyPattern": [self._overlay(), self._overlay()]}])
        return {**made, "validate": {"message": "m", **judged}}

    def data(self) -> Document:
        """What such rules read."""
        chance = self._chance

        def item() -> Any:
            whole = {
                "name": chance.choice(["x", "z", ""]),
                "v": chance.choice(["x", 1, None]),
                "parts": chance.sample("xyz", 2),
            }
            some = {key: value for key, value in whole.items() if chance.random() < 0.7}
            return chance.choice([some, some, some, None, "s"])

        whole: Document = {
            "a": chance.choice(["x", "z", "", 1, None, "a*"]),
            "list": [item() for _ in range(chance.choice([0, 1, 2, 3]))],
            "m": chance.choice([{"k": "x"}, {"k": 1}, {}]),
            "strs": chance.sample(["x", "z", "a"], chance.choice([0, 1, 2])),
            "nums": chance.sample([1, 2, 0, 5], chance.choice([0, 1, 2])),
        }
        return {key: value for key, value in whole.items() if chance.random() < 0.7}

    def _loop(self, depth: int) -> Document:
        chance = self._chance
        inner = ("element.parts", "element", "element.missing", "request.object.data.strs")
        made: Document = {"list": chance.choice(inner if depth else self._LISTS)}
        if chance.random() < 0.3:
            made["preconditions"] = self._conditions(self._ELEMENTS)
        if chance.random() < 0.2:
            made["context"] = [{"name": "ctx", "variable": {"jmesPath": "element.name", "default": "d"}}]
        if chance.random() < 0.25:
            made["elementScope"] = chance.choice([True, False])
        leaf = chance.choice(["x", "?*", "!z", "{{element.name}}", "{{ctx}}", "{{elementIndex}}"])
        judged: Document = {"deny": {"conditions": self._conditions(self._ELEMENTS)}}
        if chance.random() < 0.4:
            judged = {"pattern": chance.choice([{"name": leaf}, {"=(v)": leaf}, {"(name)": leaf, "v": leaf}])}
        elif depth == 0 and chance.random() < 0.3:
            judged = {"foreach": [self._loop(1)]}
        return {**made, **judged}

    def _conditions(self, paths: tuple[str, ...]) -> Document:
        kinds = self._chance.choice([("all",), ("any",), ("all", "any")])
        return {kind: [self._condition(paths) for _ in range(self._chance.choice([1, 1, 2]))] for kind in kinds}

    def _condition(self, paths: tuple[str, ...]) -> Document:
        chance = self._chance
        path = chance.choice(paths)
        texts = (f"{{{{ {path} }}}}",) * 4 + (f"pre-{{{{{path}}}}}", f"\\{{{{{path}}}}}", f"{{{{- {path} }}}}")
        made = {
            "key": chance.choice(texts),
            "operator": chance.choice(_OPERATORS[:6]),
            "value": chance.choice(self._VALUES),
        }
        if chance.random() < 0.2:
            made["message"] = f"got {{{{ {chance.choice(paths)} }}}}"
        return made

    def _overlay(self) -> Document:
        leaf = self._chance.choice(["x", "?*", "!z", "*", "{{request.object.data.a}}", "{{ctx}}", ">0", "x | z"])
        shapes: tuple[Document, ...] = (
            {"a": leaf},
            {"=(a)": leaf},
            {"(a)": leaf, "m": {"k": leaf}},
            {"list": [{"name": leaf}]},
            {"^(list)": [{"name": leaf}]},
            {"X(m)": "null"},
        )
        return {"data": self._chance.choice(shapes)}


# Pod Security


def pod_security(chance: Random, number: int) -> Question:
    """Levels at versions, with exclusions, on random pods."""
    policies = []
    for index in range(number):
        level, version = chance.choice(["baseline", "restricted"]), chance.choice(["latest", "v1.29", "v1.24", "v1.19"])
        excluded = [_exclusion(chance) for _ in range(chance.choice([0, 1, 2, 3]))]
        judged = {"podSecurity": {"level": level, "version": version, "exclude": excluded}}
        policies.append(_policy(index, {**_about("Pod"), "validate": {"message": "m", **judged}}))
    pods = [random_pod(chance, f"m{index:03}") for index in range(70)]
    for pod in pods:
        pod["metadata"]["namespace"] = "shop"
        # a volume of nothing is an emptyDir to the API server, which the peer's command line does not know
        volumes = [volume for volume in pod["spec"].pop("volumes", ()) if len(volume) > 1]
        pod["spec"] |= {"volumes": volumes} if volumes else {}
    return Question(policies, pods)


def _exclusion(chance: Random) -> Document:
    control = chance.choice([one for one in CONTROLS if "Probe" not in one.name])
    made: Document = {"controlName": control.name}
    if control.in_containers and chance.random() < 0.7:
        made["images"] = chance.choice([["*"], ["registry.example/*"], ["other/*"]])
    return made


TOPICS: Final[Mapping[str, Callable[[Random, int], Question]]] = MappingProxyType(
    {
        "patterns": patterns,
        "conditions": conditions,
        "matching": matching,
        "loops": loops,
        "pod-security": pod_security,
    }
)
"""All topics, by the name that the command line has."""
