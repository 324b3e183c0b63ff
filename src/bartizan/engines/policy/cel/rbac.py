"""Who may do what by RBAC objects, as the API server's own authorizer has it.

Rules only allow; who is not allowed by any is refused. A binding whose role
is not there is told in the reason, for the answer may be wrong by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from bartizan.base.errors import SpecError
from bartizan.engines.policy.lookup import ObjectsQuestion
from bartizan.engines.policy.selector import LabelSelector, compile_selector
from bartizan.model.resource import labels_of, metadata_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.lookup import AccessQuestion, Lookup

_GROUP: Final = "rbac.authorization.k8s.io"
_MASTERS: Final = "system:masters"
_EVERYTHING: Final = [
    {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
    {"nonResourceURLs": ["*"], "verbs": ["*"]},
]
_SERVICE_ACCOUNT: Final = "system:serviceaccount:"


class Rbac(NamedTuple):
    """The RBAC objects of a world, as their documents."""

    roles: Sequence[JsonObject]
    cluster_roles: Sequence[JsonObject]
    role_bindings: Sequence[JsonObject]
    cluster_role_bindings: Sequence[JsonObject]

    @property
    def is_empty(self) -> bool:
        """Whether there is no such object at all."""
        return not any(self)


class Verdict(NamedTuple):
    """Whether it is allowed, by what, and the roles that bindings of the user name and nobody has."""

    allowed: bool
    reason: str
    missing: tuple[str, ...] = ()


def rbac_of(lookup: Lookup) -> Rbac:
    """The RBAC objects that a world knows.

    Raises:
        LookupFailedError: they could not be had.
    """
    kinds = ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")
    return Rbac(*(lookup.answer(ObjectsQuestion(f"{_GROUP}/*/{kind}")) for kind in kinds))


def decide(question: AccessQuestion, rbac: Rbac) -> Verdict:
    """Whether RBAC objects allow what is asked."""
    if _MASTERS in question.groups:
        return Verdict(True, "")  # the API server asks nobody about these
    missing: list[str] = []
    for binding, namespace in _bindings(question, rbac):
        subject = next((item for item in _items(binding, "subjects") if _is_about(item, question, namespace)), None)
        if subject is None:
            continue
        rules = _rules(binding, namespace, rbac)
        if rules is None:
            missing.append(_not_found(binding))
        elif any(_allows(rule, question) for rule in rules):
            return Verdict(True, f"RBAC: allowed by {_described(binding, subject, namespace)}")
    said = missing[0] if len(missing) == 1 else f"[{', '.join(dict.fromkeys(missing))}]"
    return Verdict(False, f"RBAC: {said}" if missing else "", tuple(missing))


def _bindings(question: AccessQuestion, rbac: Rbac) -> Iterator[tuple[JsonObject, str]]:
    """The bindings that could matter, with their namespaces."""
    for binding in rbac.cluster_role_bindings:
        yield binding, ""
    if question.namespace:
        for binding in rbac.role_bindings:
            if metadata_of(binding).get("namespace", "default") == question.namespace:
                yield binding, question.namespace


def _items(body: JsonObject, key: str) -> list[dict[str, Any]]:
    value = body.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _is_about(subject: dict[str, Any], question: AccessQuestion, namespace: str) -> bool:
    name = subject.get("name")
    match subject.get("kind"):
        case "User":
            return name == question.user
        case "Group":
            return name in question.groups
        case "ServiceAccount":
            of = subject.get("namespace") or namespace
            return bool(of) and question.user == f"{_SERVICE_ACCOUNT}{of}:{name}"
        case _:
            return False


def _reference(binding: JsonObject) -> tuple[str, str]:
    reference = binding.get("roleRef")
    if not isinstance(reference, dict):
        return "", ""
    return str(reference.get("kind", "")), str(reference.get("name", ""))


def _rules(binding: JsonObject, namespace: str, rbac: Rbac) -> list[dict[str, Any]] | None:
    """The rules of the role that a binding names; `None` where it is not there."""
    kind, name = _reference(binding)
    if kind == "Role":
        for role in rbac.roles:
            metadata = metadata_of(role)
            if metadata.get("name") == name and metadata.get("namespace", "default") == namespace:
                return _items(role, "rules")
        return None
    found = next((role for role in rbac.cluster_roles if metadata_of(role).get("name") == name), None)
    if found is None:
        return _EVERYTHING if name == "cluster-admin" else None
    return list(_with_aggregated(found, rbac.cluster_roles, set()))


def _with_aggregated(role: JsonObject, others: Sequence[JsonObject], seen: set[str]) -> Iterator[dict[str, Any]]:
    """A cluster role's own rules, and those that a controller would copy into it."""
    name = str(metadata_of(role).get("name"))
    if name in seen:
        return
    seen.add(name)
    yield from _items(role, "rules")
    aggregation = role.get("aggregationRule")
    if not isinstance(aggregation, dict):
        return
    for selector in _items(aggregation, "clusterRoleSelectors"):
        for other in _selected(selector, others):
            yield from _with_aggregated(other, others, seen)


def _selected(selector: dict[str, Any], roles: Sequence[JsonObject]) -> Iterable[JsonObject]:
    try:
        selects = compile_selector(msgspec.convert(selector, LabelSelector), "")
    except (SpecError, msgspec.ValidationError):
        return ()  # the API server would not have such a role
    return (role for role in roles if selects(labels_of(role)))


def _texts(rule: dict[str, Any], key: str) -> list[str]:
    value = rule.get(key)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _allows(rule: dict[str, Any], question: AccessQuestion) -> bool:
    verbs = _texts(rule, "verbs")
    if "*" not in verbs and question.verb not in verbs:
        return False
    if question.path:
        return any(_is_path(pattern, question.path) for pattern in _texts(rule, "nonResourceURLs"))
    groups = _texts(rule, "apiGroups")
    if "*" not in groups and question.group not in groups:
        return False
    part = question.subresource
    wanted = {"*", f"{question.resource}/{part}" if part else question.resource}
    if part:
        wanted.add(f"*/{part}")
    if wanted.isdisjoint(_texts(rule, "resources")):
        return False
    names = _texts(rule, "resourceNames")
    return not names or question.name in names


def _is_path(pattern: str, path: str) -> bool:
    return pattern in ("*", path) or (pattern.endswith("*") and path.startswith(pattern.rstrip("*")))


def _not_found(binding: JsonObject) -> str:
    kind, name = _reference(binding)
    return f'{kind.lower()}.{_GROUP} "{name}" not found'


def _described(binding: JsonObject, subject: dict[str, Any], namespace: str) -> str:
    """A binding in the words of the API server, which has names before namespaces."""
    kind, role = _reference(binding)
    name = str(metadata_of(binding).get("name"))
    called = str(subject.get("name"))
    if subject.get("kind") == "ServiceAccount":
        called = f"{called}/{subject.get('namespace') or namespace}"
    whole = f'RoleBinding "{name}/{namespace}"' if namespace else f'ClusterRoleBinding "{name}"'
    return f'{whole} of {kind} "{role}" to {subject.get("kind")} "{called}"'
