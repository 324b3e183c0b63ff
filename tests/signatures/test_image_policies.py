"""ImageValidatingPolicies on signatures made here: once on recorded answers, once on a real registry."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import yaml
from tests.registry.fixtures import registry_server  # noqa: F401 (a fixture)
from tests.signatures.authority import NOW, issue
from tests.signatures.cast import cast
from tests.signatures.notation import jws
from tests.signatures.shelf import Recorded
from tests.signatures.test_verify_images import NAMES, _Trusting, pod, recorded

from bartizan.app.ambient import ambient
from bartizan.app.images.registry import RegistryLookup
from bartizan.engines.policy.chain import run_chain
from bartizan.engines.policy.dialects.kyverno.cel.images import verifier
from bartizan.engines.policy.dialects.kyverno.cel.policy import compile_cel_policy, share_evidence
from bartizan.engines.policy.signatures.cosign import verify_signatures
from bartizan.model.outcome import Failed
from bartizan.model.request import Request
from bartizan.model.resource import payload_from, resource_from
from bartizan.sources.registry import Registry

if TYPE_CHECKING:
    from tests.registry.start import RegistryServer

    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.chain import Step
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.engines.policy.plan import Policy, Rule
    from bartizan.model.resource import Resource

FOLDER = Path(__file__).parents[1] / "cases" / "image_policies"
CASES = [
    pytest.param(case, id=f"{path.stem}: {case['note']}")
    for path in sorted(FOLDER.glob("*.yaml"))
    for case in yaml.safe_load(path.read_text())
]
_PODS = {
    "resourceRules": [
        {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["pods"]}
    ]
}
_SIGNED = {"expression": "images.containers.all(i, verifyImageSignatures(i, [attestors.them]) > 0)"}


def policy_of(spec: JsonObject, name: str = "images", kind: str = "ImageValidatingPolicy") -> JsonObject:
    """A policy about Pods that leaves tags alone and wants `them` to have signed, unless it says otherwise."""
    usual = {
        "matchConstraints": _PODS,
        "validationConfigurations": {"mutateDigest": False, "verifyDigest": False},
        "attestors": [],
        "validations": [{**_SIGNED, "message": "not signed"}],
    }
    metadata = {"name": name, "namespace": "default"} if kind.startswith("Namespaced") else {"name": name}
    made = {key: value for key, value in (usual | spec).items() if value is not None}
    return {"apiVersion": "policies.kyverno.io/v1", "kind": kind, "metadata": metadata, "spec": made}


def compiled(document: JsonObject, exceptions: list[JsonObject] | None = None) -> Policy:
    """A policy, compiled."""
    return compile_cel_policy(document, ambient(), exceptions=exceptions or [])


def steps_of(rules: list[Rule], resource: Resource, lookup: Lookup, **more: Any) -> list[Step]:
    """What some rules say of a resource, in the order of admission."""
    share_evidence(rules)
    made: dict[int, Request] = {}

    def request_for(_rule: Rule, now: Resource) -> Request:
        return made.setdefault(id(now), Request(resource=now, **more))

    return run_chain(rules, resource, request_for, lookup)


def said(step: Step) -> str:
    """A step as cases write it: the outcome's word, and what it says."""
    outcome = step.outcome
    text = getattr(outcome, "message", None) or getattr(outcome, "error", None) or getattr(outcome, "because", "")
    return f"{NAMES[type(outcome)]}: {text}"


def judged(case: JsonObject, image: str, lookup: Lookup) -> list[Step]:
    """What the policies of a case say of its resource."""
    filled = cast().fill({key: case[key] for key in ("spec", "more", "exceptions", "body") if key in case})
    specs = [filled.get("spec", {}), *filled.get("more", [])]
    kind = case.get("kind", "ImageValidatingPolicy")
    exceptions = [_exception(one) for one in filled.get("exceptions", [])]
    rules: list[Rule] = []
    for index, spec in enumerate(specs):
        rules += compiled(policy_of(spec, f"images-{index}" if index else "images", kind), exceptions).rules
    body = _named(filled.get("body") or pod(image), image)
    request = dict(case.get("request", {}))
    if "payload" in request:
        return steps_of(rules, payload_from(body, "payload"), lookup, **request)
    return steps_of(rules, resource_from(body), lookup, **request)


def _exception(spec: JsonObject) -> JsonObject:
    refs = [{"name": "images", "kind": "ImageValidatingPolicy"}]
    metadata = {"name": "lifted", "namespace": "default"}
    return {
        "apiVersion": "policies.kyverno.io/v1",
        "kind": "PolicyException",
        "metadata": metadata,
        "spec": {"policyRefs": refs, **spec},
    }


def _named(body: Any, image: str) -> Any:
    """A body with the case's image in place of its name."""
    return msgspec.json.decode(msgspec.json.encode(body).decode().replace("@image;", image))


def check(steps: list[Step], case: JsonObject, image: str) -> None:
    """Compare with what the case wants: a word and a part of what is said, for each rule that answers."""
    wanted = case["want"] if isinstance(case["want"], list) else [case["want"]]
    found = [said(step) for step in steps]
    assert len(found) == len([one for one in wanted if one != "none"]), found
    for step, text, want in zip(steps, found, wanted, strict=False):
        word, _, words = str(want).partition(": ")
        assert text.startswith(word), text
        assert words.replace("@image;", image) in text, text
        if "why" in case and isinstance(step.outcome, Failed):
            assert case["why"] in str(step.outcome.evidence)
            assert step.outcome.pointer == case.get("at", "/spec/containers/0/image")
    if "after" in case:
        after = steps[-1].resource.body
        assert [one["image"] for one in after["spec"]["containers"]] == [
            _filled(one, image, case) for one in case["after"]
        ]


def _filled(text: str, image: str, case: JsonObject) -> str:
    digest = cast().shelf(case["holds"]).image.digest
    return text.replace("@image;", image).replace("@digest;", digest)


@pytest.mark.parametrize("case", CASES)
def test_case_gets_its_verdict(case: JsonObject) -> None:
    lookup = recorded({"holds": [], **case})
    digest = lookup.shelf.image.digest
    image = f"registry.example.com/app@{digest}" if case.get("by_digest") else "registry.example.com/app:v1"
    check(judged(case, image, lookup), case, image)
    if "asks" in case:
        assert [getattr(one, "kind", type(one).__name__) for one in lookup.asked] == case["asks"]


@pytest.mark.parametrize("case", [one for one in CASES if "asks" not in one.values[0] and one.values[0].get("holds")])
def test_real_registry_gets_the_same_verdict(
    case: JsonObject,
    registry_server: RegistryServer,  # noqa: F811 (the fixture)
    request: pytest.FixtureRequest,
) -> None:
    lookup = recorded(case)
    repository = f"policy-{abs(hash(request.node.nodeid)) % 10**9}/app"
    lookup.shelf.push(registry_server.pusher, repository)
    place = f"{registry_server.host}/{repository}"
    image = f"{place}@{lookup.shelf.image.digest}" if case.get("by_digest") else f"{place}:v1"
    with Registry() as registry:
        steps = judged(case, image, _Trusting(RegistryLookup(lookup, lambda: registry), lookup))
    check(steps, case, image)


_ALICE = {
    "attestors": [{"name": "them", "cosign": {"key": {"data": "$alice;"}, "ctlog": {"insecureIgnoreTlog": True}}}]
}


def test_what_was_verified_is_verified_again_once_the_registry_holds_something_else() -> None:
    rules = list(compiled(policy_of(cast().fill(_ALICE))).rules)
    resource = resource_from(pod("registry.example.com/app:v1"))
    said_of = {"alice": "pass: ", "bob": "fail: not signed"}
    for signer in ("alice", "bob", "alice", "alice", "bob"):
        lookup = recorded({"holds": [{"signature": {"by": signer}}]})
        assert [said(step) for step in steps_of(rules, resource, lookup)] == [said_of[signer]]


def test_what_was_verified_is_not_believed_for_long() -> None:
    clock = [NOW]
    signer = issue("short", cast().company, start=NOW - timedelta(hours=1), end=NOW + timedelta(hours=1))
    shelf = cast().shelf([])
    target = {key: shelf.target[key] for key in ("mediaType", "digest", "size")}
    shelf.envelopes.append(("application/jose+json", jws(target, signer)))
    spec = {"attestors": [{"name": "them", "notary": {"certs": {"value": cast().texts()["company"]}}}]}
    rules = list(compile_cel_policy(policy_of(spec), ambient()._replace(now=lambda: clock[0])).rules)
    resource, lookup = resource_from(pod("registry.example.com/app:v1")), Recorded(shelf)
    for minutes, want in ((0, "pass"), (0.5, "pass"), (59, "pass"), (61, "fail"), (59, "pass")):
        clock[0] = NOW + timedelta(minutes=minutes)
        assert [said(step).partition(":")[0] for step in steps_of(rules, resource, lookup)] == [want]


def test_signatures_are_checked_once_for_all_pods_of_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []

    def counted(layers: Any, digest: str, demand: Any) -> Any:
        checked.append(digest)
        return verify_signatures(layers, digest, demand)

    monkeypatch.setattr(verifier, "verify_signatures", counted)
    rules = list(compiled(policy_of(cast().fill(_ALICE))).rules)
    lookup = recorded({"holds": [{"signature": {"by": "alice"}}]})
    for number in range(20):
        resource = resource_from(pod("registry.example.com/app:v1", uid=str(number)))
        assert [said(step) for step in steps_of(rules, resource, lookup)] == ["pass: "]
    assert len(checked) == 1


def test_the_policy_of_the_page_compiles() -> None:
    page = (FOLDER.parents[2] / "docs/how-to/image-policies.md").read_text()
    (text,) = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    policy = compiled(yaml.safe_load(text))
    assert {rule.does for rule in policy.rules} == {"mutate", "verify"}
    assert policy.problems == ()
