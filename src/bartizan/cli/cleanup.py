"""`bartizan cleanup`: what clean-up policies and times to live would delete, when, and why; and deleting it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from bartizan.app.cleanup import CleanupInputs, prepare
from bartizan.cli.options import CLUSTER, FILE, FILES_OR_DASH, cluster_of, declare
from bartizan.cli.terminal import piped, results, wants_color
from bartizan.model.report import exit_code_of
from bartizan.outputs.cleanup import as_json, as_yaml, deleted, text
from bartizan.outputs.problems import problem_text

if TYPE_CHECKING:
    from bartizan.app.cleanup import Session
    from bartizan.model.cleanup import CleanupReport, Deleted


@click.command(short_help="Say what clean-up policies would delete, and when.")
@click.argument("paths", nargs=-1, type=FILES_OR_DASH)
@click.option("-p", "--policy", multiple=True, type=FILE, help="Clean-up policies: files or folders.")
@declare(CLUSTER)
@click.option("-n", "--namespace", multiple=True, help="Only what is in this namespace.")
@click.option("--ttl/--no-ttl", default=True, help="With or without objects that have a time to live.")
@click.option("--at", metavar="TIME", help="Judge as of this moment, such as 2027-01-31 or 2027-01-31T12:00:00Z.")
@click.option("--delete", "deletes", is_flag=True, help="Cluster: delete what would be deleted, after asking.")
@click.option("--yes", is_flag=True, help="With --delete: do not ask.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json", "yaml"]),
    default="text",
    show_default=True,
    help="How to write it.",
)
def cleanup(*, at: str | None, deletes: bool, yes: bool, output: str, **options: Any) -> None:
    """Say what clean-up policies would delete among manifests at PATHS, or in a live cluster.

    For each CleanupPolicy, ClusterCleanupPolicy, DeletingPolicy and
    NamespacedDeletingPolicy: when it ran last, when it runs next, and the
    objects it would delete if it ran now, with the reason; exceptions beside
    them are kept to. Then every object with the label `cleanup.kyverno.io/ttl`, and
    when it ends. Without --policy, a cluster's own policies are read.
    Nothing is deleted without --delete, and then only in the state in which
    it was judged.

    \b
    Examples:
      bartizan cleanup -p policies/ k8s/
      bartizan cleanup --context prod
      bartizan cleanup --context prod -p old-jobs.yaml --at 2027-01-31
      bartizan cleanup --context prod -p old-jobs.yaml --delete

    Exit codes: 0 nothing to delete, or all of it deleted, 1 something to
    delete, or that could not be judged, 2 bad input, 3 a cluster that could
    not be read or refused.
    """
    moment = _moment(at) if at else datetime.now(UTC)
    if deletes and at:
        raise click.UsageError("--delete with --at\n  hint: What is deleted is judged as of now.")
    inputs = CleanupInputs(cluster=cluster_of(options), **options, stdin=piped(options["paths"]), deletes=deletes)
    out = results()
    with prepare(inputs, moment) as session:
        report = session.report
        color = wants_color()
        if output == "text":
            print("\n".join(text(report, color=color)), file=out)
        for problem in report.problems:
            print(problem_text(problem), file=sys.stderr)
        done = _delete(session, output, asks=not yes, color=color) if deletes else []
        if output != "text":
            print((as_json if output == "json" else as_yaml)(report, tuple(done)))
    sys.exit(_exit_code(report, done, deletes=deletes))


def _delete(session: Session, output: str, *, asks: bool, color: bool) -> list[Deleted]:
    """Delete after asking, and say of each what became of it."""
    wanted = session.report.deletions
    if not wanted:
        return []
    if asks:
        if not sys.stdin.isatty():
            raise click.UsageError("nobody to ask\n  hint: Say --yes to delete without being asked.")
        question = f"Delete {len(wanted)} from cluster {session.cluster}?"
        click.confirm(question, abort=True, err=True)
    done: list[Deleted] = []
    for item in session.delete(wanted):
        done.append(item)
        print(deleted(item, color=color), file=sys.stdout if output == "text" else sys.stderr, flush=True)
    return done


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        hint = "Write a day such as 2027-01-31, or a moment such as 2027-01-31T12:00:00Z."
        raise click.UsageError(f"--at: `{text}` is no moment\n  hint: {hint}") from error


def _exit_code(report: CleanupReport, done: list[Deleted], *, deletes: bool) -> int:
    code = exit_code_of(report.problems)
    if code:
        return code
    if any(item.result == "failed" for item in done):
        return 3
    if any(run.problems for run in report.runs):
        return 1
    return 1 if report.deletions and not deletes else 0
