"""`http`: an HTTP request as a record, and whether it is allowed.

http.Denied("no token").Response()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bartizan.engines.policy.dialects.kyverno.library.authorization import mcp
from bartizan.engines.policy.dialects.kyverno.library.authorization.messages import Schema, make, read
from bartizan.lang.cel import Overload
from bartizan.lang.cel.types import STRING, Type, list_of
from bartizan.model.outcome import Failed, Passed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.base.json import Json
    from bartizan.engines.policy.dialects.kyverno.library.authorization.messages import Message

REQUEST: Final = Type("http.CheckRequest")
RESPONSE: Final = Type("http.CheckResponse")
_ATTRIBUTES: Final = Type("http.CheckRequestAttributes")
_OK: Final = Type("http.CheckResponseOk")
_DENIED: Final = Type("http.CheckResponseDenied")
_MANY: Final = "map list string"

SCHEMA: Final = Schema(
    {
        REQUEST.name: {"attributes": f"value {_ATTRIBUTES.name}", "mcp": "value http.MCPCheckData"},
        _ATTRIBUTES.name: {
            "method": "string",
            "header": _MANY,
            "host": "string",
            "protocol": "string",
            "contentLength": "number",
            "body": "bytes",
            "scheme": "string",
            "path": "string",
            "query": _MANY,
            "fragment": "string",
        },
        "http.MCPCheckData": {"request": mcp.REQUEST.name},
        RESPONSE.name: {"ok": _OK.name, "denied": _DENIED.name},
        _OK.name: {},
        _DENIED.name: {"reason": "string"},
        **mcp.MESSAGES,
    },
    folds=True,
)


def read_request(body: Json) -> Message:
    """Read a request out of JSON; what it says to an MCP server is read out of its body, unless it is given.

    Raises:
        SpecError: it is none.
    """
    request = read(SCHEMA.kinds[REQUEST.name], body)
    if request["mcp"].has_field("request"):
        given = {key.casefold(): value for key, value in body.items()} if isinstance(body, dict) else {}
        record = next((value for key, value in given["mcp"].items() if key.casefold() == "request"), None)
        said = mcp.with_arguments(request["mcp"]["request"], record)
    else:
        said = mcp.parse_leniently(SCHEMA, request["attributes"]["body"])
    return request.with_fields(mcp=make(SCHEMA.kinds["http.MCPCheckData"], {"request": said}))


def outcome(response: Message) -> tuple[type[Passed | Failed], str]:
    """What a response means, and how the peer words it; what does not allow is a denial."""
    if response.has_field("ok"):
        return Passed, "request allowed"
    return Failed, f"request denied, reason: {response['denied']['reason']}"


def _made(kind: Type, **fields: Any) -> Message:
    return make(SCHEMA.kinds[kind.name], fields)


def _header(attributes: Message, key: str) -> list[str]:
    """The values of a header, which is known by its usual spelling, such as `X-Request-Id`."""
    found: list[str] = attributes["header"].get(_canonical(key), [])
    return found


def _canonical(key: str) -> str:
    """A header's name as Go spells it; one that is no token stays as it is."""
    if not key.isascii() or any(letter not in _TOKEN for letter in key):
        return key
    return "-".join(part[:1].upper() + part[1:].lower() for part in key.split("-"))


_TOKEN: Final = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def _member(*parameters: Type, gives: Type, by: Callable[..., Any]) -> Overload:
    return Overload(parameters, gives, by, member=True)


FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "http.Allowed": (Overload((), _OK, lambda: _made(_OK)),),
    "http.Denied": (Overload((STRING,), _DENIED, lambda reason: _made(_DENIED, reason=reason)),),
    "Header": (_member(_ATTRIBUTES, STRING, gives=list_of(STRING), by=_header),),
    "QueryParam": (
        _member(
            _ATTRIBUTES, STRING, gives=list_of(STRING), by=lambda attributes, key: attributes["query"].get(key, [])
        ),
    ),
    "Response": (
        _member(_OK, gives=RESPONSE, by=lambda ok: _made(RESPONSE, ok=ok)),
        _member(_DENIED, gives=RESPONSE, by=lambda denied: _made(RESPONSE, denied=denied)),
    ),
}
