"""A kind followed on a server that says what a real one seldom does."""

from __future__ import annotations

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from bartizan.sources.cluster import connect
from bartizan.sources.cluster.connect import streaming_client
from bartizan.sources.cluster.discovery import Kind
from bartizan.sources.cluster.follow import follow
from bartizan.sources.cluster.line import Bell, Line, hang_up
from bartizan.sources.cluster.news import Deleted, ListingBegan, ListingEnded, Pulse, Seen, Unknown, Vanished

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_KIND = Kind("", "v1", "pods", "Pod", namespaced=True, names=frozenset())


def _pod(name: str, revision: int) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "shop", "resourceVersion": str(revision), "managedFields": [1]}}


def _listing(*names: str, revision: int = 5, more: str = "") -> bytes:
    metadata = {"resourceVersion": str(revision), **({"continue": more} if more else {})}
    return json.dumps({"metadata": metadata, "items": [_pod(name, 1) for name in names]}).encode()


def _event(how: str, name: str, revision: int) -> bytes:
    return (
        json.dumps({"type": how, "object": {"kind": "Pod", "apiVersion": "v1", **_pod(name, revision)}}).encode()
        + b"\n"
    )


class Scripted(ThreadingHTTPServer):
    """Answers each listing and each watch by the next line of a script; the last is said again and again."""

    daemon_threads = True

    def __init__(self, listings: list[tuple[int, bytes]], watches: list[tuple[int, bytes]]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.listings = listings
        self.watches = watches
        self.asked: list[str] = []


class _Handler(BaseHTTPRequestHandler):
    server: Scripted

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        script = self.server.watches if "watch=1" in self.path else self.server.listings
        status, body = script.pop(0) if len(script) > 1 else script[0]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


class Taker:
    """Takes everything."""

    def __init__(self) -> None:
        self.news: list[Any] = []
        self.full = False

    def take(self, news: Any) -> None:
        """Keep it."""
        self.news += news

    def is_full(self) -> bool:
        """As it was said."""
        return self.full


@pytest.fixture
def serve() -> Iterator[Callable[..., Scripted]]:
    """Starts scripted servers."""
    servers: list[Scripted] = []

    def start(listings: list[tuple[int, bytes]], watches: list[tuple[int, bytes]]) -> Scripted:
        server = Scripted(listings, watches)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def _follow(server: Scripted, tmp_path: Path, until: Callable[[list[Any]], Any]) -> list[Any]:
    """Follow a kind until its news are enough."""
    config = tmp_path / "config"
    url = f"http://127.0.0.1:{server.server_address[1]}"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "x",
        "clusters": [{"name": "x", "cluster": {"server": url}}],
        "users": [{"name": "x", "user": {"token": "t"}}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
    }
    config.write_text(json.dumps(document))

    async def run() -> list[Any]:
        taker = Taker()
        with connect(kubeconfig=config) as cluster:
            client = streaming_client(cluster)
            line = Line("x", client, taker, Pulse(), asyncio.Semaphore(1), Bell(), set())
            task = asyncio.create_task(follow(_KIND, line))
            async with asyncio.timeout(20):
                while not until(taker.news) and not task.done():  # noqa: ASYNC110  (a list tells nobody that it grew)
                    await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await hang_up(line)
        return taker.news

    return asyncio.run(run())


def _names(news: list[Any], kind: type) -> list[str]:
    return [one.resource.id.name for one in news if isinstance(one, kind)]


def test_pages_are_one_listing_and_changes_follow_it(serve: Callable[..., Scripted], tmp_path: Path) -> None:
    changes = _event("ADDED", "c", 6) + _event("MODIFIED", "a", 7) + _event("DELETED", "b", 8)
    server = serve(
        [(200, _listing("a", more="p2")), (200, _listing("b", revision=5))],
        [(200, changes), (200, b""), (200, _event("ADDED", "d", 9))],
    )
    news = _follow(server, tmp_path, lambda news: "d" in _names(news, Seen))
    assert [type(one) for one in news[:4]] == [ListingBegan, Seen, Seen, ListingEnded]
    assert _names(news, Seen)[:4] == ["a", "b", "c", "a"]
    assert _names(news, Deleted) == ["b"]
    assert news[1].resource.body["kind"] == "Pod"
    assert "managedFields" not in news[1].resource.body["metadata"]
    watches = [path for path in server.asked if "watch=1" in path]
    assert [path.rpartition("resourceVersion=")[2] for path in watches[:3]] == ["5", "8", "8"]


@pytest.mark.parametrize(
    "said",
    [
        pytest.param((410, b"{}"), id="a status of 410"),
        pytest.param((504, b"{}"), id="a server with another history"),
        pytest.param((200, b'{"type":"ERROR","object":{"kind":"Status","code":410}}\n'), id="an event that says 410"),
        pytest.param((200, b'{"type":"ADDED","object":[]}\n'), id="an object that is none"),
    ],
)
def test_what_may_have_been_missed_is_listed_anew(
    said: tuple[int, bytes], serve: Callable[..., Scripted], tmp_path: Path
) -> None:
    server = serve([(200, _listing("a")), (200, _listing("b"))], [said, (200, b"")])
    news = _follow(server, tmp_path, lambda news: "b" in _names(news, Seen))
    assert [one for one in news if isinstance(one, Unknown)] == []
    assert sum(isinstance(one, ListingBegan) for one in news) == 2


def test_what_is_no_json_breaks_the_stream_and_nothing_else(serve: Callable[..., Scripted], tmp_path: Path) -> None:
    server = serve([(200, _listing("a"))], [(200, b"<html>\n"), (200, _event("ADDED", "b", 9))])
    news = _follow(server, tmp_path, lambda news: "b" in _names(news, Seen))
    assert sum(isinstance(one, ListingBegan) for one in news) == 1


@pytest.mark.parametrize(
    "said", [(500, b"oops"), (403, b'{"message": "no"}'), (200, b"<html>"), (200, b"[]"), (401, b"")]
)
def test_a_listing_that_fails_is_unknown_and_tried_again(
    said: tuple[int, bytes], serve: Callable[..., Scripted], tmp_path: Path
) -> None:
    server = serve([said, (200, _listing("a"))], [(200, b"")])
    news = _follow(server, tmp_path, lambda news: "a" in _names(news, Seen))
    unknown = [one for one in news if isinstance(one, Unknown)]
    assert len(unknown) == 1
    assert unknown[0].problem.message.startswith("`pods` is unknown")
    assert sum(isinstance(one, ListingEnded) for one in news) == 1


def test_a_kind_the_server_does_not_have_is_not_followed(serve: Callable[..., Scripted], tmp_path: Path) -> None:
    news = _follow(serve([(404, b"{}")], [(200, b"")]), tmp_path, lambda _news: False)
    assert [type(one) for one in news] == [ListingBegan, Vanished]
