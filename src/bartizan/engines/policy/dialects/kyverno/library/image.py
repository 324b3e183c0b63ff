"""Image references: `image('nginx').registry()` and the like.

Source: the lenient grammar of go-containerregistry's `name`, which differs
from the one that classic policies have: `docker.io` is `index.docker.io`,
and a bare name there is in `library/`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from bartizan.lang.cel import CelError, Overload
from bartizan.lang.cel.types import BOOL, STRING, Type

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

IMAGE: Final = Type("kyverno.image")
_DOCKER: Final = "index.docker.io"
_MAX_CHARS: Final = 4096  # far above what the longest name, tag and digest take; longer text is no reference
_TAG: Final = re.compile(r"[a-zA-Z0-9_.-]{1,128}")
_REPOSITORY: Final = re.compile(r"[a-z0-9_./-]{2,255}")
_DIGEST: Final = re.compile(r"sha256:[a-f0-9]{64}")
_HOST: Final = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~!$&'()*+,;=<>\"\u0080-\U0010ffff]*)(?::[0-9]*)?")


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference, taken apart; it has a digest, or a tag, which is `latest` where none is written."""

    written: str
    registry: str
    path: str
    tag: str
    digest: str
    type_name: ClassVar[str] = IMAGE.name

    @property
    def repository(self) -> str:
        """The path in the registry."""
        return f"library/{self.path}" if self.registry == _DOCKER and "/" not in self.path else self.path

    @property
    def written_tag(self) -> str:
        """The tag; also one that is written before a digest, which is not looked at."""
        if not self.digest:
            return self.tag
        before = self.written.partition("@")[0]
        return before.rpartition(":")[2] if before.rfind(":") > before.rfind("/") else ""


def parse_reference(text: str) -> Reference:
    """Read a reference.

    Raises:
        CelError: the text is none.
    """
    reference = _tagged(text) or _digested(text) if len(text) <= _MAX_CHARS else None
    if reference is None:
        raise CelError(f"could not parse reference: {text[:200]}")
    return reference


def _tagged(text: str) -> Reference | None:
    base, colon, tag = text.rpartition(":")
    if not colon or "/" in tag:  # the colon of a port
        base, tag = text, "latest"
    place = _located(base)
    return Reference(text, *place, tag, "") if place and _TAG.fullmatch(tag) else None


def _digested(text: str) -> Reference | None:
    base, _, digest = text.partition("@")
    if not _DIGEST.fullmatch(digest):
        return None
    tagged = _tagged(base)
    place = (tagged.registry, tagged.repository) if tagged else _located(base)
    return Reference(text, *place, "", digest) if place else None


def _located(name: str) -> tuple[str, str] | None:
    """Registry and path; what is before the first slash is a registry where it looks like a host."""
    registry, slash, path = name.partition("/")
    if not slash or not (registry == "localhost" or set(".:") & set(registry)):
        registry, path = "", name
    if not _REPOSITORY.fullmatch(path) or not _HOST.fullmatch(registry):
        return None
    return _DOCKER if registry in ("", "docker.io") else registry, path


def _is_image(text: str) -> bool:
    try:
        parse_reference(text)
    except CelError:
        return False
    return True


def _identifier(image: Reference) -> str:
    if not image.digest:
        return image.tag
    return f"{image.written_tag}@{image.digest}" if image.written_tag else image.digest


def _with_separator(image: Reference) -> str:
    return f"@{image.digest}" if image.digest else f":{image.tag}"


def _of(gives: Type, by: Callable[[Reference], object]) -> tuple[Overload, ...]:
    return (Overload((IMAGE,), gives, by, member=True),)


_PARSE: Final = (Overload((STRING,), IMAGE, parse_reference),)

FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "image": _PARSE,
    "parseImageReference": _PARSE,
    "isImage": (Overload((STRING,), BOOL, _is_image),),
    "containsDigest": _of(BOOL, lambda image: bool(image.digest)),
    "registry": _of(STRING, lambda image: image.registry),
    "repository": _of(STRING, lambda image: image.repository),
    "identifier": _of(STRING, _identifier),
    "identifierWithSeparator": _of(STRING, _with_separator),
    "tag": _of(STRING, lambda image: image.written_tag),
    "digest": _of(STRING, lambda image: image.digest),
}
