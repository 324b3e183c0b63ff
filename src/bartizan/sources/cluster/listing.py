"""Every resource of a cluster, page by page; nothing is kept.

A kind that may not be listed, or stops answering half-way, is a problem
that names it: it is unknown then, and never empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlencode

from bartizan.base.errors import SourceError, SpecError
from bartizan.base.suggest import did_you_mean
from bartizan.model.report import Problem
from bartizan.model.resource import Resource, resource_from
from bartizan.sources.cluster.connect import RefusedError
from bartizan.sources.cluster.discovery import NOISE, Kind, discover

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bartizan.base.json import JsonObject
    from bartizan.sources.cluster.connect import Cluster

PAGE: Final = 500
"""Objects a page, as kubectl has it: large enough to be quick, small enough for any server."""
_GONE: Final = 410
_FORBIDDEN: Final = 403
_NO_SUCH: Final = frozenset({404, 405})
_RESTARTS: Final = 2


class Selection(NamedTuple):
    """What to list: namespaces, kinds by any of their names, and labels; nothing named is everything."""

    namespaces: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    selector: str = ""


def list_resources(cluster: Cluster, selection: Selection, page: int = PAGE) -> Iterator[Resource | Problem]:
    """List what is selected, kind by kind.

    Raises:
        SpecError: a kind that the cluster does not have.
        SourceError: the server does not answer at all.
    """
    kinds: list[Kind] = []
    for item in discover(cluster):
        if isinstance(item, Problem):
            yield item
        else:
            kinds.append(item)
    for kind in _selected(kinds, selection):
        for namespace in selection.namespaces or ("",):
            if kind.namespaced or not selection.namespaces:
                yield from _list(cluster, kind, namespace if kind.namespaced else "", selection.selector, page)
    if selection.namespaces and not selection.kinds:
        yield from _namespaces(cluster, selection.namespaces)


def list_kinds(
    cluster: Cluster, kinds: Iterable[Kind], selector: str = "", namespaces: tuple[str, ...] = ()
) -> Iterator[Resource | Problem]:
    """List kinds that were discovered before; in namespaces that are named, only the kinds that are in one."""
    for kind in kinds:
        for namespace in namespaces or ("",):
            if kind.namespaced or not namespaces:
                yield from _list(cluster, kind, namespace, selector, PAGE)


def _namespaces(cluster: Cluster, names: tuple[str, ...]) -> Iterator[Resource | Problem]:
    """The namespaces that were named belong to the scan too."""
    for name in names:
        try:
            yield resource_from(cluster.get(f"/api/v1/namespaces/{name}"), source=f"cluster {cluster.name}")
        except SourceError as error:
            yield Problem("world", f"namespace `{name}` is unknown: {error.message}", hint=error.hint)


def _selected(kinds: list[Kind], selection: Selection) -> list[Kind]:
    if not selection.kinds:
        return [kind for kind in kinds if (kind.group, kind.plural) not in NOISE]
    chosen: list[Kind] = []
    for word in selection.kinds:
        found = [kind for kind in kinds if word.lower() in kind.names]
        if not found:
            raise SpecError(f"no kind `{word}` in the cluster", hint=did_you_mean(word, {kind.kind for kind in kinds}))
        chosen += [kind for kind in found if kind not in chosen]
    return chosen


def _list(cluster: Cluster, kind: Kind, namespace: str, selector: str, page: int) -> Iterator[Resource | Problem]:
    """List one kind. When a listing grows too old half-way it begins anew, and what was seen is not given twice."""
    seen: set[str] = set()
    token = ""
    restarts = 0
    while True:
        query = {"limit": str(page), "continue": token, "labelSelector": selector}
        path = f"{kind.path(namespace)}?{urlencode({key: value for key, value in query.items() if value})}"
        try:
            body = cluster.get(path)
        except RefusedError as error:
            if error.status == _GONE and restarts < _RESTARTS:
                restarts, token = restarts + 1, ""
                continue
            if error.status not in _NO_SUCH:
                yield unknown(kind, namespace, error)
            return
        except SourceError as error:
            yield unknown(kind, namespace, error)
            return
        for item in body.get("items") or ():
            resource = read_item(item, kind, cluster.name)
            if restarts == 0 or resource.uid not in seen:
                seen.add(resource.uid)
                yield resource
        token = (body.get("metadata") or {}).get("continue") or ""
        if not token:
            return


def read_item(item: JsonObject, kind: Kind, cluster: str) -> Resource:
    """An element of a list or a watch, complete: lists leave out what all their elements share."""
    version = f"{kind.group}/{kind.version}" if kind.group else kind.version
    body = {"apiVersion": version, "kind": kind.kind, **item}
    metadata = body.get("metadata")
    if isinstance(metadata, dict):
        metadata.pop("managedFields", None)
    return resource_from(body, source=f"cluster {cluster}")


def unknown(kind: Kind, namespace: str, error: SourceError) -> Problem:
    """The problem of a kind that cannot be listed, with what to do about it."""
    where = f" in namespace `{namespace}`" if namespace else ""
    name = f"{kind.plural}.{kind.group}" if kind.group else kind.plural
    hint = error.hint
    if isinstance(error, RefusedError) and error.status == _FORBIDDEN:
        hint = f"Grant `list` on `{name}`; what is there has not been judged."
    return Problem("world", f"`{name}`{where} is unknown: {error.message}", hint=hint)
