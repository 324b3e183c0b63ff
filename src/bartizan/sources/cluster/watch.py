"""A cluster watched: every kind listed once, then followed change by change.

One thread carries the streams of all clusters of a process, for they wait
almost all the time. It hands on what it hears and decides nothing: a kind is
listed again whenever its changes may have been missed, and its end of the
listing says so. Who takes the news may be slow; then the streams wait.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from bartizan.base.errors import SourceError
from bartizan.model.report import Problem
from bartizan.sources.cluster.connect import streaming_client
from bartizan.sources.cluster.discovery import AGGREGATED, NOISE, Kind, discover
from bartizan.sources.cluster.follow import FAILURES, LISTS, follow
from bartizan.sources.cluster.line import Bell, Line, get, hang_up, say
from bartizan.sources.cluster.news import Deleted, Discovered, Pulse, Seen, Taker, Vanished

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence

    from bartizan.base.json import Json
    from bartizan.sources.cluster.connect import Cluster
    from bartizan.sources.cluster.news import News

PROBE_S: Final = 10
"""Between questions to the server whether it is there; an answer may take as long."""
DISCOVERY_S: Final = 60
"""Between looks for new kinds, beside those that a definition of one asks for."""
_DEFINITIONS: Final = frozenset(
    {("apiextensions.k8s.io", "CustomResourceDefinition"), ("apiregistration.k8s.io", "APIService")}
)
_AFTER_S: Final = (0.3, 1.0, 3.0)
"""When kinds are looked for after a definition changed: a server takes its time to serve what it defines."""
_STOP_S: Final = 10
_CLOSING_S: Final = 0.1
"""For connections that were ended to be closed, which takes the loop some turns more."""


class Streams:
    """The thread in which streams run, for all clusters of a process."""

    def __init__(self) -> None:
        _allow_connections()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="streams", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run `work` there, and return its future."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def stop(self) -> None:
        """End the thread; what still runs there is cancelled. Stopping twice does nothing the second time."""
        if not self._thread.is_alive():
            return
        with suppress(TimeoutError):
            self.run(_cancel_others()).result(timeout=_STOP_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=_STOP_S)
        if not self._thread.is_alive():
            self._loop.close()


def _allow_connections() -> None:
    """Open as many files as the system lets us: a cluster has sixty kinds and more, each with a connection."""
    import resource  # late: other systems than Unix have none

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # some systems promise more than they give
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _cancel_others() -> None:
    await _cancelled([task for task in asyncio.all_tasks() if task is not asyncio.current_task()])
    await asyncio.sleep(_CLOSING_S)


async def _cancelled(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class ClusterWatch:
    """One cluster, followed from `start` to `stop`, which any thread may call.

    Raises:
        SpecError: the kubeconfig is not what it must be any more.
    """

    def __init__(self, cluster: Cluster, taker: Taker, streams: Streams, probe_s: float = PROBE_S) -> None:
        self.pulse = Pulse()
        self._probe_s = probe_s
        self._cluster = cluster
        self._streams = streams
        self._tasks: dict[tuple[str, str], tuple[Kind, asyncio.Task[None]]] = {}
        self._beside: set[asyncio.Task[None]] = set()
        self._look = asyncio.Event()
        self._listing = 0
        client = streaming_client(cluster)
        listener = _Listener(taker, self)
        self._line = Line(cluster.name, client, listener, self.pulse, asyncio.Semaphore(LISTS), Bell(), set())

    def start(self) -> None:
        """Begin to watch."""
        self._streams.run(self._start())

    def stop(self) -> None:
        """Stop, and wait until nothing is taken any more."""
        with suppress(TimeoutError):
            self._streams.run(self._stop()).result(timeout=_STOP_S)

    def list_again(self, listing: int) -> None:
        """Look for kinds and list every one of them anew, as if it had just begun; news will name this listing."""
        self._streams.run(self._again(listing))

    def definition_changed(self) -> None:
        """Look for kinds some times, each time a little later. For the thread of the streams alone."""
        if len(self._beside) < 2 + len(_AFTER_S):
            self._run_beside(self._look_soon())

    async def _start(self) -> None:
        self._run_beside(self._discover_always())
        self._run_beside(self._probe_always())

    async def _stop(self) -> None:
        await _cancelled([*self._beside, *(task for _, task in self._tasks.values())])
        await hang_up(self._line)

    async def _again(self, listing: int) -> None:
        self._listing = listing
        tasks = [task for _, task in self._tasks.values()]
        self._tasks.clear()
        await _cancelled(tasks)
        self._look.set()

    def _run_beside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    async def _discover_always(self) -> None:
        while True:
            self._look.clear()
            pause: float = DISCOVERY_S
            try:
                found = await self._discover()
            except FAILURES as error:
                self._is_away(error)
                pause = self._probe_s / 2
            else:
                self._is_there()
                await self._follow_these(found)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._look.wait(), pause)

    async def _discover(self) -> list[Kind | Problem]:
        """What kinds there are. A server that tells all at once is asked here; another, with many questions, beside."""
        documents: dict[str, Json] = {}
        for root in ("/api", "/apis"):
            documents[root] = await get(self._line, root, accept=AGGREGATED)
        if all(one.get("kind") == "APIGroupDiscoveryList" for one in documents.values()):
            return list(discover(_Fetched(documents)))
        return await asyncio.to_thread(lambda: list(discover(self._cluster)))

    async def _follow_these(self, found: Sequence[Kind | Problem]) -> None:
        problems = tuple(item for item in found if isinstance(item, Problem))
        kinds = tuple(
            item for item in found if not isinstance(item, Problem) and (item.group, item.plural) not in NOISE
        )
        await say(self._line.taker, [Discovered(kinds, problems, self._listing)])
        for kind in kinds:
            name = (kind.group, kind.plural)
            known = self._tasks.get(name)
            if known is not None and not known[1].done():
                if known[0].version == kind.version:
                    continue
                await _cancelled([known[1]])
            self._tasks[name] = kind, asyncio.get_running_loop().create_task(follow(kind, self._line))

    async def _look_soon(self) -> None:
        for pause in _AFTER_S:
            await asyncio.sleep(pause)
            self._look.set()

    async def _probe_always(self) -> None:
        """Ask whether the server is there: streams that say nothing do not tell."""
        while True:
            await asyncio.sleep(self._probe_s)
            try:
                await get(self._line, "/version", timeout_s=self._probe_s)
            except FAILURES as error:
                self._is_away(error)
            else:
                self._is_there()

    def _is_there(self) -> None:
        self.pulse.heard()
        if self.pulse.problem is not None:
            self.pulse.problem = None
            self._line.bell.ring()
            self._look.set()

    def _is_away(self, error: Exception) -> None:
        said = error.message if isinstance(error, SourceError) else str(error) or "no answer in time"
        message = f"cluster `{self._cluster.name}` does not answer: {said}"
        self.pulse.problem = Problem("world", message, hint="Check that it is up and can be reached from here.")


class _Fetched:
    """Answers that were asked for before."""

    def __init__(self, documents: Mapping[str, Json]) -> None:
        self._documents = documents

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Json:
        """The document of a path."""
        del headers
        return self._documents[path]


class _Listener:
    """Hands news on, and hears among them that there may be other kinds."""

    def __init__(self, taker: Taker, watch: ClusterWatch) -> None:
        self._taker = taker
        self._watch = watch

    def take(self, news: Sequence[News]) -> None:
        """Keep news for later."""
        self._taker.take(news)
        first = news[0]
        match first:
            case Vanished():
                self._watch.definition_changed()
            case Deleted(kind) | Seen(kind, _, False) if (kind.group, kind.kind) in _DEFINITIONS:
                self._watch.definition_changed()

    def is_full(self) -> bool:
        """Whether more should wait."""
        return self._taker.is_full()
