"""Where the characters of an expression stand in YAML, however it is written there."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import event, given
from hypothesis import strategies as st
from tests.laws import examples

from bartizan.app.text_places import place_in
from bartizan.sources.yaml import Document, load_documents
from bartizan.sources.yaml.lines import DocumentLines

_PARTS = ["object", ".", "spec", "'a'", '"b"', "''", "&&", " ", "\n", "\n\n", "  ", "\\", "#", ":", "{", "x", "\u00e9"]
_TEXTS = st.lists(st.sampled_from(_PARTS), min_size=1, max_size=30).map("".join)
_STYLES = st.sampled_from([None, "|", ">", "'", '"'])


def _lines(text: str) -> tuple[Any, DocumentLines]:
    (document,) = load_documents(text.encode(), "f.yaml")
    assert isinstance(document, Document)
    return document.body, DocumentLines(document.lines.text, document.lines.file, document.lines.offset)


@examples(1500)
@given(_TEXTS, _STYLES, st.integers(10, 80), st.data())
def test_the_place_of_a_character_holds_that_character(text: str, style: str, width: int, data: st.DataObject) -> None:
    """LAW: what is pointed to is the character itself, or the key where that cannot be told."""
    document = {"spec": {"list": [{"name": "x"}, {"expression": text, "after": "object"}]}}
    written = yaml.dump(document, default_style=style, width=width, allow_unicode=True, sort_keys=False)
    body, lines = _lines(written)
    assert body == document
    begins = data.draw(st.integers(0, len(text) - 1))
    at = place_in(lines, "/spec/list/1/expression", text, begins)
    key = lines.locate("/spec/list/1/expression")
    event("the key" if at == key else "the character")
    if at != key and text[begins].strip():
        found = lines.quote(at.line)[at.column - 1 :]
        assert found.startswith((text[begins], f"\\{text[begins]}")), f"{written}{at}: {found!r}"


@pytest.mark.parametrize(
    ("written", "word", "place"),
    [
        ("a: object.x == 1", "==", (1, 13)),
        ('a: "object.x == \\"b\\""', '"b', (1, 17)),
        ("a: 'object.x == ''b'''", "'b", (1, 17)),
        ("a: |\n  object.x\n  == 1", "==", (3, 3)),
        ("a: >-  # why\n  object.x\n    == 1", "==", (3, 5)),
        ("a: object.x\n  == 1", "==", (2, 3)),
        ("a:\n  object.x\n  == 1", "==", (3, 3)),
        ("'a': object.x == 1", "==", (1, 15)),
        ("{b: 1, a: object.x == 1}", "==", (1, 20)),
        ("a: object.x ==", "", (1, 4)),
    ],
)
def test_place(written: str, word: str, place: tuple[int, int]) -> None:
    body, lines = _lines(written)
    at = place_in(lines, "/a", body["a"], body["a"].index(word))
    assert (at.line, at.column) == place


def test_behind_the_end() -> None:
    _, lines = _lines("a: |\n  object.x ==\nb: 1")
    assert place_in(lines, "/a", "object.x ==\n", 12).line == 2


def test_a_long_text_is_looked_through_once() -> None:
    text = "x + " * 200_000 + "y"
    _, lines = _lines(f"a: {text}")
    assert place_in(lines, "/a", text, len(text) - 1).column == len(text) + 3
