"""What is judged: a Kubernetes object as plain decoded JSON, with its identity and where it stands.

The body is never copied to be read. There is no typed mirror of the API:
custom resources are as welcome as Pods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import msgspec

if TYPE_CHECKING:
    from bartizan.base.json import Json, JsonObject
    from bartizan.base.location import Location


class ResourceId(msgspec.Struct, frozen=True, order=True):
    """The name of a resource in one cluster. `group` is empty for the core API."""

    group: str
    version: str
    kind: str
    namespace: str
    name: str

    @property
    def api_version(self) -> str:
        """`apps/v1`, or `v1` for the core API."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def __str__(self) -> str:
        place = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {place}{self.name}" if self.kind else self.name


class Lines(Protocol):
    """Finds places in the document a resource came from; built only when somebody asks."""

    def locate(self, pointer: str) -> Location:
        """Where the key at `pointer` stands, or its nearest parent that exists."""

    def quote(self, line: int) -> str:
        """The text of one line of the file, without its end; empty when there is none."""


class Resource(msgspec.Struct, frozen=True, eq=False):
    """One object to judge.

    `body` is decoded JSON (dicts, lists, str, int, float, bool, None) and is
    shared: nobody may change it. `lines` is there for resources from files.
    """

    id: ResourceId
    body: dict[str, Any]
    uid: str = ""
    source: str = ""
    lines: Lines | None = None


def identify(body: JsonObject) -> ResourceId:
    """Read the identity out of an object; what is missing or malformed is empty.

    A name that the server is to make is shown as its `generateName`.
    """
    api_version = body.get("apiVersion")
    group, _, version = api_version.rpartition("/") if isinstance(api_version, str) else ("", "", "")
    metadata = body.get("metadata")
    if not isinstance(metadata, dict):
        metadata = {}
    name = metadata.get("name") or metadata.get("generateName")
    return ResourceId(group, version, _text(body.get("kind")), _text(metadata.get("namespace")), _text(name))


def controller_of(body: JsonObject) -> tuple[str, str] | None:
    """Kind and name of what made this object and minds it, in its namespace: the ReplicaSet of a Pod."""
    metadata = body.get("metadata")
    owners = metadata.get("ownerReferences") if isinstance(metadata, dict) else None
    for owner in owners if isinstance(owners, list) else ():
        if isinstance(owner, dict) and owner.get("controller") is True:
            return _text(owner.get("kind")), _text(owner.get("name"))
    return None


def metadata_of(body: JsonObject) -> JsonObject:
    """The metadata of an object; nothing where it is malformed."""
    metadata = body.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def labels_of(body: JsonObject) -> JsonObject:
    """The labels of an object; none where they are malformed."""
    labels = metadata_of(body).get("labels")
    return labels if isinstance(labels, dict) else {}


def resource_from(body: JsonObject, *, source: str = "", lines: Lines | None = None) -> Resource:
    """Wrap a decoded object."""
    metadata = body.get("metadata")
    uid = _text(metadata.get("uid")) if isinstance(metadata, dict) else ""
    return Resource(identify(body), body, uid, source, lines)


def payload_from(body: JsonObject, name: str, *, lines: Lines | None = None) -> Resource:
    """Wrap JSON that is no Kubernetes object, known by the name of its file."""
    return Resource(ResourceId("", "", "", "", name), body, "", name, lines)


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""
