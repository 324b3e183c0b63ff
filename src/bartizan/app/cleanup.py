"""Clean-up: policies and times to live -> what would be deleted -> deletions, where they are asked for."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from bartizan.app.ambient import ambient
from bartizan.app.given_world import GivenWorld, read_given
from bartizan.app.global_context import GlobalContext
from bartizan.app.live import ClusterLookup, connect_to
from bartizan.app.options import NO_CLUSTER, ClusterChoice
from bartizan.app.policies import documents, placed
from bartizan.app.supply import Supply
from bartizan.base import wildcard
from bartizan.base.errors import SourceError, SpecError
from bartizan.base.location import Location
from bartizan.engines.policy.dialects.kyverno import expression_compiler
from bartizan.engines.policy.dialects.kyverno.cel.spec import GROUP, is_of_group
from bartizan.engines.policy.dialects.kyverno.cleanup import (
    CleanupPolicy,
    ResourceSelector,
    compile_cleanup,
    is_cleanup_policy,
)
from bartizan.engines.policy.dialects.kyverno.global_context import GlobalEntry, compile_entry, is_global_entry
from bartizan.engines.policy.dialects.kyverno.ttl import LABEL, ttl_of
from bartizan.model.cleanup import CleanupReport, CleanupRun, Deleted, Deletion, Lifetime
from bartizan.model.outcome import Broken
from bartizan.model.report import Problem
from bartizan.model.request import Request
from bartizan.model.resource import labels_of, metadata_of
from bartizan.sources.cluster.connect import RefusedError
from bartizan.sources.cluster.discovery import discover
from bartizan.sources.cluster.listing import list_kinds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.dialects.kyverno.match import KindSelector
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.model.resource import Resource
    from bartizan.sources.cluster import Cluster
    from bartizan.sources.cluster.discovery import Kind

_NOT_OBJECTS: Final = frozenset({("", "componentstatuses"), ("metrics.k8s.io", "pods"), ("metrics.k8s.io", "nodes")})
"""What a cluster lists and does not keep."""
_DELETING_KINDS: Final = frozenset({"DeletingPolicy", "NamespacedDeletingPolicy"})
_EXCEPTION_KINDS: Final = frozenset({"PolicyException"})
_CLASSIC: Final = frozenset({("kyverno.io", "cleanuppolicies"), ("kyverno.io", "clustercleanuppolicies")})
_POLICIES: Final = _CLASSIC | {(GROUP, "deletingpolicies"), (GROUP, "namespaceddeletingpolicies")}
"""What a cluster has of policies that delete by a schedule."""
_EXCEPTIONS: Final = (GROUP, "policyexceptions")
_CONFLICT: Final = 409
_MISSING: Final = 404
_FIVE_FIELDS: Final = "a cluster takes five fields in a schedule, without `L`, `W` and `#`, and refuses this one"


@dataclass(frozen=True, slots=True)
class World:
    """What a clean-up is about: objects, the labels of namespaces as far as they are known, and answers.

    `objects` of a cluster are asked for by kind; `path` is where the API has one.
    """

    lookup: Lookup
    namespaces: dict[str, dict[str, str]]
    named: tuple[Resource, ...]
    """Objects of the kinds that policies name."""
    labelled: tuple[Resource, ...]
    """Objects that have the label."""
    paths: dict[tuple[str, str, str], Kind]
    """Kinds of a cluster, by group, version and name; empty where objects are from files."""
    missing: frozenset[KindSelector | ResourceSelector] = frozenset()
    """Kinds that policies name and the cluster does not have."""


@dataclass(frozen=True, slots=True)
class CleanupInputs:
    """What the command line names."""

    paths: tuple[Path, ...] = ()
    stdin: bytes | None = None
    policy: tuple[Path, ...] = ()
    cluster: ClusterChoice = NO_CLUSTER
    ttl: bool = True
    deletes: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """A report, and the way to do what it says while the cluster is connected."""

    report: CleanupReport
    cluster: str
    delete: Callable[[Iterable[Deletion]], Iterator[Deleted]]


@contextmanager
def prepare(inputs: CleanupInputs, at: datetime) -> Iterator[Session]:
    """Judge what the inputs name.

    Raises:
        SpecError: they name nothing, or manifests and a cluster at once.
        SourceError: the cluster does not answer.
    """
    paths = tuple(path for path in inputs.paths if str(path) != "-")
    is_live = inputs.cluster.is_made
    if is_live and (paths or inputs.stdin is not None):
        raise SpecError("manifests and a cluster at once", hint="Name either PATHS or a --context.")
    if inputs.deletes and not is_live:
        raise SpecError("no cluster to delete from", hint="Name a --context; files are never deleted.")
    policies, entries, problems = read_cleanups(inputs.policy)
    if not is_live:
        if not paths and inputs.stdin is None:
            raise SpecError("nothing to look at", hint="Name files or folders, `-`, or a --context.")
        world, more = given_world(inputs, paths, entries)
        yield Session(plan(policies, world, at, (*problems, *more)), "", lambda _wanted: iter(()))
        return
    with connect_to(inputs.cluster) as cluster:
        if not inputs.policy:
            policies, more = live_policies(cluster)
            problems += more
        world, more = live_world(cluster, policies, GlobalContext(ClusterLookup(cluster), entries), inputs)
        report = plan(policies, world, at, (*problems, *(item for item in more if item not in problems)))
        yield Session(report, cluster.name, lambda wanted: delete(cluster, wanted))


def read_cleanups(paths: Sequence[Path]) -> tuple[list[CleanupPolicy], list[GlobalEntry], list[Problem]]:
    """Compile the clean-up policies and global context entries of files; other documents are for other commands."""
    policies: list[CleanupPolicy] = []
    entries: list[GlobalEntry] = []
    problems: list[Problem] = []
    compiler = expression_compiler(ambient())
    found = list(documents(paths))
    exceptions = [
        item.body for item in found if not isinstance(item, Problem) and is_of_group(item.body, _EXCEPTION_KINDS)
    ]
    for item in found:
        if isinstance(item, Problem):
            problems.append(item)
            continue
        try:
            if is_cleanup_policy(item.body):
                policies.append(compile_cleanup(item.body, compiler))
            elif is_of_group(item.body, _DELETING_KINDS):
                policies.append(_compile_deleting(item.body, exceptions))
            elif is_global_entry(item.body):
                entries.append(compile_entry(item.body, compiler))
        except SpecError as error:
            problems.append(placed(error, item))
    if paths and not policies and not problems:
        hint = "Name files or folders that hold CleanupPolicy, ClusterCleanupPolicy or DeletingPolicy documents."
        problems.append(Problem("input", "no clean-up policy found", Location(", ".join(map(str, paths))), hint))
    return policies, entries, problems


def _compile_deleting(body: JsonObject, exceptions: Sequence[JsonObject]) -> CleanupPolicy:
    from bartizan.engines.policy.dialects.kyverno.cel.deleting import compile_scheduled  # late: brings CEL

    return compile_scheduled(body, ambient(), exceptions=exceptions)


def plan(
    policies: Iterable[CleanupPolicy], world: World, at: datetime, problems: Iterable[Problem] = ()
) -> CleanupReport:
    """What each policy would delete if it ran at `at`, and what has outlived its time by then."""
    runs = tuple(_run(policy, world, at) for policy in policies)
    lives = sorted(_lives(world), key=lambda life: (life.ends is None, life.ends or at, life.deletion.resource))
    return CleanupReport(at, runs, tuple(lives), tuple(problems))


def _run(policy: CleanupPolicy, world: World, at: datetime) -> CleanupRun:
    deletions: list[Deletion] = []
    problems: Counter[str] = Counter()
    for resource in world.named:
        rid = resource.id
        if metadata_of(resource.body).get("deletionTimestamp"):
            continue
        labels = world.namespaces.get(rid.namespace)
        if policy.wants_namespaces and rid.namespace and labels is None:
            problems[f"the labels of namespace `{rid.namespace}` are not known"] += 1
            continue
        outcome = policy.judge(Request(resource, namespace_labels=labels or {}), world.lookup)
        if isinstance(outcome, Broken):
            problems[outcome.error] += 1
        elif outcome is not None:
            deletions.append(_deletion(resource, outcome.message, policy.propagation, world))
    due = policy.due(at)
    return CleanupRun(
        policy=policy.full_name,
        kind=policy.kind,
        schedule=policy.schedule.text,
        last=policy.last_ran,
        due=due,
        then=policy.schedule.next_after(at),
        deletions=tuple(deletions),
        problems=tuple(f"{text}{_times(number)}" for text, number in problems.items()),
        notes=tuple(_notes(policy, world)),
    )


def _notes(policy: CleanupPolicy, world: World) -> Iterator[str]:
    if not policy.schedule.has_five_fields:
        yield _FIVE_FIELDS
    if not policy.kinds:
        yield "it names no kind of object, and deletes nothing"
    for selector in policy.kinds:
        if selector in world.missing:
            name = "/".join(part for part in selector if part not in ("", "*"))
            word = "resource" if isinstance(selector, ResourceSelector) else "kind"
            yield f"the cluster lists no {word} `{name}`"


def _times(number: int) -> str:
    return f" ({number} objects, which all stay)" if number > 1 else " (an object, which stays)"


def _lives(world: World) -> Iterator[Lifetime]:
    for resource in world.labelled:
        ttl = ttl_of(resource)
        if ttl is not None:
            because = f"its time to live, `{ttl.text}`, is over"
            yield Lifetime(_deletion(resource, because, ttl.propagation, world), ttl.text, ttl.ends, ttl.problem)


def _deletion(resource: Resource, because: str, propagation: str, world: World) -> Deletion:
    rid = resource.id
    version = str(metadata_of(resource.body).get("resourceVersion") or "")
    kind = world.paths.get((rid.group, rid.version, rid.kind))
    path = f"{kind.path(rid.namespace)}/{quote(rid.name, safe=':')}" if kind else ""
    return Deletion(rid, because, resource.uid, version, propagation, path)


def given_world(
    inputs: CleanupInputs, paths: Sequence[Path], entries: Iterable[GlobalEntry]
) -> tuple[World, list[Problem]]:
    """The world of manifests."""
    resources, problems = read_given(Supply(paths, inputs.stdin, None, 1))
    within = inputs.cluster.namespaces
    meant = tuple(item for item in resources if not within or item.id.namespace in within)
    namespaces = {item.id.name: labels_of(item.body) for item in resources if item.id.kind == "Namespace"}
    lookup = GlobalContext(GivenWorld(lambda: resources), entries)
    return World(lookup, namespaces, meant, meant if inputs.ttl else (), {}), problems


def live_policies(cluster: Cluster) -> tuple[list[CleanupPolicy], list[Problem]]:
    """The clean-up policies that a cluster has, with the times of their last runs."""
    compiler = expression_compiler(ambient())
    policies: list[CleanupPolicy] = []
    problems: list[Problem] = []
    kinds = _kinds(cluster, problems)
    known = len(problems)
    exceptions = [
        item.body
        for item in _listed(cluster, (kind for kind in kinds if (kind.group, kind.plural) == _EXCEPTIONS), problems)
    ]
    # INVARIANT: where exceptions are unknown, nothing is deleted that one of them might keep
    wanted = _POLICIES if len(problems) == known else _CLASSIC
    for item in _listed(cluster, (kind for kind in kinds if (kind.group, kind.plural) in wanted), problems):
        is_classic = item.id.group != GROUP
        try:
            if is_classic:
                policies.append(compile_cleanup(item.body, compiler))
            else:
                policies.append(_compile_deleting(item.body, exceptions))
        except SpecError as error:
            problems.append(Problem("input", f"{item.id}: {error.message}", Location(item.source), error.hint))
    return policies, problems


def _listed(
    cluster: Cluster,
    kinds: Iterable[Kind],
    problems: list[Problem],
    selector: str = "",
    within: tuple[str, ...] = (),
) -> tuple[Resource, ...]:
    """The objects of some kinds; what could not be listed is a problem."""
    found: list[Resource] = []
    for item in list_kinds(cluster, kinds, selector, within):
        if isinstance(item, Problem):
            problems.append(item)
        else:
            found.append(item)
    return tuple(found)


def live_world(
    cluster: Cluster, policies: Sequence[CleanupPolicy], lookup: Lookup, inputs: CleanupInputs
) -> tuple[World, list[Problem]]:
    """The world of a cluster: the objects of the kinds that policies name, and those with the label."""
    problems: list[Problem] = []
    kinds = _kinds(cluster, problems)
    named, missing = _named(cluster, policies, kinds)

    asks = any(policy.wants_namespaces for policy in policies)
    spaces = (kind for kind in kinds if asks and (kind.group, kind.plural) == ("", "namespaces"))
    within = inputs.cluster.namespaces
    world = World(
        lookup=lookup,
        namespaces={item.id.name: labels_of(item.body) for item in _listed(cluster, spaces, problems)},
        named=_listed(cluster, named, problems, within=within),
        labelled=_listed(cluster, kinds, problems, LABEL, within) if inputs.ttl else (),
        paths={(kind.group, kind.version, kind.kind): kind for kind in (*kinds, *named)},
        missing=missing,
    )
    return world, list(dict.fromkeys(problems))


def _kinds(cluster: Cluster, problems: list[Problem]) -> list[Kind]:
    kinds: list[Kind] = []
    for item in discover(cluster):
        if isinstance(item, Problem):
            problems.append(item)
        elif (item.group, item.plural) not in _NOT_OBJECTS:
            kinds.append(item)
    return kinds


def _named(
    cluster: Cluster, policies: Sequence[CleanupPolicy], kinds: Sequence[Kind]
) -> tuple[list[Kind], frozenset[KindSelector | ResourceSelector]]:
    """The kinds that policies name, each in the version it is named in; and the names that mean none."""
    found: dict[Kind, None] = {}
    missing: set[KindSelector | ResourceSelector] = set()
    for selector in {selector for policy in policies for selector in policy.kinds}:
        fitting = [
            kind if wildcard.match(selector.version, kind.version) else kind._replace(version=selector.version)
            for kind in kinds
            if _is_meant(kind, selector) and wildcard.match(selector.group, kind.group)
        ]
        served = [kind for kind in fitting if kind in kinds or _is_served(cluster, kind)]
        found |= dict.fromkeys(sorted(served))
        if not served or (not isinstance(selector, ResourceSelector) and selector.subresource):
            missing.add(selector)
    return list(found), frozenset(missing)


def _is_meant(kind: Kind, selector: KindSelector | ResourceSelector) -> bool:
    if isinstance(selector, ResourceSelector):
        return selector.resource in (kind.plural, "*", "*/*")
    return wildcard.match(selector.kind, kind.kind)


def _is_served(cluster: Cluster, kind: Kind) -> bool:
    """Whether a version other than the preferred one has the kind too."""
    try:
        listed = cluster.get(f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}")
    except RefusedError:
        return False
    return any(item.get("name") == kind.plural for item in listed.get("resources") or ())


def delete(cluster: Cluster, deletions: Iterable[Deletion]) -> Iterator[Deleted]:
    """Delete one after the other, each only in the state in which it was judged; a refusal does not end the rest.

    May be ended anywhere and begun again: what is gone is not listed then.
    """
    for item in deletions:
        wanted = {"uid": item.uid, "resourceVersion": item.version}
        options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": wanted}
        if item.propagation:
            options["propagationPolicy"] = item.propagation
        try:
            cluster.delete(item.path, options)
        except RefusedError as error:
            if error.status == _MISSING:
                yield Deleted(item, "gone", "it was gone already")
            elif error.status == _CONFLICT:
                hint = "Run the clean-up again: it will be judged as it is now."
                yield Deleted(item, "failed", f"it has changed since it was judged: {error.message}", hint)
            else:
                yield Deleted(item, "failed", error.message, error.hint)
        except SourceError as error:
            yield Deleted(item, "failed", error.message, error.hint)
        else:
            yield Deleted(item, "deleted")
