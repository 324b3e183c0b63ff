"""Wildcards: `*` is any run of characters, `?` is exactly one; there are no classes and no escapes."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_SPECIAL = frozenset("*?")


def is_wildcard(text: str) -> bool:
    """Whether `text` has a `*` or `?`."""
    return not _SPECIAL.isdisjoint(text)


@lru_cache(maxsize=4096)
def matcher(pattern: str) -> Callable[[str], bool]:
    """Compile `pattern` to a predicate, cheapest form first.

    A pattern with several stars is matched by pieces from left to right,
    which is linear; a backtracking expression would not be.
    """
    if "?" not in pattern:
        pieces = pattern.split("*")
        if len(pieces) == 1:
            return pattern.__eq__
        first, *middle, last = pieces
        if not any(middle):
            return _affix(first, last, starred=True)
        return _pieces(first, [piece for piece in middle if piece], last)
    if not pattern.strip("?*"):
        least = pattern.count("?")
        return (lambda text: len(text) >= least) if "*" in pattern else (lambda text: len(text) == least)
    if "*" not in pattern:
        exact = re.compile("".join("." if char == "?" else re.escape(char) for char in pattern), re.DOTALL)
        return lambda text: exact.fullmatch(text) is not None
    return lambda text: _slow(pattern, text)


def match(pattern: str, text: str) -> bool:
    """Whether `text` as a whole matches `pattern`."""
    return matcher(pattern)(text)


def _affix(first: str, last: str, *, starred: bool) -> Callable[[str], bool]:
    least = len(first) + len(last)
    if starred and not first and not last:
        return lambda text: True  # noqa: ARG005 (a predicate takes the text it does not need)
    if not last:
        return lambda text: text.startswith(first)
    if not first:
        return lambda text: text.endswith(last)
    return lambda text: len(text) >= least and text.startswith(first) and text.endswith(last)


def _pieces(first: str, middle: list[str], last: str) -> Callable[[str], bool]:
    def matches(text: str) -> bool:
        if not text.startswith(first):
            return False
        at = len(first)
        for piece in middle:
            found = text.find(piece, at)
            if found < 0:
                return False
            at = found + len(piece)
        return len(text) - at >= len(last) and text.endswith(last)

    return matches


def _slow(pattern: str, text: str) -> bool:
    """Match with both wildcards: greedy with one point to return to, O(len(pattern) * len(text))."""
    at = mark = 0
    star = -1
    for_text = 0
    while for_text < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, mark = at, for_text
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", text[for_text]):
            at += 1
            for_text += 1
        elif star >= 0:
            mark += 1
            at, for_text = star + 1, mark
        else:
            return False
    return all(char == "*" for char in pattern[at:])
