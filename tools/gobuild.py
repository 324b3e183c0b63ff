"""Build the Go programs that tests and benchmarks run: the real control plane, and the peers.

Each is built by the ordinary Go client from a `go.mod` kept here, once, into
a cache by version: `$BARTIZAN_TOOLS`, else `bartizan/tools` in the user's
cache folder. `python tools/gobuild.py kubernetes etcd` builds by hand.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HERE: Final = Path(__file__).resolve().parent / "gotools"
_VERSION: Final = "k8s.io/component-base/version"


class Module(NamedTuple):
    """One `go.mod`: its version, its programs by name, and what the linker is told."""

    version: str
    programs: Mapping[str, str]
    ldflags: str = ""
    needs_mib: int = 700
    """What Go's caches grow by when its first program is built."""

    def folder(self, name: str) -> Path:
        """Where its programs are kept."""
        return cache() / f"{name}-{self.version}"


_KUBERNETES: Final = "v1.35.4"
MODULES: Final[Mapping[str, Module]] = MappingProxyType(
    {
        "kubernetes": Module(
            _KUBERNETES,
            MappingProxyType(
                {
                    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
                    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
                    "kubectl": "k8s.io/kubernetes/cmd/kubectl",
                }
            ),
            # without these the server calls itself v0.0.0, which clients cannot parse
            f"-X {_VERSION}.gitVersion={_KUBERNETES} -X {_VERSION}.gitMajor=1 -X {_VERSION}.gitMinor=35 "
            f"-X {_VERSION}.gitTreeState=clean -X {_VERSION}.gitCommit={_KUBERNETES} "
            f"-X {_VERSION}.buildDate=2026-01-01T00:00:00Z",
            needs_mib=3500,
        ),
        "etcd": Module("v3.6.8", MappingProxyType({"etcd": "go.etcd.io/etcd/server/v3"})),
        "helm": Module("v3.19.2", MappingProxyType({"helm": "helm.sh/helm/v3/cmd/helm"})),
        "kwok": Module("v0.8.0", MappingProxyType({"kwok": "sigs.k8s.io/kwok/cmd/kwok"})),
        "kyverno": Module(
            "v1.19.1", MappingProxyType({"kyverno": "github.com/kyverno/kyverno/cmd/cli/kubectl-kyverno"})
        ),
        "registry": Module(
            "v3.1.2", MappingProxyType({"registry": "github.com/distribution/distribution/v3/cmd/registry"})
        ),
        "cosign": Module(
            "v3.1.2", MappingProxyType({"cosign": "github.com/sigstore/cosign/v3/cmd/cosign"}), needs_mib=2000
        ),
        "cel-cost": Module(_KUBERNETES.replace("v1", "v0"), MappingProxyType({"cel-cost": "bartizan.test/cel-cost"})),
        "kube-score": Module("v1.20.0", MappingProxyType({"kube-score": "github.com/zegl/kube-score/cmd/kube-score"})),
    }
)


class BuildError(RuntimeError):
    """A program could not be built; the message says what to do."""


def cache() -> Path:
    """The folder of built programs."""
    named = os.environ.get("BARTIZAN_TOOLS")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bartizan" / "tools"


def find(name: str) -> dict[str, Path] | None:
    """The programs of a module where they are built already."""
    module = MODULES[name]
    found = {program: module.folder(name) / program for program in module.programs}
    return found if all(path.is_file() for path in found.values()) else None


def ensure(name: str) -> dict[str, Path]:
    """The programs of a module, built if they are not there.

    Raises:
        BuildError: Go is missing, or the build fails.
    """
    found = find(name)
    if found is not None:
        return found
    module = MODULES[name]
    folder = module.folder(name)
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder / ".lock"):
        for program, package in module.programs.items():
            if not (folder / program).is_file():
                _build(name, module, package, folder / program)
    return {program: folder / program for program in module.programs}


def source(name: str, path: str) -> Path:
    """Where the source of a Go module is that `name` is built from; fetched if it is not there.

    Raises:
        BuildError: it cannot be had.
    """
    command = ["go", "mod", "download", "-json", path]
    done = subprocess.run(command, cwd=_HERE / name, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"`go mod download {path}` failed:\n{done.stderr.strip()}")
    return Path(json.loads(done.stdout)["Dir"])


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One build at a time, across processes."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(name: str, module: Module, package: str, target: Path) -> None:
    if shutil.which("go") is None:
        raise BuildError(f"`{target.name}` is not built and Go is not installed: install Go 1.26 or newer")
    free = shutil.disk_usage(target.parent).free >> 20
    if free < module.needs_mib and target.name == next(iter(module.programs)):
        raise BuildError(
            f"building `{target.name}` takes {module.needs_mib} MiB and {target.parent} has {free}: "
            "make room, or set BARTIZAN_TOOLS, GOCACHE and GOMODCACHE to folders that have it"
        )
    print(f"building {target.name} {module.version} (minutes, once)", file=sys.stderr, flush=True)
    part = target.with_name(f".{target.name}.part")
    command = ["go", "build", "-trimpath", "-ldflags", f"-s -w {module.ldflags}".strip(), "-o", str(part), package]
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"}
    done = subprocess.run(command, cwd=_HERE / name, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = "\n".join(done.stderr.strip().splitlines()[-15:])
        raise BuildError(f"`go build {package}` failed:\n{last}")
    part.replace(target)


if __name__ == "__main__":
    try:
        for wanted in sys.argv[1:] or MODULES:
            ensure(wanted)
    except BuildError as error:
        sys.exit(f"gobuild: {error}")
