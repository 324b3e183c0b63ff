"""Checked tree to Python source.

Each node becomes statements that leave its value in a Python expression. A
chain of fields is plain indexing, whose `KeyError` and `TypeError` are the
language's own errors and are named where they are caught. `&&`, `||`, `all`
and `exists` hold an error back in a variable until nothing can absorb it.
Text of an expression reaches the source only through `repr()`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bartizan.lang.cel.nodes import (
    Bind,
    Call,
    Choice,
    Constant,
    ListOf,
    Logic,
    Loop,
    MapOf,
    Message,
    Name,
    Node,
    Select,
)
from bartizan.lang.cel.types import BOOL, DOUBLE, DYN, INT, STRING, Type
from bartizan.lang.cel.values import INT_MAX, INT_MIN, TypeValue

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.lang.cel.check import Checked
    from bartizan.lang.cel.declare import Overload

_MAX_BLOCKS: Final = 7  # nested blocks before a function of its own is begun: Python allows 20
_MAX_CHARS: Final = 160  # of one Python expression before it gets a name: Python's compiler recurses into each
_RELATIONS: Final = {
    "_<_": ("<", "less"),
    "_<=_": ("<=", "less_equal"),
    "_>_": (">", "greater"),
    "_>=_": (">=", "greater_equal"),
}
_ARITHMETIC: Final = {"_+_": "add", "_-_": "subtract", "_*_": "multiply", "_/_": "divide", "_%_": "modulo"}
_INLINE: Final = {"_+_": "+", "_-_": "-", "_*_": "*"}
_NUMERIC: Final = frozenset({INT, DOUBLE, Type("uint")})


class _Value(NamedTuple):
    """A Python expression, whether it may raise, and whether it is a mere name or constant."""

    code: str
    fails: bool
    plain: bool = False


def emit(
    tree: Node, checked: Checked, dispatch: Callable[[tuple[Overload, ...]], Any], *, careful: bool = False
) -> tuple[str, dict[str, Any]]:
    """Write `def expression(names)` and the constants it needs; `dispatch` picks an overload by its arguments.

    `careful` asks for each field by a function that can tell what is wrong,
    for an expression that ended in an error which does not say so.
    """
    emitter = _Emitter(checked, dispatch, careful=careful)
    emitter.function(tree)
    return "\n\n".join(emitter.functions) + "\n", emitter.constants


class _Emitter:
    """Source being written: finished functions, the lines of the current one, and constants."""

    def __init__(self, checked: Checked, dispatch: Callable[[tuple[Overload, ...]], Any], *, careful: bool) -> None:
        self.functions: list[str] = []
        self.constants: dict[str, Any] = {}
        self._checked = checked
        self._dispatch = dispatch
        self._careful = careful
        self._lines: list[str] = []
        self._depth = 0
        self._names = 0
        self._scope: dict[str, _Value] = {}
        self._looping = 0

    def function(self, tree: Node) -> None:
        """Write the function of the whole expression, which names every error."""
        self._lines, self._depth = [], 2
        result = self._value(tree)
        self._line(f"return {result.code}")
        head = ["def expression(names):"]
        if any("budget" in line for line in self._lines):
            head.append("    budget = [MAX_STEPS]")
        body = ["    try:", *self._lines, "    except FAILURES as failure:", "        raise raised(failure) from None"]
        self.functions.append("\n".join([*head, *body]))

    def _part(self, node: Node) -> _Value:
        """A node as a function of its own, which is given whatever is in reach."""
        lines, depth = self._lines, self._depth
        self._lines, self._depth = [], 1
        result = self._written(node)
        self._line(f"return {result.code}")
        name = self._name("part")
        given = ", ".join(["names", "budget", *(value.code for value in self._scope.values())])
        self.functions.append("\n".join([f"def {name}({given}):", *self._lines]))
        self._lines, self._depth = lines, depth
        return self._assign(f"{name}({given})", fails=True)

    def _line(self, text: str) -> None:
        self._lines.append("    " * self._depth + text)

    def _name(self, prefix: str = "t") -> str:
        self._names += 1
        return f"{prefix}{self._names}"

    def _constant(self, value: Any) -> str:
        name = self._name("c")
        self.constants[name] = value
        return name

    def _assign(self, code: str, *, fails: bool) -> _Value:
        name = self._name()
        self._line(f"{name} = {code}")
        return _Value(name, fails, plain=True)

    def _kind(self, node: Node) -> Type:
        return self._checked.types.get(node, DYN)

    def _value(self, node: Node) -> _Value:
        """Write statements for a node; gives an expression for its value, to be used once."""
        if self._depth > _MAX_BLOCKS and not isinstance(node, (Constant, Name, Select)):
            return self._part(node)
        value = self._written(node)
        return self._assign(value.code, fails=value.fails) if len(value.code) > _MAX_CHARS else value

    def _written(self, node: Node) -> _Value:
        write: Callable[[Any], _Value] = getattr(self, _WRITERS[node.__class__])
        return write(node)

    def _named(self, node: Node) -> _Value:
        """The value of a node as a name, to be used more than once."""
        value = self._value(node)
        return value if value.plain else self._assign(value.code, fails=value.fails)

    def _all(self, nodes: tuple[Node, ...]) -> list[_Value]:
        """Values of several nodes, in order: what is written for a later one must not overtake an earlier one."""
        values: list[_Value] = []
        for node in nodes:
            before = len(self._lines)
            value = self._value(node)
            if len(self._lines) > before:
                for place, earlier in enumerate(values):
                    if not earlier.plain:
                        name = self._name()
                        self._lines.insert(before, f"{'    ' * self._depth}{name} = {earlier.code}")
                        before += 1
                        values[place] = _Value(name, earlier.fails, plain=True)
            values.append(value)
        return values

    # names and fields

    def _constant_node(self, node: Constant) -> _Value:
        value = node.value
        if value is None or value.__class__ in (bool, int) or (value.__class__ is str and len(value) < 80):
            return _Value(f"({value!r})" if value.__class__ is int else repr(value), fails=False, plain=True)
        return _Value(self._constant(value), fails=False, plain=True)

    def _name_node(self, node: Name) -> _Value:
        if node.name in self._scope:
            value = self._scope[node.name]
            return _Value(f"bound({value.code})", fails=True) if value.fails else value
        return self._global(node, node.name)

    def _global(self, node: Node, name: str) -> _Value:
        if node in self._checked.type_names:
            return _Value(self._constant(TypeValue(self._checked.type_names[node])), fails=False, plain=True)
        known = node in self._checked.variables
        return _Value(f"names[{self._checked.variables.get(node, name)!r}]", fails=not known)

    def _select(self, node: Select) -> _Value:
        if node in self._checked.variables or node in self._checked.type_names:
            return self._global(node, "")
        kind = self._kind(node.operand)
        name = repr(node.field)
        if node.tests:
            operand = self._named(node.operand)
            # lists and optionals are rare, and for an object this is one look-up
            test = f"({name} in {operand.code} if {operand.code}.__class__ is dict else has({operand.code}, {name}))"
            return _Value(test, fails=kind.name != "map" or operand.fails)
        if node.optional:
            return _Value(f"optional_field({self._value(node.operand).code}, {name})", fails=True)
        if self._careful or kind.name == "optional_type":
            return _Value(f"field({self._value(node.operand).code}, {name})", fails=True)
        return _Value(f"{self._subscripted(node.operand)}[{name}]", fails=True)

    def _subscripted(self, node: Node) -> str:
        # Python warns where what is written out is subscripted by what it cannot be, so that gets a name
        return (self._value(node) if isinstance(node, (Name, Select)) else self._named_anew(node)).code

    def _named_anew(self, node: Node) -> _Value:
        value = self._value(node)
        return self._assign(value.code, fails=value.fails)

    # operations

    def _call(self, node: Call) -> _Value:  # noqa: PLR0911 (one for each way to write a call)
        name, operands, overloads = self._checked.calls[node]
        if name in ("_==_", "_!=_"):
            return self._equality(operands, negated=name == "_!=_")
        if name in _RELATIONS:
            return self._relation(operands, *_RELATIONS[name])
        if name == "@in":
            return self._membership(operands)
        if name in _ARITHMETIC:
            numeric = self._kind(node) in _NUMERIC
            return self._charged(self._arithmetic(name, operands), grows=name == "_+_" and not numeric)
        if name == "!_":
            (operand,) = self._all(operands)
            if self._kind(operands[0]) == BOOL:
                return _Value(f"(not {operand.code})", operand.fails)
            return _Value(f"negation({operand.code})", fails=True)
        if name == "_[_]":
            return self._index(operands)
        return self._applied(operands, overloads)

    def _index(self, operands: tuple[Node, ...]) -> _Value:
        container, key = operands
        is_plain = not self._careful and self._kind(container).name != "optional_type"
        if is_plain and isinstance(key, Constant) and key.value.__class__ is str:
            # where it is no map, Python's error for the key is the language's error too
            return _Value(f"{self._subscripted(container)}[{key.value!r}]", fails=True)
        first, second = self._all(operands)
        return _Value(f"index({first.code}, {second.code})", fails=True)

    def _applied(self, operands: tuple[Node, ...], overloads: tuple[Overload, ...]) -> _Value:
        prepared = _prepared(operands[-1], overloads) if operands else None
        if prepared is not None:
            given = ", ".join(value.code for value in self._all(operands[:-1]))
            return _Value(f"{self._constant(prepared)}({given})", fails=True)
        values = self._all(operands)
        given = ", ".join(value.code for value in values)
        if not overloads:
            return _Value(f"no_overload({given})", fails=True)
        if len(overloads) == 1 and all(map(_is_certain, map(self._kind, operands), overloads[0].parameters)):
            function = self._constant(overloads[0].call)
        else:
            function = self._constant(self._dispatch(overloads))
        return self._charged(_Value(f"{function}({given})", fails=True), grows=any(item.grows for item in overloads))

    def _charged(self, value: _Value, *, grows: bool) -> _Value:
        return _Value(f"spend(budget, {value.code})", value.fails) if grows and self._looping else value

    def _equality(self, operands: tuple[Node, ...], *, negated: bool) -> _Value:
        kinds = [self._kind(operand) for operand in operands]
        values = self._all(operands)
        fails = values[0].fails or values[1].fails
        left, right = (value.code for value in values)
        constants = [operand.value for operand in operands if isinstance(operand, Constant)]
        if len(constants) == 1 and (constants[0] is None or constants[0].__class__ is bool):
            return _Value(f"({left} {'is not' if negated else 'is'} {right})", fails)
        if STRING in kinds or _are_alike(kinds):
            return _Value(f"({left} {'!=' if negated else '=='} {right})", fails)
        return _Value(f"({'not ' if negated else ''}equal({left}, {right}))", fails=True)

    def _relation(self, operands: tuple[Node, ...], sign: str, function: str) -> _Value:
        kinds = [self._kind(operand) for operand in operands]
        if _are_alike(kinds) or kinds[0] == kinds[1] == STRING:
            left, right = self._all(operands)
            return _Value(f"({left.code} {sign} {right.code})", left.fails or right.fails)
        left, right = self._all(operands)
        return _Value(f"{function}({left.code}, {right.code})", fails=True)

    def _membership(self, operands: tuple[Node, ...]) -> _Value:
        item, container = self._all(operands)
        if self._kind(operands[0]) == STRING:
            if self._kind(operands[1]).name in ("list", "map"):
                return _Value(f"({item.code} in {container.code})", item.fails or container.fails)
            if not container.plain:
                if not item.plain:
                    item = self._assign(item.code, fails=item.fails)
                container = self._assign(container.code, fails=container.fails)
            is_plain = f"{container.code}.__class__ is list or {container.code}.__class__ is dict"
            code = f"({item.code} in {container.code} if {is_plain} else contains({item.code}, {container.code}))"
            return _Value(code, fails=True)
        return _Value(f"contains({item.code}, {container.code})", fails=True)

    def _arithmetic(self, name: str, operands: tuple[Node, ...]) -> _Value:
        kinds = {self._kind(operand) for operand in operands}
        left, right = self._all(operands)
        if name in _INLINE and kinds == {INT}:
            total = self._assign(f"{left.code} {_INLINE[name]} {right.code}", fails=True)
            self._line(f"if not {INT_MIN} <= {total.code} <= {INT_MAX}: raise overflow()")
            return total
        if name in _INLINE and kinds == {DOUBLE}:
            return _Value(f"({left.code} {_INLINE[name]} {right.code})", left.fails or right.fails)
        return _Value(f"{_ARITHMETIC[name]}({left.code}, {right.code})", fails=True)

    # truth

    def _condition(self, node: Node) -> _Value:
        """A node whose value must be a boolean."""
        value = self._value(node)
        return value if self._kind(node) == BOOL else _Value(f"boolean({value.code})", fails=True)

    def _held(self, node: Node, name: str) -> bool:
        """Leave a node's value, or the error it ends in, in a variable; whether it may be anything but a boolean."""
        before = len(self._lines)
        self._depth += 1
        value = self._value(node)
        self._line(f"{name} = {value.code}")
        self._depth -= 1
        if not value.fails:
            self._lines[before:] = [line[4:] for line in self._lines[before:]]
            return self._kind(node) != BOOL
        self._lines.insert(before, f"{'    ' * self._depth}try:")
        self._line("except FAILURES as failure:")
        self._line(f"    {name} = failure")
        return True

    def _logic(self, node: Logic) -> _Value:
        decided = "False" if node.operator == "&&" else "True"
        neutral = "True" if node.operator == "&&" else "False"
        result = self._name()
        doubtful = self._held(node.terms[0], result)
        for term in node.terms[1:]:
            self._line(f"if {result} is not {decided}:")
            self._depth += 1
            value = self._name()
            later = self._held(term, value)
            if later or doubtful:
                # the first error is kept, but a term that decides ends it
                self._line(f"if {value} is not {neutral} and ({value} is {decided} or {result} is {neutral}):")
                self._line(f"    {result} = {value}")
            else:
                self._line(f"{result} = {value}")
            self._depth -= 1
            doubtful = doubtful or later
        if not doubtful:
            return _Value(result, fails=False, plain=True)
        self._line(f"if {result}.__class__ is not bool: raise raised({result})")
        return _Value(result, fails=True, plain=True)

    def _choice(self, node: Choice) -> _Value:
        condition = self._condition(node.condition)
        result = self._name()
        fails = condition.fails
        for head, branch in ((f"if {condition.code}:", node.yes), ("else:", node.no)):
            self._line(head)
            self._depth += 1
            value = self._value(branch)
            self._line(f"{result} = {value.code}")
            self._depth -= 1
            fails = fails or value.fails
        return _Value(result, fails, plain=True)

    # collections

    def _list(self, node: ListOf) -> _Value:
        if not node.optional:
            values = self._all(node.items)
            return _Value(f"[{', '.join(value.code for value in values)}]", any(value.fails for value in values))
        result = self._assign("[]", fails=True)
        for place, item in enumerate(node.items):
            value = self._value(item)
            if place in node.optional:
                member = self._assign(f"held({value.code})", fails=True)
                self._line(f"if {member.code}.present: {result.code} += [{member.code}.value]")
            else:
                self._line(f"{result.code} += [{value.code}]")
        return result

    def _map(self, node: MapOf) -> _Value:
        keys = [key.value for key, _ in node.entries if isinstance(key, Constant) and key.value.__class__ is str]
        if not node.optional and len(set(keys)) == len(node.entries):
            values = self._all(tuple(value for _, value in node.entries))
            entries = (f"{key!r}: {value.code}" for key, value in zip(keys, values, strict=True))
            return _Value(f"{{{', '.join(entries)}}}", any(value.fails for value in values))
        result = self._assign("{}", fails=True)
        for place, entry in enumerate(node.entries):
            key, value = self._all(entry)
            if place in node.optional:
                member = self._assign(f"held({value.code})", fails=True)
                self._line(f"if {member.code}.present: put({result.code}, {key.code}, {member.code}.value)")
            else:
                self._line(f"put({result.code}, {key.code}, {value.code})")
        return result

    def _message(self, node: Message) -> _Value:
        make = self._constant(self._checked.objects[node].make)
        if not node.optional:
            values = self._all(tuple(value for _, value in node.fields))
            entries = (f"{name!r}: {value.code}" for (name, _), value in zip(node.fields, values, strict=True))
            return _Value(f"{make}({{{', '.join(entries)}}})", fails=True)
        fields = self._assign("{}", fails=True)
        for place, (name, node_) in enumerate(node.fields):
            value = self._value(node_)
            if place in node.optional:
                member = self._assign(f"held({value.code})", fails=True)
                self._line(f"if {member.code}.present: {fields.code}[{name!r}] = {member.code}.value")
            else:
                self._line(f"{fields.code}[{name!r}] = {value.code}")
        return _Value(f"{make}({fields.code})", fails=True)

    # loops

    def _bind(self, node: Bind) -> _Value:
        name = self._name("v")
        doubtful = self._held_value(node.value, name)
        outer = self._scope
        self._scope = {**outer, node.name: _Value(name, doubtful, plain=True)}
        self._looping += 1  # a value bound twice over grows as fast as one in a loop
        result = self._value(node.body)
        self._looping -= 1
        self._scope = outer
        return result

    def _held_value(self, node: Node, name: str) -> bool:
        """As `_held`, for any value; whether it may be an error."""
        kind = self._checked.types.get(node, DYN)
        self._checked.types[node] = BOOL
        doubtful = self._held(node, name)
        self._checked.types[node] = kind
        return doubtful

    def _loop(self, node: Loop) -> _Value:
        over = self._iterated(node)
        self._line(f"budget[0] -= len({over})")
        self._line("if budget[0] < 0: raise over_budget()")
        outer = self._scope
        first, second = self._name("v"), self._name("v")
        self._scope = {**outer, node.first: _Value(first, fails=False, plain=True)}
        if node.second is not None:
            self._scope[node.second] = _Value(second, fails=False, plain=True)
        self._looping += 1
        turn = f"for {first} in {over}:" if node.second is None else f"for {first}, {second} in {over}:"
        result = self._quantified(node, turn) if node.kind in ("all", "exists") else self._collected(node, turn, first)
        self._looping -= 1
        self._scope = outer
        return result

    def _iterated(self, node: Loop) -> str:
        over = self._value(node.over)
        if node.second is not None:
            return self._assign(f"pairs({over.code})", fails=True).code
        named = self._assign(over.code, fails=over.fails)
        if self._kind(node.over).name != "list":
            self._line(f"if {named.code}.__class__ is not list: {named.code} = members({named.code})")
        return named.code

    def _quantified(self, node: Loop, turn: str) -> _Value:
        assert node.condition is not None  # noqa: S101 (macros give these a condition)
        decided, neutral = ("False", "True") if node.kind == "all" else ("True", "False")
        result, value = self._name(), self._name()
        self._line(f"{result} = {neutral}")
        self._line(turn)
        self._depth += 1
        doubtful = self._held(node.condition, value)
        self._line(f"if {value} is {decided}:")
        self._line(f"    {result} = {decided}")
        self._line("    break")
        if doubtful:
            self._line(f"if {value} is not {neutral} and {result} is {neutral}: {result} = {value}")
        self._depth -= 1
        if doubtful:
            self._line(f"if {result}.__class__ is not bool: raise raised({result})")
        # a loop over what is no list fails before its first turn
        return _Value(result, fails=True, plain=True)

    def _collected(self, node: Loop, turn: str, first: str) -> _Value:
        result = self._name()
        self._line(f"{result} = {_EMPTY[node.kind]}")
        self._line(turn)
        self._depth += 1
        if node.condition is not None:
            condition = self._condition(node.condition)
            self._line(f"if {condition.code}:")
            self._depth += 1
        value = self._value(node.result) if node.result is not None else _Value(first, fails=False)
        match node.kind:
            case "exists_one":
                self._line(f"{result} += 1")
            case "transformMap":
                self._line(f"put({result}, {first}, {value.code})")
            case "transformMapEntry":
                self._line(f"put_all({result}, {value.code})")
            case _:
                self._line(f"{result}.append({value.code})")
        self._depth -= 1 if node.condition is None else 2
        if node.kind == "exists_one":
            return _Value(f"({result} == 1)", fails=True)
        return _Value(result, fails=True, plain=True)


_EMPTY: Final = {"map": "[]", "filter": "[]", "exists_one": "0", "transformMap": "{}", "transformMapEntry": "{}"}
_WRITERS: Final = {
    Constant: "_constant_node",
    Name: "_name_node",
    Select: "_select",
    Call: "_call",
    Logic: "_logic",
    Choice: "_choice",
    ListOf: "_list",
    MapOf: "_map",
    Message: "_message",
    Loop: "_loop",
    Bind: "_bind",
}


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
