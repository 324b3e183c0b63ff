"""Random pods, judged here and admitted or refused by the API server's own Pod Security admission."""

from __future__ import annotations

import json
import ssl
import time
from http.client import HTTPSConnection
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from tests.engines.policy.podsecurity.pods import random_pod

from bartizan.engines.policy.dialects.podsecurity.levels import compile_level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.controlplane.start import ControlPlane

pytestmark = pytest.mark.xdist_group("cluster")

_PODS = 60
_VERSIONS = ("v1.0", "v1.8", "v1.19", "v1.22", "v1.25", "v1.27", "v1.29", "v1.31", "v1.32", "v1.34", "v1.35")


class Server:
    """The API server, asked over one connection."""

    def __init__(self, plane: ControlPlane) -> None:
        context = ssl.create_default_context(cafile=str(plane.authority.file))
        context.load_cert_chain(plane.folder / "admin.crt", plane.folder / "admin.key")
        self._connection = HTTPSConnection(urlsplit(plane.url).netloc, context=context, timeout=30)

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and answer."""
        self._connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read())

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@pytest.fixture(scope="module")
def server(control_plane: ControlPlane) -> Iterator[Server]:
    """The API server, with a namespace for every level and version."""
    server = Server(control_plane)
    for level, version in _STANDARDS:
        labels = {
            "pod-security.kubernetes.io/enforce": level,
            "pod-security.kubernetes.io/enforce-version": version,
        }
        metadata = {"name": _namespace(level, version), "labels": labels}
        assert server.post("/api/v1/namespaces", {"metadata": metadata})[0] in (201, 409)
    yield server
    server.close()


_STANDARDS = [(level, version) for level in ("baseline", "restricted") for version in _VERSIONS]


def _namespace(level: str, version: str) -> str:
    return f"{level}-{version.replace('.', '-')}"


def _answer(server: Server, namespace: str, pod: dict[str, Any]) -> tuple[int, str]:
    """Status and message of a dry run; a new namespace has no service account for a moment."""
    path = f"/api/v1/namespaces/{namespace}/pods?dryRun=All"
    deadline = time.monotonic() + 30
    while True:
        status, body = server.post(path, pod)
        message = str(body.get("message", ""))
        if "serviceaccount" not in message or time.monotonic() > deadline:
            return status, message
        time.sleep(0.1)


@pytest.mark.parametrize(("level", "version"), _STANDARDS, ids=[f"{level} {version}" for level, version in _STANDARDS])
def test_the_server_decides_the_same(server: Server, level: str, version: str) -> None:
    chance = Random(f"{level} {version}")
    judge = compile_level(level, version)
    said: dict[str, int] = {"admitted": 0, "refused": 0, "malformed": 0}
    for number in range(_PODS):
        pod = random_pod(chance, f"p{number}")
        status, message = _answer(server, _namespace(level, version), pod)
        if status == 422:
            said["malformed"] += 1
            continue
        refused = status == 403
        assert refused or status == 201, message
        said["refused" if refused else "admitted"] += 1
        violations = judge(pod["metadata"], pod["spec"])
        ours = [violation.message for violation in violations]
        assert bool(ours) is refused, f"{json.dumps(pod)}\nthe server: {message}\nours: {ours}"
    assert said["admitted"] > 3
    assert said["refused"] > 3
    assert said["malformed"] < _PODS / 2
