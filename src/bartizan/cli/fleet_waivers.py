"""`bartizan fleet waivers`: findings accepted for a time, asked for by one and decided by another."""

from __future__ import annotations

from typing import Any, Final

import click

from bartizan.cli.fleet_asking import OUTPUT, as_json, client, end
from bartizan.cli.options import declare

_NUMBER: Final = click.argument("number", type=click.IntRange(1))
_SELECTORS: Final = ("cluster", "namespace", "team", "policy", "rule", "kind", "name", "path", "fingerprint")


@click.group(short_help="Accept findings for a time.")
def waivers() -> None:
    """Ask for findings to be accepted, decide on what others asked for, and end what is not needed any more.

    \b
    Example:
      bartizan fleet waivers ask --cluster prod --namespace monitoring --rule host-network \\
        --reason "reads the node's own counters" --until 90d
    """


@waivers.command("list", short_help="Waivers, the last asked first.")
@click.option(
    "--state", multiple=True, type=click.Choice(["asked", "approved", "refused", "ended"]), help="[asked, approved]"
)
@OUTPUT
def show(*, state: tuple[str, ...], output: str) -> None:
    """List waivers.

    \b
    Example:
      bartizan fleet waivers list --state asked
    """
    from bartizan.cli.fleet_tables import moment, table

    with client() as plane:
        found = list(plane.items("/waivers", state=state))
    if output == "json":
        as_json(found)
        return
    heads = ("NUMBER", "STATE", "ASKED BY", "ENDS", "WHAT", "WHY")
    table(heads, ((str(one["number"]), one["state"], one["asked_by"], moment(one["ends_at"]), _what(one), one["reason"])
                  for one in found))  # fmt: skip  # a row


@waivers.command(short_help="Ask for findings to be accepted.")
@declare(tuple(click.option(f"--{one}", default="", help=f"Findings of this {one}.") for one in _SELECTORS))
@click.option("--reason", required=True, help="Why they are accepted.")
@click.option("--until", required=True, metavar="DAY", help="The last day on which it holds: 2026-12-31, or 90d.")
@click.option("--sure", is_flag=True, help="Many findings are meant.")
def ask(*, reason: str, until: str, sure: bool, **selectors: str) -> None:
    """Ask for the findings that all given options choose to be accepted until a day.

    It holds once another person has approved it. `policy` and what follows
    may have wildcards.

    \b
    Example:
      bartizan fleet waivers ask --cluster prod --namespace shop --rule host-path --reason "moves in May" --until 90d
    """
    with client() as plane:
        body = {"selectors": selectors, "reason": reason, "ends_at": end(until), "sure": sure}
        made = plane.change("POST", "/waivers", body)
    click.echo(f"waiver {made['number']} is asked for, until {made['ends_at']}", err=True)


@waivers.command(short_help="Approve a waiver that somebody else asked for.")
@_NUMBER
@click.option("--comment", default="", help="What to say with it.")
def approve(*, number: int, comment: str) -> None:
    """Approve waiver NUMBER.

    \b
    Example:
      bartizan fleet waivers approve 7 --comment "until the driver is replaced"
    """
    _decide(number, "approved", comment)


@waivers.command(short_help="Refuse a waiver that somebody else asked for.")
@_NUMBER
@click.option("--comment", default="", help="What to say with it.")
def refuse(*, number: int, comment: str) -> None:
    """Refuse waiver NUMBER.

    \b
    Example:
      bartizan fleet waivers refuse 7 --comment "a volume claim does it too"
    """
    _decide(number, "refused", comment)


@waivers.command("end", short_help="End a waiver before its time.")
@_NUMBER
def finish(*, number: int) -> None:
    """End waiver NUMBER: what it accepted counts again.

    \b
    Example:
      bartizan fleet waivers end 7
    """
    with client() as plane:
        plane.change("POST", f"/waivers/{number}/end")
    click.echo(f"waiver {number} has ended", err=True)


def _decide(number: int, decision: str, comment: str) -> None:
    with client() as plane:
        plane.change("POST", f"/waivers/{number}/decision", {"decision": decision, "comment": comment})
    click.echo(f"waiver {number} is {decision}", err=True)


def _what(one: dict[str, Any]) -> str:
    chosen = [f"{name}={value}" for name, value in one["selectors"].items() if value]
    return " ".join(chosen) or "everything"
