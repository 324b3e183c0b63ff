"""The OpenAPI document: true to the letter, whatever is sent by it or against it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks
from tests.laws import examples
from tests.plane.api.test_reading import HOSTILE
from tests.stores.fleet import World, observed, pod, rules

from bartizan.plane.api.routes import OPERATIONS
from bartizan.plane.application import application
from bartizan.stores.scope import Grant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.plane.api.conftest import Program
    from tests.plane.conftest import Browser

    from bartizan.plane.site import Site

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


@pytest.fixture
def hostile(world: World) -> World:
    """The fleet with objects whose names want to break out."""
    asked = rules("roots:critical", "=1+1:low", "<b>/x&y")
    for name in HOSTILE:
        world.keep(asked, observed(pod(name, name), asked, "ffw", name, message=name), cluster="one", hours=31)
    return world


def references(node: Any) -> Iterator[str]:
    """All references in a document."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_the_document_holds_together(program: Callable[..., Program]) -> None:
    answer = program().send("GET", "/openapi.json")
    document = answer.json()
    assert document["openapi"] == "3.1.0"
    schemas = document["components"]["schemas"]
    assert {name.rpartition("/")[2] for name in references(document)} <= schemas.keys()
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    told = {one["operationId"] for methods in document["paths"].values() for one in methods.values()}
    assert told == {one.name for one in OPERATIONS}
    assert len(told) == len(OPERATIONS)
    again = program().send("GET", "/openapi.json", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304


def test_the_document_is_open_to_who_has_no_token_yet(nobody: Browser) -> None:
    assert json.loads(nobody.get("/api/v1/openapi.json"))["info"]["title"] == "Bartizan"
    assert nobody.client.get("/api/v1/docs").status_code == 303


def test_the_page_tells_every_operation(signed_in: Callable[..., Browser]) -> None:
    page = signed_in("viewer").get("/api/v1/docs")
    for one in OPERATIONS:
        assert f'id="{one.name}"' in page
    assert "<script" not in page.partition("<body")[2]


def test_nothing_that_is_sent_breaks_the_plane(site: Site, hostile: World, program: Callable[..., Program]) -> None:
    """Requests that fit the document and requests that do not, by who may do all, read all, and see a part."""
    del hostile
    people = (
        program(),
        program("admin", scopes=("read",)),
        program("approver", Grant(clusters=("one",), namespaces=("shop",))),
    )
    document = schemathesis.openapi.from_asgi("/api/v1/openapi.json", application(site))
    operations = [result.ok() for result in document.get_all_operations()]
    assert len(operations) == len(OPERATIONS)
    for operation in operations:
        for mode in schemathesis.GenerationMode:
            for person in people if mode is schemathesis.GenerationMode.POSITIVE else people[:1]:
                _sent(operation, mode, person.token)


def _sent(operation: schemathesis.APIOperation[Any, Any, Any], mode: schemathesis.GenerationMode, token: str) -> None:
    more = [checks.negative_data_rejection] if mode is schemathesis.GenerationMode.NEGATIVE else []

    @settings(examples(4), deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True)
    @given(operation.as_strategy(generation_mode=mode))
    def holds(case: schemathesis.Case) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=[*CHECKS, *more])

    holds()
