"""One kind of a cluster: listed once, then followed change by change, and listed again where changes may be missed."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import httpx2
import orjson
from lightkube.core.exceptions import ConfigError

from bartizan.base.errors import SourceError
from bartizan.model.resource import metadata_of
from bartizan.sources.cluster.connect import RefusedError
from bartizan.sources.cluster.line import Line, get, opened, refused, say
from bartizan.sources.cluster.listing import PAGE, read_item, unknown
from bartizan.sources.cluster.news import Deleted, ListingBegan, ListingEnded, Seen, Unknown, Vanished

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from bartizan.base.json import JsonObject
    from bartizan.sources.cluster.discovery import Kind
    from bartizan.sources.cluster.news import News

STREAM_S: Final = 300
"""How long the server keeps a stream, spread by a quarter so that they do not all end together."""
SILENCE_S: Final = 150
"""After which a stream is opened anew: a server sends a bookmark a minute."""
POLL_S: Final = 60
"""Between listings of a kind that cannot be watched."""
LISTS: Final = 6
"""Kinds of a cluster that are listed at a time: a server has better to do."""
FAILURES: Final = (httpx2.HTTPError, ConfigError, SourceError, OSError, ValueError)
"""What a request can end in that is not an answer; a body that is no JSON is a ValueError."""
_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 30.0
_LINE_BYTES: Final = 64 << 20
"""Beyond what one event can be; etcd takes 1.5 MB an object."""
_GONE: Final = 410
_EXPIRED: Final = frozenset({400, _GONE, 504})
"""Answers to a watch that mean: not from there. A server with another history says 504."""
_NO_SUCH: Final = frozenset({404, 405})


class _ExpiredError(Exception):
    """The server does not remember what happened since then."""


@dataclass(slots=True)
class _State:
    """Where a follower is: at no revision it must list, and after failures it waits longer."""

    revision: str = ""
    pause: float = _FIRST_PAUSE_S


async def follow(kind: Kind, line: Line) -> None:
    """List a kind and follow it until it is no more, or this is cancelled."""
    name = (kind.group, kind.plural)
    state = _State()
    try:
        while True:
            wait = await _attempt(kind, line, state)
            if wait is None:
                return
            if wait:
                line.pulse.watching.discard(name)
                await line.bell.wait(wait * (0.5 + random.random()))  # noqa: S311  spreads requests, guards nothing
    finally:
        line.pulse.watching.discard(name)


async def _attempt(kind: Kind, line: Line, state: _State) -> float | None:
    """Follow as long as it goes. Returns how long to wait before the next attempt, and nothing where there is none."""
    listed = bool(state.revision)
    try:
        if not listed:
            state.revision = await _list(kind, line)
            listed = True
        line.pulse.watching.add((kind.group, kind.plural))
        await _stream(kind, line, state)
    except _ExpiredError:
        state.revision = ""
    except RefusedError as error:
        state.revision = ""
        if error.status in _NO_SUCH and not listed:
            await say(line.taker, [Vanished(kind)])
            return None
        if error.status in _NO_SUCH:
            return POLL_S  # it can be listed, and not watched
        await say(line.taker, [Unknown(kind, unknown(kind, "", error))])
    except FAILURES as error:
        if not listed:
            away = SourceError(f"cluster `{line.name}` does not answer: {str(error) or type(error).__name__}")
            await say(line.taker, [Unknown(kind, unknown(kind, "", away))])
    else:
        state.pause = _FIRST_PAUSE_S
        return 0.0
    wait = state.pause
    state.pause = min(state.pause * 2, _LONGEST_PAUSE_S)
    return wait


async def _list(kind: Kind, line: Line) -> str:
    """List all of a kind. Returns the revision from which to follow it."""
    async with line.lists:
        await say(line.taker, [ListingBegan(kind)])
        token = ""
        while True:
            query = {"limit": str(PAGE)} | ({"continue": token} if token else {})
            body = await _page(line, f"{kind.path()}?{urlencode(query)}")
            items = body.get("items") or ()
            await say(line.taker, [Seen(kind, read_item(one, kind, line.name), listed=True) for one in items])
            metadata = metadata_of(body)
            token = metadata.get("continue") or ""
            if not token:
                await say(line.taker, [ListingEnded(kind)])
                return str(metadata.get("resourceVersion") or "0")


async def _page(line: Line, path: str) -> JsonObject:
    try:
        return await get(line, path)
    except RefusedError as error:
        if error.status == _GONE:
            raise _ExpiredError from error
        raise


async def _stream(kind: Kind, line: Line, state: _State) -> None:
    """Follow a kind until the server ends it; the state moves with it.

    Raises:
        _ExpiredError: changes may have been missed.
        RefusedError: the server does not want to.
    """
    seconds = int(STREAM_S * (0.75 + random.random() / 2))  # noqa: S311  spreads the ends of streams
    query = {"watch": "1", "allowWatchBookmarks": "true", "timeoutSeconds": str(seconds)}
    path = f"{kind.path()}?{urlencode(query | {'resourceVersion': state.revision})}"
    timeout = httpx2.Timeout(30, read=SILENCE_S)
    with suppress(httpx2.ReadTimeout):  # silent for too long: go on from what was heard last
        async with opened(line, path, timeout) as answer:
            if answer.status_code in _EXPIRED:
                raise _ExpiredError
            if answer.status_code >= 400:
                raise refused(kind.path(), answer.status_code, await answer.aread())
            line.pulse.heard()
            async for lines in _lines(answer):
                line.pulse.heard()
                await say(line.taker, _read(kind, lines, line, state))


def _read(kind: Kind, lines: Sequence[bytes], line: Line, state: _State) -> list[News]:
    """The changes that lines tell of."""
    news: list[News] = []
    for one in lines:
        event = orjson.loads(one)
        how, body = event.get("type"), event.get("object")
        if how == "ERROR" or not isinstance(body, dict):
            raise _ExpiredError  # whatever it is: to list again is right
        state.revision = str(metadata_of(body).get("resourceVersion") or state.revision)
        state.pause = _FIRST_PAUSE_S
        if how != "BOOKMARK":
            resource = read_item(body, kind, line.name)
            news.append(Deleted(kind, resource) if how == "DELETED" else Seen(kind, resource, listed=False))
    return news


async def _lines(answer: httpx2.Response) -> AsyncIterator[list[bytes]]:
    """Whole lines, as many as came together."""
    rest = b""
    async for chunk in answer.aiter_bytes():
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > _LINE_BYTES:
            raise SourceError("an event is longer than any object can be")
        whole = [line for line in lines if line]
        if whole:
            yield whole
