"""Laws of patches and merges, and what another implementation of RFC 6902 says of the same patches."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from typing import Any

import jsonpatch
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.laws import examples

from bartizan.engines.policy.mutation import PatchError, apply_patch, difference, merge, read_patch
from bartizan.engines.policy.mutation.same import same

_KEYS = st.sampled_from(["a", "b", "c/d", "e~f", ""])
_PLAIN = st.one_of(st.sampled_from(["x", "y", "", 0, 1, 1.5, True, False]), st.none())
TREES = st.recursive(
    _PLAIN,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=3)),
    max_leaves=10,
)
OBJECTS = st.dictionaries(_KEYS, TREES, max_size=4)
_STEPS = st.sampled_from(["a", "b", "c~1d", "e~0f", "0", "1", "2", "-"])
_PATHS = st.lists(_STEPS, min_size=1, max_size=3).map(lambda steps: "".join(f"/{step}" for step in steps))


def operations() -> st.SearchStrategy[list[dict[str, Any]]]:
    """Patches of one to three operations."""
    one = st.one_of(
        st.fixed_dictionaries({"op": st.sampled_from(["add", "replace", "test"]), "path": _PATHS, "value": TREES}),
        st.fixed_dictionaries({"op": st.just("remove"), "path": _PATHS}),
        st.fixed_dictionaries({"op": st.sampled_from(["move", "copy"]), "path": _PATHS, "from": _PATHS}),
    )
    return st.lists(one, min_size=1, max_size=3)


@examples(400)
@given(TREES, TREES)
def test_a_difference_leads_from_one_to_the_other(before: Any, after: Any) -> None:
    """Applying the difference of two trees to the first gives the second."""
    kept = deepcopy(before)
    assert same(apply_patch(before, difference(before, after)), after)
    assert same(before, kept)


@examples(200)
@given(TREES)
def test_what_is_the_same_has_no_difference(tree: Any) -> None:
    """A tree and its copy have no difference."""
    assert difference(tree, deepcopy(tree)) == ()


@examples(200)
@given(TREES, TREES)
def test_a_difference_is_read_back(before: Any, after: Any) -> None:
    """Operations written as documents are read as the same operations."""
    steps = difference(before, after)
    assert read_patch([step.to_json() for step in steps], "") == steps


@examples(1500)
@given(OBJECTS, operations())
def test_the_oracle_agrees(document: dict[str, Any], patch: list[dict[str, Any]]) -> None:
    """Where another implementation applies a patch, this one gives the same document."""
    kept = deepcopy(document)
    try:
        wanted = jsonpatch.apply_patch(deepcopy(document), deepcopy(patch))
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError):
        assume(False)
        return
    # the oracle moves a value into itself, and compares true with 1
    assume(all(not item["path"].startswith(item.get("from", "!")) and item["op"] != "test" for item in patch))
    try:
        got = apply_patch(document, read_patch(patch, ""))
    except PatchError as error:
        raise AssertionError(f"refused: {error}") from error
    assert same(got, wanted)
    assert same(document, kept)


@examples(600)
@given(OBJECTS, operations())
def test_a_patch_that_fails_changes_nothing(document: dict[str, Any], patch: list[dict[str, Any]]) -> None:
    """A patch is applied whole, or is an error; the document it is given stays as it was either way."""
    kept = deepcopy(document)
    with suppress(PatchError):
        apply_patch(document, read_patch(patch, ""))
    assert same(document, kept)


@examples(600)
@given(OBJECTS, OBJECTS)
def test_merging_twice_is_merging_once(document: dict[str, Any], patch: dict[str, Any]) -> None:
    """A merge that was made changes nothing when it is made again, and says so by identity."""
    with suppress(PatchError):
        once = merge(document, patch)
        assert merge(once, patch) is once


@examples(600)
@given(OBJECTS, OBJECTS)
def test_a_merge_shares_what_it_does_not_change(document: dict[str, Any], patch: dict[str, Any]) -> None:
    """Nothing that is given is changed, and what the patch does not name is the very same object."""
    kept = deepcopy(document), deepcopy(patch)
    try:
        merged = merge(document, patch)
    except PatchError:
        merged = document
    assert same(document, kept[0])
    assert same(patch, kept[1])
    for key, value in document.items():
        if key not in patch:
            assert merged[key] is value
