"""The pods of the Pod Security admission project, each at its level and version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml
from tests.conformance import conformance_dir, find_conformance

from bartizan.engines.policy.dialects.podsecurity.levels import compile_level

if TYPE_CHECKING:
    from pathlib import Path

_SUITE = find_conformance("pod-security")
FOLDERS = sorted(_SUITE.glob("*/v*/*")) if _SUITE else [None]


def _id(folder: Path | None) -> str:
    return "/".join(folder.parts[-3:]) if folder else "the suite is not there"


@pytest.mark.parametrize("folder", FOLDERS, ids=_id)
def test_pods_get_their_verdict(folder: Path | None) -> None:
    conformance_dir("pod-security")
    assert folder is not None
    level, version, verdict = folder.parts[-3:]
    judge = compile_level(level, version)
    wrong = []
    for file in sorted(folder.glob("*.yaml")):
        pod = yaml.load(file.read_text(), Loader=yaml.CSafeLoader)
        violations = judge(pod["metadata"], pod["spec"])
        if bool(violations) == (verdict == "pass"):
            wrong.append((file.name, violations))
    assert wrong == []
