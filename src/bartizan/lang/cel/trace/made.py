"""Lists, maps and objects that are written out, member by member up to the first that is an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bartizan.lang.cel import cost, operators
from bartizan.lang.cel.errors import CelError

if TYPE_CHECKING:
    from bartizan.lang.cel.nodes import ListOf, MapOf, Message, Node
    from bartizan.lang.cel.trace.walk import Walk


def walk_list(walk: Walk, node: ListOf) -> Any:
    """The list, or the error that a member ends in."""
    made: list[Any] = []
    failed: CelError | None = None
    for place, item in enumerate(node.items):
        if failed is not None:
            walk.unreached(item)
            continue
        value = _member(walk, item, optional=place in node.optional)
        if isinstance(value, CelError):
            failed = value
        elif place not in node.optional:
            made.append(value)
        elif value.present:
            made.append(value.value)
    walk.pay(cost.LIST)
    return made if failed is None else failed


def _member(walk: Walk, node: Node, *, optional: bool) -> Any:
    """A member of what is written out; an optional one must be an optional."""
    value = walk.value(node)
    return walk.attempt(operators.held, value) if optional and not isinstance(value, CelError) else value


def walk_map(walk: Walk, node: MapOf) -> Any:
    """The map, or the error that a key or value ends in."""
    made: dict[Any, Any] = {}
    failed: Any = None
    for place, (key, item) in enumerate(node.entries):
        if failed is not None:
            walk.unreached(key)
            walk.unreached(item)
            continue
        failed = _put(walk, made, (key, item), optional=place in node.optional)
    walk.pay(cost.MAP)
    return made if failed is None else failed


def _put(walk: Walk, made: dict[Any, Any], entry: tuple[Node, Node], *, optional: bool) -> Any:
    """Add an entry; gives the error where there is one."""
    key, item = entry
    name = walk.value(key)
    if isinstance(name, CelError):
        walk.unreached(item)
        return name
    value = _member(walk, item, optional=optional)
    if isinstance(value, CelError):
        return value
    if optional:
        if not value.present:
            return None
        value = value.value
    put = operators.put if walk.checked.unique_keys else operators.put_over
    return walk.attempt(put, made, name, value)


def walk_message(walk: Walk, node: Message) -> Any:
    """The object, or the error that a field or making it ends in."""
    fields: dict[str, Any] = {}
    failed: CelError | None = None
    for place, (name, item) in enumerate(node.fields):
        if failed is not None:
            walk.unreached(item)
            continue
        value = _member(walk, item, optional=place in node.optional)
        if isinstance(value, CelError):
            failed = value
        elif place not in node.optional:
            fields[name] = value
        elif value.present:
            fields[name] = value.value
    walk.pay(cost.OBJECT)
    return walk.attempt(walk.checked.objects[node].make, fields) if failed is None else failed
