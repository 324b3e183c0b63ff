"""Helm charts and kustomizations, rendered by the programs their authors use."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from bartizan.base.errors import SpecError
from bartizan.base.location import Location
from bartizan.model.report import Problem
from bartizan.sources.manifests import KUSTOMIZATIONS, read_bytes
from bartizan.sources.yaml import load_one

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from bartizan.base.json import Json, JsonObject
    from bartizan.model.resource import Resource

TIMEOUT_S: Final = 120
"""A chart renders in a second or two; one that takes this long hangs on something."""
MAX_OUTPUT_BYTES: Final = 256 << 20
_MAX_RELEASE: Final = 53
_MAX_REASON: Final = 500
_PARTS: Final = ("resources", "bases", "components")


def kustomize_command() -> list[str] | None:
    """The program that builds kustomizations, where there is one."""
    import shutil

    if shutil.which("kustomize"):
        return ["kustomize", "build"]
    return ["kubectl", "kustomize"] if shutil.which("kubectl") else None


def deployed(folders: Sequence[Path], named: Collection[Path]) -> list[Path]:
    """The kustomizations that are built by themselves: those that no other one takes in, and those that are named.

    A base is judged in what its overlays make of it; a component cannot be
    built alone.
    """
    documents = {folder: _kustomization(folder) for folder in folders}
    taken = {
        (folder / part).resolve()
        for folder, document in documents.items()
        for key in _PARTS
        for part in _texts(document.get(key))
    }
    return [
        folder
        for folder, document in documents.items()
        if folder in named or (folder.resolve() not in taken and document.get("kind") != "Component")
    ]


def _kustomization(folder: Path) -> JsonObject:
    """The folder's kustomization, empty where it cannot be read; building it will say why."""
    for name in KUSTOMIZATIONS:
        with suppress(OSError, SpecError):
            body = load_one((folder / name).read_bytes(), name).body
            return body if isinstance(body, dict) else {}
    return {}


def _texts(value: Json) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def read_kustomization(folder: Path) -> Iterator[Resource | Problem]:
    """The resources a kustomization builds."""
    command = kustomize_command()
    if command is None:
        yield _missing(folder, "kubectl", "kustomization")
        return
    yield from _render([*command, str(folder.resolve())], folder)


def read_chart(folder: Path) -> Iterator[Resource | Problem]:
    """The resources a chart renders to with its own values."""
    import shutil

    if not shutil.which("helm"):
        yield _missing(folder, "helm", "Helm chart")
        return
    yield from _render(["helm", "template", _release(folder), str(folder.resolve())], folder)


def _release(folder: Path) -> str:
    """A name that helm takes, after the folder's."""
    import re

    return re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower())[:_MAX_RELEASE].strip("-") or "release"


def _render(command: list[str], folder: Path) -> Iterator[Resource | Problem]:
    import subprocess

    at = Location(str(folder))
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=False)  # noqa: S603 (no shell, fixed words and a path)
    except (OSError, subprocess.TimeoutExpired) as error:
        yield Problem("world", f"`{command[0]}` did not finish: {error}", at, "Run it by hand to see why.")
        return
    if done.returncode != 0 or len(done.stdout) > MAX_OUTPUT_BYTES:
        reason = _reason(done.stderr.decode(errors="replace")) or f"exit status {done.returncode}"
        yield Problem("input", f"`{' '.join(command[:2])}` refused it: {reason}", at, "Mend what it names.")
        return
    yield from read_bytes(done.stdout, f"{folder} (rendered by {command[0]})", named=False)


def _reason(said: str) -> str:
    """The line that says what is wrong: programs put warnings before it and advice after."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return (errors or lines or [""])[-1][:_MAX_REASON]


def _missing(folder: Path, program: str, what: str) -> Problem:
    hint = f"Install `{program}`, or scan what it renders."
    return Problem("world", f"a {what}, and `{program}` is not installed", Location(str(folder)), hint)
