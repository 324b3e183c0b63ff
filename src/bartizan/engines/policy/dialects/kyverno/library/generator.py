"""`generator`: what a policy has made; it is handed to whoever runs the policy, and nothing is written here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from bartizan.engines.policy.dialects.kyverno.library.values import to_object
from bartizan.engines.policy.lookup import KindQuestion, LookupFailedError
from bartizan.lang.cel import CelError, Overload
from bartizan.lang.cel.types import BOOL, DYN, STRING, Type, list_of, map_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.dialects.kyverno.library.world import World

CONTEXT: Final = Type("generator.Context")
_OBJECTS: Final = list_of(map_of(STRING, DYN))
_FAILED: Final = "failed to generate resources"
_OF_THE_SERVER: Final = ("uid", "selfLink", "creationTimestamp", "managedFields", "resourceVersion")


@dataclass(frozen=True, slots=True)
class GeneratorContext:
    """The value of `generator`."""

    world: World
    type_name: ClassVar[str] = CONTEXT.name


def _apply(context: GeneratorContext, namespace: str, given: list[Any]) -> bool:
    """Have objects, or the items of lists, made in a namespace. Either all are well, or none is handed on."""
    place = 1 if context.world.namespace else 2
    made = [
        _placed(item, namespace, context.world)
        for body in [to_object(item, place) for item in given]
        for item in _items(body)
    ]
    context.world.generated.extend(made)
    return True


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


def _placed(body: JsonObject, namespace: str, world: World) -> JsonObject:
    """The object as it will be made: in its namespace, without what only a server writes.

    Owners are left out where it comes from another namespace, where they
    would not be found and it would be collected as garbage.
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
    metadata = {key: value for key, value in given.items() if key not in _OF_THE_SERVER} if given else {}
    if metadata.get("namespace") and metadata["namespace"] != namespace:
        metadata.pop("ownerReferences", None)
    metadata.pop("namespace", None)
    return {**body, "metadata": {**metadata, **({"namespace": namespace} if namespace else {})}}


def _is_namespaced(api_version: str, kind: str, world: World) -> bool:
    """Whether a kind has namespaces; one that nobody knows is taken to have."""
    if not api_version or not kind:
        return True
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
