"""`bartizan scan`: manifests or a live cluster to findings."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from bartizan.app.scan import scan as run_scan
from bartizan.app.scan_inputs import ScanInputs, exit_code, read_inputs
from bartizan.app.writing import write_report
from bartizan.cli.options import (
    CHECKS,
    CLUSTER,
    CLUSTER_PARTS,
    FILE,
    FILES_OR_DASH,
    KNOWN,
    PAYLOADS,
    REGISTRY,
    SEVERITIES,
    WORKERS,
    cluster_of,
    declare,
    payloads_of,
)
from bartizan.cli.progress import progress
from bartizan.cli.terminal import piped, results, wants_color, width
from bartizan.model.severity import Severity
from bartizan.outputs.formats import FORMATS
from bartizan.outputs.view import View

if TYPE_CHECKING:
    from bartizan.model.report import Report

_JUDGES: Final = (
    click.option("-p", "--policy", multiple=True, type=FILE, help="Kyverno policies: files or folders."),
    *CHECKS,
    click.option(
        "--pod-security", multiple=True, metavar="LEVEL[@VERSION]", help="baseline, restricted, baseline@v1.35."
    ),
)
_ACCEPTED: Final = (
    click.option("--waivers", type=FILE, help="File of accepted findings, each with reason, owner and end date."),
    click.option("--baseline", type=FILE, help="An earlier report (json, ndjson or sarif): show only what is new."),
)
_RESULTS: Final = (
    click.option(
        "--fail-on",
        type=click.Choice([*SEVERITIES, "never"]),
        default="low",
        show_default=True,
        help="Exit 1 from this severity on.",
    ),
    click.option(
        "-o", "--output", multiple=True, metavar="FORMAT[=FILE]", help=f"{', '.join(FORMATS)}; several may be given."
    ),
    *WORKERS,
    click.option("--explain", is_flag=True, help="Say why each finding matters and what decided it."),
)


@click.command(short_help="Judge manifests or a live cluster.")
@click.argument("paths", nargs=-1, type=FILES_OR_DASH)
@declare(PAYLOADS, CLUSTER, CLUSTER_PARTS, _JUDGES, KNOWN, REGISTRY, _ACCEPTED, _RESULTS)
def scan(**given: Any) -> None:
    """Judge manifests at PATHS (files, folders, charts, kustomizations, `-`), or a live cluster.

    Without --policy or --pod-security the built-in checks run. Nothing is
    changed anywhere.

    \b
    Examples:
      bartizan scan k8s/
      helm template . | bartizan scan -
      bartizan scan --context prod --namespace shop
      bartizan scan -p policies/ k8s/ -o terminal -o sarif=findings.sarif
      bartizan scan --pod-security restricted k8s/
      bartizan scan -p policies/ --json plan.json -o sarif

    Exit codes: 0 clean, 1 findings from --fail-on on, 2 bad input, 3 the world could not be read.
    """
    outputs = _outputs(given.pop("output"))
    fail_on, explain = given.pop("fail_on"), given.pop("explain")
    payloads = payloads_of(given)
    stdin = piped((*given["paths"], *(item.path for item in payloads)))
    keeps_all = any(FORMATS[name].lists_passes for name, _ in outputs)
    identifies = any(FORMATS[name].identifies for name, _ in outputs)
    inputs = ScanInputs(
        cluster=cluster_of(given), **given, payloads=payloads, stdin=stdin, keeps_all=keeps_all, identifies=identifies
    )
    with progress("scanning") as told:
        report = run_scan(read_inputs(inputs, datetime.now().astimezone(), told))
    for name, file in outputs:
        _write(report, name, file, explain=explain)
    sys.exit(exit_code(report, None if fail_on == "never" else Severity[fail_on.upper()]))


def _outputs(wanted: tuple[str, ...]) -> list[tuple[str, Path | None]]:
    found: list[tuple[str, Path | None]] = []
    for item in wanted or ("terminal",):
        name, _, file = item.partition("=")
        if name not in FORMATS:
            from bartizan.base.suggest import did_you_mean

            raise click.UsageError(f"unknown format `{name}`\n  hint: {did_you_mean(name, FORMATS)}")
        found.append((name, Path(file) if file else None))
    if sum(1 for _, file in found if file is None) > 1:
        raise click.UsageError(
            "two formats on standard output\n  hint: Give all but one a file, as in sarif=out.sarif."
        )
    return found


def _write(report: Report, name: str, file: Path | None, *, explain: bool) -> None:
    """Write one format; a file appears whole or not at all."""
    render = FORMATS[name].render
    if file is not None:
        write_report(file, lambda out: render(report, out, View(explain=explain)))
        return
    out = results()
    render(report, out, View(color=wants_color(), width=width(), explain=explain))
    out.flush()
