"""What a policy may want from outside: one small port, owned by the engine that needs it.

`app` fills it from a live cluster, from values files, or from recorded
answers. The engine never asks the world itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias

import msgspec

if TYPE_CHECKING:
    from bartizan.base.json import Json


class LookupFailedError(Exception):
    """The answer could not be had; the message says why, in the reader's words.

    `status` is the HTTP status it was refused with, and 404 wherever it is
    known that there is no such thing; 0 where nobody knows.
    """

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class ConfigMapQuestion(msgspec.Struct, frozen=True):
    """The ConfigMap of that name, as an object."""

    namespace: str
    name: str


class ApiQuestion(msgspec.Struct, frozen=True):
    """A call of the Kubernetes API (`url` is a path) or of a service (`url` is absolute).

    `data` is the body of a POST as JSON text, for it must be hashable.
    """

    url: str
    method: Literal["GET", "POST"] = "GET"
    data: str = ""


class ImageQuestion(msgspec.Struct, frozen=True):
    """An image's manifest and configuration, as the `imageRegistry` context describes them.

    `credentials` is the policy's `imageRegistryCredentials` as JSON text, for
    it must be hashable; empty where the policy has none.
    """

    reference: str
    credentials: str = ""


class RegistryAccess(msgspec.Struct, frozen=True):
    """How a policy says a registry is to be reached.

    `secrets` name pull secrets as `name` or `namespace/name`; those of
    `pull_secrets` are in the resource's own `namespace`.
    """

    secrets: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    pull_secrets: tuple[str, ...] = ()
    namespace: str = ""
    insecure: bool = False


class ImageDataQuestion(msgspec.Struct, frozen=True):
    """An image as the `image` of CEL policies describes it: reference, index, manifest and config.

    Fields are `image`, `resolvedImage`, `registry`, `repository`,
    `identifier`, `tag`, `digest`, `imageIndex`, `manifest` and `config`;
    what an image does not have is left out.
    """

    reference: str
    access: RegistryAccess = RegistryAccess()


class HttpQuestion(msgspec.Struct, frozen=True):
    """A call of a service that is no Kubernetes API, by an absolute URL.

    `data` is the body of a POST as JSON text; `ca_bundle` are the only
    authorities to believe, in PEM; `namespace` is that of a policy which
    has one, for not every world lets such a policy call anything. The
    answer is an object with `statusCode`: the object that came, or one that
    holds what came as `body`.
    """

    url: str
    method: Literal["GET", "POST"] = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    data: str = ""
    ca_bundle: str = ""
    namespace: str = ""


class KindQuestion(msgspec.Struct, frozen=True):
    """How the API calls the objects of a kind: `group`, `version`, `resource`, and whether it is `namespaced`."""

    api_version: str
    kind: str


class GlobalQuestion(msgspec.Struct, frozen=True):
    """A GlobalContextEntry's value, or what one of its projections makes of it."""

    name: str
    projection: str = ""


class ObjectsQuestion(msgspec.Struct, frozen=True):
    """Every object of a kind, as a list of whole objects; an empty list where there are none.

    `kind` is `group/version/Kind` or `version/Kind`, with `/subresource`
    behind it where one is meant, and may have wildcards, as `name` and
    `namespace` may; an empty `name` or `namespace` is any. `selector` is a
    label selector as JSON text, for it must be hashable.
    """

    kind: str
    namespace: str = ""
    name: str = ""
    selector: str = ""


class SignaturesQuestion(msgspec.Struct, frozen=True):
    """What a registry holds about an image: its digest, and with it what `kind` asks for.

    - `digest`: nothing more;
    - `signatures`, `attestations`: the layers that cosign keeps beside it;
    - `bundles`: the Sigstore bundles that refer to it;
    - `notary`: the Notary signatures that refer to it;
    - `referrers`: everything of `artifact_type` that refers to it.

    `repository` is where else these are kept, and `tag_prefix` what their
    tags there begin with. The shape of the answer is in
    `signatures/material.py`. An image that is not there is an answer with
    an empty digest; a registry that cannot be asked is a failure.
    """

    reference: str
    kind: Literal["digest", "signatures", "attestations", "bundles", "notary", "referrers"]
    repository: str = ""
    tag_prefix: str = ""
    artifact_type: str = ""
    oci11: bool = False
    access: RegistryAccess = RegistryAccess()
    use_cache: bool = True
    """Whether an answer that was had before will do."""


class TrustQuestion(msgspec.Struct, frozen=True):
    """The Sigstore trusted root to believe, as its JSON document; `mirror` is a TUF repository that it must be of."""

    mirror: str = ""


class AccessQuestion(msgspec.Struct, frozen=True):
    """Whether somebody may do something, as the status of a SubjectAccessReview.

    With a `path` it is about that path of the API server, else about a
    resource. The answer has `allowed`, and may have `reason` and
    `evaluationError`. `extra` is JSON text, for it must be hashable.
    """

    user: str
    groups: tuple[str, ...]
    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""
    field_selector: str = ""
    label_selector: str = ""
    uid: str = ""
    extra: str = ""


Question: TypeAlias = (
    ConfigMapQuestion
    | ApiQuestion
    | ImageQuestion
    | ImageDataQuestion
    | HttpQuestion
    | KindQuestion
    | GlobalQuestion
    | ObjectsQuestion
    | SignaturesQuestion
    | TrustQuestion
    | AccessQuestion
)


class Lookup(Protocol):
    """Answers questions about the world."""

    def answer(self, question: Question) -> Json:
        """The answer as decoded JSON.

        Raises:
            LookupFailedError: there is none, or it could not be had.
        """


class Offline:
    """The lookup of a run without a world: every question fails, and says so."""

    def answer(self, question: Question) -> Json:
        """Fail, naming what was asked."""
        raise LookupFailedError(f"nothing to ask for {describe(question)}: no cluster, values or recorded answers")


_MATERIAL: Final = {
    "digest": "the digest",
    "signatures": "the signatures",
    "attestations": "the attestations",
    "bundles": "the signature bundles",
    "notary": "the Notary signatures",
    "referrers": "the referrers",
}


def describe(question: Question) -> str:  # noqa: PLR0911 (one line for each kind)
    """What is asked for, in words."""
    match question:
        case ConfigMapQuestion(namespace, name):
            return f"ConfigMap `{namespace}/{name}`"
        case ApiQuestion(url, method) | HttpQuestion(url, method):
            return f"{method} `{url}`"
        case KindQuestion(api_version, kind):
            return f"kind `{kind}` of `{api_version}`"
        case ImageQuestion(reference) | ImageDataQuestion(reference):
            return f"image `{reference}`"
        case GlobalQuestion(name):
            return f"global context entry `{name}`"
        case ObjectsQuestion(kind, namespace, name):
            return f"{kind} `{namespace or '*'}/{name or '*'}`"
        case SignaturesQuestion(reference, kind):
            return f"{_MATERIAL[kind]} of image `{reference}`"
        case TrustQuestion():
            return "a Sigstore trusted root"
        case AccessQuestion(user, _, verb, _, resource):
            return f"whether `{user}` may `{verb}` `{resource or question.path}`"
