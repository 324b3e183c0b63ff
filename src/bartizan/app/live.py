"""A cluster as a source of a scan: its resources, and answers to what policies ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from bartizan.app.given_world import not_called, unknown_kind
from bartizan.app.images.registry import RegistryLookup
from bartizan.app.images.trusted_root import trusted_root
from bartizan.app.supply import Live
from bartizan.base import wildcard
from bartizan.base.errors import SourceError, SpecError
from bartizan.engines.policy.cel.reviews import access_review
from bartizan.engines.policy.lookup import (
    AccessQuestion,
    ApiQuestion,
    ConfigMapQuestion,
    GlobalQuestion,
    HttpQuestion,
    ImageDataQuestion,
    ImageQuestion,
    KindQuestion,
    LookupFailedError,
    ObjectsQuestion,
    Question,
    SignaturesQuestion,
    TrustQuestion,
)
from bartizan.engines.policy.objects import parse_kind, selects
from bartizan.model.report import Problem
from bartizan.model.resource import labels_of
from bartizan.sources.cluster import Cluster, RefusedError, Selection, connect, list_resources

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bartizan.app.options import ClusterChoice
    from bartizan.base.json import Json
    from bartizan.model.resource import Resource

_REVIEWS: Final = ("/apis/authorization.k8s.io/", "/apis/authentication.k8s.io/")


class ClusterLookup:
    """Answers what policies ask from the API server; each question is asked once a scan."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._answers: dict[Question, Json | LookupFailedError] = {}

    def answer(self, question: Question) -> Json:
        """The answer, as the engine's `Lookup` has it."""
        if question not in self._answers:
            try:
                self._answers[question] = self._ask(question)
            except LookupFailedError as error:
                self._answers[question] = error
            except (SourceError, SpecError) as error:
                status = error.status if isinstance(error, RefusedError) else 0
                self._answers[question] = LookupFailedError(error.message, status=status)
        found = self._answers[question]
        if isinstance(found, LookupFailedError):
            raise found
        return found

    def _ask(self, question: Question) -> Json:  # noqa: C901, PLR0911 (one line for each kind)
        match question:
            case ConfigMapQuestion(namespace, name):
                return self._cluster.get(f"/api/v1/namespaces/{namespace}/configmaps/{name}")
            case ApiQuestion(url, method, data):
                if not url.startswith("/"):
                    raise SourceError(f"services are not called in a scan: `{url}`")
                if method == "POST":
                    import orjson

                    return self._cluster.post(_harmless(url), orjson.loads(data or "{}"))
                return self._cluster.get(url)
            case HttpQuestion(url, namespace=namespace):
                raise not_called(url, namespace)
            case KindQuestion(api_version, kind):
                return self._kind(api_version, kind)
            case ImageQuestion(reference) | ImageDataQuestion(reference) | SignaturesQuestion(reference):
                raise SourceError(f"an API server knows no registries: `{reference}`")
            case GlobalQuestion(name):
                raise LookupFailedError(f"no global context entry `{name}` was given", status=404)
            case TrustQuestion(mirror):
                return trusted_root(mirror=mirror)
            case AccessQuestion():
                return self._access(question)
            case ObjectsQuestion(kind, namespace):
                return self._objects(question, parse_kind(kind).kind, namespace)

    def _access(self, question: AccessQuestion) -> Json:
        """What the server's own authorizers say, who need not go by RBAC alone."""
        answer = self._cluster.post(f"{_REVIEWS[0]}v1/subjectaccessreviews", access_review(question))
        status = answer.get("status") if isinstance(answer, dict) else None
        if not isinstance(status, dict):
            raise SourceError("the server reviews no access")
        return status

    def _kind(self, api_version: str, kind: str) -> Json:
        """How the server calls the objects of a kind."""
        group, _, version = api_version.rpartition("/")
        try:
            found = self._cluster.get(f"/apis/{quote(group)}/{quote(version)}" if group else f"/api/{quote(version)}")
        except RefusedError as error:
            raise (unknown_kind(api_version, kind) if error.status == 404 else error) from error
        for item in found.get("resources") or ():
            if item.get("kind") == kind and "/" not in item.get("name", "/"):
                namespaced = bool(item.get("namespaced"))
                return {"group": group, "version": version, "resource": item["name"], "namespaced": namespaced}
        raise unknown_kind(api_version, kind)

    def _objects(self, question: ObjectsQuestion, kind: str, namespace: str) -> Json:
        """Objects by kind; one that could not be listed is an error, never an empty list."""
        plain = namespace if namespace and not wildcard.is_wildcard(namespace) else ""
        kinds = () if wildcard.is_wildcard(kind) else (kind,)
        wanted, found = selects(question), []
        for item in list_resources(self._cluster, Selection((plain,) if plain else (), kinds)):
            if isinstance(item, Problem):
                raise SourceError(item.message, hint=item.hint)
            if wanted(item):
                found.append(item.body)
        return found


def _harmless(url: str) -> str:
    """Where a policy may post: reviews are questions, and everything else is only tried, for nothing here writes."""
    if url.startswith(_REVIEWS):
        return url
    return f"{url}{'&' if '?' in url else '?'}dryRun=All"


def connect_to(choice: ClusterChoice) -> Cluster:
    """Open a connection to the cluster that was chosen.

    Raises:
        SpecError: the kubeconfig or the context is not what it must be.
    """
    return connect(context=choice.context, kubeconfig=choice.kubeconfig, in_cluster=choice.in_cluster)


def connect_live(choice: ClusterChoice) -> Live:
    """Connect to a cluster for a scan.

    Raises:
        SpecError: the kubeconfig or the context is not what it must be.
        SourceError: the server does not answer.
    """
    cluster = connect_to(choice)
    lookup = RegistryLookup(ClusterLookup(cluster))
    selection = Selection(choice.namespaces, choice.kinds, choice.selector)

    def labels() -> dict[str, dict[str, str]]:
        found = list_resources(cluster, Selection(kinds=("namespaces",)))
        return {item.id.name: labels_of(item.body) for item in found if not isinstance(item, Problem)}

    def definitions() -> Iterable[Resource | Problem]:
        return list_resources(cluster, Selection(kinds=("customresourcedefinitions",)))

    def close() -> None:
        lookup.close()
        cluster.close()

    return Live(cluster.name, lambda: list_resources(cluster, selection), labels, lookup, close, definitions)
