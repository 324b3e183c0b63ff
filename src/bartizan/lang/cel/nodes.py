"""What a parsed expression is made of: frozen records, each with its place in the text.

Macros are nodes of their own (`Loop`, `Bind`), because a loop that is known
to be one becomes a plain Python loop. Nodes compare by identity, so that the
checker can say something about each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

LoopKind: TypeAlias = Literal["all", "exists", "exists_one", "map", "filter", "transformMap", "transformMapEntry"]


@dataclass(frozen=True, slots=True, eq=False)
class Constant:
    """A literal, as a value of the language."""

    at: int
    value: Any


@dataclass(frozen=True, slots=True, eq=False)
class Name:
    """A name; one that begins with a dot is looked up from the root."""

    at: int
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Select:
    """`operand.field`; `tests` for `has(operand.field)`, `optional` for `operand.?field`."""

    at: int
    operand: Node
    field: str
    tests: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A function or operator (`_+_`), on a target if it is a member."""

    at: int
    function: str
    target: Node | None
    arguments: tuple[Node, ...]

    @property
    def operands(self) -> tuple[Node, ...]:
        """The target, if any, and the arguments."""
        return self.arguments if self.target is None else (self.target, *self.arguments)


@dataclass(frozen=True, slots=True, eq=False)
class Logic:
    """Two or more terms between `&&` or `||`."""

    at: int
    operator: Literal["&&", "||"]
    terms: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """`condition ? yes : no`."""

    at: int
    condition: Node
    yes: Node
    no: Node


@dataclass(frozen=True, slots=True, eq=False)
class ListOf:
    """A list; those at `optional` places are left out where they are nothing."""

    at: int
    items: tuple[Node, ...]
    optional: frozenset[int]


@dataclass(frozen=True, slots=True, eq=False)
class MapOf:
    """A map; those at `optional` places are left out where they are nothing."""

    at: int
    entries: tuple[tuple[Node, Node], ...]
    optional: frozenset[int]


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """`name{field: value}`, an object of a declared type; `optional` are places as in a map."""

    at: int
    name: str
    fields: tuple[tuple[str, Node], ...]
    optional: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """A macro over a list or map.

    `first` is the element (a map's key), or with `second` the index or key
    and `second` the value. `condition` decides; `result` and, for entries of
    a map that choose their key, `key` are what is collected.
    """

    at: int
    kind: LoopKind
    over: Node
    first: str
    second: str | None
    condition: Node | None
    result: Node | None


@dataclass(frozen=True, slots=True, eq=False)
class Bind:
    """A name for a value inside `body`; a value that fails does so where it is used."""

    at: int
    name: str
    value: Node
    body: Node


Node: TypeAlias = Constant | Name | Select | Call | Logic | Choice | ListOf | MapOf | Message | Loop | Bind


def children(node: Node) -> Iterator[Node]:  # noqa: C901 (one case for each kind)
    """The nodes right below one, in the order of the text."""
    match node:
        case Constant() | Name():
            return
        case Select(operand=operand):
            yield operand
        case Call():
            yield from node.operands
        case Logic(terms=terms):
            yield from terms
        case Choice(condition=condition, yes=yes, no=no):
            yield from (condition, yes, no)
        case ListOf(items=items):
            yield from items
        case MapOf(entries=entries):
            for entry in entries:
                yield from entry
        case Message(fields=fields):
            yield from (value for _, value in fields)
        case Loop(over=over, condition=condition, result=result):
            yield from (part for part in (over, condition, result) if part is not None)
        case Bind(value=value, body=body):
            yield from (value, body)


def qualified(node: Node) -> str:
    """The dotted name that a chain of selections spells; empty where it is more than that."""
    parts: list[str] = []
    while isinstance(node, Select) and not node.optional and not node.tests:
        parts.append(node.field)
        node = node.operand
    return ".".join([node.name, *reversed(parts)]) if isinstance(node, Name) else ""
