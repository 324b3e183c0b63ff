"""`bartizan store`: the plane's history kept safe and in bounds."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bartizan.cli.options import FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bartizan.stores.open import Store

_DATABASE = click.option(
    "--database", help="The store, as a URL.  [env: BARTIZAN_DATABASE_URL; default: the file that `up` keeps]"
)
_DATA = click.option("--data", type=click.Path(path_type=Path), help="The folder that `bartizan up --data` named.")


def _of_a_store(command: Callable[..., None]) -> Callable[..., None]:
    return _DATABASE(_DATA(command))


@contextmanager
def _opened(database: str | None, data: Path | None) -> Iterator[Store]:
    from bartizan.app.settings import place  # late: `--help` needs none of what it brings
    from bartizan.stores.open import open_store

    store = open_store(place(data, database).database)
    try:
        yield store
    finally:
        store.close()


@click.group(short_help="Back up, restore, prune and check the plane's history.")
def store() -> None:
    """Keep the plane's history safe and in bounds. The plane may run meanwhile.

    \b
    Examples:
      bartizan store backup plane.backup
      bartizan store restore plane.backup --database postgresql://bartizan@db/plane
      bartizan store prune --settle
      bartizan store check
    """


@store.command(short_help="Write everything to one file.")
@click.argument("file", type=FILE)
@_of_a_store
def backup(file: Path, database: str | None, data: Path | None) -> None:
    """Write all rows of one moment to FILE, which either engine restores."""
    from bartizan.stores.backup import back_up

    with _opened(database, data) as opened:
        counts = back_up(opened, file)
    click.echo(f"{sum(counts.values()):,} rows in {file}")


@store.command(short_help="Fill an empty store from a back-up.")
@click.argument("file", type=FILE)
@_of_a_store
def restore(file: Path, database: str | None, data: Path | None) -> None:
    """Fill an empty store from FILE, as a whole or not at all.

    So SQLite's history moves to PostgreSQL when a fleet has outgrown it.
    """
    from bartizan.stores.backup import restore as fill

    with _opened(database, data) as opened:
        counts = fill(opened, file)
    click.echo(f"{sum(counts.values()):,} rows restored")


@store.command(short_help="Take away what is older than its time.")
@click.option("--config", type=FILE, envvar="BARTIZAN_CONFIG", help="Settings of the plane, which say how old.")
@click.option("--settle", "settles", is_flag=True, help="Give the space back to the disk; writers wait meanwhile.")
@_of_a_store
def prune(config: Path | None, settles: bool, database: str | None, data: Path | None) -> None:
    """Take away what is older than the settings' `retention`, and make the days of old months one.

    The plane does so itself every six hours; trends and the audit log stay.
    """
    from bartizan.app.settings import read_settings
    from bartizan.stores.upkeep import compact, settle
    from bartizan.stores.upkeep import prune as remove

    retention, now = read_settings(config).retention, datetime.now(UTC)
    with _opened(database, data) as opened:
        removed = remove(opened, retention, now)
        removed["days"] = compact(opened, retention, now.date())
        if settles:
            settle(opened)
    for name, number in removed.items():
        click.echo(f"{name:12} {number:>10,} gone")


@store.command(short_help="Say how large it is.")
@_of_a_store
def size(database: str | None, data: Path | None) -> None:
    """Say how many bytes the store takes and, on PostgreSQL, each table with its indexes."""
    from bartizan.stores.upkeep import sizes

    with _opened(database, data) as opened:
        for name, number in sizes(opened).items():
            click.echo(f"{name or 'in all':12} {number:>15,} bytes")


@store.command(short_help="Hold counts and the audit log against what they are of.")
@_of_a_store
def check(database: str | None, data: Path | None) -> None:
    """Count every verdict again and follow the audit log from its first row.

    Exit codes: 0 all is as it should be, 1 something is not.
    """
    from bartizan.stores.audit import broken_at
    from bartizan.stores.recount import miscounts

    with _opened(database, data) as opened, opened.reading() as connection:
        wrong = list(miscounts(connection))
        broken = broken_at(connection)
    for one in wrong:
        place = f"{one.cluster}/{one.namespace}" if one.namespace else one.cluster
        said = f"{one.kept:,} kept, {one.counted:,} counted"
        click.echo(f"{place} {one.rule}: {one.verdict.name.lower()}: {said}", err=True)
    if broken is not None:
        click.echo(f"the audit log does not follow at row {broken}: it was changed", err=True)
    click.echo("something is wrong" if wrong or broken is not None else "counts and audit log hold")
    sys.exit(1 if wrong or broken is not None else 0)
