"""A checked tree made ready to be walked, with what the reference knows of it before it runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from bartizan.lang.cel.check import Checked, check
from bartizan.lang.cel.lex import fail
from bartizan.lang.cel.nodes import Bind, Call, Choice, Constant, ListOf, MapOf, Name, Node, Select, children
from bartizan.lang.cel.parse import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.lang.cel.declare import Environment

TARGET: Final = "@target"
"""The name that `optMap` holds its optional by; the reference works the optional out wherever it is named."""
INDEXES: Final = ("_[_]", "_[?_]")
_CONVERSIONS: Final = frozenset(
    {"bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "type", "uint"}
)
_SCALARS: Final = (bool, int, float, str)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A checked tree. What is `folded` costs nothing, and neither does `in` for those in `sets`.

    `attributes` are names with the fields and members asked of them, which
    share the price of the name; those in `choices` begin with a ternary,
    which has none. What is `hidden` was made by a macro, and nobody wrote it.
    """

    tree: Node
    checked: Checked
    folded: frozenset[Node]
    sets: frozenset[Node]
    attributes: frozenset[Node]
    choices: frozenset[Node]
    hidden: frozenset[Node]


@lru_cache(maxsize=2048)
def prepare(text: str, environment: Environment) -> Prepared:
    """Make an expression ready to be walked.

    Raises:
        SpecError: it does not compile.
    """
    try:
        tree = parse(text, environment.without)
        checked = check(tree, text, environment)
        nodes = list(_below_first(tree))
    except RecursionError:
        fail(text, 0, "an expression that nests too deep")
    folded: set[Node] = set()
    sets: set[Node] = set()
    attributes: set[Node] = set()
    choices: set[Node] = set()
    for node in nodes:
        if _is_set(node, checked, folded):
            sets.add(node)
        if _is_folded(node, checked, folded):
            folded.add(node)
        root = _root(node, checked, attributes)
        if root is not None:
            attributes.add(node)
            if root in choices or _is_choice(root):
                choices.add(node)
    hidden = frozenset(part for node in nodes for part in _made_by_macro(node))
    return Prepared(
        tree, checked, frozenset(folded), frozenset(sets), frozenset(attributes), frozenset(choices), hidden
    )


def _below_first(node: Node) -> Iterator[Node]:
    for child in children(node):
        yield from _below_first(child)
    yield node


def _made_by_macro(node: Node) -> Iterator[Node]:
    """The parts of an `optMap` that stand between its optional and its body, and the later names of a block."""
    if isinstance(node, Bind) and node.name == "@index0":
        number, slot = 1, node.body
        while isinstance(slot, Bind) and slot.name == f"@index{number}":
            yield slot
            number, slot = number + 1, slot.body
    if not isinstance(node, Bind) or node.name != TARGET or not isinstance(node.body, Choice):
        return
    choice = node.body
    yield from (choice, choice.condition, *children(choice.condition), choice.yes, choice.no)
    (inner,) = [choice.yes] if isinstance(choice.yes, Bind) else children(choice.yes)
    if isinstance(inner, Bind):
        yield from (inner, inner.value, *children(inner.value))


def _is_folded(node: Node, checked: Checked, folded: set[Node]) -> bool:  # noqa: PLR0911 (one for each kind)
    match node:
        case Constant():
            return True
        case Name() | Select():
            return _is_constant(node, checked)
        case ListOf(items=items, optional=optional):
            return not optional and folded.issuperset(items)
        case MapOf(entries=entries, optional=optional):
            return not optional and all(folded.issuperset(entry) for entry in entries)
        case Call():
            name, operands, _ = checked.calls[node]
            if name == "@in":
                return _is_empty(node, checked, folded)
            return name in _CONVERSIONS and len(operands) == 1 and operands[0] in folded
        case _:
            return False


def _listed(node: Node, checked: Checked, folded: set[Node]) -> ListOf | None:
    """The list that an `in` asks, where it is one by its type and written out with what is known."""
    if not isinstance(node, Call):
        return None
    name, operands, overloads = checked.calls[node]
    if name != "@in" or len(overloads) != 1 or operands[1] not in folded:
        return None
    return operands[1] if isinstance(operands[1], ListOf) else None


def _is_empty(node: Node, checked: Checked, folded: set[Node]) -> bool:
    listed = _listed(node, checked, folded)
    return listed is not None and not listed.items


def _is_set(node: Node, checked: Checked, folded: set[Node]) -> bool:
    listed = _listed(node, checked, folded)
    return listed is not None and all(_is_scalar(item, checked) for item in listed.items)


def _is_scalar(node: Node, checked: Checked) -> bool:
    if isinstance(node, Constant):
        return isinstance(node.value, _SCALARS)
    if not isinstance(node, Call):
        return False
    name, operands, _ = checked.calls[node]
    if name == "dyn":
        return _is_scalar(operands[0], checked)
    return name in ("bool", "double", "int", "string", "uint")


def _root(node: Node, checked: Checked, attributes: set[Node]) -> Node | None:
    """What an attribute begins with, one step down; `None` where a node is no attribute."""
    if isinstance(node, Name) or _is_choice(node):
        return None if _is_constant(node, checked) else node
    if isinstance(node, Select):
        if _is_constant(node, checked):
            return None
        if node in checked.variables:
            return node
        return node.operand if node.operand in attributes else node
    if isinstance(node, Call) and checked.calls[node][0] in INDEXES:
        operand = checked.calls[node][1][0]
        return operand if operand in attributes else node
    return None


def _is_constant(node: Node, checked: Checked) -> bool:
    return node in checked.type_names or node in checked.constants


def _is_choice(node: Node) -> bool:
    return isinstance(node, Choice) or (isinstance(node, Bind) and node.name == TARGET)
