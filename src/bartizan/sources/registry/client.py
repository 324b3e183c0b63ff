"""A client of registries of images: resolve, fetch and list, with every digest checked against the bytes.

Source: OCI distribution specification 1.1, which Docker's registry API v2
is older words for. Reads only.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import msgspec
import orjson

from bartizan.base.errors import SpecError
from bartizan.sources.registry import digest as digests
from bartizan.sources.registry.address import locate
from bartizan.sources.registry.descriptor import (
    ACCEPTED,
    DEFAULT_PLATFORM,
    OCI_INDEX,
    Descriptor,
    Manifest,
    Platform,
    choose,
    read_manifest,
)
from bartizan.sources.registry.errors import NotThereError, RefusedError, UntrueError
from bartizan.sources.registry.once import Once
from bartizan.sources.registry.session import ORDINARY, Access, Session, Settings, Wanted

if TYPE_CHECKING:
    from bartizan.base.image import Image
    from bartizan.sources.registry.wire import Answer

MANIFEST_BYTES: Final = 4 << 20
"""The largest manifest: the specification lets registries refuse larger ones."""
BLOB_BYTES: Final = 16 << 20
"""The largest blob that is read without another word: configs and signatures have kilobytes, attestations megabytes."""
PAGES: Final = 100
"""Of one list; with a thousand entries each, far above what people push."""
PAGE_ENTRIES: Final = 1000
CACHE_BYTES: Final = 64 << 20
"""Of manifests and blobs that are kept for the run: some 10,000 images with their configs."""
_NEXT: Final = re.compile(r'<([^<>]*)>\s*;[^,]*\brel="?next"?', re.IGNORECASE)
_NO_REFERRERS_API: Final = frozenset({400, 404, 405, 406, 415, 501})


class _Tags(msgspec.Struct):
    tags: tuple[str, ...] | None = None


class Registry:
    """Any number of registries, asked each question once; threads may share it. Close it, or use it in `with`."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._session = Session(settings or Settings())
        self._manifests: Once[Manifest] = Once(CACHE_BYTES, lambda found: len(found.content))
        self._blobs: Once[bytes] = Once(CACHE_BYTES, len)
        self._referrers: Once[tuple[Descriptor, ...]] = Once(CACHE_BYTES, lambda found: 1 + 500 * len(found))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all connections."""
        self._session.close()

    def resolve(self, image: Image, *, access: Access = ORDINARY) -> Descriptor:
        """What a reference points at now: by its digest where it has one, else by its tag.

        The manifest itself is fetched, for a digest that only a header
        claims is not known.

        Raises:
            SourceError: `NotThereError`, `RefusedError`, `UntrueError` or `SilentError`.
        """
        return self.manifest(image, access=access).descriptor

    def manifest(
        self, image: Image, digest: str = "", *, size: int | None = None, access: Access = ORDINARY
    ) -> Manifest:
        """The manifest or index of a digest in the image's repository; of the image's own reference without one.

        `size` is what a descriptor says it has.

        Raises:
            SourceError: `NotThereError`, `RefusedError`, `UntrueError` or `SilentError`.
        """
        digest = digest or image.digest
        return self._manifests.get(
            (locate(image), digest or image.tag, size, access), lambda: self._fetch(image, digest, size, access)
        )

    def image(
        self, image: Image, *, platform: Platform = DEFAULT_PLATFORM, access: Access = ORDINARY
    ) -> tuple[Manifest | None, Manifest]:
        """The index of an image, where there is one, and its manifest for a platform.

        Raises:
            SourceError: `NotThereError`, `RefusedError`, `UntrueError` or `SilentError`.
        """
        top = found = self.manifest(image, access=access)
        for _ in range(_NESTED):
            if not found.is_index:
                return (top if top.is_index else None), found
            child = choose(found, platform, f"image `{image.reference}`")
            found = self.manifest(image, child.digest, size=child.size, access=access)
        raise UntrueError(f"image `{image.reference}`: indexes within indexes", hint="Push one index of images.")

    def config(self, image: Image, manifest: Manifest, *, access: Access = ORDINARY) -> bytes:
        """The configuration that a manifest names, as it was sent.

        Raises:
            SourceError: `NotThereError`, `RefusedError`, `UntrueError` or `SilentError`.
        """
        found = manifest.config
        if found is None:
            raise UntrueError(
                f"image `{image.reference}`: the manifest names no config", hint="Build and push the image again."
            )
        return self.blob(image, found.digest, MANIFEST_BYTES, size=found.size, access=access)

    def blob(
        self, image: Image, digest: str, limit: int = BLOB_BYTES, *, size: int | None = None, access: Access = ORDINARY
    ) -> bytes:
        """A blob of the image's repository, whole; `size` is what a descriptor says it has, `limit` the most it may.

        Raises:
            SourceError: `NotThereError`, `RefusedError`, `UntrueError` or `SilentError`.
        """
        what = f"blob `{digest[:150]}` of `{locate(image)}`"
        _checkable(digest, what)
        if size is not None and size > limit:
            raise UntrueError(f"{what} has {size} bytes where {limit} are the most", hint=_TOO_LARGE)

        def fetch() -> bytes:
            wanted = Wanted(f"blobs/{digest}", "*/*", limit)
            answer = self._session.get(locate(image), wanted, access)
            _check(answer, digest, size, what)
            return answer.body

        return self._blobs.get((locate(image), digest, size, limit, access), fetch)

    def referrers(
        self, image: Image, digest: str, artifact_type: str = "", *, access: Access = ORDINARY
    ) -> tuple[Descriptor, ...]:
        """What refers to a digest: signatures, attestations, bills of materials; of one type where one is named.

        Asks the API, and where there is none the tag that stands for it.

        Raises:
            SourceError: `RefusedError`, `UntrueError` or `SilentError`.
        """
        _checkable(digest, f"image `{image.reference}`")
        found = self._referrers.get(
            (locate(image), digest, access), lambda: self._list_referrers(image, digest, access)
        )
        return tuple(item for item in found if not artifact_type or item.artifact_type == artifact_type)

    def tags(self, image: Image, *, access: Access = ORDINARY) -> tuple[str, ...]:
        """All tags of the image's repository, as the registry orders them.

        Raises:
            SourceError: `NotThereError`, `RefusedError`, `UntrueError` or `SilentError`.
        """
        place = locate(image)
        found: list[str] = []
        for answer in self._pages(image, f"tags/list?n={PAGE_ENTRIES}", "application/json", access):
            found += _decode(answer, _Tags, f"list of tags of `{place}`").tags or ()
        return tuple(found)

    def _fetch(self, image: Image, digest: str, size: int | None, access: Access) -> Manifest:
        what = f"image `{locate(image)}{f'@{digest[:150]}' if digest else f':{image.tag}'}`"
        if digest:
            _checkable(digest, what)
        if size is not None and size > MANIFEST_BYTES:
            raise UntrueError(f"{what}: a manifest of {size} bytes", hint=_TOO_LARGE)
        wanted = Wanted(f"manifests/{digest or image.tag}", ACCEPTED, MANIFEST_BYTES)
        answer = self._session.get(locate(image), wanted, access)
        _check(answer, digest, size, what)
        found = read_manifest(answer.body, answer.headers.get("content-type", ""), what)
        return replace(found, digest=digest) if digest else found

    def _list_referrers(self, image: Image, digest: str, access: Access) -> tuple[Descriptor, ...]:
        what = f"list of what refers to `{digest}`"
        found: list[Descriptor] = []
        try:
            for answer in self._pages(image, f"referrers/{digest}", OCI_INDEX, access):
                if answer.headers.get("content-type", "").partition(";")[0].strip() != OCI_INDEX:
                    return self._tagged_referrers(image, digest, access)
                found += read_manifest(answer.body, OCI_INDEX, what).manifests
        except NotThereError:
            return self._tagged_referrers(image, digest, access)
        except RefusedError as error:
            if error.status not in _NO_REFERRERS_API:
                raise
            return self._tagged_referrers(image, digest, access)
        return tuple(found)

    def _tagged_referrers(self, image: Image, digest: str, access: Access) -> tuple[Descriptor, ...]:
        tagged = replace(image, tag=digests.referrers_tag(digest), digest="")
        try:
            found = self.manifest(tagged, access=access)
        except NotThereError:
            return ()
        return found.manifests if found.is_index else ()

    def _pages(self, image: Image, path: str, accept: str, access: Access) -> list[Answer]:
        """A list page by page; a page may name the next, on the same host only."""
        place, pages = locate(image), []
        for _ in range(PAGES):
            answer = self._session.get(place, Wanted(path, accept, MANIFEST_BYTES), access)
            pages.append(answer)
            following = _NEXT.search(answer.headers.get("link", "")[:8192])
            if following is None:
                return pages
            target = _joined(answer.url, following[1])
            if target.netloc != place.host or not target.path.startswith("/v2/"):
                raise UntrueError(f"a list of `{place}` goes on at another host", hint="Ask whoever runs the registry.")
            path = quote(f"{target.path}?{target.query}", safe="/?&=:%@+,;~-_.")
        raise UntrueError(f"a list of `{place}` has no end", hint="Ask whoever runs the registry.")


_NESTED: Final = 4
"""Indexes within indexes: nobody needs more than one, and a circle must end."""
_TOO_LARGE: Final = "Check what was pushed there: nothing of this kind needs to be so large."


def _joined(url: str, other: str) -> SplitResult:
    try:
        return urlsplit(urljoin(url, other))
    except ValueError:
        return urlsplit("")


def _checkable(digest: str, what: str) -> None:
    if not digests.is_digest(digest):
        raise SpecError(f"{what}: `{digest[:150]}` is no digest", hint="Write sha256: and 64 lower-case digits.")


def _check(answer: Answer, digest: str, size: int | None, what: str) -> None:
    """Hold an answer against everything that was said about it.

    Raises:
        UntrueError: it is something else.
    """
    if size is not None and len(answer.body) != size:
        raise UntrueError(
            f"{what}: {len(answer.body)} bytes where {size} were announced", hint="Build and push the image again."
        )
    if digest:
        page = answer.headers.get("content-type", "").startswith("text/html")
        digests.check(answer.body, digest, f"{what}: a web page" if page else what)
    claimed = answer.headers.get("docker-content-digest", "").strip()
    if claimed and claimed != digest:
        digests.check(answer.body, claimed, what, says="is what it says they have")


def _decode(answer: Answer, kind: Any, what: str) -> Any:
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except (msgspec.ValidationError, msgspec.DecodeError, orjson.JSONDecodeError) as error:
        raise UntrueError(
            f"{what}: the answer is not what it must be: {error}", hint="Check that it is a registry."
        ) from error
