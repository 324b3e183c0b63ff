"""`bartizan scan`: manifests or a live cluster to findings."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from bartizan.app.scan import scan as run_scan
from bartizan.app.scan_inputs import ScanInputs, exit_code, read_inputs
from bartizan.cli.progress import progress
from bartizan.model.severity import Severity
from bartizan.outputs.formats import FORMATS
from bartizan.outputs.view import View

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.model.report import Report

_SEVERITIES: Final = [severity.label for severity in Severity]
_FILE = click.Path(path_type=Path)

_SOURCES: Final = (
    click.option("--context", help="Scan the cluster of this kubeconfig context."),
    click.option("--kubeconfig", type=_FILE, help="Use this kubeconfig file."),
    click.option("--in-cluster", is_flag=True, help="Scan the cluster this runs in, by its service account."),
    click.option("-n", "--namespace", multiple=True, help="Cluster: only this namespace."),
    click.option("--kind", multiple=True, help="Cluster: only this kind or resource, such as Deployment or pods."),
    click.option("-l", "--selector", default="", help="Cluster: only resources with these labels."),
)
_JUDGES: Final = (
    click.option("-p", "--policy", multiple=True, type=_FILE, help="Kyverno policies: files or folders."),
    click.option("--check", multiple=True, help="Only this built-in check; see `bartizan catalog list`."),
    click.option("--framework", multiple=True, help="Only the built-in checks of this framework."),
    click.option(
        "--severity", type=click.Choice(_SEVERITIES), default="info", help="Only checks at least this severe."
    ),
    click.option(
        "--pod-security", multiple=True, metavar="LEVEL[@VERSION]", help="baseline, restricted, baseline@v1.35."
    ),
    click.option("--values", type=_FILE, help="Values file that answers what policies look up."),
    click.option(
        "--registry",
        is_flag=True,
        help="Ask registries about images, where policies want to know; with what `docker login` left. "
        "A scan of a cluster always may.",
    ),
    click.option("--user-info", type=_FILE, help="UserInfo file: who is taken to create the resources."),
    click.option("--exception", multiple=True, type=_FILE, help="PolicyExceptions: files or folders."),
    click.option("--waivers", type=_FILE, help="File of accepted findings, each with reason, owner and end date."),
    click.option("--baseline", type=_FILE, help="An earlier report (json, ndjson or sarif): show only what is new."),
)
_RESULTS: Final = (
    click.option(
        "--fail-on",
        type=click.Choice([*_SEVERITIES, "never"]),
        default="low",
        show_default=True,
        help="Exit 1 from this severity on.",
    ),
    click.option(
        "-o", "--output", multiple=True, metavar="FORMAT[=FILE]", help=f"{', '.join(FORMATS)}; several may be given."
    ),
    click.option("--workers", type=click.IntRange(0, 64), default=0, help="Processes; 0 is one a core."),
    click.option("--explain", is_flag=True, help="Say why each finding matters and what decided it."),
)


def _options(*groups: tuple[Callable[..., Any], ...]) -> Callable[[Any], Any]:
    def add(command: Any) -> Any:
        for option in reversed([item for group in groups for item in group]):
            command = option(command)
        return command

    return add


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, allow_dash=True))
@_options(_SOURCES, _JUDGES, _RESULTS)
def scan(**options: Any) -> None:
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
    """
    outputs = _outputs(options.pop("output"))
    fail_on, explain = options.pop("fail_on"), options.pop("explain")
    stdin = sys.stdin.buffer.read() if Path("-") in options["paths"] else None
    keeps_all = any(FORMATS[name].lists_passes for name, _ in outputs)
    identifies = any(FORMATS[name].identifies for name, _ in outputs)
    inputs = ScanInputs(**options, stdin=stdin, keeps_all=keeps_all, identifies=identifies)
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
    if file is None:
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]  # a text file, always
        color = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        render(report, sys.stdout, View(color=color, width=_width(), explain=explain))
        sys.stdout.flush()
        return
    part = file.with_name(f".{file.name}.part")
    try:
        with part.open("w", encoding="utf-8") as out:
            render(report, out, View(explain=explain))
        part.replace(file)
    except OSError as error:
        from bartizan.base.errors import SourceError

        reason = (error.strerror or str(error)).lower()
        raise SourceError(f"cannot write `{file}`: {reason}", hint="Check the folder and its permissions.") from error


def _width() -> int:
    import shutil

    return shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100
