"""Schemas of an OpenAPI document, as an API server serves it, to make types of.

Source: `PopulateRefs` and the adaptor of `k8s.io/apiserver/pkg/cel/openapi`.
A reference is followed when somebody looks behind it; one that leads back
into itself is an object without fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from bartizan.base.errors import SpecError
from bartizan.engines.policy.cel.shapes import REFERENCE, reference

if TYPE_CHECKING:
    from bartizan.base.json import Json, JsonObject

MAX_SCHEMAS: Final = 50_000
"""Schemas that one kind may have, references followed: a Deployment has some 2,500."""
_KINDS: Final = "x-kubernetes-group-version-kind"
_CIRCLE: Final[JsonObject] = {"type": "object"}


class OpenApiSchema:
    """One schema of a document. What is malformed in it says nothing."""

    __slots__ = ("_above", "_body", "_schemas", "_spent")

    def __init__(
        self,
        schemas: Mapping[str, Json],
        body: Json,
        above: frozenset[str] = frozenset(),
        spent: list[int] | None = None,
    ) -> None:
        self._schemas = schemas
        self._spent = [0] if spent is None else spent
        self._spent[0] += 1
        if self._spent[0] > MAX_SCHEMAS:
            raise SpecError(f"a schema of more than {MAX_SCHEMAS} parts", hint="Leave the kind out of type checks.")
        name = reference(body)
        self._above = above
        if name:
            body = _CIRCLE if name in above else schemas.get(name)
            self._above = above | {name}
        self._body: Mapping[str, Any] = body if isinstance(body, Mapping) else {}

    def _below(self, body: Json) -> OpenApiSchema | None:
        return OpenApiSchema(self._schemas, body, self._above, self._spent) if isinstance(body, Mapping) else None

    @property
    def type(self) -> str:
        """The type, if it says one."""
        kind = self._body.get("type")
        return kind if isinstance(kind, str) else ""

    @property
    def format(self) -> str:
        """The format, if it says one."""
        text = self._body.get("format")
        return text if isinstance(text, str) else ""

    @property
    def properties(self) -> Mapping[str, OpenApiSchema]:
        """The fields of an object."""
        held = self._body.get("properties")
        found = {name: self._below(body) for name, body in held.items()} if isinstance(held, Mapping) else {}
        return {name: schema for name, schema in found.items() if schema is not None}

    @property
    def additional(self) -> OpenApiSchema | None:
        """The schema of every value of a map."""
        return self._below(self._body.get("additionalProperties"))

    @property
    def items(self) -> OpenApiSchema | None:
        """The schema of every item of a list."""
        return self._below(self._body.get("items"))

    @property
    def int_or_string(self) -> bool:
        """Whether a value may be a number or a text: built-in kinds say so by their format, others by an extension."""
        return self.format == "int-or-string" or self._body.get("x-kubernetes-int-or-string") is True

    @property
    def embedded(self) -> bool:
        """Whether an object is a whole resource."""
        return self._body.get("x-kubernetes-embedded-resource") is True


def schema_of(document: Json, api_version: str, kind: str) -> OpenApiSchema | None:
    """The schema of a kind in a document (`/openapi/v3/…`); `None` where it has none."""
    components = document.get("components") if isinstance(document, Mapping) else None
    schemas = components.get("schemas") if isinstance(components, Mapping) else None
    if not isinstance(schemas, Mapping):
        return None
    group, _, version = api_version.rpartition("/")
    wanted = {"group": group, "version": version, "kind": kind}
    for name, body in schemas.items():
        kinds = body.get(_KINDS) if isinstance(body, Mapping) else None
        if isinstance(kinds, list) and wanted in kinds:
            return OpenApiSchema(schemas, {"$ref": f"{REFERENCE}{name}"})
    return None
