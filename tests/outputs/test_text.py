"""Text made harmless and fitted to a width, and the quoted line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.outputs.hostile import TEXTS
from tests.outputs.sample import PROBES, WEB, finding

from bartizan.base.location import Location, excerpt
from bartizan.outputs.quote import Quote, quote, quote_of
from bartizan.outputs.text import clip, columns, one_line, plural, printable, wrap


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("größe 名前 😀", "größe 名前 😀"),
        ("a\tb", "a b"),
        ("\x1b[31mred", "␛[31mred"),
        ("bell\x07", "bell␇"),
        ("\x7f", "␡"),
        ("\x9b31m", "�31m"),
        ("abc\u202ecba", "abc�cba"),
        ("lone \ud800", "lone �"),
        ("two\nlines", "two␊lines"),
    ],
    ids=["plain", "beyond ASCII", "tab", "escape", "bell", "delete", "C1", "direction", "surrogate", "line break"],
)
def test_control_characters_are_shown_and_not_obeyed(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_lines_are_folded_into_one() -> None:
    assert one_line("one\n   two\t three\r\n") == "one two three"


@pytest.mark.parametrize(
    ("text", "width"),
    [("abc", 3), ("名前", 4), ("e\u0301", 1), ("😀", 2), ("", 0)],
    ids=["narrow", "wide", "combining", "emoji", "empty"],
)
def test_columns_are_those_of_a_terminal(text: str, width: int) -> None:
    assert columns(text) == width


@given(TEXTS, st.integers(min_value=1, max_value=30))
def test_a_clipped_text_fits(text: str, width: int) -> None:
    assert columns(clip(text, width)) <= width


@given(st.text("ab 名\n", max_size=60), st.integers(min_value=8, max_value=30))
def test_wrapping_keeps_every_word_and_the_width(text: str, width: int) -> None:
    """Only a single word that is wider than the line may stand out."""
    lines = wrap(text, width)
    assert " ".join(lines).split() == text.split()
    assert all(columns(line) <= width or " " not in line for line in lines)


@pytest.mark.parametrize(
    ("number", "noun", "words"),
    [
        (0, "finding", "0 findings"),
        (1, "policy", "1 policy"),
        (2, "policy", "2 policies"),
        (1234, "rule", "1,234 rules"),
    ],
    ids=["none", "one", "many of a y", "thousands"],
)
def test_numbers_agree_with_their_noun(number: int, noun: str, words: str) -> None:
    assert plural(number, noun) == words


@pytest.mark.parametrize(
    ("text", "at", "quoted"),
    [
        ("  image: nginx # old", Location("a", 4, 3), Quote(4, "  image: nginx # old", 3)),
        (excerpt("a: 1\n  b: 2\n", Location("a", 2, 3)), Location("a", 2, 3), Quote(2, "  b: 2", 3)),
        (excerpt("a: 1\n  b: 2\n", Location("a", 2)), Location("a", 2), Quote(2, "  b: 2", 0)),
        ("\tx: \x1b1", Location("a", 1, 2), Quote(1, " x: ␛1", 2)),
        ("", Location("a", 1, 1), None),
        ("x: 1", None, None),
    ],
    ids=["a bare line", "a framed one", "a framed one without a column", "odd characters", "none", "no place"],
)
def test_an_excerpt_is_read_bare_or_framed(text: str, at: Location | None, quoted: Quote | None) -> None:
    assert quote(text, at) == quoted


@pytest.mark.parametrize(
    ("quoted", "marked"),
    [
        (Quote(1, "  image: nginx # old", 3), "image: nginx"),
        (Quote(1, "  image: nginx", 3), "image: nginx"),
        (Quote(1, "  image: nginx", 0), ""),
        (Quote(1, "short", 99), ""),
    ],
    ids=["up to a comment", "to the end", "no column", "a column beyond the line"],
)
def test_the_mark_covers_what_is_written(quoted: Quote, marked: str) -> None:
    start, end = quoted.marked
    assert quoted.text[start:end] == marked


@pytest.mark.parametrize(
    ("pointer", "line", "column", "shown"),
    [
        ("/spec/containers/0/image", "      image: nginx", 7, True),
        ("/spec/missing", "spec:", 1, True),
        ("/spec/missing", '"spec": {', 1, True),
        ("/spec/missing", "apiVersion: v1", 1, False),
        ("/spec/missing", "{", 1, False),
        ("/", "apiVersion: v1", 1, False),
        ("", "apiVersion: v1", 1, False),
    ],
    ids=["the place", "its parent", "its parent in JSON", "the whole", "the whole in JSON", "no key", "no path"],
)
def test_a_line_is_quoted_where_it_says_something(pointer: str, line: str, column: int, shown: bool) -> None:
    about = finding(PROBES, WEB, "fail", "no probe", pointer, at=Location("a.yaml", 4, column), excerpt=line)
    assert (quote_of(about) is not None) == shown
