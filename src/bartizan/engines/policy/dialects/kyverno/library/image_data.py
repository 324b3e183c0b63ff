"""`image`: an image's manifest and config, as a registry has them; numbers are doubles, as of all decoded JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from bartizan.engines.policy.dialects.kyverno.library.values import doubles
from bartizan.engines.policy.lookup import ImageDataQuestion
from bartizan.lang.cel import Overload
from bartizan.lang.cel.types import DYN, STRING, Type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bartizan.base.json import Json
    from bartizan.engines.policy.dialects.kyverno.library.world import World

CONTEXT: Final = Type("imagedata.Context")


@dataclass(frozen=True, slots=True)
class ImageDataContext:
    """The value of `image`."""

    world: World
    type_name: ClassVar[str] = CONTEXT.name


def _get(context: ImageDataContext, reference: str) -> Json:
    world = context.world
    return doubles(world.answer(ImageDataQuestion(reference, world.access), "failed to get image data"))


_GET: Final = (Overload((CONTEXT, STRING), DYN, _get, member=True),)

FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {"GetMetadata": _GET, "getMetadata": _GET}
