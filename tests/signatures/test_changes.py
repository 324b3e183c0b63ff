"""What a verified image does to the resource, and what the world may do to the verifier."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from tests.registry.fixtures import registry_server  # noqa: F401 (a fixture)
from tests.registry.images import INDEX, build_artifact, build_image, describe, encode
from tests.signatures.cast import cast
from tests.signatures.cosign import signature_layer
from tests.signatures.shelf import Recorded, Shelf
from tests.signatures.test_verify_images import judge, pod

from bartizan.app.ambient import ambient
from bartizan.app.images.material import credentials_of
from bartizan.app.images.registry import RegistryLookup
from bartizan.base.errors import SourceError
from bartizan.engines.policy.dialects.kyverno import compile_policy, expression_compiler
from bartizan.engines.policy.lookup import LookupFailedError, Offline, SignaturesQuestion
from bartizan.model.outcome import Broken, Failed, Passed, Skipped
from bartizan.model.request import Request
from bartizan.model.resource import resource_from
from bartizan.sources.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.registry.start import RegistryServer

    from bartizan.base.json import Json
    from bartizan.engines.policy.lookup import Lookup, Question

IMAGE = "registry.example.com/app:v1"
KEY = {"attestors": [{"entries": [{"keys": {"publicKeys": "$alice;", "rekor": {"url": "u", "ignoreTlog": True}}}]}]}


def signed() -> Recorded:
    """An image that alice signed."""
    return Recorded(cast().shelf([{"signature": {"by": "alice"}}]))


def entry(**more: Any) -> dict[str, Any]:
    """An entry that wants her signature."""
    filled: dict[str, Any] = cast().fill(KEY)
    return {**filled, **more}


def test_digest_and_annotations_are_written_and_all_else_is_shared() -> None:
    lookup, body = signed(), pod(IMAGE, labels={"a": "b"})
    before = deepcopy(body)
    outcome = judge(entry(), body, lookup)
    assert isinstance(outcome, Passed)
    (change,) = outcome.changes
    pinned = f"{IMAGE}@{lookup.shelf.image.digest}"
    named = f"registry.example.com/app@{lookup.shelf.image.digest}"
    after = change.after
    assert body == before
    assert change.before is body
    assert after is not None
    assert after["spec"]["containers"] == [{"name": "app", "image": pinned}]
    assert after["metadata"]["labels"] is body["metadata"]["labels"]
    annotations = after["metadata"]["annotations"]
    assert json.loads(annotations["kyverno.io/verify-images"]) == {named: "pass"}
    assert json.loads(annotations["kyverno.io/verify-images-scoped"]) == {
        "version": 1,
        "policies": {"/signed": {"check": {named: "pass"}}},
    }


def test_what_was_verified_is_not_changed_again() -> None:
    lookup = signed()
    first = judge(entry(), pod(IMAGE), lookup)
    assert isinstance(first, Passed)
    after = first.changes[0].after
    assert after is not None
    assert judge(entry(), after, lookup) == Passed(
        f"`registry.example.com/app@{lookup.shelf.image.digest}` is verified"
    )


def test_annotations_of_images_that_are_gone_go() -> None:
    stale = {"kyverno.io/verify-images": '{"registry.example.com/gone@sha256:0":"pass"}'}
    outcome = judge(entry(), pod(IMAGE, annotations=stale), signed())
    assert isinstance(outcome, Passed)
    after = outcome.changes[0].after
    assert after is not None
    assert "gone" not in after["metadata"]["annotations"]["kyverno.io/verify-images"]


def test_an_update_that_leaves_a_verified_image_alone_asks_nobody() -> None:
    lookup = signed()
    first = judge(entry(), pod(IMAGE), lookup)
    assert isinstance(first, Passed)
    old = first.changes[0].after
    assert old is not None
    later = {**old, "metadata": {**old["metadata"], "labels": {"new": "label"}}}
    nobody = Recorded(Shelf())
    outcome = judge(entry(), later, nobody, operation="UPDATE", old=resource_from(old))
    assert isinstance(outcome, Passed)
    assert not [one for one in nobody.asked if isinstance(one, SignaturesQuestion)]


def test_an_update_with_another_image_is_verified_anew() -> None:
    lookup = signed()
    first = judge(entry(), pod(IMAGE), lookup)
    assert isinstance(first, Passed)
    old = first.changes[0].after
    assert old is not None
    later = {**old, "spec": {"containers": [{"name": "app", "image": "registry.example.com/app:v2"}]}}
    outcome = judge(entry(), later, Recorded(Shelf()), operation="UPDATE", old=resource_from(old))
    assert isinstance(outcome, Failed)


def test_deletions_are_left_alone() -> None:
    assert judge(entry(), pod(IMAGE), Offline(), operation="DELETE") is None


def test_a_registry_that_cannot_be_had_is_never_a_pass() -> None:
    for more in ({}, {"required": False}, {"verifyDigest": False}, {"type": "SigstoreBundle"}):
        outcome = judge(entry(**more), pod(IMAGE), Offline())
        assert isinstance(outcome, Broken)
        assert "nothing to ask for the" in outcome.error


def test_a_digest_that_cannot_be_had_is_never_a_pass() -> None:
    outcome = judge({"required": False}, pod(IMAGE), Offline())
    assert isinstance(outcome, Broken)


class _Lying:
    """A registry that changes its answers."""

    def __init__(self, change: Callable[[SignaturesQuestion, dict[str, Any]], dict[str, Any]]) -> None:
        self._inner = signed()
        self._change = change

    def answer(self, question: Question) -> Json:
        """An answer that is not true."""
        answer = self._inner.answer(question)
        return self._change(question, dict(answer)) if isinstance(question, SignaturesQuestion) else answer


LIES: dict[str, tuple[str, Callable[[SignaturesQuestion, dict[str, Any]], dict[str, Any]]]] = {
    "a digest that is none": ("for a digest", lambda _, answer: {**answer, "digest": "sha256:0"}),
    "no image": ("the registry has no such image", lambda _, __: {"digest": ""}),
    "another image": ("of another image", lambda _, answer: {**answer, "digest": f"sha256:{'0' * 64}"}),
    "no such shape": ("is malformed", lambda _, __: {"digest": 5}),
    "no base64": ("is no base64", lambda _, answer: {**answer, "layers": [{"payload": "*"}]}),
    "thousands": ("at most", lambda _, answer: {**answer, "layers": answer["layers"] * 2000}),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lying_registry_is_refused(lie: str) -> None:
    words, change = LIES[lie]
    outcome = judge(entry(), pod(IMAGE), _Lying(change))
    assert isinstance(outcome, Failed | Broken)
    assert words in (outcome.message if isinstance(outcome, Failed) else outcome.error)


def test_a_registry_that_gives_another_image_for_a_digest_is_refused() -> None:
    image = f"registry.example.com/app@sha256:{'0' * 64}"
    outcome = judge(entry(), pod(image), signed())
    assert isinstance(outcome, Failed)
    assert "where `sha256:000" in outcome.message


def test_a_tag_that_moves_between_two_questions_is_refused() -> None:
    both = {
        **entry(),
        "attestations": [{"type": "t", "attestors": entry()["attestors"]}],
    }

    def change(question: SignaturesQuestion, answer: dict[str, Any]) -> dict[str, Any]:
        return (
            answer
            if question.kind == "signatures"
            else {**answer, "digest": f"sha256:{'1' * 64}", "layers": [{"payload": ""}]}
        )

    outcome = judge(both, pod(IMAGE), _Lying(change))
    assert isinstance(outcome, Failed)
    assert "the registry gave digest" in outcome.message


def test_one_bad_image_among_good_ones_fails_with_its_place() -> None:
    lookup = signed()

    class Two:
        def answer(self, question: Question) -> Json:
            if isinstance(question, SignaturesQuestion) and "other" in question.reference:
                return Recorded(Shelf()).answer(question)
            return lookup.answer(question)

    body = pod(IMAGE)
    body["spec"]["initContainers"] = [{"name": "init", "image": IMAGE}]
    body["spec"]["containers"].append({"name": "two", "image": "registry.example.com/other:v1"})
    outcome = judge(entry(), body, Two())
    assert isinstance(outcome, Failed)
    assert outcome.pointer == "/spec/containers/1/image"
    assert "registry.example.com/other:v1" in outcome.message


def test_an_image_that_is_skipped_beside_one_that_is_verified() -> None:
    body = pod(IMAGE)
    body["spec"]["containers"].append({"name": "two", "image": "registry.example.com/other:v1"})
    outcome = judge(entry(skipImageReferences=["*/other*"], mutateDigest=False, verifyDigest=False), body, signed())
    assert isinstance(outcome, Passed)
    after = outcome.changes[0].after
    assert after is not None
    written = json.loads(after["metadata"]["annotations"]["kyverno.io/verify-images"])
    assert written == {IMAGE: "pass", "registry.example.com/other:v1": "skip"}


def compiled(spec: dict[str, Any], *rules: dict[str, Any]) -> Any:
    """A policy of some rules."""
    made = [{"name": "check", "match": {"any": [{"resources": {"kinds": ["Pod"]}}]}, **rule} for rule in rules]
    document = {
        "apiVersion": "kyverno.io/v1",
        "kind": "ClusterPolicy",
        "metadata": {"name": "signed"},
        "spec": {"rules": made, **spec},
    }
    return compile_policy(document, expression_compiler(ambient()))


def test_pod_controllers_are_verified_and_pinned_where_their_pods_stand() -> None:
    policy = compiled({}, {"verifyImages": [entry(imageReferences=["*"])]})
    assert [rule.info.id.rule for rule in policy.rules] == ["check", "autogen-check", "autogen-cronjob-check"]
    lookup = signed()

    template = {"spec": {"containers": [{"name": "app", "image": IMAGE}]}}
    cases = {
        "Deployment": ("apps/v1", {"template": template}, 1),
        "CronJob": ("batch/v1", {"jobTemplate": {"spec": {"template": template}}}, 2),
    }
    for kind, (version, spec, number) in cases.items():
        body = {"apiVersion": version, "kind": kind, "metadata": {"name": "app"}, "spec": spec}
        rule = policy.rules[number]
        outcome = rule.run(Request(resource=resource_from(body)), lookup)
        assert isinstance(outcome, Passed), outcome
        after = outcome.changes[0].after
        assert after is not None
        text = json.dumps(after)
        assert f"{IMAGE}@{lookup.shelf.image.digest}" in text
        assert rule.info.id.rule in after["metadata"]["annotations"]["kyverno.io/verify-images-scoped"]


def test_images_from_custom_places() -> None:
    rule = {
        "match": {"any": [{"resources": {"kinds": ["Task"]}}]},
        "imageExtractors": {"Task": [{"path": "/spec/steps/*", "name": "steps", "value": "image", "key": "name"}]},
        "verifyImages": [entry(imageReferences=["*"])],
    }
    policy = compiled({}, rule)
    assert not policy.problems

    body = {
        "apiVersion": "tekton.dev/v1",
        "kind": "Task",
        "metadata": {"name": "t"},
        "spec": {"steps": [{"name": "a", "image": IMAGE}]},
    }
    lookup = signed()
    outcome = policy.rules[0].run(Request(resource=resource_from(body)), lookup)
    assert isinstance(outcome, Passed)
    after = outcome.changes[0].after
    assert after is not None
    assert after["spec"]["steps"][0]["image"] == f"{IMAGE}@{lookup.shelf.image.digest}"


PROBLEMS = {
    "no image references": (entry(imageReferences=[]), "needs image references"),
    "no entries": (entry(attestors=[{"entries": []}]), "needs an entry"),
    "two kinds at once": (
        entry(attestors=[{"entries": [{"keys": {"kms": "k"}, "certificates": {"cert": "c"}}]}]),
        "must be of one kind",
    ),
    "no key": (entry(attestors=[{"entries": [{"keys": {}}]}]), "a key is needed"),
    "no certificate": (entry(attestors=[{"entries": [{"certificates": {}}]}]), "a certificate is needed"),
    "a count that cannot be met": (
        entry(attestors=[{"count": 3, "entries": [{"keys": {"kms": "k"}}]}]),
        "`count` is 3",
    ),
    "an unknown algorithm": (
        entry(attestors=[{"entries": [{"keys": {"kms": "k", "signatureAlgorithm": "md5"}}]}]),
        "unknown signature algorithm `md5`",
    ),
    "keys for notary": (entry(type="Notary"), "cannot verify a Notary signature"),
    "keyless without a log": (
        entry(attestors=[{"entries": [{"keyless": {"subject": "s"}}]}]),
        "need a log or roots",
    ),
    "an attestation without a type": (entry(attestations=[{"name": "n"}]), "needs a type"),
    "an unknown field": (entry(atestors=[]), "unknown field `atestors`"),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_an_entry_that_makes_no_sense_is_refused_when_it_is_loaded(name: str) -> None:
    document, words = PROBLEMS[name]
    policy = compiled({}, {"verifyImages": [{"imageReferences": ["*"], **document}]})
    assert [words in str(problem) for problem in policy.problems] == [True], policy.problems
    assert policy.problems[0].pointer.startswith("/spec/rules/0/verifyImages/0")


def test_digests_are_not_pinned_inside_other_text() -> None:
    rule = {
        "imageExtractors": {"Pod": [{"path": "/spec/x", "jmesPath": "trim_prefix(@, 'docker://')"}]},
        "verifyImages": [entry(imageReferences=["*"])],
    }
    assert "cannot be pinned" in str(compiled({}, rule).problems[0])


def test_the_strictest_action_of_the_entries_counts() -> None:

    request = Request(resource=resource_from(pod(IMAGE)))
    audit, enforce = (
        entry(imageReferences=["*"], failureAction="Audit"),
        entry(imageReferences=["*"], failureAction="Enforce"),
    )
    plain = entry(imageReferences=["*"])
    both = compiled({}, {"verifyImages": [audit, enforce]})
    assert both.rules[0].action(request) == "Enforce"
    alone = compiled({"validationFailureAction": "Enforce"}, {"verifyImages": [audit]})
    assert alone.rules[0].action(request) == "Audit"
    default = compiled({"validationFailureAction": "Enforce"}, {"verifyImages": [plain]})
    assert default.rules[0].action(request) == "Enforce"
    assert default.rules[0].does == "verify"


def test_preconditions_and_context_are_as_for_other_rules() -> None:

    keyed = json.loads(
        json.dumps(entry(imageReferences=["*"])).replace(json.dumps(cast().texts()["alice"]), '"{{ key }}"')
    )
    rule = {
        "context": [{"name": "key", "variable": {"value": cast().texts()["alice"]}}],
        "preconditions": {"all": [{"key": "{{ request.object.metadata.name }}", "operator": "Equals", "value": "app"}]},
        "verifyImages": [keyed],
    }
    policy = compiled({}, rule)
    assert not policy.problems
    request = Request(resource=resource_from(pod(IMAGE)))
    assert isinstance(policy.rules[0].run(request, signed()), Passed)
    other = pod(IMAGE)
    other["metadata"]["name"] = "other"
    assert isinstance(policy.rules[0].run(Request(resource=resource_from(other)), signed()), Skipped)


def test_a_registry_is_asked_once_a_run(
    registry_server: RegistryServer,  # noqa: F811 (the fixture)
) -> None:
    shelf = Shelf()
    shelf.signatures.append(signature_layer(shelf.image.digest, cast().signers["alice"]))
    shelf.push(registry_server.pusher, "once/app")
    image = f"{registry_server.host}/once/app:v1"
    with Registry() as registry:
        lookup = RegistryLookup(Offline(), lambda: registry)
        assert isinstance(judge(entry(), pod(image), lookup), Passed)
        registry_server.pusher.push("once/app", "v1", build_image("moved"))
        assert isinstance(judge(entry(), pod(image), lookup), Passed)
    with Registry() as registry:
        later = judge(entry(), pod(image), RegistryLookup(Offline(), lambda: registry))
    assert isinstance(later, Failed)
    assert "the image has no signature" in later.message


def test_a_registry_that_is_down_breaks_the_rule() -> None:
    with Registry() as registry:
        lookup = RegistryLookup(Offline(), lambda: registry)
        outcome = judge(entry(), pod("127.0.0.1:1/app:v1"), lookup)
    assert isinstance(outcome, Broken)
    assert "127.0.0.1:1" in outcome.error


def test_a_lookup_that_fails_for_the_trusted_root_breaks_the_rule() -> None:
    class NoTrust:
        def answer(self, question: Question) -> Json:
            if isinstance(question, SignaturesQuestion):
                return signed().answer(question)
            raise LookupFailedError("no root was given")

    lookup: Lookup = NoTrust()
    wants_log = {"attestors": [{"entries": [{"keys": {"publicKeys": cast().texts()["alice"]}}]}]}
    outcome = judge(wants_log, pod(IMAGE), lookup)
    assert isinstance(outcome, Broken)
    assert "no root was given" in outcome.error
    assert not issubclass(LookupFailedError, SourceError)


def test_signatures_kept_elsewhere_are_found_where_the_policy_says(
    registry_server: RegistryServer,  # noqa: F811 (the fixture)
) -> None:
    shelf = Shelf(build_image("signed elsewhere"))
    layer = signature_layer(shelf.image.digest, cast().signers["alice"])
    registry_server.pusher.push("apart/app", "v1", shelf.image)
    Shelf(shelf.image, signatures=[layer]).push(registry_server.pusher, "apart/signatures")
    image, beside = f"{registry_server.host}/apart/app:v1", f"{registry_server.host}/apart/signatures"
    attestor = {**entry()["attestors"][0]["entries"][0], "repository": beside}
    with Registry() as registry:
        lookup = RegistryLookup(Offline(), lambda: registry)
        assert isinstance(judge(entry(), pod(image), lookup), Failed)
        assert isinstance(judge(entry(repository=beside), pod(image), lookup), Passed)
        assert isinstance(judge({"attestors": [{"entries": [attestor]}]}, pod(image), lookup), Passed)


def test_signatures_that_refer_to_the_image_count_where_the_policy_says(
    registry_server: RegistryServer,  # noqa: F811 (the fixture)
) -> None:
    kind = "application/vnd.dev.cosign.artifact.sig.v1+json"
    built = build_image("signed by a referrer")
    layer = signature_layer(built.digest, cast().signers["alice"])
    simple = "application/vnd.dev.cosign.simplesigning.v1+json"
    described = describe(layer.payload, simple, annotations=layer.annotations)
    artifact = build_artifact(layer.payload, kind, built, layers=[described])
    pusher = registry_server.pusher
    pusher.push("oci11/app", "v1", built)
    pusher.push("oci11/app", "", artifact)
    listed = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [artifact.descriptor(artifactType=kind)]}
    pusher.push_manifest("oci11/app", built.digest.replace(":", "-"), encode(listed), INDEX)
    image = f"{registry_server.host}/oci11/app:v1"
    with Registry() as registry:
        lookup = RegistryLookup(Offline(), lambda: registry)
        assert isinstance(judge(entry(), pod(image), lookup), Failed)
        assert isinstance(judge(entry(cosignOCI11=True), pod(image), lookup), Passed)


def test_pull_secrets_of_the_pod_and_the_rule_are_what_the_registry_is_asked_with() -> None:
    lookup = signed()
    body = pod(IMAGE)
    body["spec"]["imagePullSecrets"] = [{"name": "mine"}]
    credentials = {"secrets": ["other/theirs"], "providers": ["github"], "allowInsecureRegistry": True}
    assert isinstance(judge(entry(imageRegistryCredentials=credentials), body, lookup), Passed)
    asked = {one.access for one in lookup.asked if isinstance(one, SignaturesQuestion)}
    assert [credentials_of(one) for one in asked] == [
        {"secrets": ["other/theirs", "default/mine"], "providers": ["github"], "allowInsecureRegistry": True}
    ]
    lookup = signed()
    assert isinstance(judge(entry(), body, lookup), Passed)
    asked = {one.access for one in lookup.asked if isinstance(one, SignaturesQuestion)}
    assert [credentials_of(one) for one in asked] == [{"secrets": ["default/mine"], "providers": ["default"]}]


@pytest.mark.parametrize("value", [5, "x", [5], ["x"], [[]], [{}], {"a": 1}, [None], [{"keys": 5}], [{"entries": "x"}]])
@pytest.mark.parametrize(
    "field",
    ["attestors", "attestations", "imageReferences", "validate", "annotations", "imageRegistryCredentials", "type"],
)
def test_a_field_of_any_shape_is_a_problem_with_a_place_or_none(field: str, value: Json) -> None:
    policy = compiled({}, {"verifyImages": [{"imageReferences": ["*"], field: value}]})
    for problem in policy.problems:
        assert problem.pointer.startswith("/spec/rules/0/verifyImages")
    manifests = compiled({}, {"validate": {"manifests": {"attestors": value, "ignoreFields": value}}})
    assert all(problem.pointer for problem in manifests.problems)
    extracted = compiled({}, {"imageExtractors": {"Pod": value}, "verifyImages": [entry(imageReferences=["*"])]})
    assert all(problem.pointer for problem in extracted.problems)
    for rule in extracted.rules:
        rule.run(Request(resource=resource_from(pod(IMAGE))), signed())


def test_an_image_that_is_left_empty_is_none() -> None:
    assert judge(entry(), pod(""), Offline()) is None
