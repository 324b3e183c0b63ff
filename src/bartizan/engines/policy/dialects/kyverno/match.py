"""Whether a rule is about a request: `match` and `exclude`, compiled to predicates.

Within a filter every attribute must hold; within a list any entry may. The
index of the plan has already narrowed by kind, so the usual
`kinds: [Pod]` costs one attribute test here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import msgspec

from bartizan.base import wildcard
from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno.spec import Filter, MatchSpec, ResourceFilter, Subject
from bartizan.engines.policy.selector import LabelSelector, compile_selector
from bartizan.model.resource import labels_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bartizan.model.request import Request, UserInfo

Predicate: TypeAlias = "Callable[[Request], bool]"

_VERSION: Final = re.compile(r"(v\d+((alpha|beta)\d+)?|\*)")
_EMPTY: Final = MatchSpec()
_SERVICE_ACCOUNT_USER: Final = "system:serviceaccount:"


class KindSelector(NamedTuple):
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

    @property
    def is_exact(self) -> bool:
        """Whether it is one version of one kind."""
        parts = (self.group, self.version, self.kind)
        return not self.subresource and not any(map(wildcard.is_wildcard, parts))


class Match(NamedTuple):
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


def compile_match(block: MatchSpec | None, at: str, *, excluding: bool = False) -> Match:
    """Compile a block: `any`, `all`, or the flat form.

    In `match` the users are left out of account where nobody asks, as in
    scans; in `exclude` they then never hold.

    Raises:
        SpecError: a selector that is none.
    """
    if block is None or block == _EMPTY:
        return Match(_never if excluding else _always, frozenset() if excluding else None)
    if block.any:
        filters = [_filter(entry, f"{at}/any/{i}", excluding=excluding) for i, entry in enumerate(block.any)]
        return Match(_any_of([item.applies for item in filters]), _union([item.kinds for item in filters]))
    if block.all:
        filters = [_filter(entry, f"{at}/all/{i}", excluding=excluding) for i, entry in enumerate(block.all)]
        return Match(_all_of([item.applies for item in filters]), _intersection([item.kinds for item in filters]))
    return _filter(block, at, excluding=excluding)


def compile_filters(block: MatchSpec | None, at: str) -> Callable[[Request], str | None]:
    """Compile the `match` of an exception or a clean-up policy: the pointer of the filter that holds, or `None`.

    Kyverno reads these by another function than those of rules: operations
    do not count, users never hold where nobody asks, a Namespace passes
    every `namespaceSelector`, and a block without filters never holds.

    Raises:
        SpecError: a selector that is none, or a filter outside `any` and `all`.
    """
    block = block or _EMPTY
    outside = next((name for name in ("resources", "roles", "cluster_roles", "subjects") if getattr(block, name)), "")
    if outside:
        word = "clusterRoles" if outside == "cluster_roles" else outside
        hint = "Write the filter below `any:` or `all:`, as an item of the list."
        raise SpecError(f"`{word}` outside `any` and `all`", pointer=f"{at}/{word}", hint=hint)
    if block.any:
        tests = [(f"{at}/any/{i}", _plain_filter(entry, f"{at}/any/{i}")) for i, entry in enumerate(block.any)]
        return lambda request: next((where for where, test in tests if test(request)), None)
    every = [_plain_filter(entry, f"{at}/all/{i}") for i, entry in enumerate(block.all or ())]
    return lambda request: f"{at}/all" if every and all(test(request) for test in every) else None


def _says_something(field: object) -> bool:
    """Whether a field of a filter is there: an empty selector is, an empty name or list is not."""
    return bool(field) or isinstance(field, LabelSelector)


def _plain_filter(entry: Filter, at: str) -> Predicate:
    resources = entry.resources or ResourceFilter()
    users = [test for _, test in _user_tests(entry)]
    if not users and not any(map(_says_something, msgspec.structs.astuple(resources))):
        return _never
    plain = msgspec.structs.replace(resources, operations=None, namespace_selector=None)
    kinds = [parse_kind(text) for text in resources.kinds or ()]
    tests = [test for _, test in _resource_tests(plain, kinds, f"{at}/resources")]
    if resources.namespace_selector is not None:
        in_namespace = compile_selector(resources.namespace_selector, f"{at}/resources/namespaceSelector")
        tests.append(
            lambda request: request.resource.id.kind in ("Namespace", "") or in_namespace(request.namespace_labels)
        )
    if users:
        tests.append(_user_predicate(users, alone=False, excluding=True))
    return _all_of(tests) if tests else _always


def _filter(entry: Filter, at: str, *, excluding: bool) -> Match:
    resources = entry.resources or ResourceFilter()
    kinds = [parse_kind(text) for text in resources.kinds or ()]
    tests = [test for _, test in _resource_tests(resources, kinds, f"{at}/resources")]
    users = [test for _, test in _user_tests(entry)]
    if users:
        tests.append(_user_predicate(users, alone=not tests, excluding=excluding))
    if not tests:
        return Match(_never, frozenset())
    return Match(_all_of(tests), _plain_kinds(kinds))


def attributes(entry: Filter, at: str, *, excluding: bool = False) -> list[tuple[str, Predicate]]:
    """What a filter asks, attribute by attribute, for those who explain; all must hold, and none never does."""
    resources = entry.resources or ResourceFilter()
    tests = _resource_tests(resources, [parse_kind(text) for text in resources.kinds or ()], f"{at}/resources")
    alone = not tests
    users = [(name, _user_predicate([test], alone=alone, excluding=excluding)) for name, test in _user_tests(entry)]
    return [*tests, *users]


def _resource_tests(resources: ResourceFilter, kinds: Sequence[KindSelector], at: str) -> list[tuple[str, Predicate]]:
    tests: list[tuple[str, Predicate]] = []
    if resources.operations:
        operations = frozenset(resources.operations)
        tests.append(("operations", lambda request: request.operation in operations))
    if kinds:
        tests.append(("kinds", _kinds_predicate(kinds)))
    if resources.name:
        tests.append(("name", _name_predicate(wildcard.matcher(resources.name))))
    if resources.names:
        tests.append(("names", _name_predicate(_texts(resources.names))))
    if resources.namespaces:
        tests.append(("namespaces", _namespaces_predicate(_texts(resources.namespaces))))
    if resources.annotations:
        tests.append(("annotations", _annotations_predicate(resources.annotations)))
    if resources.selector is not None:
        selects = compile_selector(resources.selector, f"{at}/selector")
        tests.append(("selector", lambda request: selects(labels_of(request.resource.body))))
    if resources.namespace_selector is not None:
        in_namespace = compile_selector(resources.namespace_selector, f"{at}/namespaceSelector")
        tests.append(("namespaceSelector", _in_namespace(in_namespace)))
    return tests


def _in_namespace(selects: Callable[[Mapping[str, str]], bool]) -> Predicate:
    # a Namespace is not in a namespace, whatever its labels: Kyverno never lets this selector match one
    return lambda request: request.resource.id.kind not in ("Namespace", "") and selects(request.namespace_labels)


def _kinds_predicate(kinds: Sequence[KindSelector]) -> Predicate:
    if all(selector.is_plain for selector in kinds):
        plain = frozenset(selector.kind for selector in kinds)

        def by_name(request: Request) -> bool:
            if request.subresource and not _is_ephemeral(request.resource.id.kind, request.subresource):
                return False
            return request.resource.id.kind in plain

        return by_name
    exact = {selector.kind: selector for selector in kinds if selector.is_exact}
    tests = [_kind_predicate(selector) for selector in kinds]

    def by_version(request: Request) -> bool:
        rid = request.resource.id
        wanted = exact.get(rid.kind)
        if wanted is not None and rid.version == wanted.version and rid.group == wanted.group:  # the usual case
            return (not request.subresource and not request.parent_kind) or any(test(request) for test in tests)
        return any(test(request) for test in tests)

    return by_version


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


def _name_predicate(matches: Callable[[str], bool]) -> Predicate:
    return lambda request: matches(request.resource.id.name)


def _namespaces_predicate(matches: Callable[[str], bool]) -> Predicate:
    def applies(request: Request) -> bool:
        rid = request.resource.id
        return matches(rid.name if rid.kind == "Namespace" else rid.namespace)

    return applies


def _annotations_predicate(wanted: Mapping[str, str]) -> Predicate:
    pairs = [(wildcard.matcher(key), wildcard.matcher(value)) for key, value in wanted.items()]

    def applies(request: Request) -> bool:
        metadata = request.resource.body.get("metadata")
        annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
        if not isinstance(annotations, dict):
            return False
        return all(any(key(k) and value(str(v)) for k, v in annotations.items()) for key, value in pairs)

    return applies


def _user_tests(entry: Filter) -> list[tuple[str, Callable[[UserInfo], bool]]]:
    tests: list[tuple[str, Callable[[UserInfo], bool]]] = []
    # roles are compared as they are; only subjects have wildcards
    if entry.roles:
        roles = frozenset(entry.roles)
        tests.append(("roles", lambda user: not roles.isdisjoint(user.roles)))
    if entry.cluster_roles:
        cluster_roles = frozenset(entry.cluster_roles)
        tests.append(("clusterRoles", lambda user: not cluster_roles.isdisjoint(user.cluster_roles)))
    if entry.subjects:
        subjects = [_subject(subject) for subject in entry.subjects]
        tests.append(("subjects", lambda user: any(subject(user) for subject in subjects)))
    return tests


def _subject(subject: Subject) -> Callable[[UserInfo], bool]:
    if subject.kind == "ServiceAccount":
        full = wildcard.matcher(f"{_SERVICE_ACCOUNT_USER}{subject.namespace}:{subject.name}")
        return lambda user: full(user.username)
    matches = wildcard.matcher(subject.name)
    if subject.kind == "Group":
        return lambda user: any(matches(group) for group in user.groups)
    return lambda user: matches(user.username)


def _user_predicate(users: list[Callable[[UserInfo], bool]], *, alone: bool, excluding: bool) -> Predicate:
    # Kyverno drops users from `match` where nobody asks; a filter of users only is then empty, and matches nothing
    unknown = not excluding and not alone

    def applies(request: Request) -> bool:
        user = request.user
        return unknown if user is None else all(test(user) for test in users)

    return applies


def _texts(patterns: Sequence[str]) -> Callable[[str], bool]:
    matchers = [wildcard.matcher(pattern) for pattern in patterns]
    return matchers[0] if len(matchers) == 1 else lambda text: any(matches(text) for matches in matchers)


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
