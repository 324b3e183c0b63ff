"""Regular expressions: matching, which the language has, and finding, which Kubernetes adds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from bartizan.base.errors import SpecError
from bartizan.base.regex import compile_regex
from bartizan.lang.cel.declare import Overload
from bartizan.lang.cel.errors import CelError, no_such_overload
from bartizan.lang.cel.types import BOOL, INT, STRING, list_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_REASONS: Final[tuple[tuple[str, str], ...]] = (
    (r"missing \): .*", "missing closing ): `{pattern}`"),
    (r"missing \]: (.*)", "missing closing ]: `{0}`"),
    (r"unexpected \): .*", "unexpected ): `{pattern}`"),
    (r"invalid perl operator: (.*)", "invalid or unsupported Perl syntax: `{0}`"),
    (r"no argument for repetition operator: (.*)", "missing argument to repetition operator: `{0}`"),
    (r"bad repetition operator: (.*)", "invalid nested repetition operator: `{0}`"),
    (r"invalid repetition size: (.*)", "invalid repeat count: `{0}`"),
    (r"invalid named capture group: (.*)", "invalid named capture: `{0}`"),
    (r"trailing \\", "trailing backslash at end of expression: ``"),
    (r"([^:]*): (.*)", "{0}: `{1}`"),
)
"""What RE2 says of a pattern that is none, and what Go says."""


def regex(pattern: str) -> Any:
    """A compiled pattern.

    Raises:
        CelError: the pattern is not RE2.
    """
    try:
        return compile_regex(pattern)
    except SpecError as error:
        reason = error.message.removeprefix(f"bad regular expression `{pattern}`: ")
        raise CelError(f"error parsing regexp: {_reason(pattern, reason)}") from error


def _reason(pattern: str, reason: str) -> str:
    for known, text in _REASONS:
        match = re.fullmatch(known, reason, re.DOTALL)
        if match is not None:
            return text.format(*match.groups(), pattern=pattern)
    return reason


def matches(text: str, pattern: str) -> bool:
    """Whether a regular expression (RE2) matches some part of a text."""
    return regex(pattern).search(text) is not None


def _prepare_matches(pattern: str) -> Callable[[Any], bool] | None:
    try:
        search = compile_regex(pattern).search
    except SpecError:
        return None  # an error when it runs, not before: it may never

    def match(text: Any) -> bool:
        if text.__class__ is not str:
            raise no_such_overload()
        return search(text) is not None

    return match


def _find(text: str, pattern: str) -> str:
    match = regex(pattern).search(text)
    return "" if match is None else str(match.group(0))


def _find_all(text: str, pattern: str, count: int = -1) -> list[str]:
    found: list[str] = []
    end = -1
    for match in regex(pattern).finditer(text):
        if 0 <= count <= len(found):
            break
        if match.start() == match.end() == end:  # nothing right behind what was found is not found
            continue
        end = match.end()
        found.append(match.group(0))
    return found


FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "matches": tuple(
        Overload((STRING, STRING), BOOL, matches, member, prepare=_prepare_matches) for member in (False, True)
    ),
}

FINDING: Final[Mapping[str, tuple[Overload, ...]]] = {
    "find": (Overload((STRING, STRING), STRING, _find, member=True),),
    "findAll": (
        Overload((STRING, STRING), list_of(STRING), _find_all, member=True, grows=True),
        Overload((STRING, STRING, INT), list_of(STRING), _find_all, member=True, grows=True),
    ),
}
"""What Kubernetes adds."""
