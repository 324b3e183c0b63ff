"""What the commands of `bartizan fleet` share: the connection, and what people type."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from bartizan.app.fleet_client import FleetClient

OUTPUT: Final = click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)


def client() -> FleetClient:
    """A connection to the plane that is known."""
    from bartizan.app.fleet_client import FleetClient
    from bartizan.app.fleet_login import find_login

    return FleetClient(find_login())


def day(given: str | None) -> str | None:
    """A day of the past as a parameter."""
    from bartizan.app.days import day_of

    return day_of(given).isoformat() if given else None


def end(given: str) -> str:
    """The end of a day to come, for a body."""
    from bartizan.app.days import end_of

    return end_of(given).isoformat()


def quoted(name: str) -> str:
    """A name as a part of a path."""
    from urllib.parse import quote

    return quote(name, safe="")


def pair(label: str) -> tuple[str, str]:
    """A label as it is typed."""
    name, separator, value = label.partition("=")
    if not separator or not name:
        raise click.UsageError(f"`{label}` is no label\n  hint: Write it as env=prod.")
    return name, value


def as_json(value: Any) -> None:
    """Write an answer for programs."""
    import orjson

    sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_INDENT_2) + b"\n")
    sys.stdout.buffer.flush()
