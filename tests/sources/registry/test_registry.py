"""The client against a real registry: what was pushed is what is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.registry.images import Built, build_artifact, build_image, build_index

from bartizan.base.errors import SpecError
from bartizan.base.image import Image, parse_image
from bartizan.sources.registry import (
    Descriptor,
    NotThereError,
    Platform,
    Registry,
    UntrueError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.registry.start import RegistryServer


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry() as opened:
        yield opened


@pytest.fixture
def repository(registry_server: RegistryServer, request: pytest.FixtureRequest) -> str:
    """A repository of the test's own."""
    return f"{registry_server.host}/tests/t{abs(hash(request.node.nodeid)) % 10**8}"


def named(reference: str) -> Image:
    found = parse_image(reference)
    assert found is not None
    return found


def push(server: RegistryServer, repository: str, tag: str, built: Built) -> str:
    return server.pusher.push(repository.partition("/")[2], tag, built)


@pytest.mark.parametrize("docker", [False, True], ids=["OCI", "Docker schema 2"])
def test_an_image(registry_server: RegistryServer, registry: Registry, repository: str, docker: bool) -> None:
    built = build_image(docker=docker)
    push(registry_server, repository, "v1", built)
    image = named(f"{repository}:v1")
    found = registry.manifest(image)
    assert (found.content, found.digest, found.media_type) == (built.manifest, built.digest, built.media_type)
    assert registry.resolve(image).size == len(built.manifest)
    assert registry.config(image, found) == built.blobs[0]
    assert registry.blob(image, found.layers[0].digest) == built.blobs[1]
    assert registry.image(image) == (None, found)


@pytest.mark.parametrize("docker", [False, True], ids=["OCI", "Docker"])
@pytest.mark.parametrize(("platform", "wanted"), [("", "amd"), ("linux/arm64", "arm"), ("linux/amd64", "amd")])
def test_an_index(
    registry_server: RegistryServer, registry: Registry, repository: str, platform: str, wanted: str, docker: bool
) -> None:
    """The image for a platform is chosen; for linux/amd64, where none is named."""
    images = {"amd": build_image("amd", docker=docker), "arm": build_image("arm", architecture="arm64", docker=docker)}
    index = build_index([("linux/arm64", images["arm"]), ("linux/amd64", images["amd"])], docker=docker)
    push(registry_server, repository, "v1", index)
    system, _, architecture = platform.partition("/")
    more: dict[str, Any] = {"platform": Platform(architecture, system)} if platform else {}
    top, found = registry.image(named(f"{repository}:v1"), **more)
    assert top is not None
    assert (top.content, top.is_index) == (index.manifest, True)
    assert found.digest == images[wanted].digest


def test_an_image_of_an_index_without_a_platform_is_for_linux_amd64(
    registry_server: RegistryServer, registry: Registry, repository: str
) -> None:
    built = build_image()
    push(registry_server, repository, "v1", build_index([("windows/amd64", build_image("w")), ("", built)]))
    assert registry.image(named(f"{repository}:v1"))[1].digest == built.digest


def test_an_index_within_an_index(registry_server: RegistryServer, registry: Registry, repository: str) -> None:
    built = build_image()
    push(registry_server, repository, "v1", build_index([("", build_index([("linux/amd64", built)]))]))
    assert registry.image(named(f"{repository}:v1"))[1].digest == built.digest


def test_a_digest_counts_before_a_tag(registry_server: RegistryServer, registry: Registry, repository: str) -> None:
    first, second = build_image("first"), build_image("second")
    push(registry_server, repository, "v1", first)
    push(registry_server, repository, "v2", second)
    assert registry.resolve(named(f"{repository}:v1@{second.digest}")).digest == second.digest


def test_a_tag_does_not_move_within_a_run(registry_server: RegistryServer, registry: Registry, repository: str) -> None:
    """What is asked twice is answered once; another run sees the tag where it is then."""
    first, second = build_image("first"), build_image("second")
    push(registry_server, repository, "v1", first)
    assert registry.resolve(named(f"{repository}:v1")).digest == first.digest
    push(registry_server, repository, "v1", second)
    assert registry.resolve(named(f"{repository}:v1")).digest == first.digest
    with Registry() as later:
        assert later.resolve(named(f"{repository}:v1")).digest == second.digest


def test_referrers_by_the_tag_that_stands_for_them(
    registry_server: RegistryServer, registry: Registry, repository: str
) -> None:
    """The registry has no API for referrers; then a tag lists them, as the specification says."""
    built = build_image()
    signature = build_artifact(b"signed", "application/vnd.test.signature", built)
    bill = build_artifact(b"{}", "application/spdx+json", built)
    push(registry_server, repository, "v1", built)
    image = named(f"{repository}:v1")
    assert registry.referrers(image, built.digest) == ()
    listed = [signature.descriptor(artifactType="application/vnd.test.signature"), bill.descriptor()]
    push(registry_server, repository, "", signature)
    push(registry_server, repository, "", bill)
    tag = built.digest.replace(":", "-")
    push(registry_server, repository, tag, build_index([], manifests=listed))
    with Registry() as later:
        found = later.referrers(image, built.digest)
        assert [item.digest for item in found] == [signature.digest, bill.digest]
        (only,) = later.referrers(image, built.digest, "application/vnd.test.signature")
        manifest = later.manifest(image, only.digest, size=only.size)
        assert manifest.subject == Descriptor(built.media_type, built.digest, len(built.manifest))
        assert (manifest.artifact_type, later.blob(image, manifest.layers[0].digest)) == (
            "application/vnd.test.signature",
            b"signed",
        )


def test_a_tag_of_a_signature_is_just_a_tag(
    registry_server: RegistryServer, registry: Registry, repository: str
) -> None:
    built = build_image()
    push(registry_server, repository, f"{built.digest.replace(':', '-')}.sig", built)
    image = named(f"{repository}:{built.digest.replace(':', '-')}.sig")
    assert registry.resolve(image).digest == built.digest


def test_tags(registry_server: RegistryServer, registry: Registry, repository: str) -> None:
    built = build_image()
    for tag in ("v1", "v2", "latest"):
        push(registry_server, repository, tag, built)
    assert set(registry.tags(named(repository))) == {"v1", "v2", "latest"}


@pytest.mark.parametrize(
    "reference",
    ["{}:nowhere", "{}/nothing:v1", "{}@sha256:" + "0" * 64],
    ids=["no such tag", "no such repository", "no such digest"],
)
def test_what_is_not_there(registry: Registry, repository: str, reference: str) -> None:
    with pytest.raises(NotThereError) as caught:
        registry.resolve(named(reference.format(repository)))
    assert "has no such thing in `tests/" in caught.value.message


def test_a_blob_larger_than_wanted(registry_server: RegistryServer, registry: Registry, repository: str) -> None:
    """A limit holds, whether or not the size was announced."""
    digest = registry_server.pusher.push_blob(repository.partition("/")[2], b"x" * 1000)
    image = named(repository)
    for size in (None, 1000):
        with pytest.raises(UntrueError, match="1000 bytes where 999 are the most"):
            registry.blob(image, digest, 999, size=size)
    assert registry.blob(image, digest, 1000) == b"x" * 1000


@pytest.mark.parametrize("digest", ["", "sha256:abc", "md5:" + "a" * 32, "sha256:" + "A" * 64, "../../secret"])
def test_a_digest_that_is_none_is_not_asked_for(registry: Registry, repository: str, digest: str) -> None:
    with pytest.raises(SpecError, match="is no digest"):
        registry.blob(named(repository), digest)
    with pytest.raises(SpecError, match="is no digest"):
        registry.referrers(named(repository), digest)


def test_a_host_without_a_name(registry: Registry) -> None:
    with pytest.raises(UntrueError, match="is no address"):
        registry.resolve(named("localhost:99999/app"))
