"""One process of the plane, from its settings to its last request."""

from __future__ import annotations

import socket
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

import uvicorn

from bartizan.app.duties.duty import Post
from bartizan.app.duties.here import on_duty
from bartizan.app.duties.plan import duties_of
from bartizan.app.duties.watching import Watching
from bartizan.app.settings import place, secret_key
from bartizan.base.errors import SourceError
from bartizan.plane.application import THREADS, application
from bartizan.plane.assets import Assets
from bartizan.plane.people.entering import first_link
from bartizan.plane.people.sign_in import read_sign_in
from bartizan.plane.render import templates
from bartizan.plane.site import Site
from bartizan.stores.ingest import Ingest
from bartizan.stores.open import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from bartizan.app.duties.duty import Duty
    from bartizan.app.settings import Place, Settings
    from bartizan.stores.open import Store

_BESIDE: Final = 4
"""Connections to the store for what runs beside the pages."""
_AT_A_TIME: Final = 20
"""Duties that this process does at a time, of those that workers share."""
_GOODBYE_S: Final = 10
"""For requests that are under way when the process is asked to stop."""


@dataclass(frozen=True, slots=True)
class Serving:
    """Where to serve, and where to keep. `tls` are the files of a certificate and its key."""

    host: str
    port: int
    folder: Path | None = None
    database: str | None = None
    tls: tuple[Path, Path | None] | None = None
    watches: bool = True


def site_of(settings: Settings, where: Place, now: Callable[[], datetime]) -> Site:
    """Open what a plane needs.

    Raises:
        SpecError: the key cannot be one.
        StoreError: the database is away.
    """
    key = secret_key(where)
    store = open_store(where.database, connections=THREADS + _BESIDE)
    return site_on(store, key, settings, now)


def site_on(store: Store, key: bytes, settings: Settings, now: Callable[[], datetime]) -> Site:
    """A plane on a store that is open."""
    assets = Assets()
    return Site(store, Ingest(store, key), key, settings, now, templates(assets), assets)


def serve(settings: Settings, wanted: Serving, now: Callable[[], datetime], say: Callable[[str], None]) -> None:
    """Serve until told to stop.

    Raises:
        SpecError: the settings name what there is not.
        SourceError: the address is taken.
    """
    read_sign_in(settings.sign_in)
    where, watch = place(wanted.folder, wanted.database), Watching()
    duties = duties_of(settings, where, watch)  # what cannot be done is told first
    listening = _listen(wanted.host, wanted.port)
    site = site_of(settings, where, now)
    scheme = "https" if wanted.tls else "http"
    name = f"[{wanted.host}]" if ":" in wanted.host else wanted.host
    base = settings.public_url.rstrip("/") or f"{scheme}://{name}:{listening.getsockname()[1]}"
    certificate, key = wanted.tls or (None, None)
    config = uvicorn.Config(
        application(site),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GOODBYE_S,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    try:
        with _done_beside(site, duties, watch) if wanted.watches else nullcontext():
            link = f"{base}{first_link(site)}"
            say(f"Bartizan keeps watch. Sign in, once, with\n\n  {link}\n\nthen it is {base} (Ctrl-C stops).")
            uvicorn.Server(config).run(sockets=[listening])
    finally:
        site.store.close()


@contextmanager
def _done_beside(site: Site, duties: Sequence[Duty], watch: Watching) -> Iterator[None]:
    """Do what is to be done beside the pages."""
    post = Post(site.store, site.ingest, site.settings, site.key, site.now)
    site.rooms["watch"] = watch
    try:
        with on_duty(duties, post) if site.store.dialect == "sqlite" else _shared(duties, post):
            yield
    finally:
        watch.stop()


@contextmanager
def _shared(duties: Sequence[Duty], post: Post) -> Iterator[None]:
    """Take part in the work that all processes on one PostgreSQL share."""
    from bartizan.app.duties import shared  # late: the queue's library comes with PostgreSQL's

    shared.prepare(post.store)
    stop = Event()
    thread = Thread(target=shared.work, args=(duties, post, _AT_A_TIME, stop), name="duties", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(_GOODBYE_S)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # with its protocol named, or asyncio leaves Nagle's delay on: 40 ms an answer
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        said = (error.strerror or str(error)).lower()
        hint = "Stop what serves there, or choose another with --listen."
        raise SourceError(f"`{host}:{port}` cannot be served: {said}", hint=hint) from error
    listening.listen(1024)
    return listening
