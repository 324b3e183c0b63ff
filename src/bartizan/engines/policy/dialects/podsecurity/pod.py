"""A pod as the controls see it: hostile JSON, with the parts they all want taken out once."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bartizan.base.json import to_text

if TYPE_CHECKING:
    from bartizan.base.json import Json, JsonObject

_NAMED: Final = 4
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
    """One thing a control forbids, in a container or (without one) in the pod itself.

    `said` is what is wrong, without whose it is; `path` is where, below the
    container or the pod, with numbers for list positions. The rest is put
    together when somebody reads it: of a bad pod's many violations few are.
    """

    control: str
    said: str
    path: str
    value: Json
    container: Container | None = None

    def __str__(self) -> str:
        """The offending value, as evidence shows it."""
        return to_text(self.value)

    @property
    def message(self) -> str:
        """The violation as a clause."""
        if self.container is None:
            return f"pod {self.said}"
        return f"container `{self.container.body.get('name', self.container.number)}` {self.said}"

    @property
    def pointer(self) -> str:
        """Where in the pod."""
        return f"/{self.path}" if self.container is None else f"{self.container.pointer}/{self.path}"

    @property
    def field(self) -> str:
        """The same as exclusions write it: dots, and `[*]` for list positions."""
        field = _field(self.path)
        return field if self.container is None else f"spec.{self.container.group}[*].{field}"

    @property
    def image(self) -> str:
        """The container's image; empty for what is the pod's."""
        return self.container.image if self.container else ""


@lru_cache(maxsize=1024)
def _field(path: str) -> str:
    parts = ("*" if step.isdecimal() else step for step in path.split("/"))
    return "/".join(parts).replace("/*", "[*]").replace("/", ".")


def summary(violations: list[Violation]) -> str:
    """The first violations as a message; more would not be read."""
    said = "; ".join(violation.message for violation in violations[:_NAMED])
    more = len(violations) - _NAMED
    return f"{said}; and {more} more" if more > 0 else said


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
