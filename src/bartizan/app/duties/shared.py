"""Duties that several processes share: a queue in the plane's own PostgreSQL, by procrastinate.

A lasting duty is a job that has a lock of its name, so that one process at a
time has it; one whose process died goes back into the queue once its
heartbeat is missed. A recurring duty is a job once a period.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import procrastinate
from procrastinate import exceptions
from procrastinate.jobs import Status

from bartizan.app.duties.duty import Lasting, do
from bartizan.base.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from threading import Event

    from bartizan.app.duties.duty import Duty, Post
    from bartizan.stores.open import Store

QUEUE: Final = "duties"
_BEAT_S: Final = 5.0
_DEAD_S: Final = 20.0
"""Without a heartbeat for so long, a worker is taken for dead and its duties are given to others."""
_LOOK_S: Final = 5.0
"""How often each worker sees that every duty is in the queue."""


def prepare(store: Store) -> None:
    """Make the queue's own tables, once.

    Raises:
        SpecError: the store is not one that processes share.
    """
    _must_be_shared(store)
    with _sync(store).open() as app:
        with store.reading() as connection:
            there = connection.exec_driver_sql("SELECT to_regclass('procrastinate_jobs')").scalar()
        if there is None:
            app.schema_manager.apply_schema()


def work(duties: Iterable[Duty], post: Post, concurrency: int, stop: Event) -> None:
    """Do what the queue holds, until told to stop."""
    asyncio.run(_work({duty.name: duty for duty in duties}, post, concurrency, stop))


async def _work(duties: dict[str, Duty], post: Post, concurrency: int, stop: Event) -> None:
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=_conninfo(post.store)))

    @app.task(name="duty", queue=QUEUE, pass_context=True)
    async def done(context: procrastinate.JobContext, name: str) -> None:
        duty = duties.get(name)
        if duty is not None:  # one of another release is left to whoever knows it
            await asyncio.to_thread(do, duty, post, _until(stop, context))

    async with app.open_async():
        looking = asyncio.create_task(_look_after(app, duties, stop))
        worker = asyncio.create_task(
            app.run_worker_async(
                queues=[QUEUE],
                concurrency=concurrency,
                delete_jobs="always",
                install_signal_handlers=False,
                shutdown_graceful_timeout=_DEAD_S,
                update_heartbeat_interval=_BEAT_S,
                stalled_worker_timeout=_DEAD_S,
            )
        )
        await asyncio.to_thread(stop.wait)
        worker.cancel()
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(worker, looking)


async def _look_after(app: procrastinate.App, duties: dict[str, Duty], stop: Event) -> None:
    """See that each duty is in the queue when it is due, and that none is held by a worker who died."""
    due: dict[str, float] = {}
    while not stop.is_set():
        with suppress(procrastinate.exceptions.ConnectorException):  # the database is away: looked at again soon
            for job in await app.job_manager.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=_DEAD_S):
                # ended and not tried again: another of its name waits in the queue already, for this one's lock
                await app.job_manager.finish_job_by_id_async(job.id or 0, Status.FAILED, delete_job=True)
            now = asyncio.get_running_loop().time()
            for duty in duties.values():
                if due.get(duty.name, 0.0) <= now:
                    await _put(app, duty.name)
                    due[duty.name] = now + (_LOOK_S if isinstance(duty, Lasting) else duty.every.total_seconds())
        await asyncio.sleep(_LOOK_S)


async def _put(app: procrastinate.App, name: str) -> None:
    with suppress(exceptions.AlreadyEnqueued):  # it waits already
        await app.configure_task("duty", queue=QUEUE, lock=name, queueing_lock=name).defer_async(name=name)


def _until(stop: Event, context: procrastinate.JobContext) -> Callable[[float], bool]:
    def stopped(seconds: float) -> bool:
        return stop.wait(seconds) or context.should_abort()

    return stopped


def _must_be_shared(store: Store) -> None:
    if store.dialect != "postgresql":
        raise SpecError(
            "workers share a PostgreSQL, and this store is a file",
            hint="Set BARTIZAN_DATABASE_URL to `postgresql://user@host/database`.",
        )


def _sync(store: Store) -> Any:
    return procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=_conninfo(store)))


def _conninfo(store: Store) -> str:
    return store.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
