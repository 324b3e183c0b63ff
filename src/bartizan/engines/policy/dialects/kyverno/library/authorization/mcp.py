"""`mcp`: what a client of the Model Context Protocol asks of a server, read out of the body of a request.

A message is JSON-RPC; what its parameters are depends on the method. Their
arguments may be anything, so that expressions ask for one by its name and
type, with what to take where it is not there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar, Final

from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno.library.json_text import FUNCTIONS as JSON_FUNCTIONS
from bartizan.engines.policy.dialects.kyverno.library.json_text import JsonContext
from bartizan.engines.policy.dialects.kyverno.library.world import unfit
from bartizan.lang.cel import CelError, Overload
from bartizan.lang.cel.types import BOOL, DOUBLE, DYN, INT, STRING, Type, list_of
from bartizan.lang.cel.values import INT_MAX, INT_MIN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kyverno.library.authorization.messages import Message, Schema
    from bartizan.engines.policy.dialects.kyverno.library.world import World

CONTEXT: Final = Type("mcp.MCP")
REQUEST: Final = Type("mcp.MCPRequest")
_ARGUMENTS: Final = "@arguments"
"""Where a request keeps its arguments, which no expression can name."""

MESSAGES: Final[Mapping[str, Mapping[str, str]]] = {
    REQUEST.name: {
        "Method": "string",
        "ID": "value mcp.RequestId",
        "Paginated": "mcp.PaginatedParams",
        "ToolCall": "mcp.CallToolParams",
        "ResourceRead": "mcp.ReadResourceParams",
        "ResourceSubscribe": "mcp.SubscribeParams",
        "ResourceUnsubscribe": "mcp.UnsubscribeParams",
        "PromptGet": "mcp.GetPromptParams",
        "Initialize": "mcp.InitializeParams",
        "CreateMessage": "mcp.CreateMessageParams",
        "Elicitation": "mcp.ElicitationParams",
        "Complete": "mcp.CompleteParams",
        "SetLogLevel": "mcp.SetLevelParams",
    },
    "mcp.RequestId": {},
    "mcp.Meta": {},
    "mcp.TaskParams": {"TTL": "number"},
    "mcp.PaginatedParams": {"Cursor": "string"},
    "mcp.CallToolParams": {"Name": "string", "Meta": "mcp.Meta", "Task": "mcp.TaskParams"},
    "mcp.ReadResourceParams": {"URI": "string"},
    "mcp.SubscribeParams": {"URI": "string"},
    "mcp.UnsubscribeParams": {"URI": "string"},
    "mcp.GetPromptParams": {"Name": "string", "Arguments": "map string"},
    "mcp.Icon": {"Src": "string", "MIMEType": "string", "Sizes": "list string"},
    "mcp.Implementation": {
        **dict.fromkeys(("Name", "Version", "Title", "Description", "WebsiteURL"), "string"),
        "Icons": "list mcp.Icon",
    },
    "mcp.ClientCapabilities": {},
    "mcp.InitializeParams": {
        "ProtocolVersion": "string",
        "Capabilities": "value mcp.ClientCapabilities",
        "ClientInfo": "value mcp.Implementation",
    },
    "mcp.SamplingMessage": {"Role": "string"},
    "mcp.CreateMessageParams": {
        "Messages": "list mcp.SamplingMessage",
        "SystemPrompt": "string",
        "IncludeContext": "string",
        "MaxTokens": "number",
        "StopSequences": "list string",
    },
    "mcp.ElicitationParams": {
        "Meta": "mcp.Meta",
        **dict.fromkeys(("Mode", "Message", "ElicitationID", "URL"), "string"),
    },
    "mcp.CompleteArgument": {"Name": "string", "Value": "string"},
    "mcp.CompleteParams": {"Argument": "value mcp.CompleteArgument"},
    "mcp.SetLevelParams": {"Level": "string"},
}
"""Types by the names of Go, as of mcp-go 0.49; a field that may hold anything is none for an expression."""

_METHODS: Final[Mapping[str, tuple[str, str]]] = {
    "InitializeMethod": ("initialize", "Initialize"),
    "PingMethod": ("ping", ""),
    "ResourcesListMethod": ("resources/list", "Paginated"),
    "ResourcesTemplatesListMethod": ("resources/templates/list", "Paginated"),
    "ResourcesReadMethod": ("resources/read", "ResourceRead"),
    "PromptsListMethod": ("prompts/list", "Paginated"),
    "PromptsGetMethod": ("prompts/get", "PromptGet"),
    "ToolsListMethod": ("tools/list", "Paginated"),
    "ToolsCallMethod": ("tools/call", "ToolCall"),
    "SetLogLevelMethod": ("logging/setLevel", "SetLogLevel"),
    "ElicitationCreateMethod": ("elicitation/create", "Elicitation"),
}
"""Methods by the names that expressions have for them, with the field that takes their parameters."""
CONSTANTS: Final[Mapping[str, str]] = {f"mcp.{name}": method for name, (method, _) in _METHODS.items()}
_FIELDS: Final[Mapping[str, str]] = {method: field for method, field in _METHODS.values() if field}


@dataclass(frozen=True, slots=True)
class McpContext:
    """The value of `mcp`, which makes objects of one schema."""

    world: World
    schema: Schema
    type_name: ClassVar[str] = CONTEXT.name


def _parse(context: McpContext, text: Any) -> Message:
    if text.__class__ is not str:
        raise CelError(unfit(text, "string"))
    decoded = JSON_FUNCTIONS["unmarshal"][0].call(JsonContext(context.world), text)
    try:
        return _read(context.schema, decoded)
    except SpecError as error:
        raise CelError(f"{error.pointer or 'the message'}: {error.message}") from error


def parse_leniently(schema: Schema, body: bytes) -> Message:
    """What the body of an HTTP request says to an MCP server; of what is no such message, nothing.

    A message whose parameters are malformed has its method all the same, so
    that conditions about it hold.
    """
    kind = schema.kinds[REQUEST.name]
    decoded = _decoded(body)
    if not isinstance(decoded, dict):
        return kind({})
    try:
        return _read(schema, decoded)
    except SpecError:
        method = _fold(decoded).get("method")
        return kind({"Method": method} if isinstance(method, str) and method else {})


def with_arguments(request: Message, body: Json) -> Message:
    """A request that was read out of a record, with the arguments that the record's parameters hold."""
    record = _fold(body) if isinstance(body, dict) else {}
    for field in ("ToolCall", "ResourceRead", "PromptGet"):
        given = _arguments(field, record.get(field.casefold()))
        if given:
            return request.__class__({**request.fields, _ARGUMENTS: given})
    return request


def _decoded(body: bytes) -> Json:
    import orjson  # late: few requests have a body

    try:
        return orjson.loads(body)
    except ValueError:
        return None


def _fold(body: JsonObject) -> JsonObject:
    """An object by its names in small letters; Go takes them in any case."""
    return {key.casefold(): value for key, value in body.items()}


def _read(schema: Schema, body: Json) -> Message:
    kind = schema.kinds[REQUEST.name]
    if body is None:
        return kind({})
    if not isinstance(body, dict):
        raise SpecError("must be an object")
    message = _fold(body)
    method, identity = message.get("method"), message.get("id")
    if not isinstance(method, str | None) or not isinstance(message.get("jsonrpc"), str | None):
        raise SpecError("must be a text", pointer="/method" if not isinstance(method, str | None) else "/jsonrpc")
    if isinstance(identity, bool | list | dict):
        raise SpecError("invalid request id", pointer="/id")
    fields: dict[str, Any] = {"Method": method} if method else {}
    if identity is not None:
        fields["ID"] = schema.kinds["mcp.RequestId"]({"@value": identity})
    field = _FIELDS.get(method or "")
    if field is not None:
        params = message.get("params")
        shape = kind.shape[field]
        fields[field] = shape.empty() if params is None else shape.read(params, "/params")
        fields[_ARGUMENTS] = _arguments(field, params)
    return kind(fields)


def _arguments(field: str, params: Json) -> JsonObject:
    """What a call was given: of a tool, a resource or a prompt."""
    given = _fold(params).get("arguments") if isinstance(params, dict) else None
    if field == "ToolCall":
        return given if isinstance(given, dict) else {}
    if field in ("ResourceRead", "PromptGet") and given is not None:
        if not isinstance(given, dict):
            raise SpecError("must be an object", pointer="/params/arguments")
        return given
    return {}


# arguments, by their types

_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_HEXADECIMAL: Final = re.compile(r"[+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]{1,5}")
_SPECIAL: Final = re.compile(r"[+-]?(?:inf|infinity)|nan", re.IGNORECASE)
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,19}")
_TRUTHS: Final = {
    **dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True),
    **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False),
}
_LONGEST: Final = 400
"""Characters of a number; more are none."""


def _text(value: Any) -> str | None:
    return value if value.__class__ is str else None


def _int(value: Any) -> int | None:
    if value.__class__ in (int, float):
        fits = isfinite(value) and INT_MIN <= value <= INT_MAX
        return int(value) if fits else INT_MIN  # what a processor makes of a number beyond 64 bits
    if value.__class__ is str and _WHOLE.fullmatch(value):
        number = int(value)
        return number if INT_MIN <= number <= INT_MAX else None
    return None


def _float(value: Any) -> float | None:
    if value.__class__ in (int, float):
        return float(value)
    if value.__class__ is not str or len(value) > _LONGEST:
        return None
    if _SPECIAL.fullmatch(value):
        return float(value)
    try:
        if _HEXADECIMAL.fullmatch(value):
            return float.fromhex(value)
        number = float(value) if _DECIMAL.fullmatch(value) else None
    except OverflowError:
        return None
    return number if number is not None and isfinite(number) else None


def _bool(value: Any) -> bool | None:
    if value.__class__ is bool:
        return bool(value)
    if value.__class__ is str:
        return _TRUTHS.get(value)
    return value != 0 if value.__class__ in (int, float) else None


def _one(request: Message, name: str, default: Any, *, take: Callable[[Any], Any]) -> Any:
    found = take(request.fields.get(_ARGUMENTS, {}).get(name))
    return default if found is None else found


def _many(request: Message, name: str, default: Any, *, take: Callable[[Any], Any]) -> Any:
    """The members of a list that are of a type; the default where there is no list."""
    given = request.fields.get(_ARGUMENTS, {}).get(name)
    if not isinstance(given, list):
        return default
    return [found for found in map(take, given) if found is not None]


def _getters(name: str, kind: Type, take: Callable[[Any], Any]) -> dict[str, tuple[Overload, ...]]:
    one, many = partial(_one, take=take), partial(_many, take=take)
    several = list_of(kind)
    return {
        f"Get{name}Argument": (Overload((REQUEST, STRING, kind), kind, one, member=True),),
        f"Get{name}SliceArgument": (Overload((REQUEST, STRING, several), several, many, member=True),),
    }


FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "Parse": (Overload((CONTEXT, DYN), REQUEST, _parse, member=True, grows=True),),
    **_getters("String", STRING, _text),
    **_getters("Int", INT, _int),
    **_getters("Float", DOUBLE, _float),
    **_getters("Bool", BOOL, _bool),
}
