"""What the command line says, read into a request for a scan; and what its report means as an exit code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bartizan.app.files import read_file
from bartizan.app.options import NO_CLUSTER, ClusterChoice, live_of, registries, user_in, values_in, waivers_in
from bartizan.app.payloads import STDIN, read_payloads
from bartizan.app.scan import ScanRequest
from bartizan.base.errors import SpecError
from bartizan.base.location import Location
from bartizan.findings import read_baseline
from bartizan.model.report import exit_code_of
from bartizan.model.severity import Severity

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from bartizan.app.payloads import Given
    from bartizan.app.supply import Progress
    from bartizan.model.report import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanInputs:
    """The options of `bartizan scan`, as they are written."""

    paths: tuple[Path, ...]
    stdin: bytes | None = None
    cluster: ClusterChoice = NO_CLUSTER
    policy: tuple[Path, ...] = ()
    check: tuple[str, ...] = ()
    framework: tuple[str, ...] = ()
    severity: str = "info"
    pod_security: tuple[str, ...] = ()
    values: Path | None = None
    registry: bool = False
    user_info: Path | None = None
    exception: tuple[Path, ...] = ()
    waivers: Path | None = None
    baseline: Path | None = None
    workers: int = 0
    keeps_all: bool = False
    identifies: bool = True
    payloads: tuple[Given, ...] = ()


def read_inputs(inputs: ScanInputs, at: datetime, progress: Progress) -> ScanRequest:
    """Read the files that options name.

    Raises:
        SpecError: nothing to scan, or a file that is not what its option wants.
        SourceError: the cluster that is named cannot be reached.
    """
    if inputs.payloads and not inputs.policy:
        raise SpecError("nothing to judge payloads by", hint="Name policies with --policy.")
    if not inputs.paths and not inputs.cluster.is_made and not inputs.payloads:
        raise SpecError("nothing to scan", hint="Name files or folders, `-` for standard input, or a --context.")
    asks_checks = bool(inputs.check or inputs.framework)
    checks = None
    if asks_checks or not (inputs.policy or inputs.pod_security):
        from bartizan.app.selection import CheckSelection

        checks = CheckSelection(inputs.check, inputs.framework, Severity[inputs.severity.upper()])
    return ScanRequest(
        at=at,
        paths=tuple(path for path in inputs.paths if str(path) != "-"),
        stdin=inputs.stdin if STDIN in inputs.paths else None,
        live=live_of(inputs.cluster),
        policies=inputs.policy,
        exceptions=inputs.exception,
        pod_security=inputs.pod_security,
        checks=checks,
        values=values_in(inputs.values),
        user=user_in(inputs.user_info),
        waivers=waivers_in(inputs.waivers),
        baseline=read_baseline(read_file(inputs.baseline), Location(str(inputs.baseline))) if inputs.baseline else None,
        registry=registries(inputs.cluster, asked=inputs.registry),
        workers=inputs.workers,
        keeps_all=inputs.keeps_all,
        payloads=read_payloads(inputs.payloads, inputs.stdin),
        identifies=inputs.identifies,
        progress=progress,
    )


def exit_code(report: Report, fail_on: Severity | None) -> int:
    """0 clean, 1 findings at or above the threshold, 2 bad input, 3 an unreadable world.

    Bad input counts before findings: a scan that could not read everything
    has not said that the rest is all there is.
    """
    if report.problems:
        return exit_code_of(report.problems)
    found = (item for item in report.findings if item.result in ("fail", "error"))
    return 1 if fail_on is not None and any(item.severity >= fail_on for item in found) else 0
