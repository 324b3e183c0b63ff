"""What the expressions of one kind of `policies.kyverno.io` see, and what their names stand for when it is asked."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from bartizan.engines.policy.cel.environment import COMMON, Vocabulary
from bartizan.engines.policy.dialects.kyverno.cel.rule import FUNCTIONS
from bartizan.engines.policy.dialects.kyverno.library import WORLD, World, contexts, for_kind
from bartizan.lang.cel import functions_of
from bartizan.lang.cel.types import STRING, Type, list_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.engines.policy.cel.names import Makers, Names
    from bartizan.lang.jmespath import Ambient

_EXCEPTION: Final = Type("libs.Exception")
_EXCEPTION_FIELDS: Final = {"allowedImages": list_of(STRING), "allowedValues": list_of(STRING)}


@lru_cache(maxsize=32)
def vocabulary_of(kind: str, *, homogeneous: bool = True) -> Vocabulary:
    """What expressions of a kind may use; `homogeneous` refuses lists and maps of several types written out."""
    library = for_kind(kind)
    return Vocabulary(
        functions_of(FUNCTIONS, library.functions),
        {**COMMON, **library.variables, "exceptions": _EXCEPTION},
        {**library.objects, _EXCEPTION.name: _EXCEPTION_FIELDS},
        homogeneous=homogeneous,
    )


def world_makers(kind: str, ambient: Ambient, namespace: str) -> Makers:
    """How the names are made that reach outside, for a policy of a namespace or of the whole cluster."""

    def within(name: str) -> Callable[[Names], Any]:
        return lambda names: contexts(names[WORLD])[name]()

    reaching: Mapping[str, Callable[[Names], Any]] = {name: within(name) for name in for_kind(kind).variables}
    return {**reaching, WORLD: lambda names: World(names.lookup(), ambient, namespace)}
