"""`validate.podSecurity`, control by control: what each found in the pod, and what was excluded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.engines.policy.dialects.kyverno.pod_security import bare_judge, checks_of
from bartizan.engines.policy.dialects.podsecurity.exclusions import compile_exclusions
from bartizan.engines.policy.dialects.podsecurity.pod import read_pod
from bartizan.engines.policy.explanation.draft import Draft, brief
from bartizan.model.workload import pod_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.engines.policy.dialects.kyverno.spec import PodSecuritySpec
    from bartizan.engines.policy.dialects.kyverno.watch import Event
    from bartizan.engines.policy.dialects.podsecurity.baseline import Check
    from bartizan.engines.policy.dialects.podsecurity.pod import Violation
    from bartizan.model.request import Request
    from bartizan.model.workload import PodPart

    Bare = Callable[[], list[Violation]]


def explain_pod_security(spec: PodSecuritySpec, request: Request, at: str, events: list[Event]) -> Draft:
    """Every control of the level, asked of the pod; a violation that is excluded is skipped."""
    level, version = spec.level, spec.version or "latest"
    draft = Draft("podSecurity", f"podSecurity {level} {version}", at=at, verdict="skipped")
    part = pod_of(request.resource.id.kind, request.resource.body)
    if part is None:
        draft.note = f"`{request.resource.id.kind}` has no pod"
        return draft
    checks = checks_of(level, version)
    pod = read_pod(part.metadata, part.spec)
    found = [(name, list(check(pod))) for name, check in checks]
    left = _left([item for _, violations in found for item in violations], checks, spec, part, events)
    draft.children = [_control(name, violations, left, part.pointer, at) for name, violations in found]
    failed = [child for child in draft.children if child.verdict == "failed"]
    draft.verdict, draft.because = "held", [child for child in draft.children if child.verdict == "skipped"]
    if failed:
        draft.verdict, draft.because = "failed", failed
    return draft


def _left(
    violations: list[Violation],
    checks: list[tuple[str, Check]],
    spec: PodSecuritySpec,
    part: PodPart,
    events: list[Event],
) -> list[Violation]:
    """The violations that neither the rule nor an exception that was found to hold excludes."""
    entries = [spec.exclude or []]
    entries += [
        event.detail.pod_security or [] for event in events if event.kind == "exception" and event.value is True
    ]
    every = [compile_exclusions(items, "") for items in entries]
    judge_bare = bare_judge(checks, frozenset().union(*(exclusions.of_pod for exclusions in every)))
    for exclusions in every:
        violations = exclusions.left(violations, lambda: judge_bare(part))
    return violations


def _control(name: str, violations: list[Violation], left: list[Violation], base: str, at: str) -> Draft:
    children = [
        Draft(
            "violation",
            violation.message,
            value=violation.value,
            verdict="failed" if violation in left else "skipped",
            note=violation.message if violation in left else "excluded",
            pointer=base + violation.pointer,
            at=at,
        )
        for violation in violations
    ]
    failed = [child for child in children if child.verdict == "failed"]
    draft = Draft("control", name, at=at, verdict="held", children=children)
    if failed:
        draft.verdict, draft.because = "failed", failed
    elif children:
        draft.verdict, draft.note = "skipped", f"what {brief(name)} forbids is excluded"
    return draft
