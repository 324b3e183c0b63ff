"""Macros as plain Python loops, and names for values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.lang.cel.emit.truth import write_condition, write_held
from bartizan.lang.cel.emit.writing import Value
from bartizan.lang.cel.types import BOOL, DYN

if TYPE_CHECKING:
    from bartizan.lang.cel.emit.writing import Writer
    from bartizan.lang.cel.nodes import Bind, Loop, Node

_EMPTY: Final = {"map": "[]", "filter": "[]", "exists_one": "0", "transformMap": "{}", "transformMapEntry": "{}"}


def write_bind(out: Writer, node: Bind) -> Value:
    """Write a name for a value; one that fails is kept, and fails where the name is used."""
    name = out.name("v")
    doubtful = _held_value(out, node.value, name)
    outer = out.scope
    out.scope = {**outer, node.name: Value(name, doubtful, plain=True)}
    out.looping += 1  # a value bound twice over grows as fast as one in a loop
    result = out.value(node.body)
    out.looping -= 1
    out.scope = outer
    return result


def _held_value(out: Writer, node: Node, name: str) -> bool:
    """As `_held`, for any value; whether it may be an error."""
    kind = out.checked.types.get(node, DYN)
    out.checked.types[node] = BOOL
    doubtful = write_held(out, node, name)
    out.checked.types[node] = kind
    return doubtful


def write_loop(out: Writer, node: Loop) -> Value:
    """Write a macro over a list or map."""
    over = _iterated(out, node)
    out.line(f"budget[0] -= len({over})")
    out.line("if budget[0] < 0: raise over_budget()")
    outer = out.scope
    first, second = out.name("v"), out.name("v")
    out.scope = {**outer, node.first: Value(first, fails=False, plain=True)}
    if node.second is not None:
        out.scope[node.second] = Value(second, fails=False, plain=True)
    out.looping += 1
    turn = f"for {first} in {over}:" if node.second is None else f"for {first}, {second} in {over}:"
    result = _quantified(out, node, turn) if node.kind in ("all", "exists") else _collected(out, node, turn, first)
    out.looping -= 1
    out.scope = outer
    return result


def _iterated(out: Writer, node: Loop) -> str:
    over = out.value(node.over)
    if node.second is not None:
        return out.assign(f"pairs({over.code})", fails=True).code
    named = out.assign(over.code, fails=over.fails)
    if out.kind(node.over).name != "list":
        out.line(f"if {named.code}.__class__ is not list: {named.code} = members({named.code})")
    return named.code


def _quantified(out: Writer, node: Loop, turn: str) -> Value:
    assert node.condition is not None  # noqa: S101 (macros give these a condition)
    decided, neutral = ("False", "True") if node.kind == "all" else ("True", "False")
    result, value = out.name(), out.name()
    out.line(f"{result} = {neutral}")
    out.line(turn)
    out.source.depth += 1
    doubtful = write_held(out, node.condition, value)
    out.line(f"if {value} is {decided}:")
    out.line(f"    {result} = {decided}")
    out.line("    break")
    if doubtful:
        out.line(f"if {value} is not {neutral} and {result} is {neutral}: {result} = {value}")
    out.source.depth -= 1
    if doubtful:
        out.line(f"if {result}.__class__ is not bool: raise raised({result})")
    # a loop over what is no list fails before its first turn
    return Value(result, fails=True, plain=True)


def _collected(out: Writer, node: Loop, turn: str, first: str) -> Value:
    result = out.name()
    out.line(f"{result} = {_EMPTY[node.kind]}")
    out.line(turn)
    out.source.depth += 1
    if node.condition is not None:
        condition = write_condition(out, node.condition)
        out.line(f"if {condition.code}:")
        out.source.depth += 1
    value = out.value(node.result) if node.result is not None else Value(first, fails=False)
    match node.kind:
        case "exists_one":
            out.line(f"{result} += 1")
        case "transformMap":
            out.line(f"insert({result}, {first}, {value.code})")
        case "transformMapEntry":
            out.line(f"insert_all({result}, {value.code})")
        case _:
            out.line(f"{result}.append({value.code})")
    out.source.depth -= 1 if node.condition is None else 2
    if node.kind == "exists_one":
        return Value(f"({result} == 1)", fails=True)
    return Value(result, fails=True, plain=True)
