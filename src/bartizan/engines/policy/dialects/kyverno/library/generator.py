"""`generator`: what a policy has made; it is handed to whoever runs the policy, and nothing is written here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from bartizan.engines.policy.dialects.kyverno.library.values import to_object
from bartizan.engines.policy.lookup import KindQuestion, LookupFailedError
from bartizan.lang.cel import CelError, Overload
from bartizan.lang.cel.operators import sized_through
from bartizan.lang.cel.types import BOOL, DYN, STRING, Type, list_of, map_of
from bartizan.model.scoping import is_cluster_scoped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.dialects.kyverno.library.world import World

CONTEXT: Final = Type("generator.Context")
_OBJECTS: Final = list_of(map_of(STRING, DYN))
_FAILED: Final = "failed to generate resources"
MAX_OBJECTS: Final = 5000
"""Objects one request may have made, as of classic rules that generate."""


@dataclass(frozen=True, slots=True)
class GeneratorContext:
    """The value of `generator`."""

    world: World
    type_name: ClassVar[str] = CONTEXT.name


def _apply(context: GeneratorContext, namespace: str, given: list[Any]) -> bool:
    """Have objects, or the items of lists, made in a namespace. Either all are well, or none is handed on."""
    place = 1 if context.world.namespace else 2
    made = [
        placed(item, namespace, context.world)
        for body in [to_object(item, place) for item in sized_through(given)]
        for item in _items(body)
    ]
    hand_on(context.world, made)
    return True


def hand_on(world: World, made: list[JsonObject]) -> None:
    """Put what is made with the rest of it.

    Raises:
        CelError: it is more than anybody wants.
    """
    if len(world.generated) + len(made) > MAX_OBJECTS:
        raise CelError(f"{_FAILED}: more than {MAX_OBJECTS} objects")
    world.generated.extend(made)


def _apply_in_own(context: GeneratorContext, given: list[Any]) -> bool:
    return _apply(context, context.world.namespace, given)


def _items(body: JsonObject) -> Iterator[JsonObject]:
    items = body.get("items")
    if not isinstance(items, list):
        yield body
        return
    for item in items:
        if not isinstance(item, dict):
            raise CelError(f"{_FAILED}: items member is not an object")
        yield item


def placed(body: JsonObject, namespace: str, world: World) -> JsonObject:
    """The object in its namespace, and without one where its kind has none.

    Owners are left out where it comes from another namespace, where they
    would not be found and it would be collected as garbage. What a server
    wrote into it is left to whoever makes the object, for it tells of a copy.
    """
    api_version, kind = str(body.get("apiVersion") or ""), str(body.get("kind") or "")
    if not _is_namespaced(api_version, kind, world):
        if namespace and world.namespace:
            raise CelError(
                f'{_FAILED}: cross-scope generation denied: a policy scoped to namespace "{namespace}" '
                f"cannot generate cluster-scoped resource {api_version}/{kind}"
            )
        namespace = ""
    given = body.get("metadata")
    if given is not None and not isinstance(given, dict):
        raise CelError(f"{_FAILED}: the metadata of an object is no mapping")
    metadata = dict(given or {})
    if metadata.get("namespace") and metadata["namespace"] != namespace:
        metadata.pop("ownerReferences", None)
    metadata.pop("namespace", None)
    return {**body, "metadata": {**metadata, **({"namespace": namespace} if namespace else {})}}


def _is_namespaced(api_version: str, kind: str, world: World) -> bool:
    """Whether a kind has namespaces; one that nobody knows is taken to have."""
    if not api_version or not kind:
        return True
    if is_cluster_scoped(api_version.rpartition("/")[0], kind):
        return False
    try:
        return bool(world.lookup.answer(KindQuestion(api_version, kind)).get("namespaced", True))
    except LookupFailedError:
        return True


_APPLY: Final = (Overload((CONTEXT, STRING, _OBJECTS), BOOL, _apply, member=True),)
_OWN: Final = (Overload((CONTEXT, _OBJECTS), BOOL, _apply_in_own, member=True),)

FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {"Apply": _APPLY, "apply": _APPLY}
"""As a policy of the whole cluster has it."""
NAMESPACED: Final[Mapping[str, tuple[Overload, ...]]] = {"Apply": _OWN, "apply": _OWN}
"""As a policy of a namespace has it: in its own."""
