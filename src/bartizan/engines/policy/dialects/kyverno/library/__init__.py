"""What Kyverno adds to CEL for its `policies.kyverno.io` kinds, as of version 1.19: one module a family.

    for_kind(kind)     what expressions of a kind may use, for an environment
    contexts(world)    what the names among it stand for, made when first asked for

A function that needs the world (a clock, chance, a cluster, a registry) is
called on such a name, or is given the world itself as its ambient argument,
whose name is among the contexts too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from bartizan.engines.policy.dialects.kyverno.library import (
    certificate,
    chance,
    clock,
    compression,
    digests,
    generator,
    global_context,
    http,
    image,
    image_data,
    json_text,
    resource,
    rounding,
    transform,
    user,
    verification,
    yaml_text,
)
from bartizan.engines.policy.dialects.kyverno.library.world import WORLD, Verifier, World
from bartizan.lang.cel import Overload, functions_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.lang.cel.types import Type

__all__ = ["FUNCTIONS", "OBJECTS", "VARIABLES", "WORLD", "Library", "Verifier", "World", "contexts", "for_kind"]


@dataclass(frozen=True, slots=True, eq=False)
class Library:
    """What expressions of one kind may use beside the language: functions, fields of objects, and names."""

    functions: Mapping[str, tuple[Overload, ...]]
    objects: Mapping[str, Mapping[str, Type]]
    variables: Mapping[str, Type]


@dataclass(frozen=True, slots=True)
class _Family:
    """The functions of one library, and the name they are called on, if they are called on one."""

    functions: Mapping[str, tuple[Overload, ...]]
    variables: Mapping[str, Type] = field(default_factory=dict)
    objects: Mapping[str, Mapping[str, Type]] = field(default_factory=dict)
    namespaced: Mapping[str, tuple[Overload, ...]] | None = None
    """What a policy of a namespace has in their place."""


_FAMILIES: Final[Mapping[str, _Family]] = {
    "resource": _Family(resource.FUNCTIONS, {"resource": resource.CONTEXT}, namespaced=resource.NAMESPACED),
    "globalContext": _Family(global_context.FUNCTIONS, {"globalContext": global_context.CONTEXT}),
    "http": _Family(http.FUNCTIONS, {"http": http.CONTEXT}),
    "image": _Family(image.FUNCTIONS),
    "imageData": _Family(image_data.FUNCTIONS, {"image": image_data.CONTEXT}),
    "generator": _Family(generator.FUNCTIONS, {"generator": generator.CONTEXT}, namespaced=generator.NAMESPACED),
    "user": _Family(user.FUNCTIONS, objects=user.OBJECTS),
    "hash": _Family(digests.FUNCTIONS),
    "math": _Family(rounding.FUNCTIONS),
    "json": _Family(json_text.FUNCTIONS, {"json": json_text.CONTEXT}),
    "yaml": _Family(yaml_text.FUNCTIONS, {"yaml": yaml_text.CONTEXT}),
    "random": _Family(chance.FUNCTIONS),
    "x509": _Family(certificate.FUNCTIONS),
    "time": _Family(clock.FUNCTIONS),
    "transform": _Family(transform.FUNCTIONS),
    "gzip": _Family(compression.FUNCTIONS),
    "verification": _Family(verification.FUNCTIONS),
}
_USUAL: Final = tuple(name for name in _FAMILIES if name not in ("generator", "user", "verification"))
_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "ValidatingPolicy": (*_USUAL, "user"),
    "MutatingPolicy": (*_USUAL, "user"),
    "MutatingPolicy/targets": tuple(name for name in (*_USUAL, "user") if name != "gzip"),
    "GeneratingPolicy": (*_USUAL, "generator"),
    "DeletingPolicy": _USUAL,
    "ImageValidatingPolicy": tuple(name for name in (*_USUAL, "user", "verification") if name != "x509"),
    "matchImageReferences": ("image",),
    "Envoy": ("http", "resource", "image"),
    "HTTP": ("http", "resource", "image"),
}
"""Source: the peer's compilers. An existing object that a mutation is for is judged by a narrower one, `…/targets`."""
_NAMESPACED: Final = "Namespaced"

FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = functions_of(*(item.functions for item in _FAMILIES.values()))
"""Every function, as a policy of the whole cluster has it."""
OBJECTS: Final[Mapping[str, Mapping[str, Type]]] = {
    name: fields for item in _FAMILIES.values() for name, fields in item.objects.items()
}
VARIABLES: Final[Mapping[str, Type]] = {
    name: kind for item in _FAMILIES.values() for name, kind in item.variables.items()
}
"""The names that functions are called on."""


@lru_cache(maxsize=64)
def for_kind(kind: str) -> Library:
    """What expressions of a kind may use, such as of `ValidatingPolicy` or `NamespacedValidatingPolicy`.

    `Envoy` and `HTTP` are the evaluation modes of a ValidatingPolicy that
    judges requests and no objects; `matchImageReferences` are the
    expressions that choose images.

    Raises:
        KeyError: there is no such kind.
    """
    is_namespaced = kind.startswith(_NAMESPACED)
    families = [_FAMILIES[name] for name in _KINDS[kind.removeprefix(_NAMESPACED)]]
    tables = [item.namespaced if is_namespaced and item.namespaced is not None else item.functions for item in families]
    return Library(
        functions_of(*tables),
        {name: fields for item in families for name, fields in item.objects.items()},
        {name: kind for item in families for name, kind in item.variables.items()},
    )


def contexts(world: World) -> Mapping[str, Callable[[], Any]]:
    """What makes the value of each name, for when it is first asked for; `WORLD` is among them."""
    return {
        WORLD: lambda: world,
        "resource": lambda: resource.ResourceContext(world),
        "globalContext": lambda: global_context.GlobalContext(world),
        "http": lambda: http.HttpContext(world),
        "image": lambda: image_data.ImageDataContext(world),
        "generator": lambda: generator.GeneratorContext(world),
        "json": lambda: json_text.JsonContext(world),
        "yaml": lambda: yaml_text.YamlContext(world),
    }
