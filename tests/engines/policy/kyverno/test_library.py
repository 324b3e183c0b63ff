"""What Kyverno adds to CEL, as tables of expressions and answers in a recorded world."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.conformance import ROOT

from bartizan.app.fields import Fields
from bartizan.app.policy_tests.context import read_context
from bartizan.app.policy_tests.files import GlobalEntry
from bartizan.app.policy_tests.world import RecordedWorld
from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno import expression_compiler, library
from bartizan.engines.policy.dialects.kyverno.library.reference import entries
from bartizan.engines.policy.lookup import LookupFailedError
from bartizan.lang.cel import CelError, Environment, compile_expression, functions_of
from bartizan.lang.cel.library import KUBERNETES
from bartizan.lang.cel.library.encoders import FUNCTIONS as ENCODERS
from bartizan.lang.cel.library.mathematics import FUNCTIONS as MATHEMATICS
from bartizan.lang.cel.library.times import timestamp_text
from bartizan.lang.cel.types import DYN
from bartizan.lang.jmespath import Ambient
from bartizan.sources.yaml import parse_yaml_text

if TYPE_CHECKING:
    from bartizan.base.json import Json, JsonObject

FOLDER = ROOT / "tests" / "cases" / "kyverno" / "library"
TABLES = {path.stem: yaml.safe_load(path.read_text()) for path in sorted(FOLDER.glob("*.yaml"))}
CASES = [
    pytest.param(table, case, id=f"{name}: {case.get('kind', '')} {case['expression'][:160]}")
    for name, table in TABLES.items()
    for case in table["cases"]
]
NOW = datetime(2026, 3, 4, 5, 6, 7, 123456, tzinfo=UTC)
AMBIENT = Ambient(lambda: NOW, lambda: 0.0, parse_yaml_text)
LANGUAGE = functions_of(KUBERNETES, ENCODERS, MATHEMATICS)
GIVEN: dict[str, Any] = {
    "given": {"number": 3, "text": "a", "deep": {"list": [1, 2.5, None]}},
    "digest": "sha256:" + "a" * 64,
    "certificate": (FOLDER / "certificate.pem").read_text(),
    **{name: {"name": name, "cosign": {}} for name in ("one", "two", "three")},
    "old": {"name": "old", "notary": {}},
}


class Table:
    """A verifier that believes a table."""

    def __init__(self, table: JsonObject) -> None:
        self._table = table
        self.recorded: dict[str, bool] = {}

    def is_meant(self, image: str) -> bool:
        """By the beginning of the reference."""
        return image.startswith(self._table["meant"])

    def attestation(self, name: str) -> JsonObject | None:
        """As the table has it."""
        found: JsonObject | None = self._table["attestations"].get(name)
        return found

    def is_signed(self, image: str, attestor: JsonObject) -> bool:
        """Whether the table has the attestor's name for the image."""
        if image == self._table["unreachable"]:
            raise LookupFailedError("the registry is down")
        return attestor["name"] in self._table["signers"].get(image, ())

    def is_attested(self, image: str, attestation: JsonObject, attestor: JsonObject) -> bool:
        """Whether the table has the attestor's name for image and attestation."""
        if image == self._table["unreachable"]:
            raise LookupFailedError("the registry is down")
        return attestor["name"] in self._table["signers"].get(f"{image} {attestation['name']}", ())

    def payload(self, image: str, attestation: JsonObject) -> Json:
        """As the table has it."""
        if attestation["name"] not in self._table["payloads"]:
            raise LookupFailedError(f"`{image}` has none")
        return self._table["payloads"][attestation["name"]]

    def record(self, image: str, *, verified: bool) -> None:
        """Keep it for the test."""
        self.recorded[image] = verified


def world_of(spec: JsonObject, namespace: str) -> library.World:
    compiler = expression_compiler(AMBIENT)
    context = read_context(
        {"kind": "Context", "spec": {name: spec[name] for name in ("resources", "images") if name in spec}}
    )
    entries = [
        GlobalEntry(item["name"], item["data"], "", {one["name"]: one["path"] for one in item.get("projections", ())})
        for item in spec.get("entries", ())
    ]
    answers = [Fields(item) for item in spec.get("answers", ())]
    lookup = RecordedWorld([], answers, entries, lambda text, value: compiler(text)(value), context)
    verifier = Table(spec["verifier"]) if "verifier" in spec else None
    return library.World(lookup, AMBIENT, namespace, verifier=verifier)


def environment_of(kind: str, given: JsonObject) -> Environment:
    held = library.for_kind(kind)
    variables = {**held.variables, **dict.fromkeys(given, DYN)}
    return Environment(variables, functions_of(LANGUAGE, held.functions), held.objects)


@pytest.mark.parametrize(("table", "case"), CASES)
def test_answer(table: JsonObject, case: JsonObject) -> None:
    given = GIVEN | table.get("names", {})
    environment = environment_of(case.get("kind", table["kind"]), given)
    if "refused" in case:
        with pytest.raises(SpecError, match=re.escape(case["refused"])):
            compile_expression(case["expression"], environment)
        return
    run = compile_expression(case["expression"], environment)
    world = world_of(table.get("world", {}), case.get("namespace", ""))
    names = {**given, **{name: make() for name, make in library.contexts(world).items()}}
    if "error" in case:
        with pytest.raises(CelError, match=re.escape(case["error"])):
            run(names)
        assert world.generated == []
        return
    value = run(names)
    if "text" in case:
        assert timestamp_text(value) == case["text"]
        return
    wanted = case["is"]
    assert value == wanted
    assert isinstance(value, type(wanted))
    assert world.generated == case.get("generated", [])
    if "recorded" in case:
        assert isinstance(world.verifier, Table)
        assert world.verifier.recorded == case["recorded"]


def test_tables_call_every_function() -> None:
    text = " ".join(case["expression"] for table in TABLES.values() for case in table["cases"])
    assert [name for name in library.FUNCTIONS if not re.search(rf"(?<!\w){re.escape(name)}\(", text)] == []


def test_every_name_has_a_value() -> None:
    world = world_of({}, "")
    assert set(library.contexts(world)) == {*library.VARIABLES, library.WORLD}


def test_reference_tells_of_every_function() -> None:
    told = {name for entry in entries(library.FUNCTIONS, library.VARIABLES) for name in entry.names}
    members = {name.rpartition(".")[2] for name in told}
    assert [name for name in library.FUNCTIONS if name not in told and name not in members] == []
