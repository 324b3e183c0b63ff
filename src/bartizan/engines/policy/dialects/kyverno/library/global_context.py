"""`globalContext`: what a GlobalContextEntry holds, or one of its projections; null where there is no such entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from bartizan.engines.policy.dialects.kyverno.library.world import failed
from bartizan.engines.policy.lookup import GlobalQuestion, LookupFailedError
from bartizan.lang.cel import CelError, Overload
from bartizan.lang.cel.types import DYN, STRING, Type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bartizan.base.json import Json
    from bartizan.engines.policy.dialects.kyverno.library.world import World

CONTEXT: Final = Type("globalcontext.Context")
_FAILED: Final = "failed to get global reference"


@dataclass(frozen=True, slots=True)
class GlobalContext:
    """The value of `globalContext`."""

    world: World
    type_name: ClassVar[str] = CONTEXT.name


def _get(context: GlobalContext, name: str, projection: str = "") -> Json:
    if context.world.namespace:
        raise CelError(f"{_FAILED}: globalContext.* is not allowed in namespaced policies")
    try:
        return context.world.lookup.answer(GlobalQuestion(name, projection))
    except LookupFailedError as error:
        if error.status == 404:
            return None
        raise failed(_FAILED, error) from error


_GET: Final = (
    Overload((CONTEXT, STRING), DYN, _get, member=True),
    Overload((CONTEXT, STRING, STRING), DYN, _get, member=True),
)

FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {"Get": _GET, "get": _GET}
