"""The controls of the baseline level.

Source: kubernetes.io "Pod Security Standards". Each takes a pod and yields
what it forbids; which versions have which is in `levels`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.engines.policy.dialects.podsecurity.pod import Container, Pod, Violation, as_list, as_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bartizan.base.json import Json, JsonObject

    Check = Callable[[Pod], Iterator[Violation]]

_CAPABILITIES: Final = frozenset(
    [
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    ]
)
_SYSCTLS: Final = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_unprivileged_port_start",
    }
)
SYSCTLS_1_27: Final = _SYSCTLS | {"net.ipv4.ip_local_reserved_ports"}
SYSCTLS_1_29: Final = SYSCTLS_1_27 | {
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
}
SYSCTLS_1_32: Final = SYSCTLS_1_29 | {"net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"}
SYSCTLS_1_37: Final = SYSCTLS_1_32 | {"net.ipv4.tcp_slow_start_after_idle", "net.ipv4.tcp_notsent_lowat"}
SYSCTLS_1_0: Final = _SYSCTLS

SELINUX_1_0: Final = frozenset({"", "container_t", "container_init_t", "container_kvm_t"})
SELINUX_1_31: Final = SELINUX_1_0 | {"container_engine_t"}

_APPARMOR_ANNOTATION: Final = "container.apparmor.security.beta.kubernetes.io/"
_SECCOMP_POD: Final = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_CONTAINER: Final = "container.seccomp.security.alpha.kubernetes.io/"
_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_HOOKS: Final = ("postStart", "preStop")


def of_container(control: str, container: Container, path: str, value: Json, said: str) -> Violation:
    """A violation in a container; `path` is below it, with numbers for list positions."""
    return Violation(control, said, path, value, container)


def of_pod(control: str, path: str, value: Json, said: str) -> Violation:
    """A violation in the pod itself."""
    return Violation(control, said, path, value)


def host_process(pod: Pod) -> Iterator[Violation]:
    """Windows host processes have the node's own rights."""
    control = "HostProcess"
    if as_object(pod.security.get("windowsOptions")).get("hostProcess") is True:
        path = "spec/securityContext/windowsOptions/hostProcess"
        yield of_pod(control, path, True, "runs as a process of the host")
    for container in pod.containers:
        if container.security and as_object(container.security.get("windowsOptions")).get("hostProcess") is True:
            path = "securityContext/windowsOptions/hostProcess"
            yield of_container(control, container, path, True, "runs as a process of the host")


def host_namespaces(pod: Pod) -> Iterator[Violation]:
    """The host's network, process and IPC namespaces."""
    for field, word in (("hostNetwork", "network"), ("hostPID", "processes"), ("hostIPC", "IPC")):
        if pod.spec.get(field) is True:
            yield of_pod("Host Namespaces", f"spec/{field}", True, f"shares the host's {word}")


def privileged(pod: Pod) -> Iterator[Violation]:
    """Privileged containers have every right of the node."""
    for container in pod.containers:
        if container.security.get("privileged") is True:
            path = "securityContext/privileged"
            yield of_container("Privileged Containers", container, path, True, "is privileged")


def capabilities(pod: Pod) -> Iterator[Violation]:
    """Capabilities beyond those a container has anyway."""
    for container in pod.containers:
        added = as_list(as_object(container.security.get("capabilities")).get("add"))
        forbidden = [item for item in added if not isinstance(item, str) or item not in _CAPABILITIES]
        if forbidden:
            message = f"adds the capabilities {', '.join(map(str, forbidden))}"
            yield of_container("Capabilities", container, "securityContext/capabilities/add", forbidden, message)


def host_path_volumes(pod: Pod) -> Iterator[Violation]:
    """Volumes that are folders of the node."""
    for index, volume in enumerate(as_list(pod.spec.get("volumes"))):
        if isinstance(volume, dict) and volume.get("hostPath") is not None:
            path = as_object(volume["hostPath"]).get("path")
            message = f"mounts the host's `{path}` as volume `{volume.get('name', index)}`"
            yield of_pod("HostPath Volumes", f"spec/volumes/{index}/hostPath", path, message)


def host_ports(pod: Pod) -> Iterator[Violation]:
    """Ports of the node."""
    for container in pod.containers:
        for index, port in enumerate(as_list(container.body.get("ports"))):
            number = as_object(port).get("hostPort")
            if number:
                yield of_container(
                    "Host Ports", container, f"ports/{index}/hostPort", number, f"takes port {number} of the host"
                )


def app_armor(pod: Pod) -> Iterator[Violation]:
    """AppArmor switched off, by field or by the old annotation."""
    control = "AppArmor"
    if as_object(pod.security.get("appArmorProfile")).get("type") == "Unconfined":
        yield of_pod(control, "spec/securityContext/appArmorProfile/type", "Unconfined", "runs without AppArmor")
    for container in pod.containers:
        if as_object(container.security.get("appArmorProfile")).get("type") == "Unconfined":
            path = "securityContext/appArmorProfile/type"
            yield of_container(control, container, path, "Unconfined", "runs without AppArmor")
    for key, value in pod.annotations.items():
        if str(key).startswith(_APPARMOR_ANNOTATION) and not _is_apparmor_profile(value):
            path = f"metadata/annotations/{str(key).replace('/', '~1')}"
            yield of_pod(control, path, value, f"sets the AppArmor profile `{value}` by annotation")


def _is_apparmor_profile(value: Json) -> bool:
    return value in ("", "runtime/default") or (isinstance(value, str) and value.startswith("localhost/"))


def selinux(allowed: frozenset[str]) -> Check:
    """SELinux types beyond the container ones, and any user or role of one's own."""

    def check(pod: Pod) -> Iterator[Violation]:
        for field, value, message in _selinux(pod.security, allowed):
            yield of_pod("SELinux", f"spec/securityContext/seLinuxOptions/{field}", value, message)
        for container in pod.containers:
            for field, value, message in _selinux(container.security, allowed):
                path = f"securityContext/seLinuxOptions/{field}"
                yield of_container("SELinux", container, path, value, message)

    return check


def _selinux(security: JsonObject, allowed: frozenset[str]) -> Iterator[tuple[str, Json, str]]:
    options = security.get("seLinuxOptions")
    if not isinstance(options, dict):
        return
    kind = options.get("type", "")
    if not isinstance(kind, str) or kind not in allowed:
        yield "type", kind, f"sets the SELinux type `{kind}`"
    for field in ("user", "role"):
        if options.get(field):
            yield field, options[field], f"sets the SELinux {field} `{options[field]}`"


def proc_mount(pod: Pod) -> Iterator[Violation]:
    """An unmasked `/proc`."""
    for container in pod.containers:
        kind = container.security.get("procMount")
        if kind is not None and kind != "Default":
            path = "securityContext/procMount"
            yield of_container("/proc Mount Type", container, path, kind, f"mounts /proc as `{kind}`")


def proc_mount_unless_own_users(pod: Pod) -> Iterator[Violation]:
    """The same from v1.35 on, where a pod with users of its own may unmask it."""
    return iter(()) if pod.has_own_users else proc_mount(pod)


def seccomp_annotations(pod: Pod) -> Iterator[Violation]:
    """Seccomp as it was before v1.19: annotations."""
    for key, value in pod.annotations.items():
        if (key == _SECCOMP_POD or str(key).startswith(_SECCOMP_CONTAINER)) and not _is_seccomp_profile(value):
            path = f"metadata/annotations/{str(key).replace('/', '~1')}"
            yield of_pod("Seccomp", path, value, f"sets the seccomp profile `{value}` by annotation")


def _is_seccomp_profile(value: Json) -> bool:
    return value in ("runtime/default", "docker/default") or (isinstance(value, str) and value.startswith("localhost/"))


def seccomp(pod: Pod) -> Iterator[Violation]:
    """Seccomp switched off."""
    if as_object(pod.security.get("seccompProfile")).get("type") == "Unconfined":
        yield of_pod("Seccomp", "spec/securityContext/seccompProfile/type", "Unconfined", "runs without seccomp")
    for container in pod.containers:
        if as_object(container.security.get("seccompProfile")).get("type") == "Unconfined":
            path = "securityContext/seccompProfile/type"
            yield of_container("Seccomp", container, path, "Unconfined", "runs without seccomp")


def sysctls(allowed: frozenset[str]) -> Check:
    """Kernel parameters that reach beyond the pod."""

    def check(pod: Pod) -> Iterator[Violation]:
        for index, item in enumerate(as_list(pod.security.get("sysctls"))):
            name = as_object(item).get("name")
            if not isinstance(name, str) or name not in allowed:
                path = f"spec/securityContext/sysctls/{index}/name"
                yield of_pod("Sysctls", path, name, f"sets the kernel parameter `{name}`")

    return check


def probe_hosts(pod: Pod) -> Iterator[Violation]:
    """Probes and hooks that the kubelet would send to another host."""
    for container in pod.containers:
        body = container.body
        handlers: list[tuple[str, Json]] = [(name, body[name]) for name in _PROBES if name in body]
        lifecycle = body.get("lifecycle")
        if isinstance(lifecycle, dict):
            handlers += [(f"lifecycle/{name}", lifecycle.get(name)) for name in _HOOKS]
        for name, handler in handlers:
            for action in ("httpGet", "tcpSocket"):
                host = as_object(as_object(handler).get(action)).get("host")
                if host:
                    path = f"{name}/{action}/host"
                    yield of_container("Host Probes / Lifecycle Hooks", container, path, host, f"probes `{host}`")
