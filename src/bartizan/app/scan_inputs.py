"""What the command line says, read into a request for a scan; and what its report means as an exit code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bartizan.app.files import read_document, read_file
from bartizan.app.scan import ScanRequest
from bartizan.app.user_info import read_user_info
from bartizan.app.values import EMPTY, read_values
from bartizan.base.errors import SpecError
from bartizan.base.location import Location
from bartizan.findings import read_baseline, read_waivers
from bartizan.model.severity import Severity

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from bartizan.app.images.registry import RegistryLookup
    from bartizan.app.supply import Live, Progress
    from bartizan.model.report import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanInputs:
    """The options of `bartizan scan`, as they are written."""

    paths: tuple[Path, ...]
    stdin: bytes | None = None
    context: str | None = None
    kubeconfig: Path | None = None
    in_cluster: bool = False
    namespace: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    selector: str = ""
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


def read_inputs(inputs: ScanInputs, at: datetime, progress: Progress) -> ScanRequest:
    """Read the files that options name.

    Raises:
        SpecError: nothing to scan, or a file that is not what its option wants.
        SourceError: the cluster that is named cannot be reached.
    """
    is_live = bool(inputs.context or inputs.kubeconfig or inputs.in_cluster)
    if not inputs.paths and not is_live:
        raise SpecError("nothing to scan", hint="Name files or folders, `-` for standard input, or a --context.")
    asks_checks = bool(inputs.check or inputs.framework)
    checks = None
    if asks_checks or not (inputs.policy or inputs.pod_security):
        from bartizan.app.selection import CheckSelection

        checks = CheckSelection(inputs.check, inputs.framework, Severity[inputs.severity.upper()])
    return ScanRequest(
        at=at,
        paths=tuple(path for path in inputs.paths if str(path) != "-"),
        stdin=inputs.stdin,
        live=_live(inputs) if is_live else None,
        policies=inputs.policy,
        exceptions=inputs.exception,
        pod_security=inputs.pod_security,
        checks=checks,
        values=read_document(inputs.values, read_values) if inputs.values else EMPTY,
        user=read_document(inputs.user_info, read_user_info) if inputs.user_info else None,
        waivers=read_document(inputs.waivers, read_waivers) if inputs.waivers else (),
        baseline=read_baseline(read_file(inputs.baseline), Location(str(inputs.baseline))) if inputs.baseline else None,
        registry=_registry() if inputs.registry and not is_live else None,
        workers=inputs.workers,
        keeps_all=inputs.keeps_all,
        identifies=inputs.identifies,
        progress=progress,
    )


def _live(inputs: ScanInputs) -> Live:
    from bartizan.app.live import connect_live

    return connect_live(
        context=inputs.context,
        kubeconfig=inputs.kubeconfig,
        in_cluster=inputs.in_cluster,
        namespaces=inputs.namespace,
        kinds=inputs.kind,
        selector=inputs.selector,
    )


def _registry() -> RegistryLookup:
    from bartizan.app.images.registry import registries_only  # brings the client, which most scans do without

    return registries_only()


def exit_code(report: Report, fail_on: Severity | None) -> int:
    """0 clean, 1 findings at or above the threshold, 2 bad input, 3 an unreadable world.

    Bad input counts before findings: a scan that could not read everything
    has not said that the rest is all there is.
    """
    kinds = {problem.kind for problem in report.problems}
    if "input" in kinds:
        return 2
    if "world" in kinds:
        return 3
    found = (item for item in report.findings if item.result in ("fail", "error"))
    return 1 if fail_on is not None and any(item.severity >= fail_on for item in found) else 0
