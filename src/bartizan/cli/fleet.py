"""`bartizan fleet`: a plane from the command line, by its interface for programs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click

from bartizan.cli.fleet_asking import OUTPUT, as_json, client, day, end, pair, quoted
from bartizan.cli.fleet_waivers import waivers
from bartizan.cli.options import SEVERITIES, declare

if TYPE_CHECKING:
    from bartizan.app.fleet_client import FleetClient

_PART: Final = (
    click.option("--cluster", help="In this cluster."),
    click.option("--namespace", help="In this namespace; `-` for the objects of the cluster itself."),
    click.option("--team", help="Of this team; `-` for what is of none."),
)
_STATES: Final = ("open", "waived", "fixed", "gone", "any")
_FINDINGS: Final = (
    *_PART,
    click.option("--rule", help="Of this rule."),
    click.option("--kind", help="On objects of this kind."),
    click.option("--severity", type=click.Choice(SEVERITIES), help="Of this severity or a worse one."),
    click.option("--most", type=click.Choice(SEVERITIES), help="Of this severity or a lesser one."),
    click.option("--resource", type=click.IntRange(1), help="On the object of this number."),
    click.option("--state", multiple=True, type=click.Choice(_STATES), help="May recur.  [open]"),
    click.option("-q", "--words", "q", help="With these words in the message."),
)
_FORMATS: Final = (
    "csv", "json", "ndjson", "sarif", "ocsf", "oscal", "oscal-poam", "policyreport", "openreports", "junit", "html",
)  # fmt: skip  # as the plane names them
_OF: Final = ("fleet", "cluster", "namespace", "team", "framework", "control")
_SPAN: Final = (
    click.option("--since", metavar="DAY", help="The day before: 2026-03-01, or 7d for a week ago."),
    click.option("--until", metavar="DAY", help="The day after.  [today]"),
)


@click.group(short_help="Ask a plane: clusters, findings, scores, waivers, exports.")
def fleet() -> None:
    """Ask a plane, and tell it what is decided.

    Log in once with a token that the plane's page `Tokens` makes; or set
    BARTIZAN_URL and BARTIZAN_TOKEN, as a pipeline does.

    \b
    Examples:
      bartizan fleet login https://plane.example
      bartizan fleet status
      bartizan fleet findings --cluster prod --severity high
      bartizan fleet why --since 7d
      bartizan fleet export findings -f sarif --out findings.sarif

    Exit codes: 0 done, 2 asked wrongly or of what is not there, 3 the plane does not answer, or not to you.
    """


@fleet.command(short_help="Keep a plane's URL and a token for it.")
@click.argument("url")
@click.option("--token-stdin", is_flag=True, help="Read the token from standard input.")
def login(*, url: str, token_stdin: bool) -> None:
    """Keep the URL of a plane and a token, in a file that only you can read.

    The token is asked for without being shown, and tried before it is kept.

    \b
    Examples:
      bartizan fleet login https://plane.example
      bartizan fleet login http://127.0.0.1:8420 --token-stdin < token
    """
    from bartizan.app.fleet_client import FleetClient
    from bartizan.app.fleet_login import Login, checked_url, keep_login

    base = checked_url(url)
    token = sys.stdin.readline().strip() if token_stdin else click.prompt("Token", hide_input=True).strip()
    made = Login(base, token)
    with FleetClient(made) as plane:
        told = plane.get("")
    file = keep_login(made)
    click.echo(f"{told['name']} may {', '.join(told['permissions'])}; kept in {file}", err=True)


@fleet.command(short_help="The fleet in a few lines.")
@OUTPUT
def status(output: str) -> None:
    """Show the fleet's three numbers, and which clusters are not heard of.

    \b
    Example:
      bartizan fleet status
    """
    from bartizan.cli.fleet_tables import numbers

    with client() as plane:
        score = plane.get("/scores")["items"][0]["score"]
        clusters = list(plane.items("/clusters"))
    silent = [one["name"] for one in clusters if one["state"] != "current"]
    if output == "json":
        as_json({"score": score, "clusters": len(clusters), "not_current": silent})
        return
    failing = {word: sum(one["counts"][word]["failed"] for one in clusters) for word in reversed(SEVERITIES)}
    for name, number in zip(("pass rate", "coverage", "exceptions"), numbers(score), strict=True):
        click.echo(f"{name:11} {number}")
    click.echo(f"{'clusters':11} {len(clusters):,}, {sum(one['objects'] for one in clusters):,} objects")
    click.echo(f"{'failing':11} {', '.join(f'{number:,} {word}' for word, number in failing.items())}")
    if silent:
        from bartizan.outputs.text import one_line

        click.echo(f"{'not current':11} {one_line(', '.join(silent))}")


@fleet.command(short_help="The members of the fleet, with their numbers.")
@click.option("--left", is_flag=True, help="With those that have left.")
@OUTPUT
def clusters(*, left: bool, output: str) -> None:
    """List clusters with their three numbers.

    \b
    Example:
      bartizan fleet clusters
    """
    from bartizan.cli.fleet_tables import moment, numbers, table

    with client() as plane:
        found = list(plane.items("/clusters", left=True if left else None))
    if output == "json":
        as_json(found)
        return
    heads = ("CLUSTER", "STATE", "PASS", "COVERAGE", "EXCEPTIONS", "OBJECTS", "LAST SEEN", "VERSION")
    rows = []
    for one in found:
        seen = (one["objects"], moment(one["last_seen"]), one["version"])
        rows.append((one["name"], one["state"], *numbers(one["score"]), *seen))
    table(heads, rows)


@fleet.command(short_help="Let a cluster join, or say anew what it is.")
@click.argument("name")
@click.option("--label", multiple=True, metavar="KEY=VALUE", help="A label; may recur.")
@click.option("--interval", type=click.IntRange(10, 604_800), default=300, show_default=True, help="Seconds.")
def join(*, name: str, label: tuple[str, ...], interval: int) -> None:
    """Let a cluster join, whose agent promises to be heard of once an interval.

    \b
    Example:
      bartizan fleet join prod-eu --label env=prod
    """
    labels = dict(pair(one) for one in label)
    with client() as plane:
        plane.change("PUT", f"/clusters/{quoted(name)}", {"labels": labels, "interval_s": interval})


@fleet.command("join-token", short_help="A token that lets one agent join.")
@click.option("--name", default="", help="The only cluster that it is for.")
@click.option(
    "--hours", type=click.FloatRange(min=0.1, max=720), default=24, show_default=True, help="How long it holds."
)
def join_token(*, name: str, hours: float) -> None:
    """Make a token that an agent exchanges for its own, once. It is told here and nowhere else.

    \b
    Example:
      bartizan fleet join-token --name prod-eu > token
    """
    with client() as plane:
        told = plane.change("POST", "/join-tokens", {"name": name, "hours": hours})
    click.echo(told["token"])


@fleet.command(short_help="Let a cluster leave.")
@click.argument("name")
@click.option("--forget", is_flag=True, help="Take all its history away too. This cannot be undone.")
def leave(*, name: str, forget: bool) -> None:
    """Let a cluster leave; what is known of it stays, unless it is to be forgotten.

    \b
    Example:
      bartizan fleet leave old-cluster
    """
    with client() as plane:
        plane.change("DELETE", f"/clusters/{quoted(name)}", forget=True if forget else None)


@fleet.command(short_help="Findings, the worst first.")
@declare(_FINDINGS)
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many lines of a table.")
@click.option("-o", "--output", type=click.Choice(["table", *_FORMATS]), default="table", show_default=True)
def findings(*, limit: int, output: str, **given: Any) -> None:
    """Show findings, the worst first. Every format but `table` has all of them.

    \b
    Examples:
      bartizan fleet findings --cluster prod --severity high
      bartizan fleet findings --team payments --state open --state waived -o csv > findings.csv
    """
    from bartizan.cli.fleet_tables import table

    with client() as plane:
        if output != "table":
            plane.save("/export/findings", sys.stdout.buffer, **given, format=output)
            return
        found = list(plane.items("/findings", limit, **given))
    heads = ("SEVERITY", "CLUSTER", "NAMESPACE", "OBJECT", "RULE", "MESSAGE")
    table(heads, ((one["severity"], one["cluster"], one["object"]["namespace"] or "-",
                   f"{one['object']['kind']}/{one['object']['name']}", one["rule"], one["message"])
                  for one in found))  # fmt: skip  # a row


@fleet.command(short_help="The three numbers, and an export of them worked out again.")
@click.option("--of", type=click.Choice(_OF), default="cluster", show_default=True, help="Whose numbers.")
@click.option("--framework", help="Only this framework, or its controls.")
@declare(_PART)
@click.option("--recompute", "file", type=click.Path(), help="Work this export out again: the same bytes, if it holds.")
@OUTPUT
def score(*, of: str, framework: str | None, file: str | None, output: str, **given: Any) -> None:
    """Show pass rate, coverage and exception share; or check an export of them without a plane.

    \b
    Examples:
      bartizan fleet score --of team
      bartizan fleet score --of control --framework kubernetes-checklist
      bartizan fleet export scores --out scores.json
      bartizan fleet score --recompute scores.json > again.json

    Exit 1 where an export does not say what follows from what it is made from.
    """
    if file is not None:
        _recompute(file)
        return
    from bartizan.cli.fleet_tables import numbers, table

    with client() as plane:
        found = list(plane.items("/scores", of=of, framework=framework, **given))
    if output == "json":
        as_json(found)
        return
    rows = ((one["name"], *numbers(one["score"])) for one in found)
    table((of.upper(), "PASS", "COVERAGE", "EXCEPTIONS"), rows)


@fleet.command(short_help="Why the numbers moved.")
@declare(_SPAN, _PART)
@click.option("--framework", help="Of this framework.")
@OUTPUT
def why(*, since: str | None, until: str | None, output: str, **given: Any) -> None:
    """Show how the three numbers moved between two days, split by cause; the parts sum to the whole.

    \b
    Example:
      bartizan fleet why --since 7d --cluster prod
    """
    from fractions import Fraction

    from bartizan.cli.fleet_tables import share, table

    with client() as plane:
        told = plane.get("/movements", since=day(since), until=day(until), **given)
    if output == "json":
        as_json(told)
        return
    causes = ("findings", "rules", "scope", "exceptions", "freshness")

    def row(name: str) -> tuple[str, ...]:
        moved = told[name]
        parts = moved["parts"] or {}
        shown = (f"{float(Fraction(parts[one])) * 100:+.2f}" if one in parts else "-" for one in causes)
        return name.replace("_", " "), share(moved["before"]), *shown, share(moved["after"])

    heads = ("", told["since"], *(one.upper() for one in causes), told["until"])
    table(heads, map(row, ("pass_rate", "coverage", "exception_share")))


@fleet.command(short_help="Attest to a control that no rule can see.")
@click.argument("framework")
@click.argument("control")
@click.option("--statement", required=True, help="What is so.")
@click.option("--evidence", required=True, help="Where that is shown.")
@click.option("--until", required=True, metavar="DAY", help="The last day on which it holds: 2027-03-31, or 90d.")
@click.option("--percent", type=click.IntRange(0, 100), default=100, show_default=True, help="How far it is met.")
@click.option("--cluster", default="", help="For this cluster alone.")
def attest(*, until: str, **given: Any) -> None:
    """Attest to CONTROL of FRAMEWORK.

    \b
    Example:
      bartizan fleet attest kubernetes-checklist image-scanning --until 90d \\
        --statement "every image is scanned before it is pushed" --evidence https://ci.example/scans
    """
    body = {"ends_at": end(until), **given}
    with client() as plane:
        made = plane.change("POST", "/attestations", body)
    click.echo(f"attestation {made['number']}, until {made['ends_at']}", err=True)


@fleet.command(short_help="Write findings or scores in a format that others read.")
@click.argument("what", type=click.Choice(["findings", "scores"]))
@declare(_FINDINGS, _SPAN)
@click.option("-f", "--format", "form", type=click.Choice(_FORMATS), default="csv", show_default=True)
@click.option("--out", type=click.Path(), help="Write to this file, whole or not at all.  [standard output]")
def export(*, what: str, form: str, out: str | None, since: str | None, until: str | None, **given: Any) -> None:
    """Export all findings that a list would show, or scores with all they are made from.

    Scores are JSON; with --since they say why they moved, too.

    \b
    Examples:
      bartizan fleet export findings -f oscal --cluster prod --out results.json
      bartizan fleet export findings -f html --out report.html
      bartizan fleet export scores --since 30d --out scores.json
    """
    query = given
    if what == "findings":
        if since or until:
            raise click.UsageError("findings are of now\n  hint: Leave --since and --until out, or export scores.")
        query["format"] = form
    else:
        query = {name: value for name, value in query.items() if name in ("cluster", "namespace", "team")}
        query |= {"since": day(since), "until": day(until)}
    with client() as plane:
        _save(plane, f"/export/{what}", query, out)


@fleet.command(short_help="Look for words everywhere.")
@click.argument("words", nargs=-1, required=True)
@OUTPUT
def search(*, words: tuple[str, ...], output: str) -> None:
    """Look for clusters, namespaces, rules, objects and findings whose text has all WORDS.

    \b
    Example:
      bartizan fleet search nginx prod
    """
    from bartizan.cli.fleet_tables import table

    with client() as plane:
        found = plane.get("/search", q=" ".join(words))["items"]
    if output == "json":
        as_json(found)
        return
    heads = ("KIND", "CLUSTER", "NAMESPACE", "NAME", "WHAT")
    table(heads, ((one["kind"], one["cluster"], one["namespace"], one["title"], one["detail"]) for one in found))


def _save(plane: FleetClient, path: str, query: dict[str, Any], out: str | None) -> None:
    if out is None:
        plane.save(path, sys.stdout.buffer, **query)
        return
    from pathlib import Path

    from bartizan.app.writing import write_report

    write_report(Path(out), lambda file: plane.save(path, file.buffer, **query))


def _recompute(file: str) -> None:
    from pathlib import Path

    from bartizan.app.files import read_file
    from bartizan.findings.score import recompute

    given = read_file(Path(file))
    found = recompute(given)
    sys.stdout.buffer.write(found)
    sys.stdout.buffer.flush()
    if found != given:
        click.echo("what the export says is not what follows from it", err=True)
        sys.exit(1)


fleet.add_command(waivers)
