"""Registries for policies: who we are there, and what an image is as the `imageRegistry` context describes it.

The environment and the user's files are read here, and nowhere below.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from bartizan.app.files import read_file
from bartizan.app.images.material import credentials_of, describe_material
from bartizan.app.images.trusted_root import believed
from bartizan.base.errors import BartizanError, SourceError, SpecError
from bartizan.base.image import parse_image
from bartizan.engines.policy.lookup import (
    ApiQuestion,
    ImageDataQuestion,
    ImageQuestion,
    Lookup,
    LookupFailedError,
    Offline,
    Question,
    SignaturesQuestion,
    TrustQuestion,
)
from bartizan.sources.registry import (
    IMAGES,
    INDEXES,
    ORDINARY,
    Access,
    Credential,
    Keychain,
    Once,
    RefusedError,
    Registry,
    Settings,
    is_local,
    locate,
    read_docker_config,
    read_pull_secret,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.base.image import Image
    from bartizan.base.json import Json, JsonObject

_KEPT: Final = 2_000
"""Answers that are kept decoded, of some 10 KB each."""
_PEERS_NAMESPACE: Final = "kyverno"
"""Where a policy's secrets are that name no namespace."""
_HELPERS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "amazon": ("ecr-login", ("*.dkr.ecr.*.amazonaws.com", "*.dkr.ecr.*.amazonaws.com.cn", "public.ecr.aws")),
    "azure": ("acr-env", ("*.azurecr.io", "*.azurecr.cn", "*.azurecr.de", "*.azurecr.us")),
    "google": ("gcloud", ("gcr.io", "*.gcr.io", "*.pkg.dev")),
}
"""Providers that a policy may name: the helper program of each, and the registries it is for."""
_GITHUB: Final = "ghcr.io"


def open_registry(
    *,
    authorities: str = "",
    insecure: frozenset[str] = frozenset(),
    environment: Mapping[str, str] = os.environ,
) -> Registry:
    """Registries with the credentials and proxies of whoever runs this; nothing is asked yet.

    Raises:
        SpecError: Docker's configuration cannot be read.
    """
    keychain = user_keychain(environment)
    return Registry(Settings((keychain,) if keychain else (), authorities, insecure, proxies(environment)))


def user_keychain(environment: Mapping[str, str]) -> Keychain | None:
    """What `docker login` or `podman login` left; the first file that is there counts, Docker's before Podman's.

    Raises:
        SpecError: it cannot be read.
    """
    home = Path(environment.get("HOME") or Path.home())
    docker = Path(environment.get("DOCKER_CONFIG") or home / ".docker")
    places = [docker / "config.json"]
    if named := environment.get("REGISTRY_AUTH_FILE"):
        places.append(Path(named))
    if runtime := environment.get("XDG_RUNTIME_DIR"):
        places.append(Path(runtime) / "containers" / "auth.json")
    places.append(Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "containers" / "auth.json")
    for place in places:
        if place.is_file():
            try:
                document = orjson.loads(read_file(place))
            except orjson.JSONDecodeError as error:
                raise SpecError(f"`{place}` is not JSON: {error}", hint="Log in again with `docker login`.") from error
            return read_docker_config(document, f"`{place}`", runs_helpers=True)
    return None


def proxies(environment: Mapping[str, str]) -> Callable[[str, str], str]:
    """The proxy for a scheme and a host, by the variables that programs agree on; none for this machine."""
    named = {
        scheme: found
        for scheme in ("http", "https")
        if (found := environment.get(f"{scheme}_proxy") or environment.get(f"{scheme.upper()}_PROXY"))
    }
    spared = environment.get("no_proxy") or environment.get("NO_PROXY") or ""

    def proxy_for(scheme: str, host: str) -> str:
        found = named.get(scheme, "")
        if not found or is_local(host):
            return ""
        from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # the typeshed leaves it out

        if proxy_bypass_environment(host, {"no": spared}):
            return ""
        return found if "://" in found else f"http://{found}"

    return proxy_for


class RegistryLookup:
    """Answers questions about images from registries, and hands on all others.

    `opens` is called at the first question, for most policies ask nothing.
    """

    def __init__(self, inner: Lookup, opens: Callable[[], Registry] = open_registry) -> None:
        self._inner = inner
        self._opened: Once[Registry] = Once(1)
        self._opens = opens
        self._answers: Once[Json] = Once(_KEPT)

    @property
    def registry(self) -> Registry:
        """The registries, for whoever wants more of them.

        Raises:
            SpecError: Docker's configuration cannot be read.
        """
        return self._opened.get("", self._opens)

    def answer(self, question: Question) -> Json:
        """The answer, as the engine's `Lookup` has it."""
        try:
            match question:
                case ImageQuestion():
                    return self._answers.get(question, lambda: self._ask(question))
                case ImageDataQuestion():
                    return self._answers.get(question, lambda: self._ask_data(question))
                case SignaturesQuestion(use_cache=False):
                    return self._ask_material(question)
                case SignaturesQuestion():
                    return self._answers.get(question, lambda: self._ask_material(question))
                case TrustQuestion(mirror):
                    return believed(mirror)
                case _:
                    return self._inner.answer(question)
        except BartizanError as error:
            raise LookupFailedError(error.message) from error

    def close(self) -> None:
        """End all connections."""
        if self._opened:
            with suppress(BartizanError):  # one that could not be opened has none
                self.registry.close()

    def _ask_material(self, question: SignaturesQuestion) -> Json:
        access, missing = read_access(credentials_of(question.access), self._inner)
        try:
            return describe_material(self.registry, question, access)
        except RefusedError as error:
            if not missing:
                raise
            raise SourceError(f"{error.message}; {'; '.join(missing)}", hint=error.hint) from error

    def _ask_data(self, question: ImageDataQuestion) -> Json:
        wanted = credentials_of(question.access)
        return image_data(self._described(question.reference, wanted), question.reference)

    def _ask(self, question: ImageQuestion) -> Json:
        return self._described(question.reference, orjson.loads(question.credentials) if question.credentials else {})

    def _described(self, reference: str, wanted: JsonObject) -> JsonObject:
        image = parse_image(reference)
        if image is None:
            raise SpecError(f"`{reference[:200]}` is no image reference", hint="Write registry/name:tag.")
        access, missing = read_access(wanted, self._inner)
        try:
            return describe_image(self.registry, image, reference, access)
        except RefusedError as error:
            if not missing:
                raise
            raise SourceError(f"{error.message}; {'; '.join(missing)}", hint=error.hint) from error


def registries_only(inner: Lookup | None = None) -> RegistryLookup:
    """The lookup of a run without a cluster that may ask registries; other questions go to `inner`, or fail.

    Raises:
        SpecError: Docker's configuration cannot be read: bad input, and not some rule's failure.
    """
    registry = open_registry()
    return RegistryLookup(inner or Offline(), lambda: registry)


def read_access(
    credentials: JsonObject, secrets: Lookup, environment: Mapping[str, str] = os.environ
) -> tuple[Access, tuple[str, ...]]:
    """What a policy's `imageRegistryCredentials` let us use, and why some of its secrets cannot be had.

    A secret that is not there is passed over, as the peer does; without
    secrets and providers the user's own credentials count.

    Raises:
        SpecError: a field, or a secret that is there, is not what it must be.
    """
    keychains: list[Keychain] = []
    missing: list[str] = []
    for name in _texts(credentials, "secrets"):
        namespace, _, own = name.lstrip("/").rpartition("/")
        path = f"/api/v1/namespaces/{namespace or _PEERS_NAMESPACE}/secrets/{own}"
        try:
            secret = secrets.answer(ApiQuestion(path))
        except LookupFailedError as error:
            missing.append(f"Secret `{name}` could not be read: {error}")
        else:
            keychains.append(read_pull_secret(secret if isinstance(secret, dict) else {}))
    providers = _texts(credentials, "providers")
    for provider in providers:
        keychains += _provided(provider, environment)
    given = tuple(keychains) if keychains or providers else None
    return (Access(bool(credentials.get("allowInsecureRegistry")), given) if credentials else ORDINARY), tuple(missing)


def _texts(credentials: JsonObject, field: str) -> list[str]:
    found = credentials.get(field) or []
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise SpecError(f"`imageRegistryCredentials.{field}` is no list of names", hint="Write one name a line.")
    return found


def _provided(provider: str, environment: Mapping[str, str]) -> list[Keychain]:
    """The credentials of a provider; none where this machine has none, and then we are strangers, as for the peer."""
    if provider == "default":
        own = user_keychain(environment)
        return [own] if own else []
    if provider == "github":
        token = environment.get("GITHUB_TOKEN", "")
        return [Keychain(((_GITHUB, Credential("unset", token)),))] if token else []
    if provider not in _HELPERS:
        raise SpecError(
            f"`imageRegistryCredentials.providers`: no provider `{provider}`",
            hint=f"Providers are default, github, {', '.join(_HELPERS)}.",
        )
    helper, hosts = _HELPERS[provider]
    if shutil.which(f"docker-credential-{helper}", path=environment.get("PATH")) is None:
        return []
    return [Keychain(helpers=tuple((host, helper) for host in hosts))]


def describe_image(registry: Registry, image: Image, reference: str, access: Access = ORDINARY) -> JsonObject:
    """An image as the `imageRegistry` context has it; `reference` is what was written.

    Source: the peer's `pkg/engine/adapters/rclient.go`. `manifestList` is
    null unless the reference names an index, or something of a type that
    nobody knows, which the peer takes for both.

    Raises:
        SourceError: the registry has no answer, or none that is true.
    """
    place = locate(image)
    top = registry.manifest(image, access=access)
    _, manifest = registry.image(image, access=access)
    is_listed = top.media_type in INDEXES or top.media_type not in IMAGES
    config = registry.config(image, manifest, access=access)
    return {
        "image": reference,
        "resolvedImage": f"{place}@{top.digest}",
        "registry": place.host,
        "repository": place.repository,
        "identifier": _identifier(image, reference),
        "manifestList": top.body if is_listed else None,
        "manifest": manifest.body,
        "configData": _decoded(config, place),
    }


def image_data(described: JsonObject, reference: str) -> JsonObject:
    """An image as CEL policies have it, out of what the `imageRegistry` context has; what it lacks is left out."""
    image = parse_image(reference)
    place, _, digest = described["resolvedImage"].rpartition("@")
    tag = "" if image is None or image.digest else image.tag
    data = {
        "image": reference,
        "resolvedImage": f"{place}:{tag}@{digest}" if tag else f"{place}@{digest}",
        "registry": described["registry"],
        "repository": described["repository"],
        "identifier": tag or digest,
        "tag": tag,
        "digest": digest,
        "imageIndex": described["manifestList"],
        "manifest": described["manifest"],
        "config": described["configData"],
    }
    return {key: value for key, value in data.items() if value}


def _identifier(image: Image, reference: str) -> str:
    """The tag, the digest, or `tag@digest`; for the last the peer takes what is behind the last colon for the tag."""
    if not image.digest:
        return image.tag
    _, colon, tag = reference.partition("@")[0].rpartition(":")
    return f"{tag}@{image.digest}" if colon and tag else image.digest


def _decoded(config: bytes, what: Any) -> Json:
    try:
        return orjson.loads(config)
    except orjson.JSONDecodeError as error:
        raise SourceError(f"image of `{what}`: its config is not JSON", hint="Build and push it again.") from error
