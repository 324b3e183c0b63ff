"""Helm charts and kustomizations, rendered by the programs their authors use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.base.location import Location
from bartizan.model.report import Problem
from bartizan.sources.manifests import read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bartizan.model.resource import Resource

TIMEOUT_S: Final = 120
"""A chart renders in a second or two; one that takes this long hangs on something."""
MAX_OUTPUT_BYTES: Final = 256 << 20


def kustomize_command() -> list[str] | None:
    """The program that builds kustomizations, where there is one."""
    import shutil

    if shutil.which("kustomize"):
        return ["kustomize", "build"]
    return ["kubectl", "kustomize"] if shutil.which("kubectl") else None


def read_kustomization(folder: Path) -> Iterator[Resource | Problem]:
    """The resources a kustomization builds."""
    command = kustomize_command()
    if command is None:
        yield _missing(folder, "kubectl", "kustomization")
        return
    yield from _render([*command, str(folder)], folder)


def read_chart(folder: Path) -> Iterator[Resource | Problem]:
    """The resources a chart renders to with its own values."""
    import shutil

    if not shutil.which("helm"):
        yield _missing(folder, "helm", "Helm chart")
        return
    yield from _render(["helm", "template", folder.resolve().name, str(folder)], folder)


def _render(command: list[str], folder: Path) -> Iterator[Resource | Problem]:
    import subprocess

    at = Location(str(folder))
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=False)  # noqa: S603 (no shell, fixed words and a path)
    except (OSError, subprocess.TimeoutExpired) as error:
        yield Problem("world", f"`{command[0]}` did not finish: {error}", at, "Run it by hand to see why.")
        return
    if done.returncode != 0 or len(done.stdout) > MAX_OUTPUT_BYTES:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        reason = said[-1] if said else f"exit status {done.returncode}"
        yield Problem("input", f"`{' '.join(command[:2])}` refused it: {reason[:500]}", at, "Mend what it names.")
        return
    yield from read_bytes(done.stdout, f"{folder} (rendered by {command[0]})", named=False)


def _missing(folder: Path, program: str, what: str) -> Problem:
    hint = f"Install `{program}`, or scan what it renders."
    return Problem("world", f"a {what}, and `{program}` is not installed", Location(str(folder)), hint)
