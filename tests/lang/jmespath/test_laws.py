"""What holds for any expression and any document."""

from __future__ import annotations

import copy
import re
from typing import Any

import jmespath
from hypothesis import assume, example, given
from hypothesis import strategies as st
from jmespath.exceptions import JMESPathError
from tests.lang.jmespath.answers import FUNCTIONS
from tests.lang.jmespath.expressions import DOCUMENTS, EXPRESSIONS
from tests.laws import examples

from bartizan.base.errors import SpecError
from bartizan.lang.jmespath import (
    JmesPathError,
    NotFoundError,
    compile_expression,
    roots_of,
    standard_functions,
)
from bartizan.lang.jmespath.compile import WHOLE
from bartizan.lang.jmespath.runtime import equal

STANDARD = standard_functions()
_NO_VALUE = object()
_ABSORBING = re.compile(r"sum\(|_by\(|\[\]|\*|\[\?")
"""Where Kyverno's engine answers and the language errs: its own `sum`, one item alone, and what is projected."""


def _ours(text: str, document: Any) -> Any:
    try:
        return compile_expression(text, STANDARD, missing="null")(document)
    except (SpecError, JmesPathError):
        return _NO_VALUE


def _packages(text: str, document: Any) -> Any:
    try:
        return jmespath.search(text, document)
    except (JMESPathError, TypeError):  # the latter where keys to sort by have different types
        return _NO_VALUE


@examples(1500)
@given(EXPRESSIONS, DOCUMENTS)
def test_same_as_the_package(text: str, document: Any) -> None:
    # the package's `contains` takes 1 for true, and asks a text for what is no text; the language says false
    assume("contains(" not in text)
    packages = _packages(text, document)
    ours = _ours(text, document)
    assert (ours is _NO_VALUE) == (packages is _NO_VALUE), f"{text}: {ours!r}, {packages!r}"
    assert ours is _NO_VALUE or equal(ours, packages), f"{text}: {ours!r} is not {packages!r}"


@examples(500)
@given(EXPRESSIONS, DOCUMENTS)
def test_dialects_differ_in_missing_keys_only(text: str, document: Any) -> None:
    try:
        strict = compile_expression(text, FUNCTIONS)
    except SpecError:
        return
    try:
        value = strict(document)
    except NotFoundError:
        return
    except JmesPathError:
        value = _NO_VALUE
    if not _ABSORBING.search(text):
        plain = _ours(text, document)
        assert (value is _NO_VALUE) == (plain is _NO_VALUE)
        assert value is _NO_VALUE or equal(value, plain)


@examples(500)
@given(EXPRESSIONS, DOCUMENTS)
def test_leaves_its_document_alone(text: str, document: Any) -> None:
    before = copy.deepcopy(document)
    _ours(text, document)
    assert equal(before, document)


@examples(500)
@given(EXPRESSIONS, st.dictionaries(st.sampled_from(["a", "b", "c", "d e", "é"]), DOCUMENTS, min_size=1))
@example("a.b || c[0]", {"a": {"b": 1}, "c": [2]})
def test_reads_no_other_roots_than_it_says(text: str, document: dict[str, Any]) -> None:
    try:
        roots = roots_of(text)
    except SpecError:
        return
    asked: set[str] = set()

    class Watched(dict[str, Any]):
        """A document that is empty until asked, as lazily loaded variables are."""

        def __missing__(self, key: str) -> Any:
            asked.add(key)
            if key in document:
                return document[key]
            raise KeyError(key)

    _ours(text, Watched())
    assert WHOLE in roots or asked <= roots
