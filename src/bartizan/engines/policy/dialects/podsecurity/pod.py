"""A pod as the controls see it: hostile JSON, with the parts they all want taken out once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from bartizan.base.json import Json, JsonObject

GROUPS: Final = ("initContainers", "containers", "ephemeralContainers")


class Container(NamedTuple):
    """One container, with where it stands and its security context (empty where there is none)."""

    group: str
    number: int
    body: JsonObject
    security: JsonObject

    @property
    def pointer(self) -> str:
        """Where it stands in the pod."""
        return f"/spec/{self.group}/{self.number}"

    @property
    def image(self) -> str:
        """Its image, for exclusions by image."""
        image = self.body.get("image")
        return image if isinstance(image, str) else ""


class Pod(NamedTuple):
    """A pod, or the template of one."""

    metadata: JsonObject
    spec: JsonObject
    security: JsonObject
    containers: list[Container]

    @property
    def is_windows(self) -> bool:
        """Whether it says that it runs on Windows."""
        return as_object(self.spec.get("os")).get("name") == "windows"

    @property
    def has_own_users(self) -> bool:
        """Whether it has a user namespace of its own."""
        return self.spec.get("hostUsers") is False

    @property
    def annotations(self) -> JsonObject:
        """Its annotations."""
        return as_object(self.metadata.get("annotations"))


class Violation(NamedTuple):
    """One thing a control forbids.

    `pointer` is where in the pod; `field` is the same with `[*]` for list
    positions, as exclusions name it; `image` is empty for what is the pod's
    and not a container's.
    """

    control: str
    message: str
    pointer: str
    field: str
    value: Json
    image: str = ""


def read_pod(metadata: JsonObject, spec: JsonObject) -> Pod:
    """Take the parts out; whatever has the wrong type counts as absent."""
    containers = [
        Container(group, number, item, as_object(item.get("securityContext")))
        for group in GROUPS
        for number, item in enumerate(as_list(spec.get(group)))
        if item.__class__ is dict
    ]
    return Pod(metadata, spec, as_object(spec.get("securityContext")), containers)


def as_object(value: Json) -> dict[str, Any]:
    """A map, or an empty one."""
    return value if value.__class__ is dict else {}


def as_list(value: Json) -> list[Any]:
    """A list, or an empty one."""
    return value if value.__class__ is list else []
