"""Registries that want to know who asks: passwords, tokens, certificates."""

from __future__ import annotations

import base64
import json
import os
from typing import TYPE_CHECKING

import pytest
from tests.conformance import built
from tests.controlplane import pki
from tests.registry.images import build_image
from tests.registry.start import PASSWORD, USER, RegistryServer, start
from tests.registry.tokens import REFRESH_TOKEN, TokenServer

from bartizan.base.errors import SourceError, SpecError
from bartizan.base.image import Image, parse_image
from bartizan.sources.registry import (
    Access,
    Credential,
    Keychain,
    RefusedError,
    Registry,
    Settings,
    SilentError,
    read_docker_config,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IMAGE = build_image()
OWN = Credential(USER, PASSWORD)


def named(reference: str) -> Image:
    found = parse_image(reference)
    assert found is not None
    return found


def keychain(host: str, credential: Credential = OWN) -> Settings:
    return Settings((Keychain(((host, credential),)),))


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryServer]:
    """A registry with a password."""
    built("registry")
    server = start(tmp_path_factory.mktemp("locked"), users=True)
    server.pusher.push("app", "v1", IMAGE)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TokenServer]:
    """A token server."""
    server = TokenServer(tmp_path_factory.mktemp("tokens"), {USER: PASSWORD})
    yield server
    server.stop()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, tokens: TokenServer) -> Iterator[RegistryServer]:
    """A registry that wants tokens."""
    built("registry")
    server = start(tmp_path_factory.mktemp("guarded"), tokens=tokens)
    for name in ("public/hello", "private/hello"):
        server.pusher.push(name, "v1", IMAGE)
    yield server
    server.stop()


def test_a_password(locked: RegistryServer) -> None:
    with Registry(keychain(locked.host)) as registry:
        image = named(f"{locked.host}/app:v1")
        assert registry.config(image, registry.manifest(image)) == IMAGE.blobs[0]


def test_no_password(locked: RegistryServer) -> None:
    with Registry() as registry, pytest.raises(RefusedError) as caught:
        registry.resolve(named(f"{locked.host}/app:v1"))
    assert caught.value.status == 401
    assert caught.value.message == (f"registry `{locked.host}` refuses `app`: authentication required (HTTP 401)")
    assert f"docker login {locked.host}" in caught.value.hint


def test_a_wrong_password(locked: RegistryServer) -> None:
    with Registry(keychain(locked.host, Credential(USER, "wrong"))) as registry, pytest.raises(RefusedError) as caught:
        registry.resolve(named(f"{locked.host}/app:v1"))
    assert "Check that the credentials are right" in caught.value.hint


def test_the_password_of_another_registry_is_not_used(locked: RegistryServer) -> None:
    with Registry(keychain("registry.example")) as registry, pytest.raises(RefusedError):
        registry.resolve(named(f"{locked.host}/app:v1"))


def test_one_question_may_have_its_own_credentials(locked: RegistryServer) -> None:
    """Its answer is not given to a question without them."""
    own = Access(keychains=(Keychain(((locked.host, OWN),)),))
    with Registry() as registry:
        assert registry.resolve(named(f"{locked.host}/app:v1"), access=own).digest == IMAGE.digest
        with pytest.raises(RefusedError):
            registry.resolve(named(f"{locked.host}/app:v1"))


def test_no_credentials_of_ours_where_a_question_has_its_own(locked: RegistryServer) -> None:
    with Registry(keychain(locked.host)) as registry, pytest.raises(RefusedError):
        registry.resolve(named(f"{locked.host}/app:v1"), access=Access(keychains=()))


@pytest.mark.parametrize("field", ["credHelpers", "credsStore"])
def test_a_helper_program(locked: RegistryServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    """The program that Docker's configuration names is asked, once, with the registry on standard input."""
    answer = json.dumps({"ServerURL": locked.host, "Username": USER, "Secret": PASSWORD})
    write_helper(tmp_path, "test", f"cat >> \"{tmp_path}/asked\"; echo '{answer}'")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    document = {field: {locked.host: "test"} if field == "credHelpers" else "test"}
    with Registry(Settings((read_docker_config(document, "config", runs_helpers=True),))) as registry:
        image = named(f"{locked.host}/app:v1")
        registry.config(image, registry.manifest(image))
    assert (tmp_path / "asked").read_text() == locked.host


HELPERS = {
    "it is not installed": ("", "the credential helper `docker-credential-test` is not installed"),
    "it fails": ("echo no key >&2; exit 3", "the credential helper `docker-credential-test` failed: no key"),
    "it says nothing": ("exit 0", "the credential helper `docker-credential-test` answers without `Username`"),
    "it says a list": ("echo '[]'", "the credential helper `docker-credential-test` answers without `Username`"),
    "it does not know": (
        "echo credentials not found in native keychain; exit 1",
        "refuses `app`: authentication required (HTTP 401)",
    ),
}


@pytest.mark.parametrize("name", HELPERS)
def test_a_helper_program_of_no_help(
    locked: RegistryServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    script, says = HELPERS[name]
    if script:
        write_helper(tmp_path, "test", script)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    chain = read_docker_config({"credsStore": "test"}, "config", runs_helpers=True)
    with Registry(Settings((chain,))) as registry, pytest.raises(SourceError) as caught:
        registry.resolve(named(f"{locked.host}/app:v1"))
    assert says in caught.value.message


def write_helper(folder: Path, name: str, script: str) -> None:
    program = folder / f"docker-credential-{name}"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_a_token_for_strangers(guarded: RegistryServer, tokens: TokenServer) -> None:
    """One token does for all questions about a repository."""
    tokens.asked.clear()
    with Registry() as registry:
        image = named(f"{guarded.host}/public/hello:v1")
        assert registry.config(image, registry.manifest(image)) == IMAGE.blobs[0]
    assert tokens.asked == ["GET repository:public/hello:pull"]


def test_a_token_for_those_who_log_in(guarded: RegistryServer) -> None:
    with Registry(keychain(guarded.host)) as registry:
        assert registry.resolve(named(f"{guarded.host}/private/hello:v1")).digest == IMAGE.digest
    with Registry() as registry, pytest.raises(RefusedError) as caught:
        registry.resolve(named(f"{guarded.host}/private/hello:v1"))
    assert caught.value.status == 401


def test_a_token_that_buys_tokens(guarded: RegistryServer, tokens: TokenServer) -> None:
    tokens.asked.clear()
    with Registry(keychain(guarded.host, Credential(identity_token=REFRESH_TOKEN))) as registry:
        assert registry.resolve(named(f"{guarded.host}/private/hello:v1")).digest == IMAGE.digest
    assert tokens.asked == ["POST repository:private/hello:pull"]
    with (
        Registry(keychain(guarded.host, Credential(identity_token="stale"))) as registry,  # noqa: S106 (of a test)
        pytest.raises(RefusedError, match="invalid_grant"),
    ):
        registry.resolve(named(f"{guarded.host}/private/hello:v1"))


def test_a_token_for_the_registry_itself(guarded: RegistryServer, tokens: TokenServer) -> None:
    scope = [{"type": "repository", "name": "private/hello", "actions": ["pull"]}]
    tokens.asked.clear()
    with Registry(keychain(guarded.host, Credential(registry_token=tokens.mint(scope)))) as registry:
        assert registry.resolve(named(f"{guarded.host}/private/hello:v1")).digest == IMAGE.digest
    assert tokens.asked == []


def test_a_wrong_password_at_the_token_server(guarded: RegistryServer) -> None:
    with (
        Registry(keychain(guarded.host, Credential(USER, "wrong"))) as registry,
        pytest.raises(RefusedError, match="refuses `private/hello`: wrong password"),
    ):
        registry.resolve(named(f"{guarded.host}/private/hello:v1"))


def test_tokens_that_end_are_fetched_again(guarded: RegistryServer, tokens: TokenServer) -> None:
    """A token that says to hold for a second is not used for the next question."""
    tokens.asked.clear()
    tokens.expires_in = 1
    try:
        with Registry() as registry:
            image = named(f"{guarded.host}/public/hello:v1")
            registry.config(image, registry.manifest(image))
    finally:
        tokens.expires_in = 300
    assert len(tokens.asked) == 2


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> pki.Authority:
    return pki.make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory, authority: pki.Authority) -> Iterator[RegistryServer]:
    """A registry with a certificate of a private authority, and a password."""
    built("registry")
    folder = tmp_path_factory.mktemp("sealed")
    certificate = pki.issue(folder, authority, "registry", server=True)
    server = start(folder, users=True, tls=certificate, authority=authority.file)
    server.pusher.push("app", "v1", IMAGE)
    yield server
    server.stop()


def test_a_private_authority(sealed: RegistryServer, authority: pki.Authority) -> None:
    settings = Settings((Keychain(((sealed.host, OWN),)),), authority.file.read_text())
    with Registry(settings) as registry:
        assert registry.resolve(named(f"{sealed.host}/app:v1")).digest == IMAGE.digest


@pytest.mark.parametrize("insecure", [False, True], ids=["ordinary", "declared insecure"])
def test_an_authority_that_is_not_known(sealed: RegistryServer, insecure: bool) -> None:
    """Not even a registry that may have no TLS at all may have a certificate of anyone."""
    settings = Settings((Keychain(((sealed.host, OWN),)),), insecure=frozenset({sealed.host} if insecure else ()))
    with Registry(settings) as registry, pytest.raises(SilentError) as caught:
        registry.resolve(named(f"{sealed.host}/app:v1"))
    assert caught.value.message.startswith(f"registry `{sealed.host}` has a certificate that is not trusted: ")
    assert "certificate authority" in caught.value.hint


def test_an_authority_that_the_environment_names(
    sealed: RegistryServer, authority: pki.Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with Registry(keychain(sealed.host)) as registry:
        assert registry.resolve(named(f"{sealed.host}/app:v1")).digest == IMAGE.digest


def test_a_token_that_is_none_is_not_shown(guarded: RegistryServer) -> None:
    own = Credential(registry_token="secret\nvery")  # noqa: S106 (of a test)
    with Registry(keychain(guarded.host, own)) as registry, pytest.raises(RefusedError) as caught:
        registry.resolve(named(f"{guarded.host}/public/hello:v1"))
    assert caught.value.message == f"the token for `{guarded.host}` is none"


@pytest.mark.parametrize("proxy", ["proxy", "http://[", "http://proxy:99999", "http://", "http://user:secret@"])
def test_a_proxy_that_is_none(proxy: str) -> None:
    settings = Settings(proxy_for=lambda _scheme, _host: proxy)
    with Registry(settings) as registry, pytest.raises(SpecError, match="the proxy's address is none"):
        registry.resolve(named("registry.example/app:v1"))


def test_a_proxy_that_is_not_there() -> None:
    settings = Settings(proxy_for=lambda _scheme, _host: "http://user:secret@127.0.0.1:1")
    with Registry(settings) as registry, pytest.raises(SilentError, match="does not answer: connection refused"):
        registry.resolve(named("registry.example/app:v1"))


def test_an_authority_that_is_no_certificate() -> None:
    with Registry(Settings(authorities="not PEM")) as registry, pytest.raises(SpecError, match="cannot be read"):
        registry.resolve(named("127.0.0.1:1/app:v1"))


def test_docker_logs_in_with_base64(locked: RegistryServer) -> None:
    auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    chain = read_docker_config({"auths": {f"http://{locked.host}/v2/": {"auth": auth}}}, "config", runs_helpers=False)
    with Registry(Settings((chain,))) as registry:
        assert registry.resolve(named(f"{locked.host}/app:v1")).digest == IMAGE.digest
