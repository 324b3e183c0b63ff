"""The file a test names as its `context`: objects and images that CEL policies are to find.

Source: the peer's `cli.kyverno.io/v1alpha1` kind `Context`. Objects without
a namespace stay without one: they stand for what a server has, where
nothing is put into a namespace that is not there.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bartizan.app.fields import Fields
from bartizan.base.errors import SpecError
from bartizan.model.resource import Resource, resource_from

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bartizan.base.json import JsonObject

_IMAGE_FIELDS: Final = ("image", "resolvedImage", "registry", "repository")
"""What an image always has, if only as an empty text."""


class GivenContext(NamedTuple):
    """What a context file holds; images by the reference they are asked for by."""

    resources: tuple[Resource, ...]
    images: Mapping[str, JsonObject]


NOTHING: Final = GivenContext((), MappingProxyType({}))


def read_context(document: Any) -> GivenContext:
    """Read a context.

    Raises:
        SpecError: it is none, or an object in it has no kind.
    """
    fields = Fields(document)
    kind = fields.text("kind")
    if kind != "Context":
        raise SpecError(f"`{kind}` is no context", pointer="/kind", hint="Write `kind: Context`.")
    spec = fields.fields("spec")
    resources = tuple(_resource(body, f"/spec/resources/{place}") for place, body in enumerate(spec.items("resources")))
    return GivenContext(resources, {entry.text("image"): _image(entry) for entry in spec.entries("images")})


def _resource(body: Any, pointer: str) -> Resource:
    if not isinstance(body, dict) or not body.get("kind") or not body.get("apiVersion"):
        hint = "Write its `apiVersion` and `kind`."
        raise SpecError("an object of a context has no kind", pointer=pointer, hint=hint)
    return resource_from(body)


def _image(entry: Fields) -> JsonObject:
    given = {name: entry.value(name) for name in ("tag", "digest", "imageIndex", "manifest", "config")}
    always: JsonObject = {name: entry.text(name) for name in _IMAGE_FIELDS}
    return always | {name: value for name, value in given.items() if value}
