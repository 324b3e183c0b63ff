"""`random`: a text that a regular expression matches, made by the world's chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.engines.policy.dialects.kyverno.library.world import WORLD
from bartizan.lang.cel import CelError, Overload
from bartizan.lang.cel.types import STRING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bartizan.engines.policy.dialects.kyverno.library.world import World

_DEFAULT: Final = "[0-9a-z]{8}"


def _random(world: World, pattern: str = _DEFAULT) -> str:
    from bartizan.lang.jmespath import JmesPathError  # late: a run of CEL need not load another language
    from bartizan.lang.jmespath.library.random_text import random_text

    if not pattern:
        return ""
    try:
        return random_text(pattern, world.ambient.random)
    except JmesPathError as error:
        raise CelError(str(error)) from error


_RANDOM: Final = (
    Overload((STRING,), STRING, _random, ambient=WORLD, grows=True),
    Overload((), STRING, _random, ambient=WORLD),
)

FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {"random": _RANDOM, "random.random": _RANDOM}
