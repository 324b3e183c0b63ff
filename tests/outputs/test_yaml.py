"""YAML written by hand is read back as what it was written from."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.laws import examples

from bartizan.base.pointer import resolve
from bartizan.outputs.yaml import lines, located, scalar
from bartizan.sources.yaml import load_documents

TEXTS = st.one_of(
    st.text(max_size=12),
    st.text(alphabet="ab:#-|> \t\n\r\u2028\x85'\"&*{}[]0123456789", max_size=16),
    st.sampled_from(
        ["yes", "0644", "1e3", "2026-01-01", "null", "a\n", "a\n\n", "\na", " a\nb", "a\n  b\nc\n", "- a\n- b", "~"]
    ),
)
VALUES = st.recursive(
    st.one_of(TEXTS, st.integers(-(2**53), 2**53), st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=8,
)


@examples(300)
@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4))
def test_what_is_written_is_read_back(value: dict[str, Any]) -> None:
    """Reading what is written gives the value."""
    text = "\n".join(lines(value)) + "\n"
    (document,) = load_documents(text.encode(), "written.yaml")
    assert getattr(document, "body", document) == _encodable(value), text


def _encodable(value: Any) -> Any:
    """Half a surrogate pair cannot be written, and is replaced."""
    if isinstance(value, str):
        return re.sub("[\ud800-\udfff]", "\ufffd", value)
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    return [_encodable(item) for item in value] if isinstance(value, list) else value


@examples(300)
@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4))
def test_a_located_line_is_the_line_that_is_written(value: dict[str, Any]) -> None:
    """Every line stands where `lines` writes it, and its pointer leads to what is written on it."""
    assert [line for line, _ in located(value)] == list(lines(value))
    for line, pointer in located(value):
        item = resolve(value, pointer)
        if not isinstance(item, dict | list | str):
            assert line.endswith(scalar(item))


def test_every_place_has_a_line() -> None:
    """Lists in lists, texts of several lines and empty things all stand somewhere."""
    value = {"a/b": {"c": [{"d": "x\ny\n", "e": []}, [1, {"f": 2}]]}, "g": {}}
    assert list(located(value)) == [
        ("a/b:", "/a~1b"),
        ("  c:", "/a~1b/c"),
        ("  - d: |", "/a~1b/c/0"),
        ("      x", "/a~1b/c/0/d"),
        ("      y", "/a~1b/c/0/d"),
        ("    e: []", "/a~1b/c/0/e"),
        ('  - [1,{"f":2}]', "/a~1b/c/1"),
        ("g: {}", "/g"),
    ]
