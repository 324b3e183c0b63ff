"""Image policies that are wrong, or made to do harm: a clear error with its place, in bounded time."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.signatures.cast import cast
from tests.signatures.shelf import Recorded
from tests.signatures.test_image_policies import compiled, judged, policy_of, said, steps_of
from tests.signatures.test_verify_images import pod, recorded

from bartizan.app.images.trusted_root import VARIABLE, trusted_root
from bartizan.base.errors import SourceError, SpecError
from bartizan.engines.policy.dialects.kyverno.cel.images.globs import compile_glob
from bartizan.model.resource import resource_from

if TYPE_CHECKING:
    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.lookup import Question

REFUSED = yaml.safe_load((Path(__file__).parents[1] / "cases" / "image_policies_refused.yaml").read_text())


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["note"])
def test_a_policy_that_makes_no_sense_is_refused_with_its_place(case: JsonObject) -> None:
    with pytest.raises(SpecError) as caught:
        compiled(policy_of(cast().fill(case["spec"])))
    assert case["says"] in caught.value.message
    assert caught.value.pointer == case["at"]


@pytest.mark.parametrize("pattern", ["{" * 40 + "}" * 40, "*" * 5000, "[a", "[]", "[b-a]", "{a", "[a-"])
def test_a_glob_that_is_none_is_refused(pattern: str) -> None:
    with pytest.raises(SpecError):
        compile_glob(pattern)


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("ghcr.io/*", "ghcr.io/a/b:c", True),
        ("ghcr.io/*", "docker.io/ghcr.io/a", False),
        ("ghcr.io/?", "ghcr.io/", False),
        ("{ghcr.io,docker.io/{a,b*}}/x", "docker.io/bcd/x", True),
        ("{ghcr.io,docker.io/{a,b*}}/x", "docker.io/c/x", False),
        ("a[b-d]", "ac", True),
        ("a[!b-d]", "ac", False),
        ("a[xy.]", "a.", True),
        ("a.b", "axb", False),
        (r"a\*b", "axb", False),
        (r"a\*b", "a*b", True),
        ("a}b,c", "a}b,c", True),
        ("(a|b)+$", "(a|b)+$", True),
        ("*", "two\nlines", True),
    ],
)
def test_globs_mean_what_they_do_at_the_peer(pattern: str, text: str, matches: bool) -> None:
    assert compile_glob(pattern)(text) is matches


def test_a_glob_takes_time_that_grows_as_the_text_does() -> None:
    start = time.perf_counter()
    assert not compile_glob("*a" * 500 + "b")("a" * 20_000)
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize("text", ["a'); import os  #", "{{x}}", "__import__('os')", "\x00", "registry/" + "a" * 5000])
def test_an_image_with_any_text_is_an_outcome(text: str) -> None:
    spec = cast().fill({"attestors": [{"name": "them", "cosign": {"key": {"data": "$alice;"}}}]})
    (step,) = steps_of(list(compiled(policy_of(spec)).rules), resource_from(pod(text)), recorded({"holds": []}))
    assert said(step).startswith(("error", "fail"))


def test_a_resource_with_very_many_images_is_an_error() -> None:
    body = pod("x")
    body["spec"]["containers"] = [{"name": f"a{number}", "image": f"r.example.com/a:{number}"} for number in range(501)]
    rules = list(compiled(policy_of({"validationConfigurations": {}})).rules)
    steps = steps_of(rules, resource_from(body), recorded({"holds": []}))
    assert [said(step).startswith("error") for step in steps] == [True, True]
    assert all("501 images" in said(step) for step in steps)


@pytest.mark.parametrize("containers", [None, "x", {"a": 1}, [1], ["x"], [None], [{"image": 1}], [{"image": ["a"]}]])
def test_containers_of_any_shape_are_an_outcome(containers: Any) -> None:
    body = pod("x")
    body["spec"]["containers"] = containers
    rules = list(compiled(policy_of({"validations": [{"expression": "true"}]})).rules)
    for step in steps_of(rules, resource_from(body), recorded({"holds": []})):
        assert said(step).startswith(("pass", "error"))


class _Changing(Recorded):
    """A registry that gives another image from one question to the next."""

    def answer(self, question: Question) -> Json:
        """The answer, as the engine's `Lookup` has it."""
        answer = super().answer(question)
        if len(self.asked) > 1 and isinstance(answer, dict):
            answer["digest"] = "sha256:" + "0" * 64
        return answer


def test_a_registry_that_changes_its_mind_verifies_nothing() -> None:
    case: JsonObject = {"spec": {"attestors": [_alice()]}, "want": ""}
    lookup = _Changing(cast().shelf([{"signature": {"by": "alice"}}]))
    (step,) = judged(case, "registry.example.com/app:v1", lookup)
    assert said(step) == "fail: not signed"


def _alice() -> JsonObject:
    return {"name": "them", "cosign": {"key": {"data": "$alice;"}, "ctlog": {"insecureIgnoreTlog": True}}}


@pytest.mark.parametrize(
    "answer", [None, [], "x", {}, {"digest": 1}, {"digest": "sha256:x"}, {"digest": "", "layers": 1}]
)
def test_an_answer_of_any_shape_is_no_pass(answer: Json) -> None:
    class _Odd(Recorded):
        def answer(self, question: Question) -> Json:  # noqa: ARG002 (whatever is asked)
            return answer

    (step,) = judged({"spec": {"attestors": [_alice()]}}, "r.example.com/app:v1", _Odd(cast().shelf([])))
    assert said(step).startswith("error")


def test_a_tuf_repository_of_the_policy_is_asked_for_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    keyless = {"identities": [{"subject": "$workflow;"}]}
    them = {"name": "them", "cosign": {"keyless": keyless, "tuf": {"mirror": "https://tuf.example.com"}}}
    lookup = recorded({"holds": [{"signature": {"by": "ci", "logged": True}}]})
    judged({"spec": {"attestors": [them]}}, "registry.example.com/app:v1", lookup)
    assert {getattr(one, "mirror", "") for one in lookup.asked} == {"", "https://tuf.example.com"}
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(SourceError, match=r"no trusted root of `https://tuf\.example\.com`"):
        trusted_root({}, mirror="https://tuf.example.com")
    assert trusted_root({}, mirror="https://tuf-repo-cdn.sigstore.dev/") == trusted_root({})
