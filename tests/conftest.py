"""What all tests share: the real control plane, one a test run."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from tests.conformance import built, required
from tests.controlplane.nodes import start_node
from tests.controlplane.start import ControlPlane, start

if TYPE_CHECKING:
    from collections.abc import Iterator

# the same examples in every run: a change is judged by itself; `pytest --hypothesis-profile search` looks for more
# (a machine that builds something beside the tests is slow, and that is no fault of theirs)
_PATIENT = (HealthCheck.too_slow,)
settings.register_profile("fixed", derandomize=True, deadline=None, suppress_health_check=_PATIENT)
settings.register_profile("search", max_examples=2_000, deadline=None, suppress_health_check=_PATIENT)
settings.load_profile("fixed")


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Iterator[Any]:
    """Reports that can be sent from a worker: half of a surrogate pair in a message would end it."""
    return _encodable((yield))


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    return type(value)(map(_encodable, value)) if isinstance(value, list | tuple) else value


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A running control plane; skips where it is not built and Go is missing."""
    built("kubernetes", "etcd")
    plane = start(tmp_path_factory.mktemp("control-plane"))
    try:
        yield plane
    finally:
        plane.stop()


@pytest.fixture(scope="session")
def node(control_plane: ControlPlane) -> str:
    """The name of a node whose pods run, as far as the API tells; skips where Go is missing, which has its source."""
    if not required() and shutil.which("go") is None:
        pytest.skip("a node wants kwok: install Go 1.26 or newer")
    return start_node(control_plane)


@pytest.fixture
def namespace(control_plane: ControlPlane, request: pytest.FixtureRequest) -> str:
    """A namespace of the test's own."""
    name = f"t-{abs(hash(request.node.nodeid)) % 10**8}"
    control_plane.apply(json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}))
    return name
