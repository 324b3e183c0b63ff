"""The fast road and the exact one read the same, and know the same lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance import conformance_dir, find_conformance

from bartizan.base import pointer
from bartizan.base.errors import SpecError
from bartizan.sources.yaml import Document, load_documents
from bartizan.sources.yaml.blocks import UNCERTAIN, parse_blocks
from bartizan.sources.yaml.documents import split_documents
from bartizan.sources.yaml.events import parse_events
from bartizan.sources.yaml.lines import DocumentLines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUITES = ("kyverno-policies", "kyverno-cli", "gatekeeper-library", "pod-security", "kube-bench-cfg")
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)
TREES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | TEXT
    | st.sampled_from(["yes", "0644", "1e3", "~", "a: b", "- x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT.filter(bool), inner, max_size=3),
    max_leaves=12,
)


@pytest.mark.parametrize("suite", SUITES)
def test_suites_are_read_alike(suite: str) -> None:
    folder = conformance_dir(suite)
    fast = 0
    for chunk in _chunks(folder):
        quick = parse_blocks(chunk, [])
        if quick is UNCERTAIN:
            continue
        fast += 1
        assert repr(quick) == repr(parse_events(chunk, "", 0))
    assert fast, "the fast road took nothing at all"


def _chunks(folder: Path) -> Iterator[str]:
    for file in sorted(folder.rglob("*.yaml")):
        if file.is_file():
            for chunk, _ in split_documents(file.read_text(errors="replace"), 0):
                yield chunk


@given(st.dictionaries(TEXT.filter(bool), TREES, min_size=1, max_size=4), st.sampled_from("'\""), st.booleans())
def test_what_is_dumped_is_read_back(tree: dict[str, Any], quote: str, flow: bool) -> None:
    """Quoted, for what plain text means differs: PyYAML writes `0E0` without quotes, and Kubernetes reads a number."""
    text = yaml.dump(tree, default_style=quote, default_flow_style=flow, allow_unicode=True)
    (found,) = load_documents(text.encode(), "case")
    assert isinstance(found, Document), found.error
    assert found.body == tree


@given(st.text(max_size=80))
def test_any_text_is_read_alike(text: str) -> None:
    quick = parse_blocks(text, [])
    if quick is UNCERTAIN:
        return
    try:
        exact = parse_events(text, "", 0)
    except SpecError as error:
        raise AssertionError(f"the fast road took what the exact one refuses: {error}") from error
    assert repr(quick) == repr(exact)


def test_lines_are_the_same_by_both_roads() -> None:
    folder = find_conformance("kyverno-policies")
    if folder is None:
        conformance_dir("kyverno-policies")
        return
    for file in sorted((folder / "pod-security").rglob("*.yaml")):
        for document in load_documents(file.read_bytes(), str(file)):
            assert isinstance(document, Document)
            exact = DocumentLines(document.lines.text, str(file), document.lines.offset)
            for place in _places(document.body, ()):
                assert document.lines.locate(place).line == exact.locate(place).line, (file, place)


def _places(value: Any, path: tuple[str | int, ...]) -> Iterator[str]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield pointer.join((*path, key))
        yield from _places(item, (*path, key))


@pytest.mark.parametrize(
    "text",
    [
        "a: {b: c}",
        "a: { b: c , d: 'e f', g: \"h\" }",
        "a: {b: 1, c: 0644, d: 1.50, e: 2026-01-01, f: yes, g: null, h: 1e3, i: 0x1F}",
        "a: {app.kubernetes.io/name: web, b: ''}",
        "a: {b: c, b: d}",
        "a: {yes: c}",
        "a: {b: c,d: e}",
        "a: {b: c, }",
        "a: {b:c}",
        "a: {b: c d}",
        "a: {b: 'it''s'}",
        "a: {b: c} # why",
        "- {b: c}\n- {b: d}",
        "a: {b: 'x', c: 'y: z, w}'}",
    ],
)
def test_maps_on_one_line_are_read_alike(text: str) -> None:
    quick = parse_blocks(text, [])
    try:
        exact = parse_events(text, "", 0)
    except SpecError:
        exact = UNCERTAIN
    assert quick is UNCERTAIN or repr(quick) == repr(exact)


@given(st.text(st.sampled_from("ab01 :,'\"{}[]#-._/yn\\"), max_size=24))
def test_anything_in_braces_is_read_alike(text: str) -> None:
    """What stands in braces is read alike by both roads, or left to the exact one."""
    quick = parse_blocks(f"k: {{{text}}}", [])
    if quick is UNCERTAIN:
        return
    assert repr(quick) == repr(parse_events(f"k: {{{text}}}", "", 0))
