"""The offending line, as every format for people shows it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.base.pointer import split
from bartizan.outputs.text import printable

if TYPE_CHECKING:
    from bartizan.base.location import Location
    from bartizan.model.finding import Finding

_GUTTER: Final = re.compile(r" *(\d+) \| ?(.*)")
_TAB: Final = " "  # YAML forbids tabs in indentation; elsewhere one column keeps the caret in place


class Quote(NamedTuple):
    """One line of a file. `line` and `column` count from 1; 0 means "not known"."""

    line: int
    text: str
    column: int

    @property
    def marked(self) -> tuple[int, int]:
        """From where to where in `text` the offence stands: from the column to the end, or to a comment."""
        if not self.column:
            return len(self.text), len(self.text)
        start = min(self.column - 1, len(self.text))
        comment = self.text.find(" #", start)
        return start, len(self.text[: comment if comment > start else None].rstrip())


def quote(excerpt: str, at: Location | None) -> Quote | None:
    """Read an excerpt: the bare line of the file, or one that `base.location.excerpt` wrote."""
    if not excerpt or at is None:
        return None
    first, _, rest = excerpt.partition("\n")
    match = _GUTTER.fullmatch(first)
    if match is None:
        return Quote(at.line, printable(first.replace("\t", _TAB).rstrip()), at.column)
    column = at.column
    if not column and rest.rstrip().endswith("^"):
        column = rest.index("^") - match.start(2) + 1
    return Quote(int(match.group(1)), printable(match.group(2).replace("\t", _TAB).rstrip()), column)


def quote_of(finding: Finding) -> Quote | None:
    """The line a finding is about; none where it is about the whole resource, whose first line says nothing.

    A place that does not exist is shown by its nearest parent, which may be
    the whole as well: then a key stands at the margin that the path does not
    begin with.
    """
    quoted = quote(finding.excerpt, finding.location) if finding.pointer else None
    if quoted is None or quoted.column != 1:
        return quoted
    key = quoted.text.partition(":")[0].strip(" \"'")
    return quoted if split(finding.pointer)[:1] == [key] else None
