"""Where in a person's document something is.

Every later layer carries these along, so that a finding about a resource
can point at line 14 of the file its author edits.
"""

from __future__ import annotations

import msgspec


class Location(msgspec.Struct, frozen=True):
    """A place in a file. `line` and `column` count from 1; 0 means "not known"."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.line:
            return self.file
        return f"{self.file}:{self.line}:{self.column}" if self.column else f"{self.file}:{self.line}"


def excerpt(text: str, at: Location) -> str:
    """Quote the line at `at` with a caret under its column.

    Returns an empty string when the line does not exist, because an error
    about an error helps nobody.
    """
    lines = text.splitlines()
    if not 1 <= at.line <= len(lines):
        return ""
    gutter = f"{at.line:>5} | "
    quoted = f"{gutter}{lines[at.line - 1]}"
    return f"{quoted}\n{' ' * (len(gutter) + at.column - 1)}^" if at.column else quoted
