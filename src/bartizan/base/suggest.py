"""What the reader may have meant: the nearest known word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable


_MANY: Final = 24
"""More words than a reader looks through."""


def did_you_mean(word: str, known: Iterable[str], *, listed: str = "") -> str:
    """Return a hint with the nearest of `known`, or one that lists them all.

    Where they are many, `listed` is what to type to see them, if there is something.
    """
    from difflib import get_close_matches  # late: most runs have nobody to correct

    words = sorted(known)
    close = get_close_matches(word, words, n=1)
    if not close:
        folded = {candidate.lower(): candidate for candidate in words}
        close = [folded[near] for near in get_close_matches(word.lower(), folded, n=1)]
    if close:
        return f"Did you mean `{close[0]}`?"
    if listed and len(words) > _MANY:
        return f"See `{listed}`."
    return f"Known are {', '.join(words)}." if words else "Nothing of this kind is known here."
