"""`bartizan worker`: more hands for a plane on PostgreSQL, added by starting them."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import click

from bartizan.cli.options import FILE


@click.command(short_help="Do the plane's work beside its pages; start as many as are needed.")
@click.option("--config", type=FILE, envvar="BARTIZAN_CONFIG", help="Settings of the plane, the same for all.")
@click.option("--database", help="The PostgreSQL that all share.  [env: BARTIZAN_DATABASE_URL]")
@click.option("--data", type=click.Path(path_type=Path), help="Folder for checkouts of this worker.")
@click.option("--concurrency", type=click.IntRange(1, 200), default=20, show_default=True, help="Duties at a time.")
@click.option("--listen", metavar="HOST:PORT", help="Answer /healthz and /readyz there.")
def worker(config: Path | None, database: str | None, data: Path | None, concurrency: int, listen: str | None) -> None:
    """Watch clusters, send notifications and keep the store in bounds, for a plane on PostgreSQL.

    Workers claim what there is to do from a queue in the database; one that
    dies leaves its work to the others within half a minute. All of them need
    the same BARTIZAN_SECRET_KEY as the plane.

    \b
    Examples:
      bartizan up --config plane.yaml --no-watch
      bartizan worker --config plane.yaml
    """
    from bartizan.app.duties import shared  # late: `--help` needs none of what it brings
    from bartizan.app.duties.health import answering
    from bartizan.app.duties.plan import opened
    from bartizan.app.settings import address_of

    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as health, opened(config, data, database, lambda: datetime.now(UTC)) as (duties, post):
        shared.prepare(post.store)
        if listen:
            health.enter_context(answering(*address_of(listen), post.store))
        click.echo(f"working on {len(duties)} duties; Ctrl-C stops", err=True)
        shared.work(duties, post, concurrency, stop)
