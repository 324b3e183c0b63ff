"""An edited document reads as the wanted value, and keeps every line that has nothing to do with it."""

from __future__ import annotations

import random
from typing import Any

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
