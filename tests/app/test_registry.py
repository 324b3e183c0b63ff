"""What policies learn about images, from a real registry."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.conformance import built
from tests.registry.fixtures import registry_server
from tests.registry.images import build_artifact, build_image, build_index
from tests.registry.start import PASSWORD, USER, RegistryServer, start

from bartizan.app.images.registry import RegistryLookup, open_registry, proxies, read_access, user_keychain
from bartizan.app.live import ClusterLookup
from bartizan.base.errors import SpecError
from bartizan.engines.policy.lookup import (
    ApiQuestion,
    ConfigMapQuestion,
    ImageDataQuestion,
    ImageQuestion,
    LookupFailedError,
    Offline,
    Question,
)
from bartizan.sources.cluster import connect
from bartizan.sources.registry import ORDINARY, Access, Credential, Keychain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.controlplane.start import ControlPlane

    from bartizan.base.json import Json

__all__ = ["registry_server"]
AMD, ARM = build_image("amd"), build_image("arm", architecture="arm64")
INDEX = build_index([("linux/arm64", ARM), ("linux/amd64", AMD)])


class Recorded:
    """A cluster that holds some secrets."""

    def __init__(self, secrets: dict[str, Json]) -> None:
        self.secrets = secrets

    def answer(self, question: Question) -> Json:
        """The secret of a path."""
        if isinstance(question, ApiQuestion) and question.url in self.secrets:
            return self.secrets[question.url]
        raise LookupFailedError("not found")


@pytest.fixture(scope="module")
def pushed(registry_server: RegistryServer) -> str:
    """The host of a registry with `app:v1`, an image, and `app:many`, an index."""
    registry_server.pusher.push("team/app", "v1", AMD)
    registry_server.pusher.push("team/app", "many", INDEX)
    registry_server.pusher.push("team/app", "chart", build_artifact(b"x", "application/vnd.test"))
    return registry_server.host


@pytest.fixture
def lookup() -> Iterator[RegistryLookup]:
    found = RegistryLookup(Offline(), lambda: open_registry(environment={"HOME": "/nonexistent"}))
    yield found
    found.close()


def test_an_image(pushed: str, lookup: RegistryLookup) -> None:
    assert lookup.answer(ImageQuestion(f"{pushed}/team/app:v1")) == {
        "image": f"{pushed}/team/app:v1",
        "resolvedImage": f"{pushed}/team/app@{AMD.digest}",
        "registry": pushed,
        "repository": "team/app",
        "identifier": "v1",
        "manifestList": None,
        "manifest": json.loads(AMD.manifest),
        "configData": json.loads(AMD.blobs[0]),
    }


@pytest.mark.parametrize("behind", [":v1", f"@{AMD.digest}", f":v1@{AMD.digest}"], ids=["tag", "digest", "both"])
def test_an_image_as_cel_policies_have_it(pushed: str, lookup: RegistryLookup, behind: str) -> None:
    tagged = "@" not in behind
    assert lookup.answer(ImageDataQuestion(f"{pushed}/team/app{behind}")) == {
        "image": f"{pushed}/team/app{behind}",
        "resolvedImage": f"{pushed}/team/app{':v1' if tagged else ''}@{AMD.digest}",
        "registry": pushed,
        "repository": "team/app",
        "identifier": "v1" if tagged else AMD.digest,
        **({"tag": "v1"} if tagged else {}),
        "digest": AMD.digest,
        "manifest": json.loads(AMD.manifest),
        "config": json.loads(AMD.blobs[0]),
    }


def test_an_index_as_cel_policies_have_it(pushed: str, lookup: RegistryLookup) -> None:
    answer: Any = lookup.answer(ImageDataQuestion(f"{pushed}/team/app:many"))
    assert answer["digest"] == INDEX.digest
    assert answer["imageIndex"] == json.loads(INDEX.manifest)
    assert answer["config"]["architecture"] == "amd64"


def test_an_index(pushed: str, lookup: RegistryLookup) -> None:
    """The digest is the index's, manifest and config are of linux/amd64."""
    answer: Any = lookup.answer(ImageQuestion(f"{pushed}/team/app:many"))
    assert answer["resolvedImage"] == f"{pushed}/team/app@{INDEX.digest}"
    assert answer["manifestList"] == json.loads(INDEX.manifest)
    assert answer["manifest"] == json.loads(AMD.manifest)
    assert answer["configData"]["architecture"] == "amd64"


@pytest.mark.parametrize(
    ("behind", "identifier"),
    [
        (":v1", "v1"),
        (f":v1@{AMD.digest}", f"v1@{AMD.digest}"),
        # the peer takes what is behind the last colon for a tag, here the port's; a policy may have been written for it
        (f"@{AMD.digest}", "PORT/team/app@" + AMD.digest),
    ],
    ids=["a tag", "a tag and a digest", "a digest"],
)
def test_the_identifier_is_what_was_written(pushed: str, lookup: RegistryLookup, behind: str, identifier: str) -> None:
    answer: Any = lookup.answer(ImageQuestion(f"{pushed}/team/app{behind}"))
    assert answer["identifier"] == identifier.replace("PORT", pushed.partition(":")[2])
    assert answer["resolvedImage"] == f"{pushed}/team/app@{AMD.digest}"


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("HOST/team/app:none", "registry `HOST` has no such thing in `team/app`: manifest unknown (HTTP 404)"),
        ("HOST/Team/app", "`HOST/Team/app` is no image reference"),
        ("127.0.0.1:1/app", "registry `127.0.0.1:1` does not answer: connection refused"),
    ],
)
def test_what_cannot_be_had(pushed: str, lookup: RegistryLookup, reference: str, says: str) -> None:
    for _ in range(2):
        with pytest.raises(LookupFailedError) as caught:
            lookup.answer(ImageQuestion(reference.replace("HOST", pushed)))
        assert str(caught.value) == says.replace("HOST", pushed)


def test_other_questions_are_handed_on(lookup: RegistryLookup) -> None:
    with pytest.raises(LookupFailedError, match="ConfigMap `a/b`: no cluster"):
        lookup.answer(ConfigMapQuestion("a", "b"))


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryServer]:
    """A registry with a password."""
    built("registry")
    server = start(tmp_path_factory.mktemp("locked"), users=True)
    server.pusher.push("app", "v1", AMD)
    yield server
    server.stop()


def pull_secret(host: str) -> dict[str, Any]:
    document = {"auths": {host: {"username": USER, "password": PASSWORD}}}
    return {
        "kind": "Secret",
        "metadata": {"name": "pull"},
        "data": {".dockerconfigjson": base64.b64encode(json.dumps(document).encode()).decode()},
    }


@pytest.mark.parametrize("name", ["pull", "kyverno/pull", "/kyverno/pull"])
def test_a_policys_own_secrets(locked: RegistryServer, name: str) -> None:
    """A secret without a namespace is in the peer's."""
    cluster = Recorded({"/api/v1/namespaces/kyverno/secrets/pull": pull_secret(locked.host)})
    lookup = RegistryLookup(cluster, lambda: open_registry(environment={"HOME": "/nonexistent"}))
    reference = f"{locked.host}/app:v1"
    answer: Any = lookup.answer(ImageQuestion(reference, json.dumps({"secrets": [name]})))
    assert answer["identifier"] == "v1"
    with pytest.raises(LookupFailedError, match="refuses `app`"):
        lookup.answer(ImageQuestion(reference))
    lookup.close()


def test_a_secret_that_is_not_there(locked: RegistryServer) -> None:
    """It is passed over, and named where the registry then refuses."""
    lookup = RegistryLookup(Recorded({}), lambda: open_registry(environment={"HOME": "/nonexistent"}))
    with pytest.raises(LookupFailedError) as caught:
        lookup.answer(ImageQuestion(f"{locked.host}/app:v1", '{"secrets": ["shop/pull"]}'))
    assert str(caught.value).endswith("(HTTP 401); Secret `shop/pull` could not be read: not found")
    lookup.close()


def test_what_docker_login_left(locked: RegistryServer, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"auths": {locked.host: {"username": USER, "password": PASSWORD}}}))
    lookup = RegistryLookup(Offline(), lambda: open_registry(environment={"DOCKER_CONFIG": str(tmp_path)}))
    answer: Any = lookup.answer(ImageQuestion(f"{locked.host}/app:v1", '{"providers": []}'))
    assert answer["registry"] == locked.host
    lookup.close()


KEY = {"auths": {"registry.example": {"username": "a"}}}


@pytest.mark.parametrize(
    ("files", "environment", "user"),
    [
        ({".docker/config.json": "home"}, {}, "home"),
        ({".docker/config.json": "home", "named/config.json": "named"}, {"DOCKER_CONFIG": "HOME/named"}, "named"),
        ({"auth.json": "podman"}, {"REGISTRY_AUTH_FILE": "HOME/auth.json"}, "podman"),
        ({"run/containers/auth.json": "run"}, {"XDG_RUNTIME_DIR": "HOME/run"}, "run"),
        ({".config/containers/auth.json": "config"}, {}, "config"),
        ({".docker/config.json": "docker", ".config/containers/auth.json": "podman"}, {}, "docker"),
        ({}, {}, None),
    ],
    ids=["docker's", "docker's, elsewhere", "podman's, named", "podman's, of a session", "podman's", "both", "none"],
)
def test_where_credentials_are(
    tmp_path: Path, files: dict[str, str], environment: dict[str, str], user: str | None
) -> None:
    for name, own in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(json.dumps({"auths": {"registry.example": {"username": own}}}))
    told = {key: value.replace("HOME", str(tmp_path)) for key, value in environment.items()}
    found = user_keychain({"HOME": str(tmp_path), **told})
    assert (found.entries[0][1].username if found else None) == user


def test_credentials_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(SpecError, match="is not JSON"):
        open_registry(environment={"DOCKER_CONFIG": str(tmp_path)})


def test_access_of_a_policy(tmp_path: Path) -> None:
    environment = {"HOME": "/nonexistent", "GITHUB_TOKEN": "t", "PATH": str(tmp_path)}
    (tmp_path / "docker-credential-gcloud").write_text("")
    (tmp_path / "docker-credential-gcloud").chmod(0o755)
    github = Keychain((("ghcr.io", Credential("unset", "t")),))
    google = Keychain(helpers=(("gcr.io", "gcloud"), ("*.gcr.io", "gcloud"), ("*.pkg.dev", "gcloud")))
    cases: list[tuple[dict[str, Any], Access]] = [
        ({}, ORDINARY),
        ({"allowInsecureRegistry": True}, Access(insecure=True)),
        ({"providers": ["github"]}, Access(keychains=(github,))),
        ({"providers": ["google", "amazon", "azure", "default"]}, Access(keychains=(google,))),
        ({"providers": ["default"], "allowInsecureRegistry": True}, Access(insecure=True, keychains=())),
    ]
    for credentials, access in cases:
        assert read_access(credentials, Offline(), environment) == (access, ())


@pytest.mark.parametrize(
    ("credentials", "says"),
    [
        ({"providers": ["gogle"]}, "no provider `gogle`"),
        ({"providers": "google"}, "`imageRegistryCredentials.providers` is no list of names"),
        ({"secrets": [7]}, "`imageRegistryCredentials.secrets` is no list of names"),
    ],
)
def test_access_that_is_malformed(credentials: dict[str, Any], says: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_access(credentials, Offline(), {})
    assert says in caught.value.message


def test_proxies() -> None:
    proxy_for = proxies({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "intern.example,10.0.0.1"})
    assert proxy_for("https", "registry.example") == "http://proxy:3128"
    assert proxy_for("http", "registry.example") == ""
    assert proxy_for("https", "registry.intern.example:5000") == ""
    assert proxy_for("https", "localhost:5000") == ""
    assert proxies({"https_proxy": "proxy:3128"})("https", "registry.example") == "http://proxy:3128"
    assert proxies({})("https", "registry.example") == ""


@pytest.mark.xdist_group("cluster")
def test_a_secret_of_a_real_cluster(control_plane: ControlPlane, namespace: str, locked: RegistryServer) -> None:
    """A pull secret as kubectl makes it lets a policy's question in, and only that one."""
    control_plane.run(
        *("create", "secret", "docker-registry", "pull", f"--namespace={namespace}"),
        *(f"--docker-server={locked.host}", f"--docker-username={USER}", f"--docker-password={PASSWORD}"),
    )
    with connect(kubeconfig=control_plane.kubeconfig) as cluster:
        lookup = RegistryLookup(ClusterLookup(cluster), lambda: open_registry(environment={"HOME": "/nonexistent"}))
        reference = f"{locked.host}/app:v1"
        answer: Any = lookup.answer(ImageQuestion(reference, json.dumps({"secrets": [f"{namespace}/pull"]})))
        assert answer["resolvedImage"] == f"{locked.host}/app@{AMD.digest}"
        with pytest.raises(LookupFailedError, match=r"Secret `none` could not be read: .*not found"):
            lookup.answer(ImageQuestion(reference, json.dumps({"secrets": ["none"]})))
        lookup.close()
