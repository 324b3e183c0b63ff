"""Whatever a manifest says, the standards have an answer: values of every type in every field the controls read."""

from __future__ import annotations

from copy import deepcopy
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engines.policy.podsecurity.pods import random_pod
from tests.spoil import spoil

from bartizan.engines.policy.dialects.podsecurity.levels import compile_level
from bartizan.engines.policy.dialects.podsecurity.pod import summary

_JUDGES = [compile_level(level, version) for level in ("baseline", "restricted") for version in ("v1.0", "latest")]


@given(st.integers(0, 2**32), st.data())
def test_no_pod_is_a_bug(seed: int, data: st.DataObject) -> None:
    pod = deepcopy(random_pod(Random(seed), "p"))
    spoil(pod, data)
    metadata, spec = pod.get("metadata"), pod.get("spec")
    for judge in _JUDGES:
        violations = judge(metadata if isinstance(metadata, dict) else {}, spec if isinstance(spec, dict) else {})
        assert isinstance(summary(violations), str)
        for violation in violations:
            assert violation.pointer.startswith("/")
            assert violation.field


@pytest.mark.parametrize("level", ["baseline", "restricted"])
def test_what_is_no_pod_at_all_has_no_containers(level: str) -> None:
    assert all(violation.container is None for violation in compile_level(level, "latest")({}, {}))
