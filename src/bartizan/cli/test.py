"""`bartizan test`: the tests of policies, as `kyverno test` has them."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bartizan.app.policy_tests import Case, Verdict, run_tests
from bartizan.app.policy_tests.files import TEST_FILE
from bartizan.app.policy_tests.report import CaseFilter, Summary, render
from bartizan.base.errors import SpecError
from bartizan.cli.options import WORKERS, declare
from bartizan.cli.progress import progress


@click.command(short_help="Run the tests of policies.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--file-name", default=TEST_FILE, show_default=True, help="Name of the test files below a folder.")
@click.option("--filter", "wanted", default="", metavar="policy=*,rule=*,resource=*", help="Only matching cases.")
@click.option("--fail-only", is_flag=True, help="Show failed cases only.")
@click.option("--strict", is_flag=True, help="A rule that gives no answer fails its case, whatever was expected.")
@declare(WORKERS)
@click.option("--explain", is_flag=True, help="Show what the rule said, and for a failed case what decided and where.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "json", "junit"]),
    default="table",
    show_default=True,
    help="How to write it.",
)
def test(  # noqa: PLR0913 (one parameter an option)
    *,
    paths: tuple[Path, ...],
    file_name: str,
    wanted: str,
    fail_only: bool,
    strict: bool,
    workers: int,
    explain: bool,
    output: str,
) -> None:
    """Run the kyverno-test.yaml files at PATHS, or in folders below them.

    Counts as the peer does: where a rule gives no answer at all, its case
    passes; with --strict it fails. Policies are of every kind that `bartizan
    scan` and `bartizan apply` take. Cases that need what is not run here, such
    as a key in a cloud's key service, are counted apart, and never pass.

    Exit codes: 0 all passed, 1 some failed, 2 a file is not what it must be.
    """
    selects = CaseFilter.parse(wanted)
    with progress("testing") as told:
        outcomes = list(run_tests(list(paths), file_name, workers=workers, progress=told))
    if not outcomes:
        raise SpecError(f"no {file_name} found", hint="Name a folder that has some, or use --file-name.")
    cases = [case for outcome in outcomes for case in outcome.cases if selects(case)]
    errors = [outcome.problem for outcome in outcomes if outcome.problem is not None]
    summary = Summary.of(cases, strict=strict)
    shown = [case for case in cases if not fail_only or _verdict(case, strict=strict) is Verdict.FAILED]
    render(output, shown, errors, summary, sys.stdout, strict=strict, explain=explain)
    sys.exit(2 if errors else 1 if summary.failed else 0)


def _verdict(case: Case, *, strict: bool) -> Verdict:
    return case.strict if strict else case.compatible
