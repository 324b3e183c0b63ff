"""The three streams of a command, as every command uses them: results out, words beside them, and what is piped in."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

_DASH: Final = Path("-")
_WIDTH: Final = 100
"""Columns where nobody looks."""


def piped(paths: Sequence[Path]) -> bytes | None:
    """Standard input, where `-` is among the paths; it can be read once only."""
    if paths.count(_DASH) > 1:
        raise click.UsageError("`-` is named twice\n  hint: Write one of the inputs to a file.")
    return sys.stdin.buffer.read() if _DASH in paths else None


def results() -> TextIO:
    """Standard output, ready for any text: names and messages come from files that may hold anything."""
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]  # a text file, always
    return sys.stdout


def wants_color() -> bool:
    """Whether results are for a person who did not refuse colour."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def width() -> int:
    """How many columns a line of results may have."""
    return shutil.get_terminal_size((_WIDTH, 24)).columns if sys.stdout.isatty() else _WIDTH
