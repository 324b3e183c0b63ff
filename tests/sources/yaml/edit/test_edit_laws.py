"""An edited document reads as the wanted value, and keeps every line that has nothing to do with it."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st
from tests.laws import examples
from tests.sources.yaml.edit.writing import Writer, change, root

from bartizan.base.errors import SpecError
from bartizan.sources.yaml.documents import parse_chunk
from bartizan.sources.yaml.edit import edit_document
from bartizan.sources.yaml.edit.align import same

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
