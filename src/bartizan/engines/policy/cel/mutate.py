"""Mutation in CEL: `Object{…}` that is merged into the resource, and lists of `JSONPatch{…}`.

Both are as the API server has them. An object is written out in types named by
their path, `Object.spec.template`; lists and maps on the way have no name of
their own. What an expression gives is merged by `mutation/structured.py`, or
applied by `mutation/server_patch.py`; what the kind's types are, the caller says.
"""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final

from bartizan.base.errors import SpecError
from bartizan.engines.policy.cel.expressions import compile_at
from bartizan.engines.policy.mutation.errors import PatchError
from bartizan.engines.policy.mutation.server_patch import Step, apply_steps
from bartizan.engines.policy.mutation.structured import apply_configuration
from bartizan.lang.cel import CelError, ObjectType, Overload
from bartizan.lang.cel.library.times import duration_text, timestamp_text
from bartizan.lang.cel.operators import sized_through
from bartizan.lang.cel.types import DYN, STRING, Type, list_of
from bartizan.lang.cel.values import Duration, Optional, Timestamp, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bartizan.base.json import Json
    from bartizan.engines.policy.cel.expressions import MutationSpec
    from bartizan.engines.policy.cel.names import Names
    from bartizan.engines.policy.mutation.structured_types import Shape
    from bartizan.lang.cel import Environment, Expression

OBJECT: Final = Type("Object")
JSON_PATCH: Final = Type("JSONPatch")
_PATCH_FIELDS: Final = {"op": STRING, "path": STRING, "from": STRING, "value": DYN}
_EXACT: Final = 2**53
"""From here on, JSON cannot hold every whole number, and the language writes them as text."""


class Written(dict[str, Any]):
    """An object that an expression has written out, which knows its type."""

    __slots__ = ("type_name",)

    def __init__(self, type_name: str, fields: Mapping[str, Any]) -> None:
        super().__init__(fields)
        self.type_name = type_name


class _NullLiteral:
    """`null` as a field of an object that is written out, which the API server takes for no type's value."""

    go_type = "structpb.NullValue"
    go_literal = "0"

    def __str__(self) -> str:
        return "NULL_VALUE"


_NULL: Final[Any] = _NullLiteral()


def _patch(fields: dict[str, Any]) -> Written:
    for name in ("op", "path", "from"):
        if not isinstance(fields.get(name, ""), str):
            raise CelError(f"unexpected type {name_of(fields[name])} for JSONPatchType '{name}' field")
    return Written("JSONPatch", fields)


_PATCH: Final = ObjectType(JSON_PATCH, _PATCH_FIELDS.get, _patch, tuple(_PATCH_FIELDS))


@lru_cache(maxsize=1024)
def patch_types(name: str) -> ObjectType | None:
    """The types whose objects a mutation may write out: `Object`, those below it, and `JSONPatch`."""
    if name == "JSONPatch":
        return _PATCH
    if name == "Object" or name.startswith("Object."):
        return ObjectType(Type(name), lambda _field: DYN, partial(Written, name))
    return None


def _escape_key(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


PATCH_FUNCTIONS: Final = {"jsonpatch.escapeKey": (Overload((STRING,), STRING, _escape_key),)}
"""What mutations have beside the functions of all policies."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A mutation, compiled. `merges`: its expression gives an apply configuration, and no JSON patch."""

    expression: Expression
    merges: bool

    def apply(
        self,
        names: Names,
        live: dict[str, Any],
        shape: Callable[[], Shape | None],
        *,
        guard: bool = True,
        check_live: bool = True,
    ) -> Json:
        """The object with the mutation; the very same object where it changes nothing.

        `shape` gives the object's type, `guard` keeps lists and objects that
        are one value from being changed by a merge, and `check_live` checks
        the object as well.

        Raises:
            CelError: the expression has no value.
            CelBudgetError: the expression takes too long, or what it gives or leaves is too large.
            PatchError: what it gives does not fit the object.
        """
        after = self._applied(
            sized_through(names.value_of(self.expression)), live, shape, guard=guard, check_live=check_live
        )
        return sized_through(after)

    def _applied(
        self, value: Any, live: dict[str, Any], shape: Callable[[], Shape | None], *, guard: bool, check_live: bool
    ) -> Json:
        if not self.merges:
            return _patched(live, [_step(item) for item in value])
        patch = _configuration(value)
        patch |= {name: live[name] for name in ("apiVersion", "kind") if name in live}
        kind = shape()
        if kind is None:
            raise PatchError("error applying patch: type converter must not be nil")
        try:
            return apply_configuration(live, patch, kind, guard=guard, check_live=check_live)
        except PatchError as error:
            raise PatchError(f"error applying patch: {error.message}") from error


def _patched(live: Json, steps: list[Step]) -> Json:
    try:
        return apply_steps(live, steps)
    except PatchError as error:
        raise PatchError(f"JSON Patch: {error.message}") from error


def compile_mutation(spec: MutationSpec, environment: Environment, at: str) -> Mutation:
    """Compile a mutation; the environment must have `patch_types` and `PATCH_FUNCTIONS`.

    Raises:
        SpecError: it lacks its expression, or that does not compile, or gives something else.
    """
    merges = spec.patch_type == "ApplyConfiguration"
    field = "applyConfiguration" if merges else "jsonPatch"
    found = spec.apply_configuration if merges else spec.json_patch
    if found is None:
        raise SpecError(f"`{spec.patch_type}` needs `{field}`", pointer=at, hint="Write its `expression`.")
    wanted = OBJECT if merges else list_of(JSON_PATCH)
    return Mutation(compile_at(found.expression, environment, (wanted,), f"{at}/{field}/expression"), merges)


def _configuration(value: Any) -> dict[str, Any]:
    """An apply configuration as plain JSON.

    Raises:
        PatchError: an object in it is not of the type that its place asks for.
    """
    errors = [
        f'unexpected type name "{found}", expected "{wanted}", which matches field name path from root Object type'
        for found, wanted in _misplaced(value, "Object")
    ]
    if errors:
        raise PatchError("type mismatch: " + "\n".join(errors))
    plain: dict[str, Any] = _plain(value)
    return plain


def _misplaced(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """The types of objects that are not where they belong, and which type belongs there."""
    if value.__class__ is Written:
        if value.type_name != path:
            yield value.type_name, path
        for name, item in value.items():
            yield from _misplaced(item, f"{path}.{name}")
    elif value.__class__ is list:
        for item in value:
            yield from _misplaced(item, path)
    elif value.__class__ is dict:
        for item in value.values():
            yield from _misplaced(item, path)


def _plain(value: Any, null: Any = None) -> Any:
    """A value as JSON; `null` stands for null in what is written out as a part of an object."""
    if value is None:
        return null
    if isinstance(value, dict):
        inner = _NULL if value.__class__ is Written else null
        if not all(isinstance(key, str) for key in value):
            raise PatchError("invalid return type: *dynamic.ObjectVal")
        return {key: _plain(item, inner) for key, item in value.items()}
    if value.__class__ is list:
        return [_plain(item, null) for item in value]
    return value


def _step(item: Any) -> Step:
    value = item.get("value")
    if value.__class__ is Written:
        errors = [
            f'unexpected type name "{found}", expected "{wanted}", which matches field name path from root Object type'
            for found, wanted in _misplaced(value, value.type_name)
        ]
        if errors:
            raise PatchError("type mismatch: " + "\n".join(errors))
    try:
        written = _json(value)
    except PatchError as error:
        raise PatchError(
            f"JSONPath valueExpression evaluated to a type that could not marshal to JSON: {error.message}"
        ) from error
    return Step(item.get("op", ""), item.get("path", ""), item.get("from", ""), written, "value" in item)


def _json(value: Any) -> Json:  # noqa: C901, PLR0911 (one type after another)
    """A value of the language as JSON, as the language itself converts it."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return int(value) if -_EXACT < value < _EXACT else str(int(value))
    if isinstance(value, float):
        if not math.isfinite(value):
            raise PatchError(f"google.protobuf.Value cannot have {value}")
        return int(value) if value.is_integer() and abs(value) < 1e21 else value
    if isinstance(value, dict):
        return _json_object(value)
    if isinstance(value, list):
        return [_json(item) for item in value]
    if isinstance(value, Optional):
        if not value.present:
            raise PatchError("optional.none() dereference")
        return _json(value.value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Timestamp):
        return timestamp_text(value)
    if isinstance(value, Duration):
        return duration_text(value)
    kind = name_of(value).rpartition(".")[2]
    raise PatchError(f"type conversion error from '{kind}' to '*structpb.Value'")


def _json_object(value: dict[Any, Any]) -> Json:
    written = value.__class__ is Written
    for key, item in value.items():
        if not isinstance(key, str):
            raise PatchError(f"unsupported type conversion of the key `{key}` to a string")
        if written and item is None:
            raise PatchError("proto: invalid type: structpb.NullValue")
    return {key: _json(item) for key, item in value.items()}
