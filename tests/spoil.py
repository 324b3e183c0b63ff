"""Documents with something odd in them, for tests that nothing in a document is a bug."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st

_WORDS: Final = [
    "{{ request.object }}",
    "{{ @ }}",
    "{{",
    "}}",
    "{{ element }}",
    "$(./a)",
    "*",
    "(a)",
    "<(b)",
    "1-2",
    "100%",
]
ODD: Final[st.SearchStrategy[Any]] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(_WORDS),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
"""What a reader of YAML or JSON can give."""


def spoil(document: Any, data: st.DataObject) -> None:
    """Put something odd in the place of a random part."""
    at = document
    while True:
        key = data.draw(st.sampled_from(list(at) if isinstance(at, dict) else list(range(len(at)))))
        inner = at[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.integers(0, 4)) == 0:
            at[key] = data.draw(ODD)
            return
        at = inner
