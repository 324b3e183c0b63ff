"""The line to one cluster that its followers share: requests that can be given up at any time, and a way to wait."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final, NamedTuple

import httpx2
import orjson

from bartizan.base.errors import SourceError
from bartizan.sources.cluster.connect import TIMEOUT_S, RefusedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from bartizan.base.json import JsonObject
    from bartizan.sources.cluster.news import News, Pulse, Taker

_FULL_PAUSE_S: Final = 0.02
_OPENING_S: Final = 2
"""For connections that are being opened: a handshake takes some milliseconds, where anybody answers."""
_CLOSING_S: Final = 0.05
"""For connections that were ended to be closed, which takes the loop some turns more."""


class Bell:
    """Wakes whoever waits to try again, when a server is back."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake who waits now; who waits later waits for the next time."""
        self._rung.set()
        self._rung = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Wait for so long, or until it rings."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._rung.wait(), seconds)


class Line(NamedTuple):
    """What all followers of a cluster share: its name, the client, who takes the news, and who may list now.

    `opening` are requests that nobody waits for any more: one that is cut off while it connects would leave its
    connection open.
    """

    name: str
    client: httpx2.AsyncClient
    taker: Taker
    pulse: Pulse
    lists: asyncio.Semaphore
    bell: Bell
    opening: set[asyncio.Task[httpx2.Response]]


async def get(line: Line, path: str, *, timeout_s: float = TIMEOUT_S, accept: str = "application/json") -> JsonObject:
    """A document of the API.

    Raises:
        RefusedError: the server answered with an error.
        SourceError: what it answered is no document.
    """
    async with opened(line, path, httpx2.Timeout(timeout_s), accept) as answer:
        content = await answer.aread()
    line.pulse.heard()
    if answer.status_code >= 400:
        raise refused(path, answer.status_code, content)
    body = orjson.loads(content)
    if not isinstance(body, dict):
        raise SourceError(f"`{path.partition('?')[0]}` answers what is no object")
    return body


@asynccontextmanager
async def opened(
    line: Line, path: str, within: httpx2.Timeout, accept: str = "application/json"
) -> AsyncIterator[httpx2.Response]:
    """An answer that has begun. Whoever is cancelled meanwhile leaves it to end by itself."""
    request = line.client.build_request("GET", path, headers={"Accept": accept}, timeout=within)
    task = asyncio.get_running_loop().create_task(line.client.send(request, stream=True))
    line.opening.add(task)
    task.add_done_callback(line.opening.discard)
    try:
        answer = await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(_close_later)
        raise
    try:
        yield answer
    finally:
        await answer.aclose()


async def hang_up(line: Line) -> None:
    """End the line, once what is being opened is open: who followed has been cancelled before."""
    if line.opening:
        await asyncio.wait(line.opening, timeout=_OPENING_S)
    await asyncio.sleep(_CLOSING_S)
    await line.client.aclose()
    await asyncio.sleep(_CLOSING_S)


def _close_later(task: asyncio.Task[httpx2.Response]) -> None:
    if not task.cancelled() and task.exception() is None:
        closing = asyncio.get_running_loop().create_task(task.result().aclose())
        _CLOSING.add(closing)
        closing.add_done_callback(_CLOSING.discard)


_CLOSING: Final[set[asyncio.Task[None]]] = set()
"""Held until they are done: the loop itself holds no task."""


async def say(taker: Taker, news: Sequence[News]) -> None:
    """Hand news on, once there is room for them."""
    if not news:
        return
    while taker.is_full():  # noqa: ASYNC110  (another thread makes the room, and knows no loop)
        await asyncio.sleep(_FULL_PAUSE_S)
    taker.take(news)


def refused(path: str, status: int, content: bytes) -> RefusedError:
    """The server's refusal, in its words."""
    try:
        reason = str(orjson.loads(content).get("message") or "")
    except (orjson.JSONDecodeError, AttributeError):
        reason = ""
    return RefusedError(f"`{path.partition('?')[0]}`: {reason or f'HTTP {status}'}", status=status)
