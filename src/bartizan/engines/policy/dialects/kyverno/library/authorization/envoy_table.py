"""The messages of Envoy's external authorization, as far as a request or a response reaches them.

Source: `envoy/service/auth/v3`, `envoy/config/core/v3` and `envoy/type/v3`
of Envoy's API as of go-control-plane 1.37.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_AUTH: Final = "envoy.service.auth.v3"
_CORE: Final = "envoy.config.core.v3"
_CONTEXT: Final = f"{_AUTH}.AttributeContext"
_HEADERS: Final = f"list {_CORE}.HeaderValueOption"
_TEXTS: Final = "map string"

MESSAGES: Final[Mapping[str, Mapping[str, str]]] = {
    f"{_AUTH}.CheckRequest": {"attributes": _CONTEXT},
    _CONTEXT: {
        "source": f"{_CONTEXT}.Peer",
        "destination": f"{_CONTEXT}.Peer",
        "request": f"{_CONTEXT}.Request",
        "context_extensions": _TEXTS,
        "metadata_context": f"{_CORE}.Metadata",
        "route_metadata_context": f"{_CORE}.Metadata",
        "tls_session": f"{_CONTEXT}.TLSSession",
    },
    f"{_CONTEXT}.Peer": {
        "address": f"{_CORE}.Address",
        "service": "string",
        "labels": _TEXTS,
        "principal": "string",
        "certificate": "string",
    },
    f"{_CONTEXT}.Request": {"time": "google.protobuf.Timestamp", "http": f"{_CONTEXT}.HttpRequest"},
    f"{_CONTEXT}.HttpRequest": {
        "id": "string",
        "method": "string",
        "headers": _TEXTS,
        "header_map": f"{_CORE}.HeaderMap",
        "path": "string",
        "host": "string",
        "scheme": "string",
        "query": "string",
        "fragment": "string",
        "size": "int64",
        "protocol": "string",
        "body": "string",
        "raw_body": "bytes",
    },
    f"{_CONTEXT}.TLSSession": {"sni": "string"},
    f"{_CORE}.Metadata": {
        "filter_metadata": "map google.protobuf.Struct",
        "typed_filter_metadata": "map google.protobuf.Any",
    },
    f"{_CORE}.Address": {
        "socket_address": f"{_CORE}.SocketAddress",
        "pipe": f"{_CORE}.Pipe",
        "envoy_internal_address": f"{_CORE}.EnvoyInternalAddress",
    },
    f"{_CORE}.SocketAddress": {
        "protocol": f"enum {_CORE}.SocketAddress.Protocol",
        "address": "string",
        "port_value": "uint32",
        "named_port": "string",
        "resolver_name": "string",
        "ipv4_compat": "bool",
        "network_namespace_filepath": "string",
    },
    f"{_CORE}.Pipe": {"path": "string", "mode": "uint32"},
    f"{_CORE}.EnvoyInternalAddress": {"server_listener_name": "string", "endpoint_id": "string"},
    f"{_CORE}.HeaderMap": {"headers": f"list {_CORE}.HeaderValue"},
    f"{_CORE}.HeaderValue": {"key": "string", "value": "string", "raw_value": "bytes"},
    f"{_CORE}.HeaderValueOption": {
        "header": f"{_CORE}.HeaderValue",
        "append": "google.protobuf.BoolValue",
        "append_action": f"enum {_CORE}.HeaderValueOption.HeaderAppendAction",
        "keep_empty_value": "bool",
    },
    f"{_CORE}.QueryParameter": {"key": "string", "value": "string"},
    "envoy.type.v3.HttpStatus": {"code": "enum envoy.type.v3.StatusCode"},
    "google.rpc.Status": {"code": "int32", "message": "string", "details": "list google.protobuf.Any"},
    f"{_AUTH}.DeniedHttpResponse": {"status": "envoy.type.v3.HttpStatus", "headers": _HEADERS, "body": "string"},
    f"{_AUTH}.OkHttpResponse": {
        "headers": _HEADERS,
        "headers_to_remove": "list string",
        "dynamic_metadata": "google.protobuf.Struct",
        "response_headers_to_add": _HEADERS,
        "query_parameters_to_set": f"list {_CORE}.QueryParameter",
        "query_parameters_to_remove": "list string",
    },
    f"{_AUTH}.CheckResponse": {
        "status": "google.rpc.Status",
        "denied_response": f"{_AUTH}.DeniedHttpResponse",
        "ok_response": f"{_AUTH}.OkHttpResponse",
        "error_response": f"{_AUTH}.DeniedHttpResponse",
        "dynamic_metadata": "google.protobuf.Struct",
    },
}
"""Fields of each message, by the names that expressions have for them."""

CHOICES: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    f"{_AUTH}.CheckResponse": (("denied_response", "ok_response", "error_response"),),
    f"{_CORE}.Address": (("socket_address", "pipe", "envoy_internal_address"),),
    f"{_CORE}.SocketAddress": (("port_value", "named_port"),),
}
"""Fields of which a message has one at most."""

_CODES: Final = """
0 Empty
100 Continue
200 OK Created Accepted NonAuthoritativeInformation NoContent ResetContent PartialContent MultiStatus AlreadyReported
226 IMUsed
300 MultipleChoices MovedPermanently Found SeeOther NotModified UseProxy
307 TemporaryRedirect PermanentRedirect
400 BadRequest Unauthorized PaymentRequired Forbidden NotFound MethodNotAllowed NotAcceptable
407 ProxyAuthenticationRequired RequestTimeout Conflict Gone LengthRequired PreconditionFailed PayloadTooLarge
414 URITooLong UnsupportedMediaType RangeNotSatisfiable ExpectationFailed
421 MisdirectedRequest UnprocessableEntity Locked FailedDependency
426 UpgradeRequired
428 PreconditionRequired TooManyRequests
431 RequestHeaderFieldsTooLarge
500 InternalServerError NotImplemented BadGateway ServiceUnavailable GatewayTimeout HTTPVersionNotSupported
506 VariantAlsoNegotiates InsufficientStorage LoopDetected
510 NotExtended NetworkAuthenticationRequired
"""
"""The names of status codes; those of a line follow each other."""


def _codes() -> dict[str, int]:
    rows = (line.split() for line in _CODES.strip().splitlines())
    return {name: int(first) + place for first, *names in rows for place, name in enumerate(names)}


ENUMERATIONS: Final[Mapping[str, Mapping[str, int]]] = {
    "envoy.type.v3.StatusCode": _codes(),
    f"{_CORE}.HeaderValueOption.HeaderAppendAction": {
        "APPEND_IF_EXISTS_OR_ADD": 0,
        "ADD_IF_ABSENT": 1,
        "OVERWRITE_IF_EXISTS_OR_ADD": 2,
        "OVERWRITE_IF_EXISTS": 3,
    },
    f"{_CORE}.SocketAddress.Protocol": {"TCP": 0, "UDP": 1},
}
"""Members of enumerations with their numbers."""
