"""A cluster as a source of a scan: its resources, and answers to what policies ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.app.images.registry import RegistryLookup
from bartizan.app.images.trusted_root import trusted_root
from bartizan.app.supply import Live
from bartizan.base import wildcard
from bartizan.base.errors import SourceError, SpecError
from bartizan.engines.policy.lookup import (
    ApiQuestion,
    ConfigMapQuestion,
    GlobalQuestion,
    ImageQuestion,
    LookupFailedError,
    ObjectsQuestion,
    Question,
    SignaturesQuestion,
    TrustQuestion,
)
from bartizan.engines.policy.objects import parse_kind, selects
from bartizan.model.report import Problem
from bartizan.model.resource import labels_of
from bartizan.sources.cluster import Cluster, Selection, connect, list_resources

if TYPE_CHECKING:
    from bartizan.app.options import ClusterChoice
    from bartizan.base.json import Json


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
            except (SourceError, SpecError) as error:
                self._answers[question] = LookupFailedError(error.message)
        found = self._answers[question]
        if isinstance(found, LookupFailedError):
            raise found
        return found

    def _ask(self, question: Question) -> Json:
        match question:
            case ConfigMapQuestion(namespace, name):
                return self._cluster.get(f"/api/v1/namespaces/{namespace}/configmaps/{name}")
            case ApiQuestion(url, method, data):
                if not url.startswith("/"):
                    raise SourceError(f"services are not called in a scan: `{url}`")
                if method == "POST":
                    import orjson

                    return self._cluster.post(url, orjson.loads(data or "{}"))
                return self._cluster.get(url)
            case ImageQuestion(reference) | SignaturesQuestion(reference):
                raise SourceError(f"an API server knows no registries: `{reference}`")
            case GlobalQuestion(name):
                raise SourceError(f"no global context entry `{name}` was given")
            case TrustQuestion(mirror):
                return trusted_root(mirror=mirror)
            case ObjectsQuestion(kind, namespace):
                return self._objects(question, parse_kind(kind).kind, namespace)

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

    def close() -> None:
        lookup.close()
        cluster.close()

    return Live(cluster.name, lambda: list_resources(cluster, selection), labels, lookup, close)
