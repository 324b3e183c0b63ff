"""The OpenAPI 3.1 document, written from the operations: it can say nothing of them that does not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

import bartizan
from bartizan.plane.api.operation import BODY_BYTES, PREFIX
from bartizan.plane.api.replay import LONGEST
from bartizan.plane.problem import PROBLEM, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bartizan.plane.api.operation import Operation

_WHY: Final = {
    304: "It is as you have it: nothing is sent.",
    400: "A parameter or the body is not what it must be.",
    401: "No token of this plane was sent, or one that does not hold any more.",
    403: "You may see it, and may not do it.",
    404: "There is nothing of that name that you may see.",
    409: "It was done already, another way.",
    412: "It has changed since you read it.",
    413: "The body is too long.",
    415: "The body is not of a type that is read.",
    422: "The `Idempotency-Key` was given with another change.",
    429: "Too many requests; try again after `Retry-After` seconds.",
    503: "The database is away, or busy; try again after `Retry-After` seconds.",
}
_ALWAYS: Final = (400, 401, 403, 429, 503)
_REF: Final = "#/components/schemas/{name}"
_ABOUT: Final = (
    "The fleet for programs: all that the pages of the plane show and do, for tokens within their scopes. Times are"
    " RFC 3339 in UTC; errors are problem documents (RFC 9457); lists come in pages, each with the `next` of the one"
    " after it and a `Link` header; what is read has an `ETag`, and a change may be bound to it by `If-Match`; what is"
    " posted under one `Idempotency-Key` is done once and answered alike for a day."
)


def document(operations: Sequence[Operation[Any, Any]]) -> dict[str, Any]:
    """The whole document."""
    records = [record for one in operations for record in (one.given, one.body, one.answer) if record is not None]
    records.append(Problem)
    _, schemas = msgspec.json.schema_components(records, ref_template=_REF)
    components = {name: _plain(schema) for name, schema in schemas.items()}
    paths: dict[str, dict[str, Any]] = {}
    parameters: set[str] = set()
    for one in operations:
        paths.setdefault(_path(one), {})[one.method.lower()] = _operation(one, components)
        parameters |= {one.given.__name__}
    bodies = {one.body.__name__ for one in operations if one.body.__struct_fields__} | {
        one.answer.__name__ for one in operations if one.answer
    }
    for name in parameters - bodies:
        components.pop(name, None)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Bartizan",
            "version": bartizan.__version__,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "tags": [{"name": name} for name in dict.fromkeys(one.tag for one in operations)],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "A token of this plane; see `/tokens`."}
            },
        },
    }


def _path(operation: Operation[Any, Any]) -> str:
    return f"{PREFIX}{operation.path}".replace(":path}", "}")


def _operation(one: Operation[Any, Any], components: dict[str, Any]) -> dict[str, Any]:
    permission = "" if one.needs == "see" else f"\n\nNeeds the permission to {one.needs}."
    told: dict[str, Any] = {
        "operationId": one.name,
        "tags": [one.tag],
        "summary": one.summary,
        "description": f"{one.description}{permission}".strip() or one.summary,
        "parameters": [*parameters(one, components), *_headers(one)],
        "responses": {str(status): shape for status, shape in sorted(_responses(one).items())},
    }
    if one.body.__struct_fields__:
        schema = {"$ref": _REF.format(name=one.body.__name__)}
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return told


def parameters(one: Operation[Any, Any], components: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """The parameters of an operation as the document has them."""
    schema = components.get(one.given.__name__, {})
    for name, shape in schema.get("properties", {}).items():
        place = "path" if name in one.in_path else "query"
        kept = {key: value for key, value in shape.items() if key != "description"}
        told: dict[str, Any] = {"name": name, "in": place, "required": name in schema.get("required", ())}
        told |= {"description": shape["description"]} if "description" in shape else {}
        told["schema"] = kept
        if place == "path":
            told["schema"].setdefault("minLength", 1) if kept.get("type") == "string" else None
        if kept.get("type") == "array":
            told |= {"style": "form", "explode": True}
        yield told


def _headers(one: Operation[Any, Any]) -> Iterable[dict[str, Any]]:
    """What every operation of a kind takes in headers."""
    text = {"type": "string"}
    if one.method == "GET" and one.answer is not None:
        yield _header("If-None-Match", "The `ETag` of what you have.", text)
    if one.method == "POST":
        key = {**text, "minLength": 1, "maxLength": LONGEST, "pattern": "^[ -~]*$"}
        yield _header("Idempotency-Key", "A name for this change, so that it is done once however often sent.", key)
    if one.current is not None:
        yield _header("If-Match", "The `ETag` of what you decide on.", text)


def _header(name: str, words: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "description": words, "schema": schema}


def _responses(one: Operation[Any, Any]) -> dict[int, dict[str, Any]]:
    statuses = {*_ALWAYS, *one.refusals}
    if one.body.__struct_fields__:
        statuses |= {413, 415}
    if one.method == "POST":
        statuses |= {413, 422}
    if one.current is not None:
        statuses.add(412)
    if one.changes:
        statuses.add(413)
    refused = {"$ref": _REF.format(name="Problem")}
    told: dict[int, dict[str, Any]] = {
        status: {"description": _WHY[status], "content": {PROBLEM: {"schema": refused}}} for status in statuses
    }
    if one.method == "GET" and one.answer is not None:
        told[304] = {"description": _WHY[304]}
    told[one.status] = _success(one)
    return told


def _success(one: Operation[Any, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"description": one.summary}
    if one.answer is not None:
        told["content"] = {"application/json": {"schema": {"$ref": _REF.format(name=one.answer.__name__)}}}
    if one.media:
        text = {"schema": {"type": "string"}}
        told["content"] = {media: {} if media.endswith("json") else text for media in one.media}
    headers = {}
    if (one.method == "GET" and one.answer is not None) or one.current is not None:
        headers["ETag"] = {"schema": {"type": "string"}, "description": "What this is, to the byte."}
    if "after" in one.given.__struct_fields__:
        headers["Link"] = {"schema": {"type": "string"}, "description": "The next page, as `rel=next`."}
    if headers:
        told["headers"] = headers
    return told


def _plain(schema: Any) -> Any:
    """A schema in the values that JSON has."""
    return msgspec.to_builtins(schema)


LIMIT: Final = f"A body has {BODY_BYTES:,} bytes at most."
