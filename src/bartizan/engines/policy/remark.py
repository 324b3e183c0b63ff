"""What is said of a policy before it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, Literal, NamedTuple, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

View = TypeVar("View")

UNREADABLE: Final = "unreadable-policy"
"""What the compiler refuses: the last rule of each table, for the others say more."""

Level: TypeAlias = Literal["error", "warning", "note"]
"""`error`: it will not run, or never do what it says. `warning`: hardly meant so. `note`: worth knowing."""


class Said(NamedTuple):
    """One thing a rule has to say. `near` is the text in the line that it is about, for a caret.

    `level` is given where it is another than its rule's. `begins` is the
    character of the text at `pointer` that it is about, in an expression.
    """

    pointer: str
    message: str
    hint: str = ""
    near: str = ""
    level: Level | None = None
    begins: int = -1


class Remark(NamedTuple):
    """What was said, by which rule."""

    rule: str
    level: Level
    pointer: str
    message: str
    hint: str
    near: str
    begins: int = -1


@dataclass(frozen=True, slots=True)
class LintRule(Generic[View]):
    """A rule about policies: its id reads in "allow …", and `why` is one sentence."""

    id: str
    level: Level
    why: str
    look: Callable[[View], Iterator[Said]]


def remarks_of(rules: Iterable[LintRule[View]], view: View) -> list[Remark]:
    """Everything that rules have to say; what could not be read is said by nobody where another says it better."""
    found: dict[tuple[str, str, str], Remark] = {}
    errors: set[str] = set()
    for rule in rules:
        for said in rule.look(view):
            if rule.id == UNREADABLE and any(_beside(said.pointer, place) for place in errors):
                continue
            level = said.level or rule.level
            if level == "error":
                errors.add(said.pointer)
            key = (rule.id, said.pointer, said.message)
            found.setdefault(key, Remark(rule.id, level, said.pointer, said.message, said.hint, said.near, said.begins))
    return list(found.values())


def _beside(pointer: str, place: str) -> bool:
    """Whether one stands at or in the other, so that they are about one thing."""
    return pointer == place or place.startswith(f"{pointer}/") or pointer.startswith(f"{place}/")
