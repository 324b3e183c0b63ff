"""Which requests a policy is about: `matchConstraints`, by the rules of the API server.

Rules name resources of the API (`deployments`, `pods/exec`), where a
document says its kind; `kinds` has the names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.base.errors import SpecError
from bartizan.base.suggest import did_you_mean
from bartizan.engines.policy.cel.kinds import kind_of
from bartizan.engines.policy.cel.names import coordinates, name_of
from bartizan.engines.policy.document import Record
from bartizan.engines.policy.selector import LabelSelector, compile_selector
from bartizan.model.resource import labels_of, metadata_of
from bartizan.model.scoping import is_cluster_scoped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.model.request import Request

_OPERATIONS: Final = frozenset({"CREATE", "UPDATE", "DELETE", "CONNECT", "*"})
_SCOPES: Final = frozenset({"Cluster", "Namespaced", "*"})
_MAX_PLACES: Final = 4096  # kinds and operations of one cluster, and no more where somebody makes kinds up


class ResourceRule(Record, frozen=True):
    """Some resources, and what is done with them."""

    api_groups: tuple[str, ...] = ()
    api_versions: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = ()
    scope: str | None = None


class MatchResources(Record, frozen=True):
    """`matchConstraints`, and `matchResources` of a binding; whatever is given must hold."""

    namespace_selector: LabelSelector | None = None
    object_selector: LabelSelector | None = None
    resource_rules: tuple[ResourceRule, ...] | None = None
    exclude_resource_rules: tuple[ResourceRule, ...] | None = None
    match_policy: str | None = None


class Match(NamedTuple):
    """Whether a request is meant; `kinds` are the only kinds it can be about, where that is known."""

    applies: Callable[[Request], bool]
    kinds: frozenset[str] | None


def compile_match(spec: MatchResources, at: str, *, prefixes: bool = True) -> Match:
    """Compile constraints that stand at `at`.

    With `prefixes` a rule's names also mean what has no name yet, where its
    `generateName` begins with one; the API server has no name for such.

    Raises:
        SpecError: an unknown operation, scope or selector operator.
    """
    included = _rules(spec.resource_rules or (), f"{at}/resourceRules", prefixes=prefixes)
    excluded = _rules(spec.exclude_resource_rules or (), f"{at}/excludeResourceRules", prefixes=prefixes)
    of_namespace = _namespace_test(spec.namespace_selector, f"{at}/namespaceSelector")
    of_object = _object_test(spec.object_selector, f"{at}/objectSelector")
    is_open = not spec.resource_rules
    kinds = _kinds(spec.resource_rules or ())
    if not (is_open or of_namespace or of_object or spec.exclude_resource_rules):
        return _of_objects(Match(included, kinds))  # by far the most common

    def applies(request: Request) -> bool:
        if not is_open and not included(request):
            return False
        if of_namespace is not None and not of_namespace(request):
            return False
        if of_object is not None and not of_object(request):
            return False
        return not excluded(request)

    return _of_objects(Match(applies, kinds))


def _of_objects(match: Match) -> Match:
    """Constraints are about objects of a cluster; those for any kind would take JSON of no kind for one."""
    if match.kinds is not None:
        return match
    applies = match.applies
    return match._replace(applies=lambda request: not request.payload and applies(request))


def within(match: Match, namespace: str) -> Match:
    """The match of a policy that stands in a namespace: nothing beyond it; one of the whole cluster stays as it is."""
    if not namespace:
        return match
    applies = match.applies
    return match._replace(applies=lambda request: request.resource.id.namespace == namespace and applies(request))


def _kinds(rules: tuple[ResourceRule, ...]) -> frozenset[str] | None:
    """The kinds that rules can be about, unless one of them leaves that open."""
    found: set[str] = set()
    for rule in rules:
        for resource in rule.resources:
            name, _, part = resource.partition("/")
            kind = None if part else _kind(name, rule.api_groups)
            if kind is None:
                return None
            found.add(kind)
    return frozenset(found) if found else None


def _kind(resource: str, groups: tuple[str, ...]) -> str | None:
    if resource == "*":
        return None
    if "*" in groups:
        return kind_of(resource)
    kinds = {kind_of(resource, group) for group in groups}
    return kinds.pop() if len(kinds) == 1 else None


class _Place(NamedTuple):
    """All of a request that rules without names ask about."""

    group: str
    version: str
    resource: str
    subresource: str
    operation: str
    of_cluster: bool


def _place(request: Request) -> _Place:
    place: _Place | None = request.memo.get("cel.place")
    if place is None:
        at = coordinates(request)
        place = request.memo["cel.place"] = _Place(
            at.group, at.version, at.resource, request.subresource, request.operation, is_of_cluster(request)
        )
    return place


class _Rule(NamedTuple):
    """A rule: where it is about, and of what name, if it says so."""

    is_about: Callable[[_Place], bool]
    is_named: Callable[[Request], bool] | None


def _rules(specs: tuple[ResourceRule, ...], at: str, *, prefixes: bool) -> Callable[[Request], bool]:
    """Whether one of some rules means a request; what only its place decides is decided once for each place."""
    rules = [_rule(spec, f"{at}/{index}", prefixes=prefixes) for index, spec in enumerate(specs)]
    known: dict[_Place, bool | tuple[Callable[[Request], bool], ...]] = {}

    def about(place: _Place) -> bool | tuple[Callable[[Request], bool], ...]:
        fitting = [rule.is_named for rule in rules if rule.is_about(place)]
        names = tuple(test for test in fitting if test is not None)
        return names or False if len(names) == len(fitting) else True

    def any_means(request: Request) -> bool:
        place = _place(request)
        decided = known.get(place)
        if decided is None:
            if len(known) >= _MAX_PLACES:
                known.clear()
            decided = known[place] = about(place)
        if decided is True or decided is False:
            return decided
        return any(test(request) for test in decided)

    return any_means


def _rule(spec: ResourceRule, at: str, *, prefixes: bool) -> _Rule:
    for index, operation in enumerate(spec.operations):
        if operation not in _OPERATIONS:
            hint = did_you_mean(operation, _OPERATIONS)
            raise SpecError(f"unknown operation `{operation}`", pointer=f"{at}/operations/{index}", hint=hint)
    scope = spec.scope or "*"
    if scope not in _SCOPES:
        raise SpecError(f"unknown scope `{scope}`", pointer=f"{at}/scope", hint=did_you_mean(scope, _SCOPES))
    # rules of the API server always say operations; where a document leaves them out, any is meant
    groups, versions, operations = (
        _words(words) for words in (spec.api_groups, spec.api_versions, spec.operations or ("*",))
    )
    resources = frozenset(spec.resources)

    def is_about(place: _Place) -> bool:
        return (
            (operations is None or place.operation in operations)
            and (groups is None or place.group in groups)
            and (versions is None or place.version in versions)
            and _is_resource(resources, place.resource, place.subresource)
            and (scope == "*" or (scope == "Cluster") == place.of_cluster)
        )

    if not spec.resource_names:
        return _Rule(is_about, None)
    names, beginnings = frozenset(spec.resource_names), spec.resource_names if prefixes else ()
    return _Rule(is_about, lambda request: _is_named(request, names, beginnings))


def _words(words: tuple[str, ...]) -> frozenset[str] | None:
    """What is allowed; `None` where everything is."""
    return None if "*" in words else frozenset(words)


def _is_resource(allowed: frozenset[str], resource: str, part: str) -> bool:
    """Whether a rule's resources mean this: `pods`, `pods/exec`, `pods/*` (pods too), `*/scale`, `*` or `*/*`."""
    if not part:
        return not allowed.isdisjoint((resource, "*", "*/*", f"{resource}/*"))
    return not allowed.isdisjoint((f"{resource}/{part}", f"{resource}/*", f"*/{part}", "*/*"))


def is_of_cluster(request: Request) -> bool:
    """Whether what is asked about stands in no namespace; a Namespace itself counts as such."""
    rid = request.resource.id
    return is_cluster_scoped(rid.group, rid.kind) if not rid.namespace else False


def _is_named(request: Request, names: frozenset[str], beginnings: tuple[str, ...]) -> bool:
    name = name_of(request)
    if name:
        return name in names
    made = metadata_of(request.resource.body).get("generateName")
    return isinstance(made, str) and made.startswith(beginnings)


def _is_empty(selector: LabelSelector | None) -> bool:
    return selector is None or not (selector.match_labels or selector.match_expressions)


def _namespace_test(selector: LabelSelector | None, at: str) -> Callable[[Request], bool] | None:
    """Whether the namespace has the labels; what is in no namespace is let through, and a Namespace has its own."""
    if selector is None or _is_empty(selector):
        return None
    selects = compile_selector(selector, at)

    def test(request: Request) -> bool:
        rid = request.resource.id
        if rid.kind == "Namespace" and not rid.group:
            return selects(labels_of(request.resource.body))
        return selects(_namespace_labels(request)) if rid.namespace else True

    return test


def _namespace_labels(request: Request) -> Mapping[str, str]:
    # the API server puts this one on every namespace
    return {"kubernetes.io/metadata.name": request.resource.id.namespace, **request.namespace_labels}


def _object_test(selector: LabelSelector | None, at: str) -> Callable[[Request], bool] | None:
    """Whether the object has the labels, or had them before the change."""
    if selector is None or _is_empty(selector):
        return None
    selects = compile_selector(selector, at)

    def test(request: Request) -> bool:
        if selects(labels_of(request.resource.body)):
            return True
        return request.old is not None and selects(labels_of(request.old.body))

    return test
