"""Random pods that an API server takes, each with a few odd settings: what the controls are about, and near misses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from random import Random

_SELINUX: Final = (
    {"type": "container_t"},
    {"type": "container_engine_t"},
    {"type": "spc_t"},
    {"user": "me"},
    {"role": "r"},
    {"level": "s0"},
    {},
)
_SECCOMP: Final = (
    {"type": "RuntimeDefault"},
    {"type": "Unconfined"},
    {"type": "Localhost", "localhostProfile": "a.json"},
)
_APPARMOR: Final = (*_SECCOMP[:2], {"type": "Localhost", "localhostProfile": "a"})
_SHARED: Final[dict[str, tuple[Any, ...]]] = {
    "runAsNonRoot": (True, False, None),
    "runAsUser": (0, 1, 65534, None),
    "seLinuxOptions": _SELINUX,
    "seccompProfile": _SECCOMP,
    "appArmorProfile": _APPARMOR,
}
_OF_POD: Final[dict[str, tuple[Any, ...]]] = {
    **_SHARED,
    "sysctls": (
        [],
        [{"name": "kernel.shm_rmid_forced", "value": "1"}],
        [{"name": "net.ipv4.ip_local_reserved_ports", "value": "1"}],
        [{"name": "net.ipv4.tcp_keepalive_time", "value": "1"}],
        [{"name": "net.ipv4.tcp_rmem", "value": "1"}],
        [{"name": "kernel.msgmax", "value": "1"}],
    ),
    "fsGroup": (0, 1),
}
_OF_CONTAINER: Final[dict[str, tuple[Any, ...]]] = {
    **_SHARED,
    "privileged": (True, False),
    "allowPrivilegeEscalation": (True, False, False),
    "readOnlyRootFilesystem": (True,),
    "procMount": ("Default", "Unmasked"),
    "capabilities": (
        {},
        {"drop": ["ALL"]},
        {"drop": ["all"]},
        {"drop": ["NET_RAW"], "add": ["CHOWN"]},
        {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
        {"drop": ["ALL", "KILL"], "add": ["KILL"]},
        {"add": ["SYS_ADMIN"]},
        {"add": ["CAP_CHOWN"]},
        {"add": []},
    ),
}
_VOLUMES: Final[tuple[dict[str, Any], ...]] = (
    {"emptyDir": {}},
    {"secret": {"secretName": "s"}},
    {"configMap": {"name": "c"}},
    {"projected": {"sources": []}},
    {"downwardAPI": {"items": []}},
    {"persistentVolumeClaim": {"claimName": "p"}},
    {"csi": {"driver": "d.example"}},
    {"image": {"reference": "registry.example/data:1"}},
    {"hostPath": {"path": "/var"}},
    {"nfs": {"server": "s", "path": "/"}},
    {"iscsi": {"targetPortal": "1.2.3.4", "iqn": "iqn.2001-04.com.example:storage", "lun": 0}},
    {},
)
_HANDLERS: Final[tuple[dict[str, Any], ...]] = (
    {"httpGet": {"port": 80}},
    {"httpGet": {"port": 80, "host": ""}},
    {"httpGet": {"port": 80, "host": "127.0.0.1"}},
    {"tcpSocket": {"port": 80, "host": "elsewhere"}},
    {"tcpSocket": {"port": 80}},
    {"exec": {"command": ["true"]}},
)
_ANNOTATIONS: Final = (
    ("container.apparmor.security.beta.kubernetes.io/c0", ("unconfined", "runtime/default", "localhost/a")),
    ("seccomp.security.alpha.kubernetes.io/pod", ("unconfined", "runtime/default", "localhost/a")),
    ("container.seccomp.security.alpha.kubernetes.io/c0", ("unconfined", "docker/default")),
    ("castle.example/note", ("x",)),
)


def random_pod(chance: Random, name: str) -> dict[str, Any]:
    """A pod; how many odd settings it has is chance too, so that some are clean."""
    maker = _Maker(chance, rate=chance.choice([0.02, 0.1, 0.4]), hardened=chance.random() < 0.6)
    annotations = {key: chance.choice(values) for key, values in _ANNOTATIONS if maker.often()}
    metadata = {"name": name, **({"annotations": annotations} if annotations else {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": maker.spec()}


class _Maker:
    """Makes one pod; `hardened` ones start from what the restricted level asks for."""

    def __init__(self, chance: Random, *, rate: float, hardened: bool) -> None:
        self._chance = chance
        self._rate = rate
        self._hardened = hardened

    def often(self) -> bool:
        """Whether to be odd now."""
        return self._chance.random() < self._rate

    def spec(self) -> dict[str, Any]:
        """The pod's specification."""
        chance = self._chance
        spec: dict[str, Any] = {"containers": [self._main(number) for number in range(chance.choice([1, 1, 2]))]}
        if self.often():
            spec["initContainers"] = [self._container(7)]
        base = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
        security = self._settings(_OF_POD, base)
        if security:
            spec["securityContext"] = security
        for field in ("hostNetwork", "hostPID", "hostIPC", "hostUsers"):
            if self.often():
                spec[field] = chance.choice([True, False])
        volumes = [{"name": f"v{number}", **one} for number, one in enumerate(_VOLUMES) if chance.random() < 0.1]
        if volumes and self.often():
            spec["volumes"] = volumes
        return spec

    def _main(self, number: int) -> dict[str, Any]:
        chance, body = self._chance, self._container(number)
        if self.often():
            body[chance.choice(["livenessProbe", "readinessProbe", "startupProbe"])] = chance.choice(_HANDLERS)
        if self.often():
            body["lifecycle"] = {chance.choice(["postStart", "preStop"]): chance.choice(_HANDLERS)}
        return body

    def _container(self, number: int) -> dict[str, Any]:
        body: dict[str, Any] = {"name": f"c{number}", "image": "registry.example/app:1"}
        security = self._settings(_OF_CONTAINER, {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}})
        if security or self.often():
            body["securityContext"] = security
        if self.often():
            body["ports"] = [{"containerPort": 80 + number, "hostPort": self._chance.choice([0, 80 + number])}]
        return body

    def _settings(self, table: dict[str, tuple[Any, ...]], hardened: dict[str, Any]) -> dict[str, Any]:
        odd = {key: self._chance.choice(choices) for key, choices in table.items() if self.often()}
        return {**(hardened if self._hardened else {}), **odd}
