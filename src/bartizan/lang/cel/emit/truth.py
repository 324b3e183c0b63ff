"""Truth: conditions, and `&&` and `||`, which hold an error back until nothing can absorb it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.lang.cel.emit.writing import Value
from bartizan.lang.cel.types import BOOL

if TYPE_CHECKING:
    from bartizan.lang.cel.emit.writing import Writer
    from bartizan.lang.cel.nodes import Choice, Logic, Node


def write_condition(out: Writer, node: Node) -> Value:
    """A node whose value must be a boolean."""
    value = out.value(node)
    return value if out.kind(node) == BOOL else Value(f"boolean({value.code})", fails=True)


def write_held(out: Writer, node: Node, name: str) -> bool:
    """Leave a node's value, or the error it ends in, in a variable; whether it may be anything but a boolean."""
    before = len(out.source.lines)
    out.source.depth += 1
    value = out.value(node)
    out.line(f"{name} = {value.code}")
    out.source.depth -= 1
    if not value.fails:
        out.source.lines[before:] = [line[4:] for line in out.source.lines[before:]]
        return out.kind(node) != BOOL
    out.source.lines.insert(before, f"{'    ' * out.source.depth}try:")
    out.line("except FAILURES as failure:")
    out.line(f"    {name} = failure")
    return True


def write_logic(out: Writer, node: Logic) -> Value:
    """Write `&&` or `||`."""
    decided = "False" if node.operator == "&&" else "True"
    neutral = "True" if node.operator == "&&" else "False"
    result = out.name()
    doubtful = write_held(out, node.terms[0], result)
    for term in node.terms[1:]:
        out.line(f"if {result} is not {decided}:")
        out.source.depth += 1
        value = out.name()
        later = write_held(out, term, value)
        if later or doubtful:
            # the first error is kept, but a term that decides ends it
            out.line(f"if {value} is not {neutral} and ({value} is {decided} or {result} is {neutral}):")
            out.line(f"    {result} = {value}")
        else:
            out.line(f"{result} = {value}")
        out.source.depth -= 1
        doubtful = doubtful or later
    if not doubtful:
        return Value(result, fails=False, plain=True)
    out.line(f"if {result}.__class__ is not bool: raise raised({result})")
    return Value(result, fails=True, plain=True)


def write_choice(out: Writer, node: Choice) -> Value:
    """Write a ternary."""
    condition = write_condition(out, node.condition)
    result = out.name()
    fails = condition.fails
    for head, branch in ((f"if {condition.code}:", node.yes), ("else:", node.no)):
        out.line(head)
        out.source.depth += 1
        value = out.value(branch)
        out.line(f"{result} = {value.code}")
        out.source.depth -= 1
        fails = fails or value.fails
    return Value(result, fails, plain=True)
