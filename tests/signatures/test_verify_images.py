"""`verifyImages` on signatures made here: once on recorded answers, once on a real registry."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.registry.fixtures import registry_server  # noqa: F401 (a fixture)
from tests.signatures.cast import cast
from tests.signatures.shelf import Recorded

from bartizan.app.ambient import ambient
from bartizan.app.images.registry import RegistryLookup
from bartizan.base.image import parse_image
from bartizan.engines.policy.dialects.kyverno import compile_policy, expression_compiler
from bartizan.engines.policy.lookup import TrustQuestion
from bartizan.model.outcome import Broken, Failed, Passed, Skipped
from bartizan.model.request import Request
from bartizan.model.resource import resource_from
from bartizan.sources.registry import Registry

if TYPE_CHECKING:
    from tests.registry.start import RegistryServer

    from bartizan.base.json import Json
    from bartizan.engines.policy.lookup import Lookup, Question
    from bartizan.model.outcome import Outcome

FOLDER = Path(__file__).parents[1] / "cases" / "verify_images"
CASES = [
    pytest.param(case, id=f"{path.stem}: {case['note']}")
    for path in sorted(FOLDER.glob("*.yaml"))
    for case in yaml.safe_load(path.read_text())
]
NAMES = {Passed: "pass", Failed: "fail", Skipped: "skip", Broken: "error", type(None): "none"}


def pod(image: str, **more: Any) -> dict[str, Any]:
    """A pod with one container."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "app", "namespace": "default", **more},
        "spec": {"containers": [{"name": "app", "image": image}]},
    }


def judge(entry: dict[str, Any], body: dict[str, Any], lookup: Lookup, **request: Any) -> Outcome | None:
    """What a policy of one entry says of a resource."""
    entry = {"imageReferences": ["*"], **entry}
    policy = compile_policy(
        {
            "apiVersion": "kyverno.io/v1",
            "kind": "ClusterPolicy",
            "metadata": {"name": "signed"},
            "spec": {
                "rules": [
                    {
                        "name": "check",
                        "match": {"any": [{"resources": {"kinds": ["Pod"]}}]},
                        "verifyImages": [{key: value for key, value in entry.items() if value is not None}],
                    }
                ]
            },
        },
        expression_compiler(ambient()),
    )
    assert not policy.problems, policy.problems
    rule = next(rule for rule in policy.rules if rule.kinds is None or body["kind"] in rule.kinds)
    return rule.run(Request(resource=resource_from(body), **request), lookup)


def check(outcome: Outcome | None, want: str) -> None:
    """Compare an outcome with a case's words."""
    result, _, words = want.partition(": ")
    said = getattr(outcome, "message", None) or getattr(outcome, "error", None) or getattr(outcome, "because", "")
    assert NAMES[type(outcome)] == result, said
    assert words in str(said)
    if isinstance(outcome, Failed):
        assert outcome.pointer == "/spec/containers/0/image"


def secrets_of(case: dict[str, Any]) -> dict[str, Json]:
    """The Secrets of a case, by their address."""
    found: dict[str, Json] = {}
    for name, text in cast().fill(case.get("secrets", {})).items():
        namespace, _, own = name.partition("/")
        data = {"cosign.pub": b64encode(text.encode()).decode()}
        found[f"/api/v1/namespaces/{namespace}/secrets/{own}"] = {"kind": "Secret", "data": data}
    return found


def recorded(case: dict[str, Any]) -> Recorded:
    """The lookup of a case."""
    trust = cast().sigstore.trusted_root() if case.get("trust", True) else None
    return Recorded(cast().shelf(case["holds"]), trust, secrets_of(case))


@pytest.mark.parametrize("case", CASES)
def test_case_gets_its_verdict(case: dict[str, Any]) -> None:
    lookup = recorded(case)
    digest = lookup.shelf.image.digest
    image = f"registry.example.com/app@{digest}" if case.get("by_digest") else "registry.example.com/app:v1"
    check(judge(cast().fill(case["entry"]), pod(image), lookup), case["want"])


class _Trusting:
    """A real registry, with the trust and the Secrets of a case."""

    def __init__(self, registry: RegistryLookup, case: Recorded) -> None:
        self._registry = registry
        self._case = case

    def answer(self, question: Question) -> Json:
        """The answer, as the engine's `Lookup` has it."""
        if isinstance(question, TrustQuestion):
            return self._case.answer(question)
        return self._registry.answer(question)


@pytest.mark.parametrize("case", CASES)
def test_real_registry_gets_the_same_verdict(
    case: dict[str, Any],
    registry_server: RegistryServer,  # noqa: F811 (the fixture)
    request: pytest.FixtureRequest,
) -> None:
    lookup = recorded(case)
    repository = f"case-{abs(hash(request.node.nodeid)) % 10**9}/app"
    lookup.shelf.push(registry_server.pusher, repository)
    place = f"{registry_server.host}/{repository}"
    image = f"{place}@{lookup.shelf.image.digest}" if case.get("by_digest") else f"{place}:v1"
    with Registry() as registry:
        real = _Trusting(RegistryLookup(lookup, lambda: registry), lookup)
        outcome = judge(cast().fill(case["entry"]), pod(image), real)
    check(outcome, case["want"])
    if isinstance(outcome, Passed) and outcome.changes:
        after = outcome.changes[0].after
        assert after is not None
        pinned = parse_image(after["spec"]["containers"][0]["image"])
        assert pinned is not None
        assert pinned.digest == lookup.shelf.image.digest
