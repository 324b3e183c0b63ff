"""Registries that lie, drip, break off, answer with pages and send us away: a clear error, in time."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.registry.hostile import Hostile, filled

from bartizan.base.errors import SourceError
from bartizan.base.image import Image, parse_image
from bartizan.sources.registry import Credential, Keychain, Registry, Settings

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases" / "registry" / "hostile.yaml").read_text())
_SLACK_S = 5
"""What a loaded machine may take beyond the bound; without one the cases would take half a minute and more."""


def ask(registry: Registry, host: str, question: str) -> str:
    """Ask what a case asks; the digests, or the names, that are answered."""
    verb, name, *digest = filled(question).split()
    image = named(host, name)
    match verb:
        case "resolve":
            return registry.resolve(image).digest
        case "image":
            return registry.image(image)[1].digest
        case "manifest":
            return registry.manifest(image, *digest).digest
        case "blob":
            return registry.blob(image, *digest).decode()
        case "referrers":
            return " ".join(item.digest for item in registry.referrers(image, *digest))
        case _:
            return " ".join(registry.tags(image))


def named(host: str, name: str) -> Image:
    found = parse_image(f"{host}/{name}")
    assert found is not None
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_hostile(case: dict[str, Any]) -> None:
    answers = {filled(path): answer for path, answer in case["answers"].items()}
    with Hostile(answers) as server, Registry(Settings(total_s=case.get("within_s", 30))) as registry:
        server.words["$host"] = server.host
        started = time.monotonic()
        if "answer" in case:
            assert ask(registry, server.host, case["ask"]) == filled(case["answer"])
        else:
            with pytest.raises(SourceError) as caught:
                ask(registry, server.host, case["ask"])
            assert type(caught.value).__name__ == case["error"]
            assert caught.value.message.replace(server.host, "HOST") == filled(case["says"])
            assert caught.value.hint.endswith((".", "?"))
        assert time.monotonic() - started < case.get("within_s", 5) + _SLACK_S


def test_another_host_is_not_told_who_we_are() -> None:
    """A blob's storage elsewhere gets no `Authorization`; the registry does."""
    with Hostile({filled("/$config"): {"send": "config"}}) as storage:
        target = {"status": 307, "headers": {"Location": f"http://{storage.host}/$config"}}
        challenge = {"status": 401, "headers": {"WWW-Authenticate": 'Basic realm="x"'}}
        with Hostile({filled("/v2/app/blobs/$config"): [challenge, target]}) as server:
            keychain = Keychain(((server.host, Credential("warden", "secret")),))
            with Registry(Settings((keychain,))) as registry:
                content = registry.blob(named(server.host, "app"), filled("$config"))
    assert content.startswith(b'{"architecture"')
    assert [bool(asked.authorization) for asked in server.asked] == [False, False, True]
    assert [asked.authorization for asked in storage.asked] == [""]


def test_a_password_is_not_sent_unless_it_is_asked_for() -> None:
    with Hostile({"/v2/app/manifests/v1": {"send": "image"}}) as server:
        keychain = Keychain(((server.host, Credential("warden", "secret")),))
        with Registry(Settings((keychain,))) as registry:
            registry.resolve(named(server.host, "app:v1"))
    assert {asked.authorization for asked in server.asked} == {""}


def test_a_registry_that_stays_silent_is_asked_no_more() -> None:
    """A scan of a thousand images of a registry that is gone ends soon."""
    started = time.monotonic()
    with Hostile({}) as server:
        gone = server.host
    with Registry() as registry:
        for number in range(1000):
            with pytest.raises(SourceError, match="does not answer: connection refused"):
                registry.resolve(named(gone, f"app:{number}"))
    assert time.monotonic() - started < 10


def test_what_is_asked_again_is_not_fetched_again() -> None:
    answers = {"/v2/app/manifests/v1": {"send": "image"}, filled("/v2/app/blobs/$config"): {"send": "config"}}
    with Hostile(answers) as server, Registry() as registry:
        image = named(server.host, "app:v1")
        for _ in range(3):
            registry.config(image, registry.image(image)[1])
    assert [asked.path for asked in server.asked] == ["/v2/", "/v2/app/manifests/v1", filled("/v2/app/blobs/$config")]


def test_threads_that_ask_the_same_wait_for_one_answer() -> None:
    """Sixteen threads that want five images two hundred times make five requests, and one for the scheme."""
    answers = {f"/v2/app/manifests/v{number}": {"send": "image", "wait_s": 0.05} for number in range(5)}
    with Hostile(answers) as server, Registry() as registry, ThreadPoolExecutor(16) as threads:
        images = [named(server.host, f"app:v{number % 5}") for number in range(200)]
        found = set(threads.map(lambda image: registry.resolve(image).digest, images))
    assert found == {filled("$image")}
    assert sorted(asked.path for asked in server.asked) == ["/v2/", *sorted(answers)]
