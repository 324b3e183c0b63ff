"""Global context entries, and the world of given objects that answers for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.conformance import ROOT

from bartizan.app.ambient import ambient
from bartizan.app.given_world import GivenWorld
from bartizan.app.global_context import GlobalContext
from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno import expression_compiler
from bartizan.engines.policy.dialects.kyverno.global_context import GlobalEntry, compile_entry
from bartizan.engines.policy.lookup import ApiQuestion, ConfigMapQuestion, GlobalQuestion, LookupFailedError
from bartizan.model.resource import resource_from

if TYPE_CHECKING:
    from bartizan.base.json import Json
    from bartizan.engines.policy.lookup import Question

CASES = yaml.safe_load((ROOT / "tests" / "cases" / "kyverno" / "global_context.yaml").read_text())
_WORLD = GivenWorld(lambda: map(resource_from, CASES["objects"]))


class Counting:
    """A world that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[Question] = []

    def answer(self, question: Question) -> Json:
        """What the given objects answer."""
        self.asked.append(question)
        return _WORLD.answer(question)


def _entry(spec: dict[str, Any]) -> GlobalEntry:
    document = {"apiVersion": "kyverno.io/v2beta1", "kind": "GlobalContextEntry", "metadata": {"name": "maps"}}
    return compile_entry({**document, "spec": spec}, expression_compiler(ambient()))


@pytest.mark.parametrize("case", CASES["entries"], ids=[case["case"] for case in CASES["entries"]])
def test_entry(case: dict[str, Any]) -> None:
    world = GlobalContext(_WORLD, [_entry(case["entry"])] if "entry" in case else [])
    if "says" in case:
        with pytest.raises(LookupFailedError, match=case["says"]):
            world.answer(GlobalQuestion(case["reads"]))
    else:
        assert world.answer(GlobalQuestion(case["reads"])) == case["gives"]


@pytest.mark.parametrize("case", CASES["refused"], ids=[case["case"] for case in CASES["refused"]])
def test_entry_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(SpecError, match=case["says"]) as error:
        _entry(case["entry"])
    assert error.value.pointer == case["at"]
    assert error.value.hint


def test_an_entry_is_asked_for_once() -> None:
    """However many policies read it or its parts, and also where there is no answer."""
    inner = Counting()
    spec = {"version": "v1", "resource": "configmaps"}
    world = GlobalContext(
        inner, [_entry({"kubernetesResource": spec, "projections": [{"name": "n", "jmesPath": "length(@)"}]})]
    )
    for _ in range(3):
        assert world.answer(GlobalQuestion("maps.n")) == 2
        assert len(world.answer(GlobalQuestion("maps"))) == 2
        with pytest.raises(LookupFailedError):
            world.answer(GlobalQuestion("none.x"))
    assert [question for question in inner.asked if "configmaps" in str(question)] == [
        ApiQuestion("/api/v1/configmaps")
    ]
    assert len(inner.asked) == 2


PATHS = [
    ("a list", "/api/v1/configmaps", ["a", "b"]),
    ("a list of a namespace", "/api/v1/namespaces/shop/configmaps", ["a"]),
    ("a label", "/api/v1/configmaps?labelSelector=app=web", ["a"]),
    ("a label that is not", "/api/v1/configmaps?labelSelector=app!=web", ["b"]),
    ("a label that is there", "/api/v1/configmaps?labelSelector=app", ["a"]),
    ("a label that is absent", "/api/v1/configmaps?labelSelector=!app", ["b"]),
    ("a label among several", "/api/v1/configmaps?labelSelector=app+in+(api,web)", ["a"]),
    ("a label not among several", "/api/v1/configmaps?labelSelector=app+notin+(api,web)", ["b"]),
    ("two requirements", "/api/v1/configmaps?labelSelector=app,app!=web", []),
    ("a field", "/api/v1/configmaps?fieldSelector=metadata.name=b", ["b"]),
    ("a list of a group", "/apis/networking.k8s.io/v1/ingresses", ["i"]),
]


@pytest.mark.parametrize(("name", "path", "names"), PATHS, ids=[case[0] for case in PATHS])
def test_paths_of_given_objects(name: str, path: str, names: list[str]) -> None:
    del name
    listed = _WORLD.answer(ApiQuestion(path))
    assert [item["metadata"]["name"] for item in listed["items"]] == names


UNKNOWN: list[tuple[str, Question]] = [
    ("a kind that was not given", ApiQuestion("/api/v1/secrets")),
    ("an object that was not given", ApiQuestion("/api/v1/namespaces/shop/configmaps/none")),
    ("a ConfigMap that was not given", ConfigMapQuestion("shop", "none")),
    ("a subresource", ApiQuestion("/api/v1/namespaces/shop/configmaps/a/status")),
    ("a question that must be posted", ApiQuestion("/api/v1/configmaps", "POST")),
    ("a field that is not every kind's", ApiQuestion("/api/v1/configmaps?fieldSelector=spec.nodeName=x")),
    ("a malformed selector", ApiQuestion("/api/v1/configmaps?labelSelector=a%20b")),
    ("a service", ApiQuestion("https://service.example/")),
    ("no path of the API", ApiQuestion("/version")),
]


@pytest.mark.parametrize(("name", "question"), UNKNOWN, ids=[case[0] for case in UNKNOWN])
def test_what_was_not_given_is_unknown(name: str, question: Question) -> None:
    del name
    with pytest.raises(LookupFailedError):
        _WORLD.answer(question)


def test_what_is_a_whole_world_has_empty_lists() -> None:
    """A test's world is all there is."""
    world = GivenWorld(lambda: map(resource_from, CASES["objects"]), is_whole=True)
    assert world.answer(ApiQuestion("/api/v1/secrets"))["items"] == []
