"""`validate.podSecurity`: a level of the Pod Security Standards, less what is excluded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.engines.policy.dialects.kyverno.exceptions import accepted
from bartizan.engines.policy.dialects.podsecurity.exclusions import compile_exclusions
from bartizan.engines.policy.dialects.podsecurity.levels import CONTROLS, LEVELS, controls_at, judge_by, parse_version
from bartizan.engines.policy.dialects.podsecurity.pod import GROUPS, summary
from bartizan.model.outcome import PASSED, Failed, Outcome
from bartizan.model.workload import pod_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from bartizan.engines.policy.dialects.kyverno.exceptions import RuleException
    from bartizan.engines.policy.dialects.kyverno.spec import PodSecuritySpec
    from bartizan.engines.policy.dialects.kyverno.validate import Judge, Message, ScopeOf
    from bartizan.engines.policy.dialects.podsecurity.baseline import Check
    from bartizan.engines.policy.dialects.podsecurity.pod import Violation
    from bartizan.model.request import Request
    from bartizan.model.workload import PodPart

_KNOWN: Final = 34
"""The minor version of the standards that Kyverno 1.19 is built with; later ones are judged by it."""


def pod_security_judge(spec: PodSecuritySpec, message: Message, exceptions: Sequence[RuleException], at: str) -> Judge:
    """Judge the pod in a resource by a level; exceptions add to what is excluded.

    Raises:
        SpecError: an unknown level, version or control.
    """
    level, version = spec.level, spec.version or "latest"
    checks = checks_of(level, version)
    judge_pod = judge_by([check for _, check in checks])
    key = f"pod security {level} {version}"
    excluded = compile_exclusions(spec.exclude or (), f"{at}/exclude")
    lifted = [(item, compile_exclusions(item.pod_security, "/spec/podSecurity")) for item in exceptions]
    judge_bare = bare_judge(checks, excluded.of_pod.union(*(exclusions.of_pod for _, exclusions in lifted)))

    def judge(request: Request, scope: ScopeOf) -> Outcome | None:
        part = pod_of(request.resource.id.kind, request.resource.body)
        if part is None:
            return None
        found: list[Violation] | None = request.memo.get(key)
        if found is None:
            found = request.memo[key] = judge_pod(part.metadata, part.spec)

        def bare() -> list[Violation]:
            return judge_bare(part)

        left = excluded.left(found, bare)
        waived: list[str] = []
        for exception, exclusions in lifted:
            if left and exception.lifts(request, scope):
                kept = exclusions.left(left, bare)
                waived += [exception.name] if len(kept) < len(left) else []
                left = kept
        if left:
            text = f"{message(scope)} {summary(left)}".strip()
            return Failed(text, part.pointer + left[0].pointer, left[0])
        return accepted(waived) or PASSED

    return judge


def bare_judge(checks: Sequence[tuple[str, Check]], names: Collection[str]) -> Callable[[PodPart], list[Violation]]:
    """What a pod itself violates of some controls: it is judged with one empty container."""
    judge = judge_by([check for name, check in checks if name in names])

    def judge_bare(part: PodPart) -> list[Violation]:
        own = {key: value for key, value in part.spec.items() if key not in GROUPS}
        return judge(part.metadata, {**own, "containers": [{"name": "bare"}]})

    return judge_bare


def checks_of(level: str, version: str) -> list[tuple[str, Check]]:
    """The checks of a level, by control, as Kyverno picks them: one that came later holds for the version too."""
    controls_at(level, version)  # refuses what is no level or version
    minor = min(parse_version(version), _KNOWN)
    wanted = ("baseline",) if level == "baseline" else LEVELS
    return [
        (control.name, control.at(minor) or control.checks[0][1])
        for control in CONTROLS
        if control.level in wanted and control.checks[0][0] <= _KNOWN and level != "privileged"
    ]
