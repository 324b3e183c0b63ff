"""Policies that do harm, or would like to: each with what must be said of it, and of what kinds they are."""

from __future__ import annotations

import json
from functools import reduce
from typing import Any, Final

POD: Final = (
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: app\n    image: nginx\n"
)
_CONSTRAINTS: Final = {
    "resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]
}
KEY: Final = (
    "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8nXRh950IZbRj8Ra/N9sbqOPZrfM\n"
    "5/KAQN0/KjHcorm/J5yctVd7iEcnessRQjU917hmKO6JWVGHpDguIyakZA==\n-----END PUBLIC KEY-----"
)


def classic(**rule: Any) -> str:
    """A ClusterPolicy of one rule."""
    matched = {"name": "r", "match": {"any": [{"resources": {"kinds": ["Pod"]}}]}, **rule}
    body = {"apiVersion": "kyverno.io/v1", "kind": "ClusterPolicy", "metadata": {"name": "p"}}
    return json.dumps(body | {"spec": {"rules": [matched]}})


def denies(expression: str, **more: Any) -> str:
    """A ClusterPolicy that asks a JMESPath expression."""
    condition = {"key": f"{{{{ {expression} }}}}", "operator": "Equals", "value": "x"}
    return classic(validate={"message": "m", "deny": {"conditions": {"any": [condition]}}}, **more)


def in_cel(expression: str, *variables: tuple[str, str], kind: str = "ValidatingAdmissionPolicy") -> str:
    """A policy that asks a CEL expression."""
    group = "policies.kyverno.io/v1" if kind == "ValidatingPolicy" else "admissionregistration.k8s.io/v1"
    spec = {
        "matchConstraints": _CONSTRAINTS,
        "variables": [{"name": name, "expression": text} for name, text in variables],
        "validations": [{"expression": expression}],
    }
    return json.dumps({"apiVersion": group, "kind": kind, "metadata": {"name": "p"}, "spec": spec})


METADATA: Final = "http://169.254.169.254/"
NUMBERS: Final = ",".join(map(str, range(1, 200)))
LOOPS: Final = f"[{NUMBERS}].all(a,[{NUMBERS}].all(b,[{NUMBERS}].all(c,[{NUMBERS}].all(d,a+b+c+d>0))))"
DOUBLED: Final = [
    ("v0", "'xxxxxxxxxxxxxxxx'"),
    *((f"v{n}", f"variables.v{n - 1}+variables.v{n - 1}") for n in range(1, 41)),
]
DOUBLED_PATHS: Final = [
    {"name": "v0", "variable": {"value": "x" * 64}},
    *({"name": f"v{n}", "variable": {"jmesPath": f"join('', [v{n - 1}, v{n - 1}])"}} for n in range(1, 41)),
]
NESTED_REGEX: Final = "((((a{0,1000}){0,1000}){0,1000}){0,1000})"
ALIASES: Final = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(12)
)
DEEP: Final[dict[str, Any]] = reduce(lambda inner, _: {"a": inner}, range(900), {})

HOSTILE: Final[dict[str, tuple[str, str]]] = {
    "a regular expression that is too large": (
        denies(f"regex_match('{NESTED_REGEX}', 'aaaa')"), "bad regular expression",
    ),
    "the same in CEL": (in_cel(f"object.metadata.name.matches('{NESTED_REGEX}')"), "invalid matches argument"),
    "a backtracking expression": (in_cel(f"'{'a' * 9000}'.matches('(a*)*b')"), "failed expression"),
    "an expression as long as a book": (in_cel(f"'{'a' * 100_000}' == 'b'"), "characters"),
    "loops in loops": (in_cel(LOOPS), "more time than a trial has"),
    "loops in loops, metered": (in_cel(LOOPS, kind="ValidatingPolicy"), "too many steps"),
    "a text that doubles": (in_cel("variables.v40.size() > 0", *DOUBLED), "v40"),
    "a text that doubles, metered": (in_cel("variables.v40.size() > 0", *DOUBLED, kind="ValidatingPolicy"), "v40"),
    "a text that doubles, in JMESPath": (denies("v40", context=DOUBLED_PATHS), ""),
    "aliases of aliases": (ALIASES, "nodes, aliases written out"),
    "aliases in a text": (denies("parse_yaml('{}')".format(ALIASES.replace("\n", "\\\\n"))), "parse_yaml"),
    "brackets without end": ("[" * 100_000, "nests deeper"),
    "objects in objects": ('{"a":' * 50_000 + "1" + "}" * 50_000, "nests too deep"),
    "parentheses in CEL": (in_cel("(" * 5000 + "true" + ")" * 5000), "nests too deep"),
    "parentheses in JMESPath": (denies("(" * 5000 + "a" + ")" * 5000), "bad JMESPath"),
    "a deep pattern": (classic(validate={"message": "m", "pattern": DEEP}), "nests too deep"),
    "a hundred and fifty policies": ("\n---\n".join([in_cel("true")] * 150), "too many to be tried"),
    "no text": ("\0\1\2", "binary file"),
    "half a character": ('a: "\\ud800"', "invalid Unicode"),
    "a file, as a time zone": (
        in_cel("timestamp('2024-01-01T00:00:00Z').getHours('../../../etc/passwd') == 1"), "resulted in error",
    ),
}  # fmt: skip
"""By name: a policy, and words that must be among what is said; none where any answer will do."""

CALLING: Final[dict[str, tuple[str, str]]] = {
    "the API": (
        denies("n", context=[{"name": "n", "apiCall": {"urlPath": "/api/v1/secrets"}}]), "GET `/api/v1/secrets`",
    ),
    "a service": (
        denies("n", context=[{"name": "n", "apiCall": {"service": {"url": METADATA}, "method": "GET"}}]),
        f"GET `{METADATA}`",
    ),
    "a ConfigMap": (
        denies("n.data.x", context=[{"name": "n", "configMap": {"name": "a", "namespace": "b"}}]), "ConfigMap `b/a`",
    ),
    "a registry": (
        denies("n", context=[{"name": "n", "imageRegistry": {"reference": "ghcr.io/a/b"}}]), "image `ghcr.io/a/b",
    ),
    "signatures": (
        classic(verifyImages=[{"imageReferences": ["*"], "attestors": [{"entries": [{"keys": {"publicKeys": KEY}}]}]}]),
        "the signatures",
    ),
    "HTTP in CEL": (
        in_cel(f"http.Get('{METADATA}').x == 'y'", kind="ValidatingPolicy"), f"GET `{METADATA}`",
    ),
    "an object in CEL": (
        in_cel("resource.Get('v1','secrets','a','b').data.x == 'y'", kind="ValidatingPolicy"),
        "namespaces/a/secrets/b`",
    ),
}  # fmt: skip
"""Policies that ask for more than the object, and what they ask for."""
