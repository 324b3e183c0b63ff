"""Whether a rule is about a request: `match` and `exclude`, compiled to predicates.

Within a filter every attribute must hold; within a list any entry may. The
index of the plan has already narrowed by kind, so the usual
`kinds: [Pod]` costs one attribute test here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from bartizan.base import wildcard
from bartizan.base.errors import SpecError
from bartizan.base.suggest import did_you_mean
from bartizan.engines.policy.selector import compile_selector

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bartizan.base.json import Json, JsonObject
    from bartizan.model.request import Request, UserInfo

Predicate: TypeAlias = "Callable[[Request], bool]"

_VERSION: Final = re.compile(r"(v\d+((alpha|beta)\d+)?|\*)")
_RESOURCE_FIELDS: Final = frozenset(
    {"kinds", "name", "names", "namespaces", "annotations", "selector", "namespaceSelector", "operations"}
)
_USER_FIELDS: Final = frozenset({"roles", "clusterRoles", "subjects"})
_FILTER_FIELDS: Final = _USER_FIELDS | {"resources"}
_BLOCK_FIELDS: Final = _FILTER_FIELDS | {"any", "all"}
_SERVICE_ACCOUNT_USER: Final = "system:serviceaccount:"


@dataclass(frozen=True, slots=True)
class KindSelector:
    """One entry of `kinds`; each part may hold wildcards."""

    group: str
    version: str
    kind: str
    subresource: str

    @property
    def is_plain(self) -> bool:
        """Whether the kind alone decides, so that the plan's index is enough."""
        return (
            self.group == "*" and self.version == "*" and not self.subresource and not wildcard.is_wildcard(self.kind)
        )


@dataclass(frozen=True, slots=True)
class Match:
    """A compiled `match` or `exclude` block; `kinds` is `None` where any kind may match."""

    applies: Predicate
    kinds: frozenset[str] | None


def parse_kind(text: str) -> KindSelector:
    """Take an entry of `kinds` apart: `Kind`, `v1/Kind`, `group/v1/Kind`, each with `/sub` or `.sub`, and `*`."""
    parts = text.split("/")
    head, last = parts[:-1], parts[-1]
    kind, _, subresource = last.partition(".")
    if head and not subresource and _names_kind(head, last):
        kind, subresource, head = head[-1], last, head[:-1]
    if text == "*/*":
        return KindSelector("*", "*", "*", "*")
    if len(head) == 0:
        return KindSelector("*", "*", kind, subresource)
    if len(head) == 1:
        return KindSelector("*", head[0], kind, subresource)
    return KindSelector("/".join(head[:-1]), head[-1], kind, subresource)


def _names_kind(head: list[str], last: str) -> bool:
    """Whether the part before the last slash is the kind, so that a subresource follows it."""
    if len(head) == 3 or not _VERSION.fullmatch(head[-1]):
        return True
    return head[-1] == "*" and last[:1].islower()


def compile_match(block: JsonObject | None, at: str, *, excluding: bool = False) -> Match:
    """Compile a block: `any`, `all`, or the flat form.

    In `match` the users are left out of account where nobody asks, as in
    scans; in `exclude` they then never hold.

    Raises:
        SpecError: an unknown field, or a selector that is none.
    """
    if not block:
        return Match(_never if excluding else _always, frozenset() if excluding else None)
    _check_fields(block, _BLOCK_FIELDS, at)
    if block.get("any"):
        filters = [_filter(entry, f"{at}/any/{i}", excluding=excluding) for i, entry in enumerate(block["any"])]
        return Match(_any_of([item.applies for item in filters]), _union([item.kinds for item in filters]))
    if block.get("all"):
        filters = [_filter(entry, f"{at}/all/{i}", excluding=excluding) for i, entry in enumerate(block["all"])]
        return Match(_all_of([item.applies for item in filters]), _intersection([item.kinds for item in filters]))
    return _filter({key: value for key, value in block.items() if key in _FILTER_FIELDS}, at, excluding=excluding)


def _filter(entry: Json, at: str, *, excluding: bool) -> Match:
    if not isinstance(entry, dict):
        raise SpecError("a filter must be an object", pointer=at, hint="Write `resources:` under it.")
    _check_fields(entry, _FILTER_FIELDS, at)
    resources = entry.get("resources") or {}
    _check_fields(resources, _RESOURCE_FIELDS, f"{at}/resources")
    kinds = [parse_kind(text) for text in resources.get("kinds") or ()]
    tests = _resource_tests(resources, kinds, f"{at}/resources")
    users = _user_tests(entry)
    if users:
        tests.append(_user_predicate(users, alone=not tests, excluding=excluding))
    if not tests:
        return Match(_never, frozenset())
    return Match(_all_of(tests), _plain_kinds(kinds))


def _resource_tests(resources: JsonObject, kinds: Sequence[KindSelector], at: str) -> list[Predicate]:
    tests: list[Predicate] = []
    if resources.get("operations"):
        operations = frozenset(resources["operations"])
        tests.append(lambda request: request.operation in operations)
    if kinds:
        tests.append(_kinds_predicate(kinds))
    names = [name for name in (resources.get("name"), *(resources.get("names") or ())) if name]
    if resources.get("name") and resources.get("names"):
        one, many = _texts([resources["name"]]), _texts(resources["names"])
        tests.append(lambda request: one(request.resource.id.name) and many(request.resource.id.name))
    elif names:
        named = _texts(names)
        tests.append(lambda request: named(request.resource.id.name))
    if resources.get("namespaces"):
        tests.append(_namespaces_predicate(_texts(resources["namespaces"])))
    if resources.get("annotations"):
        tests.append(_annotations_predicate(resources["annotations"]))
    if resources.get("selector") is not None:
        selects = compile_selector(resources["selector"], f"{at}/selector")
        tests.append(lambda request: selects(_labels(request.resource.body)))
    if resources.get("namespaceSelector") is not None:
        in_namespace = compile_selector(resources["namespaceSelector"], f"{at}/namespaceSelector")
        # a Namespace is not in a namespace, whatever its labels: Kyverno never lets this selector match one
        tests.append(
            lambda request: request.resource.id.kind not in ("Namespace", "") and in_namespace(request.namespace_labels)
        )
    return tests


def _kinds_predicate(kinds: Sequence[KindSelector]) -> Predicate:
    if all(selector.is_plain for selector in kinds):
        plain = frozenset(selector.kind for selector in kinds)

        def by_name(request: Request) -> bool:
            if request.subresource and not _is_ephemeral(request.resource.id.kind, request.subresource):
                return False
            return request.resource.id.kind in plain

        return by_name
    tests = [_kind_predicate(selector) for selector in kinds]
    return tests[0] if len(tests) == 1 else lambda request: any(test(request) for test in tests)


def _kind_predicate(selector: KindSelector) -> Predicate:
    group, version, kind = (wildcard.matcher(part) for part in (selector.group, selector.version, selector.kind))
    sub = wildcard.matcher(selector.subresource)
    everything = selector.kind == "*" and selector.subresource == "*"

    def applies(request: Request) -> bool:
        rid = request.resource.id
        parent = request.parent_kind or rid.kind
        if not (
            kind(parent)
            and group(rid.group if not request.parent_kind else request.parent_group)
            and version(rid.version)
        ):
            return False
        return (
            sub(request.subresource)
            or everything
            or (not selector.subresource and _is_ephemeral(parent, request.subresource))
        )

    return applies


def _is_ephemeral(kind: str, subresource: str) -> bool:
    """Matching Pod also matches the subresource that adds ephemeral containers to it."""
    return kind == "Pod" and subresource == "ephemeralcontainers"


def _namespaces_predicate(matches: Callable[[str], bool]) -> Predicate:
    def applies(request: Request) -> bool:
        rid = request.resource.id
        return matches(rid.name if rid.kind == "Namespace" else rid.namespace)

    return applies


def _annotations_predicate(wanted: Mapping[str, Any]) -> Predicate:
    pairs = [(wildcard.matcher(str(key)), wildcard.matcher(str(value))) for key, value in wanted.items()]

    def applies(request: Request) -> bool:
        metadata = request.resource.body.get("metadata")
        annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
        if not isinstance(annotations, dict):
            return False
        return all(any(key(k) and value(str(v)) for k, v in annotations.items()) for key, value in pairs)

    return applies


def _user_tests(entry: JsonObject) -> list[Callable[[UserInfo], bool]]:
    tests: list[Callable[[UserInfo], bool]] = []
    if entry.get("roles"):
        roles = _texts(entry["roles"])
        tests.append(lambda user: any(roles(role) for role in user.roles))
    if entry.get("clusterRoles"):
        cluster_roles = _texts(entry["clusterRoles"])
        tests.append(lambda user: any(cluster_roles(role) for role in user.cluster_roles))
    if entry.get("subjects"):
        subjects = [_subject(subject) for subject in entry["subjects"]]
        tests.append(lambda user: any(subject(user) for subject in subjects))
    return tests


def _subject(subject: JsonObject) -> Callable[[UserInfo], bool]:
    name = str(subject.get("name", ""))
    kind = subject.get("kind")
    if kind == "ServiceAccount":
        full = wildcard.matcher(f"{_SERVICE_ACCOUNT_USER}{subject.get('namespace') or ''}:{name}")
        return lambda user: full(user.username)
    matches = wildcard.matcher(name)
    if kind == "Group":
        return lambda user: any(matches(group) for group in user.groups)
    return lambda user: matches(user.username)


def _user_predicate(users: list[Callable[[UserInfo], bool]], *, alone: bool, excluding: bool) -> Predicate:
    # Kyverno drops users from `match` where nobody asks; a filter of users only is then empty, and matches nothing
    unknown = not excluding and not alone

    def applies(request: Request) -> bool:
        user = request.user
        return unknown if user is None else all(test(user) for test in users)

    return applies


def _labels(body: JsonObject) -> Mapping[str, str]:
    metadata = body.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    return labels if isinstance(labels, dict) else {}


def _texts(patterns: Sequence[str]) -> Callable[[str], bool]:
    matchers = [wildcard.matcher(str(pattern)) for pattern in patterns]
    return matchers[0] if len(matchers) == 1 else lambda text: any(matches(text) for matches in matchers)


def _check_fields(block: Json, known: frozenset[str], at: str) -> None:
    if not isinstance(block, dict):
        raise SpecError("must be an object", pointer=at, hint="Write its fields as `name: value`.")
    for key in block:
        if key not in known:
            raise SpecError(f"unknown field `{key}`", pointer=f"{at}/{key}", hint=did_you_mean(key, known))


def _plain_kinds(kinds: Sequence[KindSelector]) -> frozenset[str] | None:
    if not kinds or any(wildcard.is_wildcard(selector.kind) or selector.subresource for selector in kinds):
        return None
    return frozenset(selector.kind for selector in kinds)


def _union(kinds: Sequence[frozenset[str] | None]) -> frozenset[str] | None:
    known = [item for item in kinds if item is not None]
    return frozenset().union(*known) if len(known) == len(kinds) else None


def _intersection(kinds: Sequence[frozenset[str] | None]) -> frozenset[str] | None:
    known = [item for item in kinds if item is not None]
    return frozenset.intersection(*known) if known else None


def _any_of(tests: Sequence[Predicate]) -> Predicate:
    return tests[0] if len(tests) == 1 else lambda request: any(test(request) for test in tests)


def _all_of(tests: Sequence[Predicate]) -> Predicate:
    return tests[0] if len(tests) == 1 else lambda request: all(test(request) for test in tests)


def _always(_request: Request) -> bool:
    return True


def _never(_request: Request) -> bool:
    return False
