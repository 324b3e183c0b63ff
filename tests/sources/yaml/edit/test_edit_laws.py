"""An edited document reads as the wanted value, and keeps every line that has nothing to do with it."""

from __future__ import annotations

import random
from contextlib import suppress
from difflib import unified_diff
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.conformance import conformance_dir
from tests.laws import examples
from tests.sources.yaml.edit.writing import Writer, change, root

from bartizan.base.errors import SpecError
from bartizan.sources.yaml.documents import parse_chunk, split_documents
from bartizan.sources.yaml.edit import edit_document
from bartizan.sources.yaml.edit.align import same
from bartizan.sources.yaml.edit.nodes import read_nodes

if TYPE_CHECKING:
    from collections.abc import Iterator

SEEDS = st.integers(0, 2**32)


def written(rng: random.Random) -> tuple[str, Any]:
    """A document, and what it reads as."""
    text = Writer(rng).document(root(rng))
    try:
        value = parse_chunk(text, "", 0, [])
    except SpecError:
        assume(False)
    assume(value is not None)
    return text, value


@given(SEEDS)
@examples(1000)
def test_the_edited_text_reads_as_the_new_value(seed: int) -> None:
    """For any document and any new value."""
    rng = random.Random(seed)
    text, before = written(rng)
    after = change(rng, before)
    edited = edit_document(text, before, after)
    assert same(parse_chunk(edited, "", 0, []), after)


@given(SEEDS)
@examples(500)
def test_what_did_not_change_keeps_its_lines(seed: int) -> None:
    """Each pair at the top of a document that stays the same stands in the edited one, byte for byte."""
    rng = random.Random(seed)
    text, before = written(rng)
    after = change(rng, before)
    assume(isinstance(before, dict) and isinstance(after, dict) and "*" not in text)
    edited = edit_document(text, before, after)
    for key, section in sections(text):
        if key in after and same(before[key], after[key]):
            assert section in edited


def sections(text: str) -> list[tuple[str, str]]:
    """The pairs at the top of a block document: keys, and text from the key to the end of its value."""
    if text.startswith(("{", "[")):
        return []
    root = read_nodes(text)
    if root is None or root.flow:
        return []
    return [(str(entry.key), text[entry.name.start : entry.end]) for entry in root.entries]


@given(SEEDS)
@examples(300)
def test_there_and_back_reads_as_before(seed: int) -> None:
    """An edit can be edited back."""
    rng = random.Random(seed)
    text, before = written(rng)
    after = change(rng, before)
    assume(after is not None)
    back = edit_document(edit_document(text, before, after), after, before)
    assert same(parse_chunk(back, "", 0, []), before)


@pytest.mark.parametrize("suite", ["kyverno-policies", "kyverno-cli", "gatekeeper-library", "pod-security"])
def test_documents_of_suites_take_random_edits(suite: str) -> None:
    """Every edit reads as wanted, no edit is refused, and lines nobody touched stay."""
    rng = random.Random(4)
    edits = 0
    for file in sorted(conformance_dir(suite).rglob("*.y*ml")):
        for chunk, _ in split_documents(file.read_text(errors="replace"), 0):
            try:
                before = parse_chunk(chunk, "", 0, [])
            except SpecError:
                continue
            if not isinstance(before, dict) or rng.random() > 0.25:
                continue
            after = change(rng, before)
            edited = edit_document(chunk, before, after)
            assert same(parse_chunk(edited, "", 0, []), after), file
            edits += 1
    assert edits > 10


def test_long_lists_of_like_elements_are_edited_in_bounded_time() -> None:
    """Comparing each element with each would take minutes here."""
    text = "items:\n" + "- {name: x, data: {a: 1, b: [1, 2, 3]}}\n" * 3000
    before = parse_chunk(text, "", 0, [])
    items = [{**item, "data": {}} if index % 2 else item for index, item in enumerate(before["items"])]
    after = {"items": [{"name": "new"}, *items[5:]]}
    assert same(parse_chunk(edit_document(text, before, after), "", 0, []), after)


def _maps(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
    """Every map with something in it, and where it is."""
    if isinstance(value, dict) and value:
        yield path, value
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _maps(item, (*path, key))


def _with(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    """The value with another at one place; all else is shared."""
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = _with(value[path[0]], path[1:], new)
    return copy


@lru_cache(maxsize=1)
def _plain_documents() -> list[tuple[str, dict[str, Any]]]:
    """Documents without flow collections, aliases and blocks of text, where each pair has lines of its own."""
    found: list[tuple[str, dict[str, Any]]] = []
    for file in sorted(conformance_dir("kyverno-policies").rglob("*resource*.yaml")):
        for chunk, _ in split_documents(file.read_text(errors="replace"), 0):
            if not any(mark in chunk for mark in "{[*|>\t\"'"):
                with suppress(SpecError):
                    value = parse_chunk(chunk, "", 0, [])
                    if isinstance(value, dict):
                        found.append((chunk, value))
    return found


def _change_of_lines(before: str, after: str) -> tuple[list[str], list[str]]:
    """Lines that are gone, and lines that are new."""
    found = list(unified_diff(before.split("\n"), after.split("\n"), n=0))[2:]
    return [line for line in found if line.startswith("-")], [line for line in found if line.startswith("+")]


def test_a_new_pair_adds_its_line_and_changes_no_other() -> None:
    rng = random.Random(1)
    tried = 0
    for text, before in _plain_documents():
        path, place = rng.choice(list(_maps(before)))
        keys = list(place.items())
        keys.insert(rng.randint(0, len(keys)), ("new.example/key", "value"))
        gone, new = _change_of_lines(text, edit_document(text, before, _with(before, path, dict(keys))))
        assert not gone
        assert [line.strip("+ ") for line in new] == ["new.example/key: value"]
        tried += 1
    assert tried > 100


def test_another_scalar_changes_its_line_and_no_other() -> None:
    rng = random.Random(2)
    tried = 0
    for text, before in _plain_documents():
        path, place = rng.choice(list(_maps(before)))
        lines = text.splitlines()
        leaves = [key for key, item in place.items() if isinstance(item, str | int)]
        key = rng.choice(leaves) if leaves else ""
        if not any(line.strip("- ") == f"{key}: {place.get(key)}" for line in lines):
            continue  # text over several lines, or a number written in another way
        gone, new = _change_of_lines(text, edit_document(text, before, _with(before, (*path, key), "a-new-text")))
        assert len(gone) == len(new) == 1
        assert new[0][1:].startswith(gone[0][1:].partition(":")[0])
        tried += 1
    assert tried > 100


def test_a_pair_taken_out_takes_its_lines_and_no_other() -> None:
    rng = random.Random(3)
    tried = 0
    for text, before in _plain_documents():
        path, place = rng.choice(list(_maps(before)))
        if len(place) < 2:
            continue
        key = rng.choice(list(place)[1:])  # the first may share its line with a dash
        after = {name: item for name, item in place.items() if name != key}
        gone, new = _change_of_lines(text, edit_document(text, before, _with(before, path, after)))
        assert gone
        assert not new
        tried += 1
    assert tried > 100
