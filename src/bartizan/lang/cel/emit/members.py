"""Names, fields, and lists, maps and objects that are written out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.lang.cel.emit.writing import Value
from bartizan.lang.cel.nodes import Constant, ListOf, MapOf, Message, Name, Node, Select
from bartizan.lang.cel.values import TypeValue

if TYPE_CHECKING:
    from bartizan.lang.cel.emit.writing import Writer


def write_constant(out: Writer, node: Constant) -> Value:
    """Write a literal."""
    value = node.value
    if value is None or value.__class__ in (bool, int) or (value.__class__ is str and len(value) < 80):
        return Value(f"({value!r})" if value.__class__ is int else repr(value), fails=False, plain=True)
    return Value(out.constant(value), fails=False, plain=True)


def write_name(out: Writer, node: Name) -> Value:
    """Write a name: of a variable, a type, or what a macro binds."""
    if node.name in out.scope:
        value = out.scope[node.name]
        return Value(f"bound({value.code})", fails=True) if value.fails else value
    return _global(out, node, node.name)


def _global(out: Writer, node: Node, name: str) -> Value:
    if node in out.checked.constants:
        return write_constant(out, Constant(node.at, out.checked.constants[node]))
    if node in out.checked.type_names:
        return Value(out.constant(TypeValue(out.checked.type_names[node])), fails=False, plain=True)
    known = node in out.checked.variables
    return Value(f"names[{out.checked.variables.get(node, name)!r}]", fails=not known)


def write_select(out: Writer, node: Select) -> Value:
    """Write `a.b`, `a.?b` or `has(a.b)`."""
    checked = out.checked
    if node in checked.variables or node in checked.type_names or node in checked.constants:
        return _global(out, node, "")
    kind = out.kind(node.operand)
    name = repr(node.field)
    if node.tests:
        operand = out.named(node.operand)
        # lists and optionals are rare, and for an object this is one look-up
        test = f"({name} in {operand.code} if {operand.code}.__class__ is dict else has({operand.code}, {name}))"
        return Value(test, fails=kind.name != "map" or operand.fails)
    if node.optional:
        return Value(f"optional_field({out.value(node.operand).code}, {name})", fails=True)
    if kind.name == "optional_type":
        return Value(f"field({out.value(node.operand).code}, {name})", fails=True)
    return Value(f"{write_subscripted(out, node.operand)}[{name}]", fails=True)


def write_subscripted(out: Writer, node: Node) -> str:
    """Write a node whose value is subscripted at once.

    Python warns where what is written out is subscripted by what it cannot be, so that gets a name.
    """
    return (out.value(node) if isinstance(node, (Name, Select)) else _named_anew(out, node)).code


def _named_anew(out: Writer, node: Node) -> Value:
    value = out.value(node)
    return out.assign(value.code, fails=value.fails)


def write_list(out: Writer, node: ListOf) -> Value:
    """Write a list."""
    if not node.optional:
        values = out.all(node.items)
        return Value(f"[{', '.join(value.code for value in values)}]", any(value.fails for value in values))
    result = out.assign("[]", fails=True)
    for place, item in enumerate(node.items):
        value = out.value(item)
        if place in node.optional:
            member = out.assign(f"held({value.code})", fails=True)
            out.line(f"if {member.code}.present: {result.code} += [{member.code}.value]")
        else:
            out.line(f"{result.code} += [{value.code}]")
    return result


def write_map(out: Writer, node: MapOf) -> Value:
    """Write a map."""
    keys = [key.value for key, _ in node.entries if isinstance(key, Constant) and key.value.__class__ is str]
    if not node.optional and len(set(keys)) == len(node.entries):
        values = out.all(tuple(value for _, value in node.entries))
        entries = (f"{key!r}: {value.code}" for key, value in zip(keys, values, strict=True))
        return Value(f"{{{', '.join(entries)}}}", any(value.fails for value in values))
    put = "put" if out.checked.unique_keys else "put_over"
    result = out.assign("{}", fails=True)
    for place, entry in enumerate(node.entries):
        key, value = out.all(entry)
        if place in node.optional:
            member = out.assign(f"held({value.code})", fails=True)
            out.line(f"if {member.code}.present: {put}({result.code}, {key.code}, {member.code}.value)")
        else:
            out.line(f"{put}({result.code}, {key.code}, {value.code})")
    return result


def write_message(out: Writer, node: Message) -> Value:
    """Write an object, from a map of its fields."""
    make = out.constant(out.checked.objects[node].make)
    if not node.optional:
        values = out.all(tuple(value for _, value in node.fields))
        entries = (f"{name!r}: {value.code}" for (name, _), value in zip(node.fields, values, strict=True))
        return Value(f"{make}({{{', '.join(entries)}}})", fails=True)
    fields = out.assign("{}", fails=True)
    for place, (name, node_) in enumerate(node.fields):
        value = out.value(node_)
        if place in node.optional:
            member = out.assign(f"held({value.code})", fails=True)
            out.line(f"if {member.code}.present: {fields.code}[{name!r}] = {member.code}.value")
        else:
            out.line(f"{fields.code}[{name!r}] = {value.code}")
    return Value(f"{make}({fields.code})", fails=True)
