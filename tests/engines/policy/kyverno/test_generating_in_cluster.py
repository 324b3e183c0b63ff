"""The peer's tests in a cluster of generating policies, played in memory: what is applied, deleted, and then there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from tests.conformance import conformance_dir, find_conformance
from tests.engines.policy.kyverno.pretended import Pretended

from bartizan.model.outcome import Broken
from bartizan.sources.yaml import Document, load_documents

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FOLDERS: Final = ("generating-policies", "namespaced-generating-policies")
_SUITE: Final = find_conformance("kyverno-e2e")
_NOT_PLAYED: Final = {
    "context/api-call": "asks a service that runs in the cluster",
    "context/globalcontextentry": "asks a global context entry",
    "template/generate-ciliumnetworkpolicy": "waits for a server to establish a kind",
    "webhook/match-conditions": "is about the peer's webhooks",
    "webhook/single": "is about the peer's webhooks",
    "reports/generate-secrets": "is about reports",
    "reports/with-exception-pass-result": "is about reports",
    "reports/with-exception-skip-result": "is about reports",
    "reports/with-exceptions": "is about reports",
    "sync/sync-delete-one-source": "watches sources, as a controller does by the labels of the copies",
    "sync/sync-modify-policy-and-downstream-another-kind": "watches policies, as a controller does",
    "sync/sync-modify-policy-and-downstream-name": "watches policies, as a controller does",
    "sync/sync-modify-policy-to-change-source": "watches policies, as a controller does",
}
_DEEDS: Final = frozenset({"apply", "create", "delete", "assert", "error", "sleep", "description"})


def _tests() -> Iterator[Path]:
    for folder in _FOLDERS if _SUITE else ():
        for file in sorted((_SUITE / folder).rglob("chainsaw-test.yaml")) if _SUITE else ():
            if not any(str(file.parent).endswith(name) for name in _NOT_PLAYED) and _is_played(file):
                yield file.parent


def _documents(file: Path) -> list[dict[str, Any]]:
    found = list(load_documents(file.read_bytes(), str(file)))
    return [item.body for item in found if isinstance(item, Document) and isinstance(item.body, dict)]


def _steps(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for step in _documents(file)[0]["spec"]["steps"]:
        used = step.get("use")
        if used and used["template"].endswith(("create-policy.yaml", "update-policy.yaml")):
            yield "apply", {"file": used["with"]["bindings"][0]["value"]}
        for deed in step.get("try") or ():
            yield from ((name, what) for name, what in deed.items() if name in _DEEDS or isinstance(what, dict))


def _is_played(file: Path) -> bool:
    """Whether a test has no scripts, which ask a real cluster."""
    return all(name in _DEEDS and (name != "assert" or "file" in what) for name, what in _steps(file))


TESTS: Final = list(_tests())


@pytest.mark.parametrize("folder", TESTS or [None], ids=lambda folder: folder.name if folder else "no suite")
def test_cluster_is_as_expected(folder: Path | None) -> None:
    conformance_dir("kyverno-e2e")
    assert folder is not None
    cluster = Pretended()
    for name, what in _steps(folder / "chainsaw-test.yaml"):
        if name in ("apply", "create"):
            for body in _documents(folder / what["file"]):
                cluster.apply(body)
        elif name == "delete":
            cluster.delete(what["ref"])
        elif name == "assert":
            for body in _documents(folder / what["file"]):
                assert cluster.has(body), (what["file"], cluster.outcomes)
        elif name == "error" and "policy" not in what["file"]:
            for body in _documents(folder / what["file"]):
                assert not cluster.has(body), what["file"]
    assert not [outcome for outcome in cluster.outcomes if isinstance(outcome, Broken)]


def test_most_of_the_suite_is_played() -> None:
    """A reader that leaves tests out must say why."""
    suite = conformance_dir("kyverno-e2e")
    every = [file for folder in _FOLDERS for file in (suite / folder).rglob("chainsaw-test.yaml")]
    assert len(TESTS) > len(every) // 2
