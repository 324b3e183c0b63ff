"""What expressions about requests may use: those that Envoy asks about, and HTTP requests as records.

    mode_of("Envoy")   the types of request and response, functions, names, and how a request is read
    contexts(...)      what its names stand for

Source: the peer's authorization server as of 0.4.1. It is loaded when a
policy of such a mode is met.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from bartizan.engines.policy.dialects.kyverno.library import contexts as usual_contexts
from bartizan.engines.policy.dialects.kyverno.library import for_kind, json_text
from bartizan.engines.policy.dialects.kyverno.library.authorization import envoy, http, jwt, mcp
from bartizan.engines.policy.dialects.kyverno.library.authorization.messages import Schema
from bartizan.lang.cel import ObjectType, Overload, functions_of
from bartizan.lang.cel.library import KUBERNETES, mathematics
from bartizan.lang.cel.types import INT, STRING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

    from bartizan.base.json import Json
    from bartizan.engines.policy.dialects.kyverno.library.authorization.messages import Message
    from bartizan.engines.policy.dialects.kyverno.library.world import World
    from bartizan.lang.cel.types import Type
    from bartizan.model.outcome import Failed, Passed

_MODES: Final[Mapping[str, ModuleType]] = {"Envoy": envoy, "HTTP": http}
_JSON: Final[Mapping[str, tuple[Overload, ...]]] = {"Unmarshal": json_text.FUNCTIONS["unmarshal"]}
_MCP: Final = Schema(mcp.MESSAGES, folds=True)


@dataclass(frozen=True, slots=True, eq=False)
class Mode:
    """What a policy of one mode is about, and what its expressions may use.

    `read` makes a request of JSON, or raises `SpecError`; `outcome` is what
    a response means, and how that is said.
    """

    request: Type
    response: Type
    functions: Mapping[str, tuple[Overload, ...]]
    names: Mapping[str, Type]
    constants: Mapping[str, Any]
    schemas: tuple[Schema, ...]
    read: Callable[[Json], Message]
    outcome: Callable[[Message], tuple[type[Passed | Failed], str]]

    def constructible(self, name: str) -> ObjectType | None:
        """The type of a name, where expressions may write its objects out."""
        return next(filter(None, (schema.constructible(name) for schema in self.schemas)), None)

    def contexts(self, world: World) -> Mapping[str, Callable[[], Any]]:
        """What makes the value of each name that functions are called on."""
        schema = self.schemas[0] if mcp.REQUEST.name in self.schemas[0].kinds else _MCP
        return {**usual_contexts(world), "mcp": lambda: mcp.McpContext(world, schema)}


@lru_cache(maxsize=2)
def mode_of(name: str) -> Mode:
    """The mode of a name, `Envoy` or `HTTP`.

    Raises:
        KeyError: there is no such mode.
    """
    module = _MODES[name]
    usual = for_kind(name)
    constants = {**module.SCHEMA.constants(), **mcp.CONSTANTS}
    return Mode(
        request=module.REQUEST,
        response=module.RESPONSE,
        functions=functions_of(
            KUBERNETES,
            mathematics.FUNCTIONS,
            usual.functions,
            module.FUNCTIONS,
            jwt.FUNCTIONS,
            mcp.FUNCTIONS,
            _JSON,
        ),
        names={
            "object": module.REQUEST,
            **usual.variables,
            "json": json_text.CONTEXT,
            "mcp": mcp.CONTEXT,
            **{full: INT if isinstance(value, int) else STRING for full, value in constants.items()},
        },
        constants=constants,
        schemas=(module.SCHEMA, jwt.SCHEMA) if module is http else (module.SCHEMA, jwt.SCHEMA, _MCP),
        read=module.read_request,
        outcome=module.outcome,
    )
