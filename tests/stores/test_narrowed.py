"""A scope made narrower sees what it saw, where that is in the part that is asked for; and nothing more."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from bartizan.stores.scope import EVERYTHING, Grant, admits, admits_all, narrowed

_CLUSTERS, _NAMESPACES, _TEAMS = ("one", "two"), ("", "shop", "batch"), ("", "data", "payments")


def _some(names: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...] | None]:
    return st.none() | st.lists(st.sampled_from(names), unique=True).map(tuple)


_GRANTS = st.builds(Grant, _some(_CLUSTERS), _some(_NAMESPACES), _some(_TEAMS))
_SCOPES = st.lists(_GRANTS, max_size=3).map(tuple)


@given(
    _SCOPES,
    st.sampled_from(("", *_CLUSTERS)),
    st.none() | st.sampled_from(_NAMESPACES),
    st.none() | st.sampled_from(_TEAMS),
)
def test_what_is_left_is_what_was_seen_there(
    scope: tuple[Grant, ...], cluster: str, namespace: str | None, team: str | None
) -> None:
    part = narrowed(scope, cluster=cluster, namespace=namespace, team=team)
    for place in itertools.product(_CLUSTERS, _NAMESPACES, _TEAMS):
        asked = all(
            wanted in (None, name) for wanted, name in zip((cluster or None, namespace, team), place, strict=True)
        )
        assert admits(part, place) == (asked and admits(scope, place))


@given(_SCOPES, st.sampled_from(_CLUSTERS))
def test_who_may_all_of_a_cluster_may_each_place_of_it(scope: tuple[Grant, ...], cluster: str) -> None:
    if admits_all(scope, cluster):
        assert all(admits(scope, (cluster, *rest)) for rest in itertools.product(_NAMESPACES, _TEAMS))


def test_who_may_everything_may_all_of_a_cluster() -> None:
    assert admits_all(EVERYTHING, "one")
    assert not admits_all((Grant(("two",)), Grant(("one",), ("shop",))), "one")
