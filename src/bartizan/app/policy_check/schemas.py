"""Where the types of kinds are known from: OpenAPI documents, definitions of custom resources, or a cluster.

Of a cluster only the group versions that a policy names are fetched, each
once. Definitions among the files that are checked come before the cluster's,
for they are what will be there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from bartizan.app.policies import documents
from bartizan.base.errors import SpecError
from bartizan.base.location import Location
from bartizan.engines.policy.cel.exact import Kind
from bartizan.engines.policy.cel.kinds import plural
from bartizan.engines.policy.cel.shapes import shape_of
from bartizan.model.report import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.cel.shapes import Shape

_KINDS: Final = "x-kubernetes-group-version-kind"
_DEFINITION: Final = "CustomResourceDefinition"


class Served(Protocol):
    """A cluster, as far as it is asked about its kinds."""

    def openapi(self, group: str, version: str) -> Json:
        """The OpenAPI v3 document of a group version; `None` where it is not served."""

    def kinds(self, kind: str) -> Iterable[Kind]:
        """The kinds of that name."""


class _Schema(NamedTuple):
    """A schema as read, and those that it refers to."""

    body: Json
    definitions: Mapping[str, Json]


class KnownKinds:
    """Every kind that a schema is known of; the types of one are made when a policy is about it."""

    def __init__(self, cluster: Served | None = None) -> None:
        self._cluster = cluster
        self._schemas: dict[Kind, _Schema] = {}
        self._resources: dict[tuple[str, str, str], str] = {}
        self._shapes: dict[Kind, Shape | None] = {}
        self._fetched: set[tuple[str, str]] = set()

    def __bool__(self) -> bool:
        return self._cluster is not None or bool(self._schemas)

    def add(self, document: Json) -> bool:
        """Take in an OpenAPI document or a definition; whether it is one. What came first counts."""
        if not isinstance(document, dict):
            return False
        if document.get("kind") == _DEFINITION:
            self._add_definition(document)
            return True
        definitions = _mapping(_mapping(document.get("components")).get("schemas"))
        for body in definitions.values():
            for kind in _kinds_of(body):
                self._schemas.setdefault(kind, _Schema(body, definitions))
                self._resources.setdefault((kind.group, kind.version, plural(kind.kind)), kind.kind)
        for path, item in _mapping(document.get("paths")).items():
            self._add_path(path, _mapping(item))
        return bool(definitions)

    def _add_path(self, path: str, item: JsonObject) -> None:
        """The name of a resource, which need not be the plural of its kind, stands where it is listed."""
        listed = _mapping(item.get("get"))
        word = path.rpartition("/")[2]
        if listed.get("x-kubernetes-action") == "list" and not word.startswith("{"):
            for kind in _kinds_of({_KINDS: [listed.get(_KINDS)]}):
                self._resources[kind.group, kind.version, word] = kind.kind

    def _add_definition(self, document: JsonObject) -> None:
        spec = _mapping(document.get("spec"))
        names = _mapping(spec.get("names"))
        group, name, word = spec.get("group"), names.get("kind"), names.get("plural")
        versions = spec.get("versions")
        if not (isinstance(group, str) and isinstance(name, str) and isinstance(word, str)):
            return  # what is wrong with it is for a scan to say
        for version in versions if isinstance(versions, list) else ():
            called = _mapping(version).get("name")
            if isinstance(called, str):
                kind = Kind(group, called, name)
                schema = _mapping(_mapping(version).get("schema")).get("openAPIV3Schema")
                self._schemas.setdefault(kind, _Schema(schema, {}))
                self._resources.setdefault((group, called, word), name)

    def _fetch(self, group: str, version: str) -> None:
        if self._cluster is not None and (group, version) not in self._fetched:
            self._fetched.add((group, version))
            self.add(self._cluster.openapi(group, version))

    def kind(self, group: str, version: str, resource: str) -> str | None:
        """The kind of a resource."""
        self._fetch(group, version)
        return self._resources.get((group, version, resource))

    def kinds(self, kind: str) -> tuple[Kind, ...]:
        """The kinds of that name, in every group and version that is known."""
        served = () if self._cluster is None else self._cluster.kinds(kind)
        return tuple(dict.fromkeys([*(known for known in self._schemas if known.kind == kind), *served]))

    def shape(self, api_version: str, kind: str) -> Shape | None:
        """The shape of a kind's objects; `None` where it is not known."""
        group, _, version = api_version.rpartition("/")
        wanted = Kind(group, version, kind)
        if wanted not in self._shapes:
            self._fetch(group, version)
            known = self._schemas.get(wanted)
            name = f"{api_version}.{kind}"
            self._shapes[wanted] = None if known is None else shape_of(known.body, name, known.definitions)
        return self._shapes[wanted]


def read_schemas(paths: Sequence[Path], known: KnownKinds) -> None:
    """Take in every OpenAPI document and definition in files and folders.

    Raises:
        SpecError: one cannot be read, or one of the paths holds none.
    """
    for path in paths:
        found = False
        for item in documents([path]):
            if isinstance(item, Problem):
                raise SpecError(item.message, at=item.at, hint=item.hint)
            found = known.add(item.body) or found
        if not found:
            hint = "Save what `kubectl get --raw /openapi/v3/apis/apps/v1` gives, or name CustomResourceDefinitions."
            raise SpecError("no OpenAPI v3 document", at=Location(str(path)), hint=hint)


def _kinds_of(body: Json) -> Iterator[Kind]:
    listed = _mapping(body).get(_KINDS)
    for item in listed if isinstance(listed, list) else ():
        parts = [part for word in Kind._fields if isinstance(part := _mapping(item).get(word), str)]
        if len(parts) == len(Kind._fields):
            yield Kind(*parts)


def _mapping(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}
