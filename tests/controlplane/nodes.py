"""A node of the control plane whose pods run, as far as the API tells: kwok, with its own stages."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.controlplane.start import READY_WITHIN_S, free_ports, launch
from tools import gobuild

if TYPE_CHECKING:
    from tests.controlplane.start import ControlPlane

NAME: Final = "bastion"
_STAGES: Final = (
    "node/fast/node-initialize.yaml",
    "node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
    *(f"pod/fast/pod-{stage}.yaml" for stage in ("ready", "complete", "delete")),
)
_POLL_S: Final = 0.1


def start_node(plane: ControlPlane) -> str:
    """Start kwok and add a node; its name, once it is ready."""
    program = gobuild.ensure("kwok")["kwok"]
    config = plane.folder / "stages.yaml"
    folder = gobuild.source("kwok", "sigs.k8s.io/kwok") / "kustomize" / "stage"
    config.write_text("\n---\n".join((folder / stage).read_text() for stage in _STAGES))
    (port,) = free_ports(1)
    launch(
        plane,
        program,
        f"--config={config}",
        f"--kubeconfig={plane.kubeconfig}",
        "--manage-all-nodes=true",
        "--node-ip=127.0.0.1",
        f"--server-address=127.0.0.1:{port}",
        "--node-lease-duration-seconds=40",
        "--cidr=10.244.0.0/16",
    )
    room = {"cpu": "32", "memory": "256Gi", "pods": "110"}
    status = {"allocatable": room, "capacity": room}
    plane.apply(json.dumps({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NAME}, "status": status}))
    deadline = time.monotonic() + READY_WITHIN_S
    path = "jsonpath={.status.conditions[?(@.type=='Ready')].status}"
    while True:
        try:
            if plane.run("get", "node", NAME, "-o", path) == "True":
                return NAME
        except subprocess.CalledProcessError:
            pass  # the node is not there yet
        if time.monotonic() > deadline:
            raise TimeoutError(f"the node is not ready\n{Path(plane.folder / 'kwok.log').read_text()[-2000:]}")
        time.sleep(_POLL_S)
