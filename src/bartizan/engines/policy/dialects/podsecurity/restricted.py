"""The controls that the restricted level adds.

Source: kubernetes.io "Pod Security Standards". From v1.25 on some of them
leave Windows pods alone, for which they mean nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.engines.policy.dialects.podsecurity.baseline import of_container, of_pod
from bartizan.engines.policy.dialects.podsecurity.pod import Pod, Violation, as_list, as_object

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.engines.policy.dialects.podsecurity.baseline import Check

_VOLUMES: Final = frozenset(
    {
        "name",
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)
_SECCOMP: Final = ("RuntimeDefault", "Localhost")


def unless_windows(check: Check) -> Check:
    """The same control, for pods that do not say they run on Windows."""
    return lambda pod: iter(()) if pod.is_windows else check(pod)


def unless_own_users(check: Check) -> Check:
    """The same control, for pods without a user namespace of their own."""
    return lambda pod: iter(()) if pod.has_own_users else check(pod)


def volume_types(pod: Pod) -> Iterator[Violation]:
    """Volumes other than the ephemeral and claimed ones."""
    for index, volume in enumerate(as_list(pod.spec.get("volumes"))):
        for kind in as_object(volume):
            if kind not in _VOLUMES and volume[kind] is not None:
                message = f"mounts a volume of type `{kind}`"
                value = as_object(volume[kind]).get("path") if kind == "hostPath" else volume[kind]
                yield of_pod("Volume Types", f"spec/volumes/{index}/{kind}", value, message)


def privilege_escalation(pod: Pod) -> Iterator[Violation]:
    """Containers whose processes may gain more rights than their parent."""
    for container in pod.containers:
        value = container.security.get("allowPrivilegeEscalation")
        if value is not False:
            path = "securityContext/allowPrivilegeEscalation"
            yield of_container(
                "Privilege Escalation", container, path, value, "may gain more rights than it starts with"
            )


def non_root(pod: Pod) -> Iterator[Violation]:
    """Containers that may run as root; a container's own word counts before the pod's."""
    of_all = pod.security.get("runAsNonRoot")
    if of_all is not None and of_all is not True:
        yield of_pod("Running as Non-root", "spec/securityContext/runAsNonRoot", of_all, "may run as root")
    for container in pod.containers:
        value = container.security.get("runAsNonRoot")
        if value is False or (value is None and of_all is None):
            path = "securityContext/runAsNonRoot"
            yield of_container("Running as Non-root", container, path, value, "may run as root")


def non_root_user(pod: Pod) -> Iterator[Violation]:
    """Containers that say they run as user 0."""
    control = "Running as Non-root user"
    if pod.security.get("runAsUser") == 0 and pod.security["runAsUser"] is not False:
        yield of_pod(control, "spec/securityContext/runAsUser", 0, "runs as user 0")
    for container in pod.containers:
        user = container.security.get("runAsUser")
        if user == 0 and user is not False:
            yield of_container(control, container, "securityContext/runAsUser", 0, "runs as user 0")


def seccomp(pod: Pod) -> Iterator[Violation]:
    """Containers without a seccomp profile, their own or the pod's."""
    of_all = as_object(pod.security.get("seccompProfile")).get("type")
    if of_all is not None and of_all not in _SECCOMP:
        yield of_pod(
            "Seccomp", "spec/securityContext/seccompProfile/type", of_all, f"has the seccomp profile `{of_all}`"
        )
    for container in pod.containers:
        kind = as_object(container.security.get("seccompProfile")).get("type")
        path = "securityContext/seccompProfile/type"
        if kind is None and of_all is None:
            yield of_container("Seccomp", container, path, None, "has no seccomp profile")
        elif kind is not None and kind not in _SECCOMP:
            yield of_container("Seccomp", container, path, kind, f"has the seccomp profile `{kind}`")


def capabilities(pod: Pod) -> Iterator[Violation]:
    """Containers that keep capabilities, or add another than binding low ports."""
    for container in pod.containers:
        held = as_object(container.security.get("capabilities"))
        if "ALL" not in as_list(held.get("drop")):
            path = "securityContext/capabilities/drop"
            yield of_container("Capabilities", container, path, held.get("drop"), "does not drop all capabilities")
        added = [item for item in as_list(held.get("add")) if item != "NET_BIND_SERVICE"]
        if added:
            message = f"adds the capabilities {', '.join(map(str, added))}"
            yield of_container("Capabilities", container, "securityContext/capabilities/add", added, message)
