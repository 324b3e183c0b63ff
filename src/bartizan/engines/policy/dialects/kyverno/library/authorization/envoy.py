"""`envoy`: responses to a request that Envoy asks about, made step by step.

    envoy.Denied(401).WithBody("who are you?").WithHeader("x-why", "no token").Response()

A step gives a new object; none changes the one it is called on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bartizan.engines.policy.dialects.kyverno.library.authorization.envoy_table import CHOICES, ENUMERATIONS, MESSAGES
from bartizan.engines.policy.dialects.kyverno.library.authorization.messages import Schema, make, read
from bartizan.engines.policy.dialects.kyverno.library.values import doubles, to_object
from bartizan.lang.cel import Overload
from bartizan.lang.cel.types import BOOL, DYN, INT, STRING, Type, map_of
from bartizan.model.outcome import Failed, Passed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.base.json import Json
    from bartizan.engines.policy.dialects.kyverno.library.authorization.messages import Message

SCHEMA: Final = Schema(MESSAGES, ENUMERATIONS, CHOICES)
REQUEST: Final = Type("envoy.service.auth.v3.CheckRequest")
RESPONSE: Final = Type("envoy.service.auth.v3.CheckResponse")
_OK: Final = Type("envoy.service.auth.v3.OkHttpResponse")
_DENIED: Final = Type("envoy.service.auth.v3.DeniedHttpResponse")
_HEADER: Final = Type("envoy.config.core.v3.HeaderValueOption")
_PARAMETER: Final = Type("envoy.config.core.v3.QueryParameter")
_PERMISSION_DENIED: Final = 7
_FORBIDDEN: Final = 403
"""What Envoy answers where a denial has no status."""


def read_request(body: Json) -> Message:
    """Read a CheckRequest out of JSON.

    Raises:
        SpecError: it is none.
    """
    return read(SCHEMA.kinds[REQUEST.name], body)


def outcome(response: Message) -> tuple[type[Passed | Failed], str]:
    """What a response means, and how the peer words it.

    A response without any HTTP response is what its status says, as Envoy has it.
    """
    if response.has_field("ok_response"):
        return Passed, "request allowed"
    for name in ("denied_response", "error_response"):
        if response.has_field(name):
            code = response[name]["status"]["code"] or _FORBIDDEN
            return Failed, f"request denied with status code {code}"
    if response["status"]["code"]:
        return Failed, f"request denied with status code {_FORBIDDEN}"
    return Passed, "request allowed"


def _made(kind: Type, **fields: Any) -> Message:
    return make(SCHEMA.kinds[kind.name], fields)


def _header(key: str, value: str) -> Message:
    return _made(_HEADER, header=_made(Type("envoy.config.core.v3.HeaderValue"), key=key, value=value))


def _parameter(key: str, value: str) -> Message:
    return _made(_PARAMETER, key=key, value=value)


def _denied(code: int) -> Message:
    return _made(_DENIED, status=_made(Type("envoy.type.v3.HttpStatus"), code=code))


def _with_metadata(response: Message, metadata: Any) -> Message:
    return response.with_fields(dynamic_metadata=doubles(to_object(metadata, 1)))


def _with_message(response: Message, text: str) -> Message:
    return response.with_fields(status=response["status"].with_fields(message=text))


def _respond_ok(ok: Message) -> Message:
    return _made(RESPONSE, status=_made(Type("google.rpc.Status"), code=0), ok_response=ok)


def _respond_denied(denied: Message) -> Message:
    return _made(RESPONSE, status=_made(Type("google.rpc.Status"), code=_PERMISSION_DENIED), denied_response=denied)


def _adds(field: str, by: Callable[..., Any]) -> Callable[..., Message]:
    """Add what `by` makes of a key and a value to the list of that name."""
    return lambda target, key, value: target.with_more(field, by(key, value))


def _takes(field: str) -> Callable[..., Message]:
    return lambda target, item: target.with_more(field, item)


def _member(*parameters: Type, gives: Type, by: Callable[..., Any]) -> Overload:
    return Overload(parameters, gives, by, member=True)


def _both(kind: Type, item: Type, field: str, by: Callable[..., Any]) -> tuple[Overload, ...]:
    """A step that takes an item, or its key and value."""
    return (
        _member(kind, item, gives=kind, by=_takes(field)),
        _member(kind, STRING, STRING, gives=kind, by=_adds(field, by)),
    )


FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "envoy.Allowed": (Overload((), _OK, lambda: _made(_OK)),),
    "envoy.Denied": (Overload((INT,), _DENIED, _denied),),
    "envoy.Header": (Overload((STRING, STRING), _HEADER, _header),),
    "envoy.QueryParam": (Overload((STRING, STRING), _PARAMETER, _parameter),),
    "WithBody": (_member(_DENIED, STRING, gives=_DENIED, by=lambda denied, text: denied.with_fields(body=text)),),
    "WithHeader": (
        *_both(_OK, _HEADER, "headers", _header),
        *_both(_DENIED, _HEADER, "headers", _header),
    ),
    "WithoutHeader": (_member(_OK, STRING, gives=_OK, by=_takes("headers_to_remove")),),
    "WithResponseHeader": _both(_OK, _HEADER, "response_headers_to_add", _header),
    "WithQueryParam": _both(_OK, _PARAMETER, "query_parameters_to_set", _parameter),
    "WithoutQueryParam": (_member(_OK, STRING, gives=_OK, by=_takes("query_parameters_to_remove")),),
    "KeepEmptyValue": (
        _member(_HEADER, gives=_HEADER, by=lambda header: header.with_fields(keep_empty_value=True)),
        _member(_HEADER, BOOL, gives=_HEADER, by=lambda header, flag: header.with_fields(keep_empty_value=flag)),
    ),
    "Response": (
        _member(_OK, gives=RESPONSE, by=_respond_ok),
        _member(_DENIED, gives=RESPONSE, by=_respond_denied),
    ),
    "WithMessage": (_member(RESPONSE, STRING, gives=RESPONSE, by=_with_message),),
    "WithMetadata": (_member(RESPONSE, map_of(STRING, DYN), gives=RESPONSE, by=_with_metadata),),
}
