"""`yaml.parse`: YAML text by the world's reader; numbers are doubles, for it is read by way of JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from bartizan.engines.policy.dialects.kyverno.library.values import doubles
from bartizan.engines.policy.dialects.kyverno.library.world import bounded
from bartizan.lang.cel import CelError, Overload
from bartizan.lang.cel.types import DYN, STRING, Type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bartizan.base.json import Json
    from bartizan.engines.policy.dialects.kyverno.library.world import World

CONTEXT: Final = Type("yaml.Yaml")
_FAILED: Final = "error converting YAML to JSON"


@dataclass(frozen=True, slots=True)
class YamlContext:
    """The value of `yaml`."""

    world: World
    type_name: ClassVar[str] = CONTEXT.name


def _parse(context: YamlContext, text: str) -> Json:
    try:
        return doubles(context.world.ambient.parse_yaml(bounded(text, _FAILED)))
    except (ValueError, RecursionError) as error:
        raise CelError(f"{_FAILED}: {error}") from error


FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "parse": (Overload((CONTEXT, STRING), DYN, _parse, member=True, grows=True),),
}
