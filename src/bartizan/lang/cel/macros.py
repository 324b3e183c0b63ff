"""Calls that are not functions: they name variables, so they are told apart while parsing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

from bartizan.lang.cel.lex import fail
from bartizan.lang.cel.nodes import Bind, Call, Choice, Constant, ListOf, Loop, LoopKind, Name, Node, Select, qualified

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def expand(text: str, call: Call, without: frozenset[str] = frozenset()) -> Node:
    """The node a call stands for: itself, unless a macro has its name, shape and number of arguments.

    `without` are macros that are not known, as in `Environment`.

    Raises:
        SpecError: a macro's variable is no name, or what `has` asks for is no field.
    """
    target = call.target
    if target is None:
        return _has(text, call) if call.function == "has" and len(call.arguments) == 1 else call
    if isinstance(target, Name) and target.name in without:
        return call
    if isinstance(target, Name) and target.name == "proto" and call.function in _EXTENSIONS:
        return _extension(text, call)
    if isinstance(target, Name) and target.name == "cel":
        namespaced = _CEL.get((call.function, len(call.arguments)))
        return call if namespaced is None else namespaced(text, call)
    if call.function in without and len(call.arguments) == 2:
        return call
    member = _MEMBERS.get((call.function, len(call.arguments)))
    return call if member is None else member(text, call, target)


def _has(text: str, call: Call) -> Node:
    field = call.arguments[0]
    if not isinstance(field, Select) or field.optional or field.tests:
        fail(text, call.at, "`has` of what is no field", "Write `has(object.field)`.")
    return Select(call.at, field.operand, field.field, tests=True)


def _variable(text: str, node: Node) -> str:
    if not isinstance(node, Name) or node.name.startswith("."):
        fail(text, node.at, "a macro's variable must be a simple name")
    return node.name


def _predicate(kind: LoopKind) -> Callable[[str, Call, Node], Node]:
    def make(text: str, call: Call, target: Node) -> Node:
        variable, condition = call.arguments
        return Loop(call.at, kind, target, _variable(text, variable), None, condition, None)

    return make


def _predicate_of_two(kind: LoopKind) -> Callable[[str, Call, Node], Node]:
    def make(text: str, call: Call, target: Node) -> Node:
        first, second, condition = call.arguments
        return Loop(call.at, kind, target, *_pair(text, first, second), condition, None)

    return make


def _pair(text: str, first: Node, second: Node) -> tuple[str, str]:
    names = _variable(text, first), _variable(text, second)
    if names[0] == names[1]:
        fail(text, second.at, "a macro's two variables have the same name")
    return names


def _map(text: str, call: Call, target: Node) -> Node:
    variable, *condition, result = call.arguments
    return Loop(call.at, "map", target, _variable(text, variable), None, condition[0] if condition else None, result)


def _transform(kind: LoopKind) -> Callable[[str, Call, Node], Node]:
    def make(text: str, call: Call, target: Node) -> Node:
        first, second, *condition, result = call.arguments
        names = _pair(text, first, second)
        return Loop(call.at, kind, target, *names, condition[0] if condition else None, result)

    return make


def _optional_map(*, flat: bool) -> Callable[[str, Call, Node], Node]:
    """`x.optMap(name, e)` is `e` for the value of `x`, wrapped again unless `flat`."""

    def make(text: str, call: Call, target: Node) -> Node:
        variable, body = call.arguments
        at, held = call.at, Name(call.at, "@target")
        inner: Node = Bind(at, _variable(text, variable), Call(at, "value", held, ()), body)
        if not flat:
            inner = Call(at, "optional.of", None, (inner,))
        nothing = Call(at, "optional.none", None, ())
        return Bind(at, "@target", target, Choice(at, Call(at, "hasValue", held, ()), inner, nothing))

    return make


def _sort_by(text: str, call: Call, target: Node) -> Node:
    """`x.sortBy(name, e)` sorts the members of `x` by `e`, which is evaluated once for each."""
    variable, key = call.arguments
    at, held = call.at, Name(call.at, "@target")
    keys = Loop(at, "map", held, _variable(text, variable), None, None, key)
    return Bind(at, "@target", target, Call(at, "@sortBy", held, (keys,)))


def _bind(text: str, call: Call) -> Node:
    variable, value, body = call.arguments
    return Bind(call.at, _variable(text, variable), value, body)


def _block(text: str, call: Call) -> Node:
    """`cel.block([a, b], e)` names `a` and `b` for `e`: what an optimiser writes."""
    slots, body = call.arguments
    if not isinstance(slots, ListOf) or slots.optional:
        fail(text, slots.at, "`cel.block` needs a list of expressions")
    for index in range(len(slots.items) - 1, -1, -1):
        body = Bind(call.at, f"@index{index}", slots.items[index], body)
    return body


def _extension(text: str, call: Call) -> Node:
    """`proto.getExt(object, name)` is a field whose name has dots."""
    if len(call.arguments) != 2 or not (name := qualified(call.arguments[1])):
        fail(text, call.at, f"`proto.{call.function}` needs an object and the full name of an extension")
    return Select(call.at, call.arguments[0], name, tests=call.function == "hasExt")


def _numbered(prefix: str) -> Callable[[str, Call], Node]:
    def make(text: str, call: Call) -> Node:
        numbers = [argument.value for argument in call.arguments if isinstance(argument, Constant)]
        if len(numbers) != len(call.arguments) or any(number.__class__ is not int or number < 0 for number in numbers):
            fail(text, call.at, f"`cel.{call.function}` needs whole numbers")
        return Name(call.at, prefix + ":".join(map(str, numbers)))

    return make


_EXTENSIONS: Final = frozenset({"getExt", "hasExt"})
_KINDS: Final[Mapping[str, LoopKind]] = {kind: kind for kind in get_args(LoopKind)} | {
    "existsOne": "exists_one",
    "transformList": "map",
}
_MEMBERS: Final[Mapping[tuple[str, int], Callable[[str, Call, Node], Node]]] = {
    **{(name, 2): _predicate(_KINDS[name]) for name in ("all", "exists", "exists_one", "existsOne", "filter")},
    **{(name, 3): _predicate_of_two(_KINDS[name]) for name in ("all", "exists", "exists_one", "existsOne")},
    ("map", 2): _map,
    ("map", 3): _map,
    **{
        (name, count): _transform(_KINDS[name])
        for name in ("transformList", "transformMap", "transformMapEntry")
        for count in (3, 4)
    },
    ("sortBy", 2): _sort_by,
    ("optMap", 2): _optional_map(flat=False),
    ("optFlatMap", 2): _optional_map(flat=True),
}
_CEL: Final[Mapping[tuple[str, int], Callable[[str, Call], Node]]] = {
    ("bind", 3): _bind,
    ("block", 2): _block,
    ("index", 1): _numbered("@index"),
    ("iterVar", 2): _numbered("@it:"),
    ("accuVar", 2): _numbered("@ac:"),
}
