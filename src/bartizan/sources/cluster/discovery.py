"""What kinds a cluster has: every listable resource, each in its preferred version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from bartizan.model.report import Problem
from bartizan.sources.cluster.connect import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bartizan.base.json import Json, JsonObject

AGGREGATED: Final = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
)
"""What to accept of `/api` and `/apis`: everything at once, where the server can."""
NOISE: Final = frozenset(
    {
        ("", "events"),
        ("events.k8s.io", "events"),
        ("", "componentstatuses"),
        ("coordination.k8s.io", "leases"),
        ("metrics.k8s.io", "pods"),
        ("metrics.k8s.io", "nodes"),
    }
)
"""Kinds that nobody configures and that change all the time; naming one with --kind lists it all the same."""


class Kind(NamedTuple):
    """A listable resource: where it is listed, and what its objects are called."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    names: frozenset[str]
    """Every word it may be asked for by, in lower case."""

    def path(self, namespace: str = "") -> str:
        """Where it is listed, in one namespace or in all."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        return f"{root}/namespaces/{namespace}/{self.plural}" if namespace else f"{root}/{self.plural}"


class Answers(Protocol):
    """Who answers what is asked of an API server: a connection, or somebody who has asked before."""

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Json:
        """The answer to a GET."""


def discover(cluster: Answers) -> Iterator[Kind | Problem]:
    """Every listable kind; a group that does not answer is a problem, and the others are there all the same.

    Raises:
        SourceError: the server does not answer, or refuses discovery as a whole.
    """
    seen: set[tuple[str, str]] = set()
    for root in ("/api", "/apis"):
        document = cluster.get(root, {"Accept": AGGREGATED})
        aggregated = document.get("kind") == "APIGroupDiscoveryList"
        found = _aggregated(document) if aggregated else _by_group(cluster, root, document)
        for item in found:
            if isinstance(item, Problem):
                yield item
            elif (item.group, item.plural) not in seen:
                seen.add((item.group, item.plural))
                yield item


def _aggregated(document: JsonObject) -> Iterator[Kind | Problem]:
    """Versions come in the server's order of preference, so the first that has a resource counts."""
    for group in document.get("items") or ():
        name = (group.get("metadata") or {}).get("name") or ""
        for version in group.get("versions") or ():
            if version.get("freshness") == "Stale":
                yield _stale(name, str(version.get("version")))
            for item in version.get("resources") or ():
                if "list" in (item.get("verbs") or ()):
                    kind = (item.get("responseKind") or {}).get("kind") or ""
                    namespaced = item.get("scope") == "Namespaced"
                    yield _kind(name, version["version"], item["resource"], kind, item, namespaced=namespaced)


def _by_group(cluster: Answers, root: str, document: JsonObject) -> Iterator[Kind | Problem]:
    """The older way: one request a group and version."""
    versions = [("", version) for version in document.get("versions") or ()] if root == "/api" else []
    for group in document.get("groups") or ():
        preferred = (group.get("preferredVersion") or {}).get("version")
        names = [item["version"] for item in group.get("versions") or ()]
        versions += [(group["name"], name) for name in sorted(names, key=lambda name: name != preferred)]
    for group, version in versions:
        path = f"/apis/{group}/{version}" if group else f"/api/{version}"
        try:
            resources = cluster.get(path).get("resources") or ()
        except RefusedError:
            yield _stale(group, version)
            continue
        for item in resources:
            if "list" in (item.get("verbs") or ()) and "/" not in item["name"]:
                yield _kind(group, version, item["name"], item["kind"], item, namespaced=bool(item.get("namespaced")))


def _kind(group: str, version: str, plural: str, kind: str, item: Json, *, namespaced: bool) -> Kind:
    singular = item.get("singularResource") or item.get("singularName") or kind
    words = {plural, kind, singular, *(item.get("shortNames") or ())}
    names = {word.lower() for word in words if word}
    qualified = {f"{name}.{group}" for name in names} if group else set()
    return Kind(group, version, plural, kind, namespaced, frozenset(names | qualified))


def _stale(group: str, version: str) -> Problem:
    hint = "Its own API server does not answer: see the APIService of the group."
    return Problem("world", f"API group `{group}/{version}` is unknown for now", hint=hint)
