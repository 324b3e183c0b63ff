"""How a report is to be shown, as far as that is the reader's choice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class View:
    """The reader's wishes. A format takes from them what it understands.

    `color` is decided by who knows the stream (a terminal, and no `NO_COLOR`);
    `width` is in columns; `explain` adds reasons, remedies, evidence, controls,
    and the waivers that met nothing.
    """

    color: bool = False
    width: int = 100
    explain: bool = False
