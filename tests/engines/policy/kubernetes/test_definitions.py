"""Custom resources judged by their definitions: cases, what is wrong with a definition, and laws."""

from __future__ import annotations

import json
import re
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance import ROOT
from tests.engines.policy.kubernetes.objects import random_value
from tests.laws import examples

from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kubernetes.crd import compile_definition, is_definition
from bartizan.engines.policy.dialects.kubernetes.crd.coerce import compile_coercion
from bartizan.engines.policy.dialects.kubernetes.crd.definition import objections
from bartizan.engines.policy.dialects.kubernetes.crd.nodes import MAX_DEPTH, read_schema
from bartizan.engines.policy.dialects.kubernetes.crd.problems import pointer_of
from bartizan.model.outcome import Broken, Failed, Passed, Skipped
from bartizan.model.request import Request
from bartizan.model.resource import resource_from

if TYPE_CHECKING:
    from bartizan.engines.policy.dialects.kubernetes.crd import Definition
    from bartizan.model.outcome import Outcome

_FOLDER = ROOT / "tests" / "cases" / "kubernetes" / "crd"
_AT = "/spec/versions/0/schema/openAPIV3Schema"
_DEFINITIONS = [yaml.safe_load(file.read_text()) for file in sorted((_FOLDER / "definitions").glob("*.yaml"))]


def _definition(schema: Any, **version: Any) -> dict[str, Any]:
    versions = [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}, **version}]
    names = {"kind": "Thing", "plural": "things"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": names, "versions": versions},
    }


def _thing(**body: Any) -> dict[str, Any]:
    return {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "one"}, **body}


def _cases(name: str) -> list[Any]:
    return [
        pytest.param(group["schema"], case, id=f"{group['note']}: {case.get('note') or json.dumps(case['spec'])[:60]}")
        for group in yaml.safe_load((_FOLDER / name).read_text())
        for case in group["cases"]
    ]


@pytest.mark.parametrize(("schema", "case"), [*_cases("schema.yaml"), *_cases("rules.yaml")])
def test_a_custom_resource_is_judged(schema: dict[str, Any], case: dict[str, Any]) -> None:
    definition = compile_definition(_definition({"type": "object", "properties": {"spec": schema}}))
    assert not definition.problems()
    old = _thing(spec=case["old"]) if "old" in case else None
    body = _thing(spec=case["spec"])
    before = json.dumps(body)
    judged = definition.versions[0].judge(body, old)
    said = objections(judged)
    assert sorted(map(str, said)) == sorted(case["says"])
    if "at" in case:
        assert sorted(item.pointer for item in said) == sorted(case["at"])
    if "unknown" in case:
        assert sorted(pointer_of((path, name)) for path, name, _ in judged.unknown) == sorted(case["unknown"])
    if "kept" in case:
        assert compile_coercion(definition.versions[0].root)(body, None, [])["spec"] == case["kept"]
    assert json.dumps(body) == before, "a resource is never changed"


@pytest.mark.parametrize("case", yaml.safe_load((_FOLDER / "broken.yaml").read_text()), ids=lambda case: case["note"])
def test_a_broken_definition_says_where(case: dict[str, Any]) -> None:
    try:
        found = compile_definition(_definition(case["schema"])).problems()
    except SpecError as error:
        found = (error,)
    assert [error.pointer for error in found] == [f"{_AT}{case['at']}"]
    assert case["error"] in found[0].message


@pytest.mark.parametrize(
    ("part", "at"),
    [
        ({"group": ""}, "/spec/group"),
        ({"names": {}}, "/spec/names/kind"),
        ({"names": []}, "/spec/names"),
        ({"versions": []}, "/spec/versions"),
        ({"versions": ["v1"]}, "/spec/versions/0"),
        ({"versions": [{"name": "v1", "served": True}]}, "/spec/versions/0/schema/openAPIV3Schema"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_definition_needs_its_parts(part: dict[str, Any], at: str) -> None:
    document = _definition({"type": "object"})
    document["spec"] |= part
    with pytest.raises(SpecError) as error:
        compile_definition(document)
    assert error.value.pointer == at


def _outcomes(definition: Definition, body: dict[str, Any]) -> dict[str, Outcome | None]:
    request = Request(resource_from(body))
    return {rule.info.id.rule: rule.run(request, _Nobody()) for rule in definition.rules}


class _Nobody:
    """Answers nothing, for a definition asks nobody."""

    def answer(self, question: Any) -> Any:
        raise AssertionError(question)


_RULED = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {"n": {"type": "integer"}, "list": {"type": "array", "items": {"type": "integer"}}},
            "x-kubernetes-validations": [
                {"rule": "!has(self.n) || self.n > 0"},
                {"rule": "self == oldSelf"},
            ],
        }
    },
}


def test_every_rule_answers_for_itself() -> None:
    definition = compile_definition(_definition(_RULED))
    assert [rule.info.id.rule for rule in definition.rules] == ["schema", "unknown-fields", "v1.spec#1", "v1.spec#2"]
    assert {str(rule.info.id.policy) for rule in definition.rules} == {"crd/things.example.com"}
    good = _outcomes(definition, _thing(spec={"n": 1}))
    assert good == {"schema": Passed(), "unknown-fields": Passed(), "v1.spec#1": Passed(), "v1.spec#2": None}
    bad = _outcomes(definition, _thing(spec={"n": 0, "lists": 1}))
    assert isinstance(bad["v1.spec#1"], Failed)
    assert isinstance(bad["unknown-fields"], Failed)
    assert bad["unknown-fields"].pointer == "/spec/lists"
    assert "did you mean" in bad["unknown-fields"].message
    worse = _outcomes(definition, _thing(spec={"n": "x", "list": [1, "y"]}))
    assert isinstance(worse["schema"], Failed)
    assert {worse["schema"].pointer, *(item.pointer for item in worse["schema"].more)} == {"/spec/n", "/spec/list/1"}
    assert isinstance(worse["v1.spec#1"], Skipped)


def test_other_groups_and_versions() -> None:
    definition = compile_definition(_definition(_RULED))
    assert set(_outcomes(definition, {**_thing(), "apiVersion": "other.example/v1"}).values()) == {None}
    old = _outcomes(definition, {**_thing(), "apiVersion": "example.com/v0"})
    assert isinstance(old["schema"], Failed)
    assert 'no matches for kind "Thing" in version "example.com/v0"' in old["schema"].message
    unserved = compile_definition(_definition(_RULED, served=False))
    assert isinstance(_outcomes(unserved, _thing())["schema"], Failed)
    assert not is_definition({**_definition(_RULED), "apiVersion": "apiextensions.k8s.io/v1beta1"})


def test_a_pattern_that_is_none_breaks_the_schema_alone() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": "("}}}
    outcome = _outcomes(compile_definition(_definition(schema)), _thing())["schema"]
    assert isinstance(outcome, Broken)
    assert "regular expression" in outcome.error


def _nested(depth: int, leaf: dict[str, Any], **more: Any) -> dict[str, Any]:
    for _ in range(depth):
        leaf = {"type": "object", "properties": {"a": leaf}, **more}
    return leaf


def test_hostile_definitions_are_bounded() -> None:
    with pytest.raises(SpecError, match="nests too deep"):
        read_schema(_nested(MAX_DEPTH + 5, {"type": "string"}), "")
    shared: dict[str, Any] = {"type": "object", "properties": {}}
    for _ in range(MAX_DEPTH // 2):
        shared = {"type": "object", "properties": {"a": shared, "b": shared}}  # as aliases of YAML would have it
    with pytest.raises(SpecError, match="more than"):
        read_schema(shared, "")


@pytest.mark.parametrize("branches", ["anyOf", "oneOf", "allOf"])
def test_deep_schemas_take_no_time(branches: str) -> None:
    """Branches in branches and defaults in defaults: every node is compiled once."""
    leaf: dict[str, Any] = {"required": ["a"]}
    for _ in range(MAX_DEPTH - 5):
        leaf = {branches: [leaf], "properties": {"a": {}}}
    deep = _nested(MAX_DEPTH - 5, {"type": "string", "default": "x"}, default={})
    definition = compile_definition(
        _definition({"type": "object", "properties": {"spec": {"type": "object", **leaf}, "deep": deep}})
    )
    assert not definition.problems()
    value: Any = "x"
    for _ in range(MAX_DEPTH - 5):
        value = {"a": value}
    assert compile_coercion(definition.versions[0].root)(_thing(), None, [])["deep"] == value
    assert not objections(definition.versions[0].judge(_thing(spec={"a": 1}), None))


def test_an_enum_of_many_is_a_look_up() -> None:
    many = [f"word{number}" for number in range(50_000)]
    schema = {"type": "object", "properties": {"list": {"type": "array", "items": {"type": "string", "enum": many}}}}
    definition = compile_definition(_definition(schema))
    assert not objections(definition.versions[0].judge(_thing(list=many), None))


def test_a_deep_object_is_an_outcome() -> None:
    value: Any = {}
    for _ in range(5_000):
        value = {"a": value}
    schema = {"type": "object", "properties": {"spec": {"x-kubernetes-preserve-unknown-fields": True}}}
    outcome = _outcomes(compile_definition(_definition(schema)), _thing(spec=value))["schema"]
    assert isinstance(outcome, Passed | Broken)


# laws

_TYPES = ("object", "array", "string", "integer", "number", "boolean")
_TEXT = st.text(st.characters(exclude_categories=()), max_size=4)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXT,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from("abc") | _TEXT, below, max_size=3),
    max_leaves=8,
)


def _schemas() -> st.SearchStrategy[dict[str, Any]]:
    plain = st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(_TYPES),
            "nullable": st.booleans(),
            "format": st.sampled_from(("date", "date-time", "duration", "byte", "uri", "email", "hostname", "int32")),
            "enum": st.lists(_JSON, max_size=3),
            "default": _JSON,
            "pattern": st.sampled_from(("^a", "[0-9]+", "é")),
            **dict.fromkeys(("maxLength", "minLength", "maxItems", "minItems", "maxProperties"), st.integers(0, 3)),
            **dict.fromkeys(("maximum", "minimum", "multipleOf"), st.floats(-3, 3)),
            **dict.fromkeys(("exclusiveMaximum", "uniqueItems"), st.booleans()),
            "required": st.lists(st.sampled_from("abc"), max_size=2),
            "x-kubernetes-int-or-string": st.booleans(),
            "x-kubernetes-preserve-unknown-fields": st.booleans(),
            "x-kubernetes-embedded-resource": st.booleans(),
            "x-kubernetes-list-type": st.sampled_from(("set", "map", "atomic")),
            "x-kubernetes-list-map-keys": st.just(["a", "b"]),
        },
    )

    def above(below: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
        parts = st.fixed_dictionaries(
            {},
            optional={
                "properties": st.dictionaries(st.sampled_from(("a", "b", "c", "a.b")), below, max_size=3),
                "additionalProperties": below,
                "items": below,
                **dict.fromkeys(("anyOf", "oneOf", "allOf"), st.lists(below, max_size=2)),
                "not": below,
            },
        )
        return st.tuples(plain, parts).map(lambda pair: {**pair[0], **pair[1]})

    return st.recursive(plain, above, max_leaves=8)


@examples(150)
@given(_schemas(), _JSON, st.none() | _JSON)
def test_whatever_comes_there_is_a_judgement(schema: dict[str, Any], value: Any, old: Any) -> None:
    """No schema and no object make the judge raise; what it says can be written down."""
    root = {
        "type": "object",
        "properties": {"spec": {**schema, "x-kubernetes-validations": [{"rule": "self == self"}]}},
    }
    definition = compile_definition(_definition(root))
    judged = definition.versions[0].judge(_thing(spec=value), None if old is None else _thing(spec=old))
    for item in objections(judged):
        assert re.match(r".+: \w", str(item), re.DOTALL)


@examples(150)
@given(_schemas(), _JSON.filter(lambda value: value is not None))
def test_a_branch_holds_where_its_schema_does(schema: dict[str, Any], value: Any) -> None:
    """`anyOf`, `oneOf` and `allOf` with one branch hold just where that does, and `not` where it does not.

    Null is left out: the server asks no branch of it.
    """
    named = {key: item for key, item in schema.items() if key not in ("x-kubernetes-list-type", "default")}
    keeps = {"x-kubernetes-preserve-unknown-fields": True}
    holds = {}
    for word in ("", "anyOf", "oneOf", "allOf", "not"):
        spec = {**keeps, word: named if word == "not" else [named]} if word else {**keeps, **named}
        held = read_schema(spec, "")
        found: list[Any] = []
        _check(held)(value, None, found)
        holds[word] = not found
    assert holds["anyOf"] == holds["oneOf"] == holds["allOf"] == holds[""] != holds["not"]


def _check(root: Any) -> Any:
    from bartizan.engines.policy.dialects.kubernetes.crd.emit import compile_checks

    return compile_checks(root, "law", paired=False).check


@pytest.mark.parametrize("document", _DEFINITIONS, ids=lambda document: document["metadata"]["name"].partition(".")[0])
def test_an_object_with_its_defaults_is_as_good(document: dict[str, Any]) -> None:
    """What the server would keep of an object is judged as the object is, and nothing more is made of it."""
    definition = compile_definition(document)
    version = definition.versions[0]
    coerce = compile_coercion(version.root)
    chance = Random(document["metadata"]["name"])
    api = {"apiVersion": f"{definition.group}/v1", "kind": definition.kind}
    for _ in range(150):
        made = random_value(chance, version.root)
        body = {**(made if isinstance(made, dict) else {}), **api, "metadata": {"name": "one"}}
        unknown: list[Any] = []
        kept = coerce(body, None, unknown)
        again: list[Any] = []
        assert coerce(kept, None, again) == kept
        assert not again
        first, second = version.judge(body, None), version.judge(kept, None)
        assert {str(item) for item in objections(first)} == {str(item) for item in objections(second)}
        unchanged = version.judge(body, body)
        assert not [item for item in unchanged.problems if item.field.startswith("spec") and "Duplicate" in item.body]
