"""What is said of a policy before it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bartizan.engines.policy.dialects.kyverno.lint.view import PolicyView

Level: TypeAlias = Literal["error", "warning", "note"]
"""`error`: it will not run, or never do what it says. `warning`: hardly meant so. `note`: worth knowing."""


class Said(NamedTuple):
    """One thing a rule has to say. `near` is the text in the line that it is about, for a caret.

    `level` is given where it is another than its rule's.
    """

    pointer: str
    message: str
    hint: str = ""
    near: str = ""
    level: Level | None = None


class Remark(NamedTuple):
    """What was said, by which rule."""

    rule: str
    level: Level
    pointer: str
    message: str
    hint: str
    near: str


@dataclass(frozen=True, slots=True)
class LintRule:
    """A rule about policies: its id reads in "allow …", and `why` is one sentence."""

    id: str
    level: Level
    why: str
    look: Callable[[PolicyView], Iterator[Said]]
