"""The laws of a fingerprint, and values that may never change."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bartizan.findings import fingerprint
from bartizan.model.finding import RuleId
from bartizan.model.resource import ResourceId

WEB = ResourceId("apps", "v1", "Deployment", "shop", "web")
TAG = RuleId("disallow-latest-tag", "require-image-tag")
TEXTS = st.text(max_size=20)
POSITIONS = st.integers(min_value=0, max_value=10**6)


@given(POSITIONS, POSITIONS)
def test_positions_in_lists_are_ignored(first: int, second: int) -> None:
    """Adding a sidecar reopens no waiver."""
    pointer = "/spec/containers/{}/ports/{}/name"
    assert fingerprint(TAG, WEB, pointer.format(first, second)) == fingerprint(TAG, WEB, pointer.format(0, 0))


def test_half_of_what_is_missing_is_no_news() -> None:
    """Who adds an empty `securityContext` has not made a new finding of the field that is still missing in it."""
    whole = fingerprint(TAG, WEB, "/spec/containers/0/securityContext")
    assert fingerprint(TAG, WEB, "/spec/containers/0/securityContext/readOnlyRootFilesystem") == whole


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_it_is_sixteen_hex_digits_for_any_text(policy: str, rule: str, name: str, pointer: str) -> None:
    mark = fingerprint(RuleId(policy, rule), ResourceId("", "v1", "Pod", "", name), pointer)
    assert re.fullmatch(r"[0-9a-f]{16}", mark)


def test_the_api_version_is_ignored() -> None:
    """A migration from v1beta1 is no news."""
    assert fingerprint(TAG, WEB, "") == fingerprint(TAG, ResourceId("apps", "v1beta1", "Deployment", "shop", "web"), "")


@pytest.mark.parametrize(
    "other",
    [
        (RuleId("other", TAG.rule), WEB, "/spec/x/0/image"),
        (RuleId(TAG.policy, "other"), WEB, "/spec/x/0/image"),
        (TAG, ResourceId("extensions", "v1", "Deployment", "shop", "web"), "/spec/x/0/image"),
        (TAG, ResourceId("apps", "v1", "DaemonSet", "shop", "web"), "/spec/x/0/image"),
        (TAG, ResourceId("apps", "v1", "Deployment", "data", "web"), "/spec/x/0/image"),
        (TAG, ResourceId("apps", "v1", "Deployment", "shop", "api"), "/spec/x/0/image"),
        (TAG, ResourceId("apps", "v1", "Deployment", "sho", "pweb"), "/spec/x/0/image"),
        (TAG, WEB, "/spec/y/0/image"),
        (TAG, WEB, "/spec/x1/0/image"),
    ],
    ids=["policy", "rule", "group", "kind", "namespace", "name", "a moved border", "path", "a number in a word"],
)
def test_what_is_kept_makes_a_difference(other: tuple[RuleId, ResourceId, str]) -> None:
    assert fingerprint(*other) != fingerprint(TAG, WEB, "/spec/x/0/image")


@pytest.mark.parametrize(
    ("rule", "resource", "pointer", "mark"),
    [
        (TAG, WEB, "/spec/template/spec/containers/1/image", "d9d02cfe376fc918"),
        (RuleId("privileged-container"), ResourceId("", "v1", "Pod", "größe", "p"), "", "89a3c287bf9f3cbd"),
    ],
    ids=["a rule of a policy", "a check, and a name beyond ASCII"],
)
def test_values_are_stable_between_releases(rule: RuleId, resource: ResourceId, pointer: str, mark: str) -> None:
    assert fingerprint(rule, resource, pointer) == mark
