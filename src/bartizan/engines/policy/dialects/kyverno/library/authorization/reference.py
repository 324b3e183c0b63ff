"""What people read about each function of policies about requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.engines.policy.dialects.kyverno.library.authorization import mode_of
from bartizan.engines.policy.dialects.kyverno.library.reference import Entry, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TARGETS: Final[Mapping[str, str]] = {
    "envoy.service.auth.v3.OkHttpResponse": "envoy.Allowed()",
    "envoy.service.auth.v3.DeniedHttpResponse": "envoy.Denied(…)",
    "envoy.service.auth.v3.CheckResponse": "….Response()",
    "envoy.config.core.v3.HeaderValueOption": "envoy.Header(…)",
    "http.CheckResponseOk": "http.Allowed()",
    "http.CheckResponseDenied": "http.Denied(…)",
    "http.CheckRequestAttributes": "object.attributes",
    "mcp.MCP": "mcp",
    "mcp.MCPRequest": "mcp.Parse(…)",
    "json.Json": "json",
}
"""How expressions usually come by an object of a type."""

_EITHER: Final[Mapping[str, str]] = {
    "jwt.Decode": "The `Claims` of a token that a shared secret or a key of a set signed, and whether it is `Valid`."
    " An error where it is signed otherwise.",
    "jwks.Fetch": "The key set that a service publishes.",
    "Unmarshal": "What JSON text stands for; numbers are doubles.",
    "Parse": "A message of the Model Context Protocol: its `Method`, and its parameters by what the method is.",
    **{
        f"Get{name}{many}Argument": f"An argument of that name, or the default: {what}."
        for name, one in (("String", "text"), ("Int", "whole number"), ("Float", "double"), ("Bool", "truth value"))
        for many, what in (("", f"a {one}"), ("Slice", f"every {one} of a list"))
    },
}
_TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "Envoy": {
        "envoy.Allowed": "The beginning of a response that lets a request pass.",
        "envoy.Denied": "The beginning of a response that refuses a request, with a status code.",
        "envoy.Header": "A header.",
        "envoy.QueryParam": "A parameter of the query.",
        "WithBody": "With a body for whoever asked.",
        "WithHeader": "With a header: of the request as it goes on, or of the refusal.",
        "WithoutHeader": "Without a header of the request.",
        "WithResponseHeader": "With a header of the answer that comes back.",
        "WithQueryParam": "With a parameter of the query.",
        "WithoutQueryParam": "Without a parameter of the query.",
        "KeepEmptyValue": "A header that is sent also if it is empty.",
        "Response": "The response, which decides.",
        "WithMessage": "With a message beside the status.",
        "WithMetadata": "With metadata for Envoy's other filters.",
        **_EITHER,
    },
    "HTTP": {
        "http.Allowed": "The beginning of a response that lets a request pass.",
        "http.Denied": "The beginning of a response that refuses a request, with a reason.",
        "Header": "The values of a header, in any spelling; none where it is not there.",
        "QueryParam": "The values of a parameter of the query; none where it is not there.",
        "Response": "The response, which decides.",
    },
}


def entries(mode: str) -> Iterator[Entry]:
    """The functions of a mode; those of both are told with `Envoy`."""
    functions = mode_of(mode).functions
    for name, text in _TEXTS[mode].items():
        calls: list[str] = []
        for item in functions[name]:
            target = f"{_TARGETS[item.parameters[0].name]}." if item.member else ""
            calls.append(shown(f"{target}{name}", item))
        yield Entry((name,), tuple(calls), text)
