"""Operators and functions: Python's own where the types are sure to mean the same, else a function of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bartizan.lang.cel.dispatch import with_ambient
from bartizan.lang.cel.emit.members import write_subscripted
from bartizan.lang.cel.emit.writing import Value
from bartizan.lang.cel.nodes import Call, Constant, Name, Node
from bartizan.lang.cel.types import BOOL, DOUBLE, DYN, INT, STRING, UINT, Type
from bartizan.lang.cel.values import INT_MAX, INT_MIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.lang.cel.declare import Overload
    from bartizan.lang.cel.emit.writing import Writer

_RELATIONS: Final = {
    "_<_": ("<", "less"),
    "_<=_": ("<=", "less_equal"),
    "_>_": (">", "greater"),
    "_>=_": (">=", "greater_equal"),
}
_ARITHMETIC: Final = {"_+_": "add", "_-_": "subtract", "_*_": "multiply", "_/_": "divide", "_%_": "modulo"}
_INLINE: Final = {"_+_": "+", "_-_": "-", "_*_": "*"}
_NUMERIC: Final = frozenset({INT, DOUBLE, UINT})


def write_call(out: Writer, node: Call) -> Value:  # noqa: PLR0911 (one for each way to write a call)
    """Write a call, by an operator of Python where that is sure to mean the same."""
    name, operands, overloads = out.checked.calls[node]
    if name in ("_==_", "_!=_"):
        return _equality(out, operands, negated=name == "_!=_")
    if name in _RELATIONS:
        return _relation(out, operands, *_RELATIONS[name])
    if name == "@in":
        return _membership(out, operands)
    if name in _ARITHMETIC:
        numeric = out.kind(node) in _NUMERIC
        return _charged(out, _arithmetic(out, name, operands), grows=name == "_+_" and not numeric)
    if name == "!_":
        (operand,) = out.all(operands)
        if out.kind(operands[0]) == BOOL:
            return Value(f"(not {operand.code})", operand.fails)
        return Value(f"negation({operand.code})", fails=True)
    if name == "_[_]":
        return _index(out, operands)
    if name == "_[?_]":
        first, second = out.all(operands)
        return Value(f"optional_index({first.code}, {second.code})", fails=True)
    if name in ("or", "orValue") and len(operands) == 2 and overloads:
        return _alternative(out, operands, holds="" if name == "or" else ".value")
    return _applied(out, name, operands, overloads)


def _alternative(out: Writer, operands: tuple[Node, ...], *, holds: str) -> Value:
    """What an optional holds, or else another value, which is asked for only then; what is no optional is itself."""
    optional = out.named(operands[0])
    result = out.name()
    out.line(f"if {optional.code}.__class__ is not Optional: {result} = {optional.code}")
    out.line(f"elif {optional.code}.present: {result} = {optional.code}{holds}")
    out.line("else:")
    out.source.depth += 1
    other = out.value(operands[1])
    out.line(f"{result} = {other.code}")
    out.source.depth -= 1
    return Value(result, optional.fails or other.fails, plain=True)


def _index(out: Writer, operands: tuple[Node, ...]) -> Value:
    container, key = operands
    is_plain = out.kind(container).name != "optional_type"
    if is_plain and isinstance(key, Constant) and key.value.__class__ is str:
        # where it is no map, Python's error for the key is the language's error too
        return Value(f"{write_subscripted(out, container)}[{key.value!r}]", fails=True)
    first, second = out.all(operands)
    return Value(f"index({first.code}, {second.code})", fails=True)


def _applied(out: Writer, name: str, operands: tuple[Node, ...], overloads: tuple[Overload, ...]) -> Value:
    prepared = _prepared(operands[-1], overloads) if operands else None
    if prepared is not None:
        given = ", ".join(value.code for value in out.all(operands[:-1]))
        return Value(f"{out.constant(prepared)}({given})", fails=True)
    values = out.all(operands)
    given = ", ".join(value.code for value in values)
    if not overloads:
        return Value(f"no_overload({given})", fails=True)
    ambient = overloads[0].ambient
    if ambient:
        given = f"names[{ambient!r}]" + (f", {given}" if given else "")
        overloads = with_ambient(overloads)
        operands = (Name(0, ambient), *operands)
    if len(overloads) == 1 and all(map(_is_certain, map(out.kind, operands), overloads[0].parameters)):
        function = out.constant(overloads[0].call)
    else:
        function = out.constant(out.dispatch(overloads, name))
    return _charged(out, Value(f"{function}({given})", fails=True), grows=any(item.grows for item in overloads))


def _charged(out: Writer, value: Value, *, grows: bool) -> Value:
    return Value(f"spend(budget, {value.code})", value.fails) if grows and out.looping else value


def _equality(out: Writer, operands: tuple[Node, ...], *, negated: bool) -> Value:
    kinds = [out.kind(operand) for operand in operands]
    values = out.all(operands)
    fails = values[0].fails or values[1].fails
    left, right = (value.code for value in values)
    constants = [operand.value for operand in operands if isinstance(operand, Constant)]
    if len(constants) == 1 and (constants[0] is None or constants[0].__class__ is bool):
        return Value(f"({left} {'is not' if negated else 'is'} {right})", fails)
    if STRING in kinds or _are_alike(kinds):
        return Value(f"({left} {'!=' if negated else '=='} {right})", fails)
    if _is_beside_int(operands, kinds):
        return _for_int(out, operands, values, "!=" if negated else "==", "not equal" if negated else "equal")
    return Value(f"({'not ' if negated else ''}equal({left}, {right}))", fails=True)


def _is_beside_int(operands: tuple[Node, ...], kinds: list[Type]) -> bool:
    """Whether what is not known is compared with a whole number that is written out."""
    return DYN in kinds and any(isinstance(item, Constant) and item.value.__class__ is int for item in operands)


def _for_int(out: Writer, operands: tuple[Node, ...], values: list[Value], sign: str, function: str) -> Value:
    """A comparison by Python's own operator where the value proves to be a whole number, as most do."""
    named = (value if value.plain else out.assign(value.code, fails=value.fails) for value in values)
    left, right = (value.code for value in named)
    unknown = right if isinstance(operands[0], Constant) else left
    return Value(f"({left} {sign} {right} if {unknown}.__class__ is int else {function}({left}, {right}))", fails=True)


def _relation(out: Writer, operands: tuple[Node, ...], sign: str, function: str) -> Value:
    kinds = [out.kind(operand) for operand in operands]
    if _are_alike(kinds) or kinds[0] == kinds[1] == STRING:
        left, right = out.all(operands)
        return Value(f"({left.code} {sign} {right.code})", left.fails or right.fails)
    values = out.all(operands)
    if _is_beside_int(operands, kinds):
        return _for_int(out, operands, values, sign, function)
    return Value(f"{function}({values[0].code}, {values[1].code})", fails=True)


def _membership(out: Writer, operands: tuple[Node, ...]) -> Value:
    item, container = out.all(operands)
    if out.kind(operands[0]) == STRING:
        if out.kind(operands[1]).name in ("list", "map"):
            return Value(f"({item.code} in {container.code})", item.fails or container.fails)
        if not container.plain:
            if not item.plain:
                item = out.assign(item.code, fails=item.fails)
            container = out.assign(container.code, fails=container.fails)
        is_plain = f"{container.code}.__class__ is list or {container.code}.__class__ is dict"
        code = f"({item.code} in {container.code} if {is_plain} else contains({item.code}, {container.code}))"
        return Value(code, fails=True)
    return Value(f"contains({item.code}, {container.code})", fails=True)


def _arithmetic(out: Writer, name: str, operands: tuple[Node, ...]) -> Value:
    kinds = {out.kind(operand) for operand in operands}
    left, right = out.all(operands)
    if name in _INLINE and kinds == {INT}:
        total = out.assign(f"{left.code} {_INLINE[name]} {right.code}", fails=True)
        out.line(f"if not {INT_MIN} <= {total.code} <= {INT_MAX}: raise overflow()")
        return total
    if name in _INLINE and kinds == {DOUBLE}:
        return Value(f"({left.code} {_INLINE[name]} {right.code})", left.fails or right.fails)
    return Value(f"{_ARITHMETIC[name]}({left.code}, {right.code})", fails=True)


def _prepared(last: Node, overloads: tuple[Overload, ...]) -> Callable[..., Any] | None:
    """The function for a last argument that is written out as text, where an overload makes one."""
    if len(overloads) != 1 or not isinstance(last, Constant) or last.value.__class__ is not str:
        return None
    prepare = overloads[0].prepare
    return None if prepare is None else prepare(last.value)


def _are_alike(kinds: list[Type]) -> bool:
    """Whether Python compares two numbers as the language does: beside a double, a whole number is made one first."""
    return kinds[0] in _NUMERIC and kinds[1] in _NUMERIC and (kinds[0] == DOUBLE) == (kinds[1] == DOUBLE)


def _is_certain(given: Type, wanted: Type) -> bool:
    """Whether a value of a static type is sure to be of the class that an overload is for."""
    if wanted == DYN or wanted.name.startswith("%"):
        return True
    return given.name == wanted.name
