"""A plane, asked from the command line: its interface under `/api/v1`, with pages followed and errors told.

What is posted carries a key, so that it can be sent again where the answer
was lost on its way.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import httpx2
import orjson

import bartizan
from bartizan.base.errors import SourceError, SpecError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import BinaryIO, Self

    from bartizan.app.fleet_login import Login

_PREFIX: Final = "/api/v1"
_TIMEOUT_S: Final = 60
_TRIES: Final = 3
_PAUSE_S: Final = 1.0
_LONGEST_S: Final = 10.0
_AGAIN: Final = frozenset({429, 503})
_OURS: Final = frozenset({400, 404, 409, 412, 413, 415, 422})
"""Refusals of what was asked; the rest is of who asks, or of the plane."""
_PAGE: Final = 500


class FleetClient:
    """A connection to a plane, for as long as a command runs."""

    def __init__(self, login: Login) -> None:
        headers = {"Authorization": f"Bearer {login.token}", "User-Agent": f"bartizan/{bartizan.__version__}"}
        self._url = login.url
        self._client = httpx2.Client(base_url=login.url, headers=headers, timeout=_TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, /, **query: Any) -> Any:
        """What a path of the interface answers.

        Raises:
            SpecError: what was asked for is not there, or is asked wrongly.
            SourceError: the plane does not answer, or not to us.
        """
        return self._told(self._sent("GET", path, params=_given(query)))

    def items(self, path: str, up_to: int = 0, /, **query: Any) -> Iterator[Any]:
        """The items of a list, page by page; `up_to` so many, where that is given.

        Raises:
            SpecError: as `get`.
            SourceError: as `get`.
        """
        after, left = "", up_to
        while True:
            limit = min(left, _PAGE) if up_to else _PAGE
            page = self.get(path, **query, limit=limit, after=after or None)
            yield from page["items"]
            after, left = page["next"], left - len(page["items"])
            if not after or (up_to and left <= 0):
                return

    def change(self, method: str, path: str, body: Any = None, /, **query: Any) -> Any:
        """Change something, once.

        Raises:
            SpecError: as `get`.
            SourceError: as `get`.
        """
        more: dict[str, Any] = {"params": _given(query)}
        if method == "POST":
            more["headers"] = {"Idempotency-Key": str(uuid4())}
        if body is not None:
            more["json"] = body
        answer = self._sent(method, path, **more)
        return None if answer.status_code == 204 else self._told(answer)

    def save(self, path: str, out: BinaryIO, /, **query: Any) -> None:
        """Write what a path answers, as it comes.

        Raises:
            SpecError: as `get`.
            SourceError: as `get`, or it ended too early.
        """
        try:
            with self._client.stream("GET", f"{_PREFIX}{path}", params=_given(query)) as answer:
                if answer.status_code >= 400:
                    answer.read()
                    raise self._refused(answer)
                out.writelines(answer.iter_bytes())
        except httpx2.HTTPError as error:
            raise self._away(error) from error

    def _sent(self, method: str, path: str, **more: Any) -> httpx2.Response:
        pause = _PAUSE_S
        for attempt in range(1, _TRIES + 1):
            try:
                answer = self._client.request(method, f"{_PREFIX}{path}", **more)
            except httpx2.HTTPError as error:
                if attempt == _TRIES:
                    raise self._away(error) from error
            else:
                if answer.status_code not in _AGAIN or attempt == _TRIES:
                    return answer
                told = answer.headers.get("retry-after", "")
                pause = float(told) if told.isascii() and told.isdecimal() else pause
            time.sleep(min(pause, _LONGEST_S))
            pause *= 2
        raise AssertionError  # the last try returns or raises

    def _told(self, answer: httpx2.Response) -> Any:
        if answer.status_code >= 400:
            raise self._refused(answer)
        try:
            return orjson.loads(answer.content)
        except orjson.JSONDecodeError as error:
            raise self._no_plane() from error

    def _refused(self, answer: httpx2.Response) -> SpecError | SourceError:
        try:
            told = orjson.loads(answer.content)
            message, hint = str(told["title"]), str(told.get("detail", ""))
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            return self._no_plane()
        if answer.status_code == 401:
            hint = "Log in: `bartizan fleet login`."
        return SpecError(message, hint=hint) if answer.status_code in _OURS else SourceError(message, hint=hint)

    def _no_plane(self) -> SourceError:
        return SourceError(f"`{self._url}` does not answer as a plane does", hint="See that the URL is right.")

    def _away(self, error: httpx2.HTTPError) -> SourceError:
        said = str(error) or type(error).__name__
        hint = "See that the plane runs and can be reached from here; `SSL_CERT_FILE` names authorities of your own."
        return SourceError(f"`{self._url}` does not answer: {said}", hint=hint)


def _given(query: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters that were given; a list is given several times, and an empty namespace is one too."""
    return {name: value for name, value in query.items() if value is not None and value not in ((), [])}
