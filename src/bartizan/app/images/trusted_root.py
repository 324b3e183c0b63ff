"""Which Sigstore to believe: the trusted root that the user names, else the public one that `sigstore` carries.

`BARTIZAN_TRUSTED_ROOT` names a `trusted_root.json`, or a folder that is a
copy of a TUF repository. Nothing is fetched: a scan's verdict should not
depend on what a server says today.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import orjson

from bartizan.app.files import read_file
from bartizan.base.errors import BartizanError, SourceError, SpecError
from bartizan.engines.policy.lookup import LookupFailedError, Offline, TrustQuestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tuf.ngclient.fetcher import FetcherInterface

    from bartizan.base.json import Json
    from bartizan.engines.policy.lookup import Question

VARIABLE: Final = "BARTIZAN_TRUSTED_ROOT"
_PUBLIC: Final = ("https%3A%2F%2Ftuf-repo-cdn.sigstore.dev", "trusted_root.json")
_PUBLIC_MIRROR: Final = "https://tuf-repo-cdn.sigstore.dev"
_TARGET: Final = "trusted_root.json"
_FIRST_ROOT: Final = re.compile(r"(?:(\d+)\.)?root\.json")
_MAX_BYTES: Final = 5_000_000
_HERE: Final = "folder:"


def trusted_root(environment: Mapping[str, str] = os.environ, *, mirror: str = "") -> Json:
    """The trusted root, decoded.

    Where a policy names a TUF repository of its own, the user must have
    named a copy of it: who is in the public one is not whom it believes.

    Raises:
        SpecError: what the user names is no trusted root, or the folder's signatures do not hold.
        SourceError: there is no trusted root at all, or none for `mirror`.
    """
    named = environment.get(VARIABLE, "")
    if not named and mirror and mirror.rstrip("/") != _PUBLIC_MIRROR:
        hint = f"Copy that TUF repository to a folder, and name the folder in {VARIABLE}."
        raise SourceError(f"there is no trusted root of `{mirror[:200]}` here", hint=hint)
    if not named:
        return _decoded(_public(), "the public trusted root")
    path = Path(named)
    data = _from_tuf(path) if path.is_dir() else read_file(path)
    return _decoded(data, f"`{named}`")


def believed(mirror: str = "") -> Json:
    """The trusted root as an answer, read once a run: it is here, whatever else cannot be asked.

    Raises:
        LookupFailedError: it cannot be had; the message says why.
    """
    try:
        return _once(mirror)
    except BartizanError as error:
        raise LookupFailedError(error.message) from error


@lru_cache(maxsize=8)
def _once(mirror: str) -> Json:
    return trusted_root(mirror=mirror)


class Unconnected:
    """The lookup of a run that may ask nobody."""

    def answer(self, question: Question) -> Json:
        """The trusted root; all else fails, and says what was asked."""
        return believed(question.mirror) if isinstance(question, TrustQuestion) else Offline().answer(question)


def _decoded(data: bytes, what: str) -> Json:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        hint = f"Name a trusted_root.json, or a folder with a TUF repository, in {VARIABLE}."
        raise SpecError(f"{what} is no trusted root: {error}", hint=hint) from error


def _public() -> bytes:
    """The root of the public Sigstore, as it was when the `sigstore` package was made."""
    from importlib.resources import files

    try:
        return files("sigstore._store").joinpath(*_PUBLIC).read_bytes()
    except (OSError, ModuleNotFoundError) as error:
        hint = f"Name a trusted_root.json in {VARIABLE}."
        raise SourceError("this installation carries no Sigstore trusted root", hint=hint) from error


def _from_tuf(folder: Path) -> bytes:
    """The trusted root of a TUF repository in a folder, whose first `root.json` is believed as it stands."""
    from tempfile import TemporaryDirectory

    from tuf.api.exceptions import DownloadError, RepositoryError
    from tuf.ngclient.updater import Updater

    hint = "Copy the whole repository: its metadata, and its targets in `targets/`."
    with TemporaryDirectory() as state:
        try:
            updater = Updater(
                metadata_dir=state,
                metadata_base_url=_HERE,
                target_base_url=f"{_HERE}targets/",
                target_dir=state,
                fetcher=_fetcher(folder),
                bootstrap=_bootstrap(folder),
            )
            updater.refresh()
            found = updater.get_targetinfo(_TARGET)
            if found is None:
                raise SpecError(f"TUF repository `{folder}` has no `{_TARGET}`", hint=hint)
            return Path(updater.download_target(found)).read_bytes()
        except (DownloadError, RepositoryError, OSError, ValueError) as error:
            raise SpecError(f"TUF repository `{folder}` is not to be trusted: {error}", hint=hint) from error


def _bootstrap(folder: Path) -> bytes:
    """The root of trust: the lowest numbered one there is."""
    named = [
        (int(match.group(1) or 0), path) for path in folder.iterdir() if (match := _FIRST_ROOT.fullmatch(path.name))
    ]
    if not named:
        raise SpecError(f"folder `{folder}` is no TUF repository", hint="It must hold `1.root.json` or `root.json`.")
    return min(named)[1].read_bytes()


def _fetcher(folder: Path) -> FetcherInterface:
    """Reads the repository's files from the folder, in place of a server."""
    from tuf.api.exceptions import DownloadHTTPError
    from tuf.ngclient import fetcher

    class Folder(fetcher.FetcherInterface):
        """A folder as a server."""

        def _fetch(self, url: str) -> Iterator[bytes]:
            name = url.removeprefix(_HERE).lstrip("/")
            path = (folder / name).resolve()
            if not path.is_relative_to(folder.resolve()) or not path.is_file():
                raise DownloadHTTPError(f"`{name}` is not there", 404)
            if path.stat().st_size > _MAX_BYTES:
                raise DownloadHTTPError(f"`{path.name}` is far too large", 413)
            return iter([path.read_bytes()])

    return Folder()
