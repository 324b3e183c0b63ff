"""What the expressions of Kyverno's kinds may use: the names of a request, the functions of a kind, exceptions."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final

from bartizan.engines.policy.cel.environment import COMMON, Vocabulary
from bartizan.engines.policy.dialects.kyverno.cel.exceptions import NAME, NOTHING, OBJECTS, TYPE
from bartizan.engines.policy.dialects.kyverno.cel.rule import FUNCTIONS
from bartizan.engines.policy.dialects.kyverno.library import VARIABLES, WORLD, World, contexts, for_kind
from bartizan.lang.cel import functions_of
from bartizan.lang.cel.declare import UNIQUE_KEYS
from bartizan.lang.cel.library import EXTENSIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bartizan.engines.policy.cel.names import Makers, Names
    from bartizan.lang.cel.types import Type
    from bartizan.lang.jmespath import Ambient

_EXCEPTIONS: Final[Mapping[str, Type]] = {NAME: TYPE}
_WITHOUT: Final = frozenset({UNIQUE_KEYS})
_EXTENSIONS: Final = {name: overloads for name, overloads in EXTENSIONS.items() if name not in FUNCTIONS}


@lru_cache(maxsize=64)
def vocabulary_for(kind: str) -> Vocabulary:
    """The vocabulary of a kind of policy, such as of `NamespacedValidatingPolicy`.

    Whoever generates writes whole objects out, which have members of several types.
    """
    library = for_kind(kind)
    return Vocabulary(
        functions_of(FUNCTIONS, _EXTENSIONS, library.functions),
        {**COMMON, **library.variables, **_EXCEPTIONS},
        {**library.objects, **OBJECTS},
        without=_WITHOUT,
        homogeneous=not kind.endswith("GeneratingPolicy"),
    )


def makers_for(ambient: Ambient, namespace: str) -> Makers:
    """How the names of a kind are made that are not those of every policy; `namespace` is the policy's own."""

    def world(names: Names) -> World:
        return World(names.lookup(), ambient, namespace)

    return {
        WORLD: world,
        NAME: lambda _names: NOTHING,
        **{name: partial(_context, name) for name in VARIABLES},
    }


def _context(name: str, names: Names) -> Any:
    return contexts(names[WORLD])[name]()
