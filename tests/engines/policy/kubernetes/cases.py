"""Cases of admission as data: policies with their bindings, and what is asked of a server that has them.

Names, namespaces and whatever keeps the policies of one case away from the
requests of another are filled in here, so that a case says what it is about.
"""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bartizan.sources.yaml import Document, load_documents

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER: Final = Path(__file__).resolve().parents[3] / "cases" / "kubernetes" / "admission"
_GROUP: Final = "admissionregistration.k8s.io"
CASE_LABEL: Final = "bartizan.test/case"


@dataclass
class Asked:
    """One request: what is done to which object, and by whom."""

    verb: str
    body: dict[str, Any]
    user: str = ""
    groups: tuple[str, ...] = ()
    part: str = ""

    def __str__(self) -> str:
        name = (self.body.get("metadata") or {}).get("name") or "unnamed"
        who = f" by {self.user}" if self.user else ""
        return f"{self.verb} {self.body.get('kind')} {name}{'/' + self.part if self.part else ''}{who}"


@dataclass
class AdmissionCase:
    """Policies, what they need, and requests. `name` is that of its namespace."""

    name: str
    note: str
    policies: list[dict[str, Any]]
    objects: list[dict[str, Any]]
    requests: list[Asked]
    differs: str = ""
    labels: dict[str, str] = field(default_factory=dict)


def load(name: str) -> Any:
    """A file of cases or objects."""
    (document,) = load_documents((FOLDER / name).read_bytes(), name)
    assert isinstance(document, Document), document
    return document.body


def load_cases() -> list[AdmissionCase]:
    """All cases, in order."""
    bank = load("objects.yaml")
    files = sorted(path.name for path in FOLDER.glob("*.yaml") if path.name not in ("objects.yaml", "cluster.yaml"))
    return [_case(file, number, spec, bank) for file in files for number, spec in enumerate(load(file))]


def _case(file: str, number: int, spec: dict[str, Any], bank: dict[str, Any]) -> AdmissionCase:
    name = f"{Path(file).stem}-{number}"
    policies = [document for index, item in enumerate(spec["policies"]) for document in _policy(name, index, item)]
    requests = []
    for item in spec.get("requests") or ():
        who = {"user": item.get("user", ""), "groups": tuple(item.get("groups") or ())}
        (verb,) = (key for key in item if key in ("create", "update", "delete", "connect", "scale", "evict"))
        requests.append(Asked(verb, _object(item[verb], bank), part=item.get("part", ""), **who))
    wanted = spec.get("bank", "all")
    for key, body in bank.items():
        kinds = wanted.split()
        if key.startswith("kept"):
            continue
        if wanted == "all" or body["kind"] in kinds:
            requests.append(Asked("create", deepcopy(body)))
    if wanted == "all":
        kept = deepcopy(bank["kept-map"])
        requests.append(Asked("update", {**kept, "data": {"mode": "changed", "count": "2"}}))
        requests.append(Asked("delete", kept))
    objects = [_object(item, bank) for item in spec.get("with") or ()]
    return AdmissionCase(
        name, spec["note"], policies, objects, requests, spec.get("differs", ""), spec.get("labels") or {}
    )


def _object(spec: Any, bank: dict[str, Any]) -> dict[str, Any]:
    """An object: one of the bank's, with changes or `texts` of some length, or one that is written out."""
    if isinstance(spec, str):
        return deepcopy(bank[spec])
    if "from" in spec:
        base = deepcopy(bank[spec["from"]])
        long = {name: "x" * length for name, length in (spec.get("texts") or {}).items()}
        return merged(base, spec.get("change") or ({"data": long} if long else {}))
    return deepcopy(spec)


def merged(base: Any, change: Any) -> Any:
    """A value with a merge patch."""
    if not isinstance(change, dict) or not isinstance(base, dict):
        return change
    result = dict(base)
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key, {}), value) if isinstance(value, dict) else value
    return result


def _policy(case: str, index: int, item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    kind = "ValidatingAdmissionPolicy" if "validate" in item else "MutatingAdmissionPolicy"
    spec = deepcopy(item["validate"] if "validate" in item else item["mutate"])
    version = item.get("version") or ("v1" if "validate" in item else "v1beta1")
    name = item.get("name") or f"{case}-{index}"
    words, operations = spec.pop("match", None), spec.pop("on", "CREATE UPDATE")
    if words is not None:
        spec["matchConstraints"] = {
            **spec.get("matchConstraints", {}),
            "resourceRules": [_rule(word, operations.split()) for word in words.split()],
        }
    if "mutate" in item:
        spec.setdefault("reinvocationPolicy", "Never")
    yield {"apiVersion": f"{_GROUP}/{version}", "kind": kind, "metadata": {"name": name}, "spec": spec}
    given = item.get("bind", [{}])
    for number, binding in enumerate(given if isinstance(given, list) else [given]):
        yield _binding(f"{_GROUP}/{version}", f"{kind}Binding", name, number, binding, case)


def _binding(version: str, kind: str, policy: str, number: int, given: dict[str, Any], case: str) -> dict[str, Any]:
    bound = deepcopy(given)
    resources = bound.setdefault("matchResources", {})
    selector = resources.setdefault("namespaceSelector", {})
    selector["matchLabels"] = {**(selector.get("matchLabels") or {}), CASE_LABEL: case}
    if kind.startswith("Validating"):
        bound.setdefault("validationActions", ["Deny"])
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": f"{policy}-bound-{number}"},
        "spec": {"policyName": policy, **bound},
    }


def _rule(word: str, operations: list[str]) -> dict[str, Any]:
    """`pods`, `apps/deployments`, `apps/v1/deployments`, with a part behind `:` as in `pods:exec`."""
    parts = re.split(r"/", word)
    resource = parts[-1].replace(":", "/")
    group = parts[0] if len(parts) > 1 else ""
    version = parts[1] if len(parts) > 2 else "*"
    return {"apiGroups": [group], "apiVersions": [version], "operations": operations, "resources": [resource]}
