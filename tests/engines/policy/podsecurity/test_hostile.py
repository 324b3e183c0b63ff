"""Whatever a manifest says, the standards have an answer: values of every type in every field the controls read."""

from __future__ import annotations

from copy import deepcopy
from random import Random
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engines.policy.podsecurity.pods import random_pod

from bartizan.engines.policy.dialects.podsecurity import compile_level, summary

_ODD: Final[st.SearchStrategy[Any]] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
_JUDGES = [compile_level(level, version) for level in ("baseline", "restricted") for version in ("v1.0", "latest")]


@given(st.integers(0, 2**32), st.data())
def test_no_pod_is_a_bug(seed: int, data: st.DataObject) -> None:
    pod = deepcopy(random_pod(Random(seed), "p"))
    _spoil(pod, data)
    metadata, spec = pod.get("metadata"), pod.get("spec")
    for judge in _JUDGES:
        violations = judge(metadata if isinstance(metadata, dict) else {}, spec if isinstance(spec, dict) else {})
        assert isinstance(summary(violations), str)
        for violation in violations:
            assert violation.pointer.startswith("/")
            assert violation.field


def _spoil(pod: dict[str, Any], data: st.DataObject) -> None:
    """Put something odd in the place of a random part."""
    at: Any = pod
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        key = data.draw(st.sampled_from(keys))
        inner = at[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.integers(0, 4)) == 0:
            at[key] = data.draw(_ODD)
            return
        at = inner


@pytest.mark.parametrize("level", ["baseline", "restricted"])
def test_what_is_no_pod_at_all_has_no_containers(level: str) -> None:
    assert all(violation.container is None for violation in compile_level(level, "latest")({}, {}))
