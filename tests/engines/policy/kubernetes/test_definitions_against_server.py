"""Random custom resources, judged here and admitted or refused by the API server, with the same words."""

from __future__ import annotations

import copy
import json
import ssl
import time
from http.client import HTTPSConnection
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import yaml
from tests.conformance import ROOT
from tests.engines.policy.kubernetes.objects import random_metadata, random_value, sized

from bartizan.engines.policy.dialects.kubernetes.crd import compile_definition
from bartizan.engines.policy.dialects.kubernetes.crd.definition import objections

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.controlplane.start import ControlPlane

    from bartizan.engines.policy.dialects.kubernetes.crd import Definition

pytestmark = pytest.mark.xdist_group("cluster")

_FOLDER = ROOT / "tests" / "cases" / "kubernetes" / "crd" / "definitions"
_FILES = sorted(file for file in _FOLDER.glob("*.yaml") if not file.stem.endswith("-strict"))
_NAMESPACE = "definitions"
_CREATES = 60
_UPDATES = 15
_STORED = 4


class Server:
    """The API server, asked over one connection."""

    def __init__(self, plane: ControlPlane) -> None:
        context = ssl.create_default_context(cafile=str(plane.authority.file))
        context.load_cert_chain(plane.folder / "admin.crt", plane.folder / "admin.key")
        self._connection = HTTPSConnection(urlsplit(plane.url).netloc, context=context, timeout=30)

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """Status and answer."""
        text = None if body is None else json.dumps(body)
        self._connection.request(method, path, text, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        said = answer.read()
        is_json = "json" in answer.getheader("Content-Type", "")
        return answer.status, json.loads(said) if is_json else {"message": said.decode()}

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _read(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(file.read_text())
    return document


@pytest.fixture(scope="module")
def server(control_plane: ControlPlane) -> Iterator[Server]:
    """The API server, with all definitions and a namespace."""
    server = Server(control_plane)
    try:
        assert server.ask("POST", "/api/v1/namespaces", {"metadata": {"name": _NAMESPACE}})[0] in (201, 409)
        made = [server.ask("POST", _DEFINITIONS, _read(file)) for file in _FILES]
        assert not [answer["message"] for status, answer in made if status not in (201, 409)]
        for file in _FILES:
            _wait(server, _read(file))
        yield server
    finally:
        server.close()


_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def _wait(server: Server, document: dict[str, Any]) -> None:
    deadline = time.monotonic() + 30
    while server.ask("GET", _place(document))[0] != 200:
        assert time.monotonic() < deadline, document["metadata"]["name"]
        time.sleep(0.05)


def _place(document: dict[str, Any]) -> str:
    spec = document["spec"]
    inside = "" if spec["scope"] == "Cluster" else f"/namespaces/{_NAMESPACE}"
    return f"/apis/{spec['group']}/v1{inside}/{spec['names']['plural']}"


def _object(chance: Random, document: dict[str, Any], definition: Definition, name: str) -> dict[str, Any]:
    made: dict[str, Any] = random_value(chance, definition.versions[0].root)
    made = made if isinstance(made, dict) else {}
    spec = document["spec"]
    metadata = random_metadata(chance, name)
    if spec["scope"] != "Cluster":
        metadata["namespace"] = _NAMESPACE
    return {**made, "apiVersion": f"{spec['group']}/v1", "kind": spec["names"]["kind"], "metadata": metadata}


def _said(answer: dict[str, Any]) -> set[tuple[str, str]]:
    causes = answer.get("details", {}).get("causes", [])
    return {(cause["field"], cause["message"]) for cause in causes}


def _compare(
    definition: Definition, asked: tuple[int, dict[str, Any]], body: dict[str, Any], old: dict[str, Any] | None
) -> str:
    """Which of the three ways it went; the test fails where we went another."""
    status, answer = asked
    found = objections(definition.versions[0].judge(body, old))
    ours = {(item.field, item.body) for item in found}
    shown = json.dumps(body, ensure_ascii=False)
    if status == 400:  # what cannot be read at all is not judged field by field
        assert ours, (answer["message"], shown)
        return "unreadable"
    if status in (200, 201):
        assert not ours, shown
        return "admitted"
    assert status == 422, answer
    theirs = _said(answer)
    if theirs != ours:
        pytest.fail(f"{shown}\n{old and json.dumps(old)}\nonly the server: {theirs - ours}\nonly we: {ours - theirs}")
    return "refused"


@pytest.mark.parametrize("file", _FILES, ids=lambda file: file.stem)
def test_the_server_says_the_same_of_new_objects(server: Server, file: Path) -> None:
    document = _read(file)
    definition = compile_definition(document)
    assert not definition.problems()
    chance = Random(file.stem)
    ways = {"admitted": 0, "refused": 0, "unreadable": 0}
    for number in range(_CREATES):
        name = chance.choice((f"x{number}", f"x{number}", "Bad_Name", "forbidden", "quite-a-long-name"))
        body = _object(chance, document, definition, name)
        asked = server.ask("POST", f"{_place(document)}?dryRun=All&fieldValidation=Ignore", body)
        ways[_compare(definition, asked, body, None)] += 1
    assert ways["refused"], ways


@pytest.mark.parametrize("file", _FILES, ids=lambda file: file.stem)
def test_the_server_says_the_same_of_changes(server: Server, file: Path) -> None:
    document = _read(file)
    definition = compile_definition(document)
    chance = Random(f"{file.stem} changes")
    stored = _store(server, document, definition, chance)
    strict = file.with_name(f"{file.stem}-strict.yaml")
    if strict.exists():
        definition = _tighten(server, _read(strict), stored[0])
    ways = {"admitted": 0, "refused": 0, "unreadable": 0}
    for old in stored:
        for number in range(_UPDATES):
            body = _changed(chance, old, _object(chance, document, definition, old["metadata"]["name"]), number)
            path = f"{_place(document)}/{old['metadata']['name']}?dryRun=All&fieldValidation=Ignore"
            ways[_compare(definition, server.ask("PUT", path, body), body, old)] += 1
    assert ways["admitted"], ways


def _store(server: Server, document: dict[str, Any], definition: Definition, chance: Random) -> list[dict[str, Any]]:
    """Objects that the server takes, stored there."""
    stored: list[dict[str, Any]] = []
    for number in range(400):
        body = _object(chance, document, definition, f"s{number}")
        if objections(definition.versions[0].judge(body, None)) or (number < 350 and not body.get("spec")):
            continue
        status, answer = server.ask("POST", f"{_place(document)}?fieldValidation=Ignore", body)
        assert status in (201, 409), answer
        stored.append(server.ask("GET", f"{_place(document)}/s{number}")[1])
        if len(stored) == _STORED:
            break
    assert stored
    return stored


def _changed(chance: Random, old: dict[str, Any], new: dict[str, Any], number: int) -> dict[str, Any]:
    """What was there, with a part of something new; at times nothing new, and at times all."""
    body = copy.deepcopy(old)
    if number == 0 or not isinstance(old.get("spec"), dict):
        return body
    fresh = new.get("spec")
    fields = [*fresh] if isinstance(fresh, dict) else []
    for name in chance.sample(fields, min(len(fields), chance.choice((1, 1, 2, 9)))):
        held = body["spec"].get(name)
        if isinstance(held, list) and held and chance.random() < 0.5:
            chance.shuffle(held)
            continue
        body["spec"][name] = fresh[name]
    if number % 7 == 0:
        body["metadata"]["labels"] = new["metadata"].get("labels", {})
    return body


def _tighten(server: Server, document: dict[str, Any], old: dict[str, Any]) -> Definition:
    """Replace a definition by a stricter one, and wait until it counts."""
    path = f"{_DEFINITIONS}/{document['metadata']['name']}"
    held = server.ask("GET", path)[1]
    held["spec"] = document["spec"]
    assert server.ask("PUT", path, held)[0] == 200
    probe = {**old, "metadata": {"name": "probe", "namespace": _NAMESPACE}, "spec": {"name": "far too long"}}
    deadline = time.monotonic() + 30
    while server.ask("POST", f"{_place(document)}?dryRun=All", probe)[0] != 422:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return compile_definition(document)


def _costly() -> Iterator[Any]:
    for number, group in enumerate(yaml.safe_load((_FOLDER.parent / "costs.yaml").read_text())):
        names = {"kind": f"Cost{number}", "plural": f"cost{number}s"}
        schema = {"type": "object", "properties": {"spec": group["schema"]}}
        versions = [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}]
        document = {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"cost{number}s.example.org"},
            "spec": {"group": "example.org", "scope": "Namespaced", "names": names, "versions": versions},
        }
        yield pytest.param(document, group["cases"], id=group["note"])


@pytest.mark.parametrize(("document", "cases"), [*_costly()])
def test_the_server_ends_what_costs_too_much(
    server: Server, document: dict[str, Any], cases: list[dict[str, Any]]
) -> None:
    status, answer = server.ask("POST", _DEFINITIONS, document)
    assert status in (201, 409), answer["message"]
    _wait(server, document)
    definition = compile_definition(document)
    kind = document["spec"]["names"]["kind"]
    metadata = {"name": "x", "namespace": _NAMESPACE}
    for case in cases:
        body = {"apiVersion": "example.org/v1", "kind": kind, "metadata": metadata, "spec": sized(case)}
        asked = server.ask("POST", f"{_place(document)}?dryRun=All", body)
        _compare(definition, asked, body, None)
