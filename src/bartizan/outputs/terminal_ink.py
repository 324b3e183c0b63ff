"""Colour on a terminal, by what it means, and paragraphs that hang under their label."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.model.severity import Severity
from bartizan.outputs.text import wrap

if TYPE_CHECKING:
    from collections.abc import Iterator

_SEVERITY_CODES: Final = {
    Severity.CRITICAL: "\x1b[1;35m",
    Severity.HIGH: "\x1b[1;31m",
    Severity.MEDIUM: "\x1b[33m",
    Severity.LOW: "\x1b[36m",
    Severity.INFO: "\x1b[2m",
}
_CODES: Final = re.compile(r"\x1b\[[0-9;]+m")


class Ink(NamedTuple):
    """Escape codes by what they mean; all empty where there is no colour."""

    bold: str = ""
    dim: str = ""
    place: str = ""
    error: str = ""
    good: str = ""
    off: str = ""

    def severity(self, severity: Severity) -> str:
        """The colour of a severity."""
        return _SEVERITY_CODES[severity] if self.off else ""


PLAIN: Final = Ink()
COLOR: Final = Ink("\x1b[1m", "\x1b[2m", "\x1b[34m", "\x1b[1;31m", "\x1b[32m", "\x1b[0m")


def paragraph(lead: str, text: str, width: int, indent: str = "") -> Iterator[str]:
    """Write a labelled text, its further lines standing under the first.

    `lead` may be coloured; `width` does not count `indent`.
    """
    hang = len(_CODES.sub("", lead))
    for number, line in enumerate(wrap(text, width - hang)):
        yield f"{indent}{'':{hang}}{line}" if number else f"{indent}{lead}{line}"
