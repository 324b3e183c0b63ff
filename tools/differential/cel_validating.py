"""Random ValidatingPolicies, cluster-wide and namespaced, about Kubernetes objects or any JSON, with exceptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tools.differential import cel_matching as parts
from tools.differential.cel_asking import Asked, differences
from tools.differential.cel_expressions import same_text

if TYPE_CHECKING:
    from random import Random

    Document = dict[str, Any]

_PODS: Final = (
    *("object.spec.containers.all(c, c.image.startsWith('nginx'))", "!object.spec.?hostNetwork.orValue(false)"),
    *(
        "object.spec.containers.all(c, !has(c.securityContext) || !c.securityContext.privileged)",
        "has(object.spec.securityContext)",
    ),
    *(
        "object.metadata.?labels.app.orValue('') == 'web'",
        "object.metadata.labels.app == 'web'",
        "has(object.metadata.labels)",
    ),
    *(
        "quantity(object.spec.containers[0].resources.limits.memory).isLessThan(quantity('1Gi'))",
        "object.metadata.namespace == 'shop'",
    ),
    *(
        "object.spec.containers.exists(c, c.?env.orValue([]).exists(e, e.name == 'A'))",
        "object.spec.containers.size() < 2",
    ),
    *(
        "object.spec.containers.all(c, image(c.image).registry() != 'ghcr.io')",
        "object.metadata.name != ''",
        "object.spec == object.spec",
    ),
    *(
        "size(object.spec.containers.map(c, c.name)) == 1",
        "object.metadata.namespaced == ''",
        "request.namespace == object.metadata.namespace",
    ),
)
MESSAGES: Final = (
    *(
        "'m ' + object.metadata.name",
        "object.metadata.missing",
        "''",
        "'a\\nb'",
        "string(size(object.metadata))",
        "object.kind",
    ),
    *(
        "'v ' + string(variables.v0)",
        "request.namespace + '/' + request.name",
        "object.spec.containers.map(c, c.name).join(',')",
    ),
    *("'  '", "namespaceObject.metadata.name", "object.metadata.?labels.app.orValue('no app')", "[object.kind].join()"),
)
_JSON: Final = (
    *(
        "object.a == 'x'",
        "object.list.all(x, x > 1.0)",
        "has(object.b)",
        "object.m.k.startsWith('a')",
        "size(object.list) == 2",
    ),
    *(
        "object.b.c",
        "object.t",
        "object.none == null",
        "object.list.map(x, x * 2.0).exists(x, x == 5.0)",
        "request == null",
    ),
    *(
        "oldObject == null",
        "object.text.size() > 3",
        "request.operation == 'CREATE'",
        "'a' in object",
        "object.?m.?z.orValue('q') == 'q'",
        "object.list[0] == 1.5",
    ),
)
_PAYLOAD: Final = {
    "a": "x",
    "list": [1.5, 2.5],
    "m": {"k": "abc"},
    "t": True,
    "none": None,
    "text": "äöü",
    "b": {"c": False},
}


def compare(chance: Random, number: int, shown: int) -> int:
    """Ask about `number` policies, and half as many about JSON; how many answers differ."""
    made = [_policy(chance, index) for index in range(number * 6 // 10)]
    about = parts.resources(chance, 6)
    exceptions = [_exception(chance, index, policy) for index, policy in enumerate(made) if chance.random() < 0.4]
    asked = Asked(made, about, exceptions, namespaces=parts.NAMESPACES)
    _, wrong = differences("cel-validating", asked, shown, same=same)
    of_json = [_json_policy(chance, index) for index in range(number // 2)]
    exceptions = [_exception(chance, index, policy) for index, policy in enumerate(of_json) if chance.random() < 0.3]
    _, others = differences("cel-json", Asked(of_json, [], exceptions, payload=_PAYLOAD), shown, same=same)
    return wrong + others


def same(peer: str, here: str) -> bool:
    """Whether two verdicts are the same; what is said of a pass or skip does not count."""
    if peer == "skip: skip":  # of which we may say nothing
        return here == "nothing" or here.startswith("skip")
    if peer.startswith(("pass", "skip")):
        return here[:4] == peer[:4]
    if peer.startswith("error"):
        return here.startswith("error") and peer.rsplit(": ", maxsplit=1)[-1] in here
    return same_text(peer, here)


def _policy(chance: Random, index: int) -> Document:
    about_pods = chance.random() < 0.5
    metadata: Document = {"name": f"p{index:04}"}
    kind = "ValidatingPolicy"
    if chance.random() < 0.2:
        kind, metadata["namespace"] = "NamespacedValidatingPolicy", chance.choice(["shop", "default"])
    spec = _spec(chance, _PODS if about_pods else parts.CONDITIONS)
    spec["matchConstraints"] = parts.match_constraints(chance, "pods" if about_pods else "")
    if chance.random() < 0.5:
        some = ["deployments", "cronjobs", "statefulsets", "replicasets", "jobs", "daemonsets", "pods"]
        spec["autogen"] = {"podControllers": {"controllers": chance.sample(some, chance.choice([0, 1, 2]))}}
    if chance.random() < 0.1:
        spec["evaluation"] = chance.choice([{"background": {"enabled": False}}, {"admission": {"enabled": False}}])
    return {"apiVersion": "policies.kyverno.io/v1", "kind": kind, "metadata": metadata, "spec": spec}


def _json_policy(chance: Random, index: int) -> Document:
    spec = {**_spec(chance, _JSON), "evaluation": {"mode": "JSON"}}
    spec.pop("matchConditions", None)
    spec.pop("auditAnnotations", None)  # which we compile, and the peer does not
    if chance.random() < 0.3:
        spec["matchConditions"] = [{"name": "c", "expression": chance.choice(_JSON)}]
    metadata = {"name": f"p{index:04}"}
    return {"apiVersion": "policies.kyverno.io/v1", "kind": "ValidatingPolicy", "metadata": metadata, "spec": spec}


def _spec(chance: Random, expressions: tuple[str, ...]) -> Document:
    spec: Document = {"variables": parts.variables(chance)} if chance.random() < 0.5 else {}
    if chance.random() < 0.4:
        spec["matchConditions"] = parts.conditions(chance)
    if chance.random() < 0.3:
        spec["failurePolicy"] = chance.choice(["Ignore", "Fail"])
    if chance.random() < 0.3:
        spec["validationActions"] = chance.choice([["Audit"], ["Deny"], ["Warn", "Audit"]])
    if chance.random() < 0.2:
        spec["auditAnnotations"] = [{"key": "k", "valueExpression": chance.choice([*MESSAGES, "'x'"])}]
    spec["validations"] = [
        validation(chance, expressions, reads="variables" in spec) for _ in range(chance.choice([1, 1, 2, 3]))
    ]
    return spec


def validation(chance: Random, expressions: tuple[str, ...], *, reads: bool) -> Document:
    """An expression with what is said where it does not hold."""
    made: Document = {"expression": chance.choice(parts.READING if reads and chance.random() < 0.5 else expressions)}
    if chance.random() < 0.3:
        made["expression"] = f"!({made['expression']})"
    if chance.random() < 0.5:
        made["messageExpression"] = chance.choice(MESSAGES)
    if chance.random() < 0.4:
        made["message"] = "said"
    return made


def _exception(chance: Random, index: int, policy: Document) -> Document:
    kind = chance.choice([policy["kind"]] * 4 + ["ValidatingPolicy", "MutatingPolicy"])
    spec: Document = {"policyRefs": [{"name": policy["metadata"]["name"], "kind": kind}]}
    if chance.random() < 0.8:
        spec["matchConditions"] = parts.conditions(chance)
    if chance.random() < 0.3:
        spec["reportResult"] = chance.choice(["pass", "skip"])
    if chance.random() < 0.15:
        spec["images"] = ["nginx:*"]
    if chance.random() < 0.15:
        spec["allowedValues"] = ["a"]
    if chance.random() < 0.2:
        spec["expiresAt"] = "2090-01-01T00:00:00Z"  # one that has ended still counts for the command line
    metadata = {"name": f"e{index:04}", "namespace": chance.choice(["shop", "default"])}
    return {"apiVersion": "policies.kyverno.io/v1", "kind": "PolicyException", "metadata": metadata, "spec": spec}
