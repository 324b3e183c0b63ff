"""Starting and stopping a control plane on free loopback ports."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.controlplane import pki
from tools import gobuild

if TYPE_CHECKING:
    from pathlib import Path

READY_WITHIN_S = 90
"""Three seconds on an idle machine; a loaded one with two cores takes longer."""
AUDIT_LOG = "audit.log"
"""In the folder of a control plane: what people have changed, one JSON document a line."""
_POLL_S = 0.1


@dataclass
class ControlPlane:
    """A running control plane. `kubeconfig` is the administrator's; `kubectl` is the matching program."""

    folder: Path
    url: str
    authority: pki.Authority
    kubeconfig: Path
    kubectl: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def apply(self, text: str) -> None:
        """Create or change objects, as people do."""
        command = [str(self.kubectl), f"--kubeconfig={self.kubeconfig}", "apply", "--validate=strict", "-f", "-"]
        done = subprocess.run(command, input=text, text=True, capture_output=True, check=False)
        if done.returncode != 0:
            raise AssertionError(done.stderr)

    def run(self, *arguments: str) -> str:
        """Run kubectl and return what it prints."""
        command = [str(self.kubectl), f"--kubeconfig={self.kubeconfig}", *arguments]
        return subprocess.run(command, text=True, capture_output=True, check=True).stdout

    def user(self, name: str, group: str = "", server: str = "") -> Path:
        """The kubeconfig of a user who has just been made; `server` is another address to reach it by."""
        files = pki.issue(self.folder, self.authority, name, group)
        return write_kubeconfig(self.folder / f"{name}.kubeconfig", server or self.url, self.authority.file, files)

    def stop(self) -> None:
        """Stop everything: etcd last, or the API server waits for it."""
        for process in reversed(self.processes):
            process.send_signal(signal.SIGKILL)
            process.wait()


def start(folder: Path) -> ControlPlane:
    """Start etcd, the API server and the controllers, and wait until they are ready."""
    kubernetes, etcd = gobuild.ensure("kubernetes"), gobuild.ensure("etcd")["etcd"]
    authority = pki.make_authority(folder)
    server = pki.issue(folder, authority, "kube-apiserver", server=True)
    accounts = pki.service_account_key(folder)
    admin = pki.issue(folder, authority, "admin", "system:masters")
    controllers = pki.issue(folder, authority, "system:kube-controller-manager")
    client, peer, secure, manager = free_ports(4)
    url = f"https://127.0.0.1:{secure}"
    kubeconfig = write_kubeconfig(folder / "admin.kubeconfig", url, authority.file, admin)
    plane = ControlPlane(folder, url, authority, kubeconfig, kubernetes["kubectl"])
    own = f"http://127.0.0.1:{peer}"
    launch(
        plane,
        etcd,
        f"--data-dir={folder / 'etcd'}",
        "--name=test",
        f"--listen-client-urls=http://127.0.0.1:{client}",
        f"--advertise-client-urls=http://127.0.0.1:{client}",
        f"--listen-peer-urls={own}",
        f"--initial-advertise-peer-urls={own}",
        f"--initial-cluster=test={own}",
        "--log-level=warn",
        "--unsafe-no-fsync",
    )
    launch(
        plane,
        kubernetes["kube-apiserver"],
        f"--etcd-servers=http://127.0.0.1:{client}",
        "--bind-address=127.0.0.1",
        f"--secure-port={secure}",
        "--advertise-address=192.0.2.1",
        "--service-cluster-ip-range=10.96.0.0/16",
        f"--tls-cert-file={server.certificate}",
        f"--tls-private-key-file={server.key}",
        f"--client-ca-file={authority.file}",
        f"--service-account-key-file={accounts.certificate}",
        f"--service-account-signing-key-file={accounts.key}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--authorization-mode=Node,RBAC",
        "--allow-privileged=true",
        "--endpoint-reconciler-type=none",
        "--feature-gates=MutatingAdmissionPolicy=true",
        "--runtime-config=admissionregistration.k8s.io/v1beta1=true,admissionregistration.k8s.io/v1alpha1=true",
        f"--audit-policy-file={_audit_policy(folder)}",
        f"--audit-log-path={folder / AUDIT_LOG}",
    )
    manager_config = write_kubeconfig(folder / "controllers.kubeconfig", url, authority.file, controllers)
    launch(
        plane,
        kubernetes["kube-controller-manager"],
        f"--kubeconfig={manager_config}",
        "--bind-address=127.0.0.1",
        f"--secure-port={manager}",
        "--leader-elect=false",
        "--use-service-account-credentials=true",
        f"--service-account-private-key-file={accounts.key}",
        f"--root-ca-file={authority.file}",
        f"--cert-dir={folder / 'controllers-certs'}",
    )
    try:
        _wait(plane, admin)
    except TimeoutError:
        plane.stop()
        raise
    return plane


def _audit_policy(folder: Path) -> Path:
    """Whatever people change is noted, with what admission says of it."""
    verbs = ["create", "update", "patch", "delete", "connect"]
    rules = [{"level": "Metadata", "verbs": verbs, "users": ["admin"]}, {"level": "None"}]
    document = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"], "rules": rules}
    file = folder / "audit-policy.json"
    file.write_text(json.dumps(document))
    return file


def free_ports(number: int) -> list[int]:
    """Ports that nobody listens on now."""
    sockets = [socket.socket() for _ in range(number)]
    try:
        for item in sockets:
            item.bind(("127.0.0.1", 0))
        return [item.getsockname()[1] for item in sockets]
    finally:
        for item in sockets:
            item.close()


def write_kubeconfig(file: Path, url: str, authority: Path, client: pki.Credentials) -> Path:
    """Write a kubeconfig of one context, `test`."""
    document: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [{"name": "test", "cluster": {"server": url, "certificate-authority": str(authority)}}],
        "users": [
            {
                "name": "test",
                "user": {"client-certificate": str(client.certificate), "client-key": str(client.key)},
            }
        ],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    }
    file.write_text(json.dumps(document))
    return file


def launch(plane: ControlPlane, program: Path, *arguments: str) -> None:
    """Start a part of the control plane, which is stopped with it."""
    with (plane.folder / f"{program.name}.log").open("wb") as log:
        plane.processes.append(subprocess.Popen([str(program), *arguments], stdout=log, stderr=log, cwd=plane.folder))


def _wait(plane: ControlPlane, admin: pki.Credentials) -> None:
    """Wait for readiness, and for the controllers to have made the default service account."""
    context = ssl.create_default_context(cafile=str(plane.authority.file))
    context.load_cert_chain(admin.certificate, admin.key)
    deadline = time.monotonic() + READY_WITHIN_S
    for path in ("/readyz", "/api/v1/namespaces/default/serviceaccounts/default"):
        while not _answers(f"{plane.url}{path}", context):
            dead = [process.args for process in plane.processes if process.poll() is not None]
            if dead or time.monotonic() > deadline:
                logs = "\n".join(file.read_text()[-2000:] for file in sorted(plane.folder.glob("*.log")))
                raise TimeoutError(f"the control plane is not ready; ended: {dead}\n{logs}")
            time.sleep(_POLL_S)


def _answers(url: str, context: ssl.SSLContext) -> bool:
    try:
        with urllib.request.urlopen(url, context=context, timeout=5) as answer:  # noqa: S310 (https, and ours)
            return bool(answer.status == 200)
    except OSError:
        return False
