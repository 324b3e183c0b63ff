"""`WWW-Authenticate`: what a registry wants to know of us.

Source: RFC 9110, section 11.6.1. One header may hold several challenges,
and several headers are joined by commas, so that a comma ends a parameter
or a challenge; which of them shows only behind it.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_MAX_CHARS: Final = 8192
"""Far above a real challenge's 300; longer ones are cut, and so bounded."""
_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_PARAMETER: Final = re.compile(rf'({_WORD})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_SCHEME: Final = re.compile(rf"({_WORD})(?=[ \t,]|$)")
_BETWEEN: Final = re.compile(r"[\s,]+")
_UNREADABLE: Final = re.compile(rf"{_WORD}|.", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)")


class Challenge(NamedTuple):
    """One way to authenticate: `scheme` and the names of parameters are in lower case."""

    scheme: str
    parameters: dict[str, str]


def parse_challenges(header: str) -> tuple[Challenge, ...]:
    """All challenges of a header; what cannot be read is left out, for there may be one that can."""
    text, at = header[:_MAX_CHARS], 0
    found: list[Challenge] = []
    while at < len(text):
        if between := _BETWEEN.match(text, at):
            at = between.end()
        elif parameter := _PARAMETER.match(text, at):
            name, quoted, plain = parameter.groups()
            if found:
                value = _ESCAPED.sub(r"\1", quoted) if quoted is not None else plain
                found[-1].parameters.setdefault(name.lower(), value)
            at = parameter.end()
        elif scheme := _SCHEME.match(text, at):
            found.append(Challenge(scheme[1].lower(), {}))
            at = scheme.end()
        elif unreadable := _UNREADABLE.match(text, at):
            at = unreadable.end()
    return tuple(found)
