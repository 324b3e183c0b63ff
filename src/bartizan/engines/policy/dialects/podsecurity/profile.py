"""A level as rules of the engine: `--pod-security restricted`, `--pod-security baseline@v1.35`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.engines.policy.dialects.podsecurity.levels import controls_at
from bartizan.engines.policy.dialects.podsecurity.pod import read_pod, summary
from bartizan.engines.policy.plan import Rule
from bartizan.model.finding import RuleId, RuleInfo
from bartizan.model.outcome import PASSED, Failed, Outcome
from bartizan.model.severity import Severity
from bartizan.model.workload import WORKLOADS, pod_of

if TYPE_CHECKING:
    from bartizan.engines.policy.dialects.podsecurity.baseline import Check
    from bartizan.engines.policy.dialects.podsecurity.levels import Control
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.engines.policy.plan import Run
    from bartizan.model.request import Request

_SEVERITIES: Final = {"baseline": Severity.HIGH, "restricted": Severity.MEDIUM}


def compile_profile(text: str) -> tuple[Rule, ...]:
    """One rule a control, for Pods and everything that makes them.

    Raises:
        SpecError: no such level or version.
    """
    level, _, version = text.partition("@")
    version = version or "latest"
    return tuple(_rule(control, check, level, version) for control, check in controls_at(level, version))


def _rule(control: Control, check: Check, level: str, version: str) -> Rule:
    info = RuleInfo(
        id=RuleId(f"pod-security-{level}", control.id),
        title=f"{control.name} ({level}, {version})",
        severity=_SEVERITIES[control.level],
        category="Pod Security Standards",
        origin="podsecurity",
        why=(check.__doc__ or "").strip(),
        fix=f"Set the field as the {level} level asks, or run the pod in a namespace where it may do so.",
        frameworks=(f"pod-security:{control.level}",),
    )
    return Rule(info, _run(check), WORKLOADS)


def _run(check: Check) -> Run:
    def run(request: Request, lookup: Lookup) -> Outcome | None:
        del lookup  # a pod says all there is to judge
        part = pod_of(request.resource.id.kind, request.resource.body)
        if part is None:
            return None
        found = list(check(read_pod(part.metadata, part.spec)))
        if not found:
            return PASSED
        first = found[0]
        return Failed(summary(found), part.pointer + first.pointer, first)

    return run
