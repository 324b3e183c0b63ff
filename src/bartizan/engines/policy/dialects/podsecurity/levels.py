"""Which controls each level has at each version, and a judge for one of them.

A restricted control takes the place of the baseline one of the same
concern, as in the standard's own implementation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from bartizan.base.errors import SpecError
from bartizan.base.suggest import did_you_mean
from bartizan.engines.policy.dialects.podsecurity import baseline, restricted
from bartizan.engines.policy.dialects.podsecurity.pod import Violation, read_pod

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.dialects.podsecurity.baseline import Check

    Judge = Callable[[JsonObject, JsonObject], list[Violation]]

LATEST: Final = 37
"""The minor version up to which the standards are known; later ones are judged by it."""
LEVELS: Final = ("privileged", "baseline", "restricted")


@dataclass(frozen=True, slots=True)
class Control:
    """One control: its check by the minor version from which it holds; `replaces` is the baseline one it stands for."""

    id: str
    name: str
    level: str
    checks: tuple[tuple[int, Check], ...]
    replaces: str = ""
    in_containers: bool = True
    """Whether containers violate it, so that exclusions may name images."""

    def at(self, minor: int) -> Check | None:
        """The check at a version; `None` before there was one."""
        held = [check for since, check in self.checks if since <= minor]
        return held[-1] if held else None


_r = restricted
_b = baseline
CONTROLS: Final = (
    Control("hostProcess", "HostProcess", "baseline", ((0, _b.host_process),)),
    Control("hostNamespaces", "Host Namespaces", "baseline", ((0, _b.host_namespaces),), in_containers=False),
    Control("privileged", "Privileged Containers", "baseline", ((0, _b.privileged),)),
    Control("capabilities_baseline", "Capabilities", "baseline", ((0, _b.capabilities),)),
    Control("hostPathVolumes", "HostPath Volumes", "baseline", ((0, _b.host_path_volumes),), in_containers=False),
    Control("hostPorts", "Host Ports", "baseline", ((0, _b.host_ports),)),
    Control("appArmorProfile", "AppArmor", "baseline", ((0, _b.app_armor),), in_containers=False),
    Control(
        "seLinuxOptions", "SELinux", "baseline", ((0, _b.selinux(_b.SELINUX_1_0)), (31, _b.selinux(_b.SELINUX_1_31)))
    ),
    Control("procMount", "/proc Mount Type", "baseline", ((0, _b.proc_mount), (35, _b.proc_mount_unless_own_users))),
    Control("seccompProfile_baseline", "Seccomp", "baseline", ((0, _b.seccomp_annotations), (19, _b.seccomp))),
    Control(
        "sysctls",
        "Sysctls",
        "baseline",
        (
            (0, _b.sysctls(_b.SYSCTLS_1_0)),
            (27, _b.sysctls(_b.SYSCTLS_1_27)),
            (29, _b.sysctls(_b.SYSCTLS_1_29)),
            (32, _b.sysctls(_b.SYSCTLS_1_32)),
            (37, _b.sysctls(_b.SYSCTLS_1_37)),
        ),
        in_containers=False,
    ),
    Control("hostProbesAndHostLifecycle", "Host Probes / Lifecycle Hooks", "baseline", ((34, _b.probe_hosts),)),
    Control(
        "restrictedVolumes",
        "Volume Types",
        "restricted",
        ((0, _r.volume_types),),
        replaces="hostPathVolumes",
        in_containers=False,
    ),
    Control(
        "allowPrivilegeEscalation",
        "Privilege Escalation",
        "restricted",
        ((8, _r.privilege_escalation), (25, _r.unless_windows(_r.privilege_escalation))),
    ),
    Control(
        "runAsNonRoot",
        "Running as Non-root",
        "restricted",
        ((0, _r.non_root), (35, _r.unless_own_users(_r.non_root))),
    ),
    Control(
        "runAsUser",
        "Running as Non-root user",
        "restricted",
        ((23, _r.non_root_user), (35, _r.unless_own_users(_r.non_root_user))),
    ),
    Control(
        "seccompProfile_restricted",
        "Seccomp",
        "restricted",
        ((19, _r.seccomp), (25, _r.unless_windows(_r.seccomp))),
        replaces="seccompProfile_baseline",
    ),
    Control(
        "capabilities_restricted",
        "Capabilities",
        "restricted",
        ((22, _r.capabilities), (25, _r.unless_windows(_r.capabilities))),
        replaces="capabilities_baseline",
    ),
    Control("procMount_restricted", "/proc Mount Type", "restricted", ((35, _b.proc_mount),), replaces="procMount"),
)

CONTROL_NAMES: Final = {control.name: control for control in CONTROLS}


def controls_at(level: str, version: str) -> tuple[tuple[Control, Check], ...]:
    """The controls of a level at a version, each with its check.

    Raises:
        SpecError: no such level, or no such version.
    """
    if level not in LEVELS:
        raise SpecError(f"unknown Pod Security level `{level}`", hint=did_you_mean(level, LEVELS))
    minor = parse_version(version)
    if level == "privileged":
        return ()
    wanted = [control for control in CONTROLS if level == "restricted" or control.level == "baseline"]
    held = [(control, check) for control in wanted if (check := control.at(minor)) is not None]
    replaced = {control.replaces for control, _ in held}
    return tuple((control, check) for control, check in held if control.id not in replaced)


def parse_version(version: str) -> int:
    """The minor version of `v1.29`, `1.29` or `latest`; a later one than is known counts as the latest known.

    Raises:
        SpecError: it is none of these.
    """
    if version in ("", "latest"):
        return LATEST
    match = re.fullmatch(r"v?1\.(\d{1,4})", version)
    if not match:
        raise SpecError(f"bad Pod Security version `{version}`", hint="Write `latest`, or a version such as `v1.35`.")
    return min(int(match.group(1)), LATEST)


@lru_cache(maxsize=128)
def compile_level(level: str, version: str = "latest") -> Judge:
    """A judge for pods at one level and version; it takes metadata and spec.

    Raises:
        SpecError: no such level, or no such version.
    """
    return judge_by([check for _, check in controls_at(level, version)])


def judge_by(checks: Sequence[Check]) -> Judge:
    """A judge for pods by some checks; it takes metadata and spec."""

    def judge(metadata: JsonObject, spec: JsonObject) -> list[Violation]:
        pod = read_pod(metadata, spec)
        return [violation for check in checks for violation in check(pod)]

    return judge
