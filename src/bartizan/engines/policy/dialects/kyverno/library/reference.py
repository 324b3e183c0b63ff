"""What people read about each function: how it is called, by its types, and what it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bartizan.lang.cel import Overload
    from bartizan.lang.cel.types import Type

_BY_TYPE: Final[Mapping[tuple[str, str], str]] = {
    ("resource.Context", "get"): "An object of the API server; null where there is none.",
    ("resource.Context", "list"): "A list of objects, with `items`; labels choose among them.",
    ("resource.Context", "post"): "What the API server makes of an object, such as a SubjectAccessReview.",
    ("resource.Context", "toGVR"): "How the API calls the objects of a kind, for the other functions of `resource`.",
    ("globalcontext.Context", "get"): "What a GlobalContextEntry holds, or one of its projections; null without one.",
    ("http.Context", "get"): "The answer of a service: an object with `statusCode`, and `body` where it is no object.",
    ("http.Context", "post"): "As `get`, for a body that is sent as JSON.",
    ("http.Context", "client"): "As `http`, believing only the authorities given in PEM.",
    ("imagedata.Context", "getMetadata"): "An image's reference, index, manifest and config, as its registry has them.",
    ("generator.Context", "apply"): "Have objects, or the items of lists, made in a namespace; always true.",
    ("json.Json", "marshal"): "A value as JSON text, with its keys in order.",
    ("json.Json", "unmarshal"): "What JSON text stands for; numbers are doubles.",
    ("yaml.Yaml", "parse"): "What YAML text stands for; numbers are doubles.",
    ("kyverno.image", "containsDigest"): "Whether a reference has a digest.",
    ("kyverno.image", "registry"): "The host of a reference; `index.docker.io` where none is written.",
    ("kyverno.image", "repository"): "The path in the registry, with `library/` for a bare name on Docker Hub.",
    ("kyverno.image", "identifier"): "The tag, the digest, or `tag@digest`.",
    ("kyverno.image", "identifierWithSeparator"): "`@digest`, or `:tag` where there is no digest.",
    ("kyverno.image", "tag"): "The tag; `latest` where there is neither tag nor digest.",
    ("kyverno.image", "digest"): "The digest; empty where there is none.",
}
_BY_NAME: Final[Mapping[str, str]] = {
    "parseImageReference": "An image reference, taken apart; `image` is its older name.",
    "isImage": "Whether a text is an image reference.",
    "hash.md5": "The MD5 digest of a text, in hexadecimal.",
    "hash.sha1": "The SHA-1 digest of a text, in hexadecimal.",
    "hash.sha256": "The SHA-256 digest of a text, in hexadecimal.",
    "math.round": "A double rounded to so many decimal places, halves away from zero.",
    "random.random": "A text that a regular expression matches; eight letters and digits without one.",
    "x509.decode": "A certificate or a request for one, in PEM, by the field names of Go; RSA keys only.",
    "time.now": "The time.",
    "time.toCron": "A moment as a cron expression: minute, hour, day, month and day of the week, in UTC.",
    "time.truncate": "A moment rounded down to a multiple of a length of time.",
    "transform.listObjToMap": "A map: keys are a field of the objects of one list, values of those of another.",
    "gzip.compress": "A text, compressed.",
    "gzip.decompress": "The text that compressed bytes stand for.",
    "user.parseServiceAccount": "`Name` and `Namespace` of the service account that a user is; both empty for others.",
    "verifyImageSignatures": "How many of some attestors signed an image.",
    "verifyAttestationSignatures": "How many of some attestors signed an attestation of an image.",
    "extractPayload": "What a verified attestation of an image says.",
    "getImageData": "As `image.getMetadata`.",
}


class Entry(NamedTuple):
    """One function: its names, the newest first; how it is called; and what it does."""

    names: tuple[str, ...]
    calls: tuple[str, ...]
    text: str


def entries(functions: Mapping[str, tuple[Overload, ...]], variables: Mapping[str, Type]) -> Iterator[Entry]:
    """The functions of a library, in the order of the table; the same one under several names is one entry."""
    called_on = {kind.name: name for name, kind in variables.items()}
    for (kind, name), text in _BY_TYPE.items():
        held = [item for item in functions.get(name, ()) if item.parameters[0].name == kind]
        if held:
            target = called_on.get(kind, "image(…)")
            names = [other for other in (name, name[0].upper() + name[1:]) if _has(functions, other, held)]
            calls = (shown(f"{target}.{name}", item) for item in held)
            yield Entry(tuple(f"{target}.{other}" for other in names), tuple(calls), text)
    for name, text in _BY_NAME.items():
        if name in functions:
            same = [other for other, held in functions.items() if held is functions[name] or held == functions[name]]
            names = sorted(same, key=lambda other: other != name)
            yield Entry(tuple(names), tuple(shown(name, item) for item in functions[name]), text)


def _has(functions: Mapping[str, tuple[Overload, ...]], name: str, held: list[Overload]) -> bool:
    return all(item in functions.get(name, ()) for item in held)


def shown(name: str, overload: Overload) -> str:
    """How an overload is called, by its types, and what it gives; without what a member is called on."""
    given = overload.parameters[1:] if overload.member else overload.parameters
    return f"{name}({', '.join(map(str, given))}) -> {overload.result}"
