"""What needs no registry: challenges, credentials, places, digests, answers that are had once."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bartizan.base.errors import SourceError, SpecError
from bartizan.base.image import parse_image
from bartizan.sources.registry import Keychain, Once, UntrueError, locate, read_docker_config, read_pull_secret
from bartizan.sources.registry.address import schemes
from bartizan.sources.registry.challenge import parse_challenges
from bartizan.sources.registry.credentials import find_credential
from bartizan.sources.registry.descriptor import read_manifest
from bartizan.sources.registry.digest import check, digest_of, is_digest, referrers_tag

FOLDER = Path(__file__).parents[2] / "cases" / "registry"


def cases(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    return found


@pytest.mark.parametrize("case", cases("challenges"), ids=lambda case: repr(case["header"])[:60])
def test_challenge(case: dict[str, Any]) -> None:
    assert [[*found] for found in parse_challenges(case["header"])] == case["challenges"]


@given(st.text(alphabet='aZ=,"\\ \t;:/é', max_size=200))
def test_every_header_is_read_somehow(header: str) -> None:
    """A registry can send anything; what cannot be read is left out."""
    for scheme, parameters in parse_challenges(header):
        assert scheme == scheme.lower()
        assert all(name == name.lower() for name in parameters)


@pytest.mark.parametrize("text", ["a" * 100_000, 'a="' * 30_000, "a(" * 50_000, '"\\' * 50_000, "a " * 50_000])
def test_a_long_header_is_read_in_time(text: str) -> None:
    started = time.monotonic()
    parse_challenges(text)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("case", cases("credentials"), ids=lambda case: case["name"])
def test_credential(case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(SpecError) as caught:
            read_docker_config(case["document"], "document", runs_helpers=True)
        assert caught.value.message == case["error"]
        assert caught.value.hint
        return
    image = parse_image(case["at"])
    assert image is not None
    found = find_credential(read_docker_config(case["document"], "document", runs_helpers=True), locate(image))
    assert (found.username if found else None) == case.get("user")
    if found and "password" in case:
        assert found.password == case["password"]
    secret = base64.b64encode(json.dumps(case["document"]).encode()).decode()
    chain = read_pull_secret({"metadata": {"name": "pull"}, "data": {".dockerconfigjson": secret}})
    assert find_credential(chain, locate(image)) == found


def test_a_secret_runs_no_programs() -> None:
    """Whoever may write a Secret must not thereby run programs where we run."""
    document = {"credHelpers": {"registry.example": "evil"}, "credsStore": "evil", "auths": {}}
    secret = {"data": {".dockerconfigjson": base64.b64encode(json.dumps(document).encode()).decode()}}
    assert read_pull_secret(secret) == Keychain()


@pytest.mark.parametrize(
    ("secret", "says"),
    [
        ({}, "Secret `` has no credentials of registries"),
        ({"metadata": {"name": "a"}, "data": {"password": "eA=="}}, "Secret `a` has no credentials of registries"),
        ({"metadata": {"name": "a"}, "data": {".dockerconfigjson": "!"}}, "Secret `a`: `.dockerconfigjson` cannot be"),
        ({"metadata": {"name": "a"}, "data": {".dockerconfigjson": "ew=="}}, "Secret `a`: `.dockerconfigjson` cannot"),
        ({"metadata": {"name": "a"}, "data": {".dockercfg": "W10="}}, "Secret `a` is no JSON object"),
    ],
    ids=["nothing", "another secret", "what is not base64", "what is not JSON", "what is no object"],
)
def test_a_secret_of_another_kind(secret: dict[str, Any], says: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_pull_secret(secret)
    assert caught.value.message.startswith(says)


@pytest.mark.parametrize("name", ["", "../../bin/sh", "a b", "a;b", "é"])
def test_a_helper_with_a_name_that_is_none(name: str) -> None:
    image = parse_image("registry.example/app")
    assert image is not None
    with pytest.raises(SourceError, match="is no name of a credential helper"):
        find_credential(Keychain(helpers=(("registry.example", name),)), locate(image))


@pytest.mark.parametrize("case", cases("places"), ids=lambda case: f"{case['image']} {case.get('insecure', '')}")
def test_place(case: dict[str, Any]) -> None:
    image = parse_image(case["image"])
    assert image is not None
    assert locate(image) == (case["host"], case["repository"])
    assert [*schemes(case["host"], insecure=case.get("insecure", False))] == case["schemes"]


@given(st.binary(max_size=200), st.sampled_from(["sha256", "sha384", "sha512"]))
def test_a_digest_is_of_its_bytes_only(content: bytes, algorithm: str) -> None:
    """The digest of bytes holds for them, and for no others."""
    digest = digest_of(content, algorithm)
    assert is_digest(digest)
    assert digest == f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"
    check(content, digest, "it")
    with pytest.raises(UntrueError, match="was asked for"):
        check(content + b"x", digest, "it")


def test_the_tag_of_referrers() -> None:
    """Source: OCI distribution specification 1.1, whose example of a long digest this is a like of."""
    assert referrers_tag("sha256:" + "ab" * 32) == "sha256-" + "ab" * 32
    assert referrers_tag("sha512:" + "ab" * 64) == "sha512-" + "ab" * 32


@given(st.recursive(st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=9), st.lists, max_leaves=9))
def test_a_manifest_of_any_shape_is_read_or_refused(value: Any) -> None:
    """Whatever a registry has at the places we look at, it is no bug of ours."""
    for name in ("manifests", "layers", "config", "subject", "annotations", "artifactType", "mediaType"):
        content = json.dumps({"schemaVersion": 2, name: value}).encode()
        try:
            found = read_manifest(content, "", "it")
            _ = (found.descriptor, found.manifests, found.layers, found.config, found.subject, found.annotations)
        except UntrueError as error:
            assert error.hint  # noqa: PT017 (any of the lines above may raise it, and need not)


def test_what_is_had_once_is_bounded() -> None:
    """The oldest goes first, and is had again when it is asked for."""
    made: list[int] = []

    def make(number: int) -> int:
        made.append(number)
        return number

    once: Once[int] = Once(3)
    for number in (1, 2, 3, 1, 4, 1):
        assert once.get(number, lambda number=number: make(number)) == number  # type: ignore[misc]
    assert made == [1, 2, 3, 4, 1]


def test_a_bug_is_not_kept() -> None:
    once: Once[int] = Once(3)
    with pytest.raises(ZeroDivisionError):
        once.get("a", lambda: 1 // 0)
    assert once.get("a", lambda: 7) == 7


def test_a_failure_is_kept() -> None:
    once: Once[int] = Once(3)

    def fail() -> int:
        raise SourceError("gone")

    for _ in range(2):
        with pytest.raises(SourceError, match="gone"):
            once.get("a", fail)
    with pytest.raises(SourceError, match="gone"):
        once.get("a", lambda: 7)
