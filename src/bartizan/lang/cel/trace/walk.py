"""An expression evaluated node by node, with the cost of each and, where that is wanted, its value.

The same operators and overloads as the emitted function calls, on the same
checked tree, so that both give the same; errors are values here, because the
reference goes on after some and counts what it does. Not for the hot path: a
walk takes ten times as long as the function and more.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from bartizan.lang.cel import cost, operators
from bartizan.lang.cel.dispatch import dispatcher, with_ambient
from bartizan.lang.cel.errors import CelBudgetError, CelError, no_such_overload
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
from bartizan.lang.cel.trace.loops import Slot, walk_bind, walk_loop
from bartizan.lang.cel.trace.made import walk_list, walk_map, walk_message
from bartizan.lang.cel.trace.prepared import INDEXES, TARGET
from bartizan.lang.cel.trace.step import MAX_STEPS, Kind, Step
from bartizan.lang.cel.types import DOUBLE, DYN, INT, UINT
from bartizan.lang.cel.values import Optional, TypeValue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.lang.cel.declare import Overload
    from bartizan.lang.cel.trace.prepared import Prepared

_OPERATORS: Final[Mapping[str, Callable[..., Any]]] = {
    "_==_": operators.equal,
    "_!=_": operators.not_equal,
    "_<_": operators.less,
    "_<=_": operators.less_equal,
    "_>_": operators.greater,
    "_>=_": operators.greater_equal,
    "@in": operators.contains,
    "_+_": operators.add,
    "_-_": operators.subtract,
    "_*_": operators.multiply,
    "_/_": operators.divide,
    "_%_": operators.modulo,
    "!_": operators.negation,
}
_NUMERIC: Final = (INT, UINT, DOUBLE)
_NO_LIMIT: Final = sys.maxsize
_SEARCHES: Final = ("matches", "find", "findAll")


class Walk:
    """One evaluation: names, what is in reach, what was spent, and the steps so far.

    Without a `limit` nothing is evaluated for its cost alone, so that a walk
    does no more than the emitted function.
    """

    def __init__(
        self,
        prepared: Prepared,
        names: Mapping[str, Any],
        limit: int | None = None,
        texts: Mapping[Node, str] | None = None,
    ) -> None:
        self.checked = prepared.checked
        self.counts_all = limit is not None
        self.spent = 0
        self.scope: dict[str, Slot] = {}
        self.looping = 0
        self.budget = [operators.MAX_STEPS]
        self.kept = 0
        self._prepared = prepared
        self._names = names
        self._limit = _NO_LIMIT if limit is None else limit
        self._texts = texts
        self._open: list[Step] | None = None if texts is None else []
        self._walkers: dict[type, Callable[[Any, bool], Any]] = {
            Constant: self._constant,
            Name: self._name,
            Select: self._select,
            Call: self._call,
            Logic: self._logic,
            Choice: self._choice,
            ListOf: self._list,
            MapOf: self._map,
            Message: self._message,
            Loop: self._loop,
            Bind: self._bind,
        }

    def run(self) -> Any:
        """The value of the whole, or the error it ends in.

        Raises:
            CelBudgetError: it costs more than the limit, or takes more steps than an expression may.
        """
        return self.value(self._prepared.tree)

    def whole(self) -> Step:
        """The step of the whole, after a run that keeps steps."""
        tree = self._prepared.tree
        return self._open[0] if self._open else Step("constant", self._text(tree), tree.at, self.value(tree))

    def pay(self, price: int) -> None:
        """Add to what was spent."""
        self.spent += price
        if self.spent > self._limit:
            raise cost.over_limit()

    def attempt(self, function: Callable[..., Any], *given: Any) -> Any:
        """What a function gives, or the error it ends in."""
        try:
            return function(*given)
        except CelError as error:
            return error
        except operators.FAILURES as failure:
            return operators.raised(failure)

    def value(self, node: Node, *, bare: bool = False) -> Any:
        """What a node gives; `bare` where the price of a name is not due."""
        if self._open is None or isinstance(node, Constant) or node in self._prepared.hidden:
            return self._worked_out(node, bare=bare)
        step = self.begin(_kind(node), self._text(node), node.at)
        before, above = self.spent, self._open
        self._open = step.children
        try:
            value = self._worked_out(node, bare=bare)
        except CelBudgetError as error:
            step.error = str(error)
            raise
        finally:
            step.cost = self.spent - before
            self._open = above
        _note(step, node, value)
        return value

    def begin(self, kind: Kind, text: str, at: int) -> Step:
        """A step below the current one; beyond `MAX_STEPS` it is not kept."""
        step = Step(kind, text, at)
        if self._open is not None and self.kept < MAX_STEPS:
            self.kept += 1
            self._open.append(step)
        return step

    def within(self, step: Step) -> Callable[[], None]:
        """Keep what comes next below a step, until the function that is returned is called."""
        above = self._open
        if above is not None:
            self._open = step.children

        def leave() -> None:
            self._open = above

        return leave

    def silently(self) -> Callable[[], None]:
        """Keep no steps until the function that is returned is called."""
        above, self._open = self._open, None

        def leave() -> None:
            self._open = above

        return leave

    def unreached(self, node: Node) -> None:
        """Note a part that was not come to."""
        if self._open is not None and not isinstance(node, Constant) and node not in self._prepared.hidden:
            self.begin(_kind(node), self._text(node), node.at).reached = False

    def is_attribute(self, node: Node) -> bool:
        """Whether a node is a name, or a field or member of one."""
        return node in self._prepared.attributes

    def _text(self, node: Node) -> str:
        return "" if self._texts is None else self._texts[node]

    def _worked_out(self, node: Node, *, bare: bool) -> Any:
        if node in self._prepared.folded:
            spent, limit, self._limit = self.spent, self._limit, _NO_LIMIT
            value = self._walkers[node.__class__](node, True)
            self.spent, self._limit = spent, limit
            return value
        return self._walkers[node.__class__](node, bare)

    # names and fields

    def _constant(self, node: Constant, _bare: bool) -> Any:
        return node.value

    def _name(self, node: Name, bare: bool) -> Any:
        slot = self.scope.get(node.name)
        if slot is None:
            return self._global(node, node.name, bare=bare)
        if node.name != TARGET and not bare:
            self.pay(cost.LOOK_UP)
        return slot.get(self, again=node.name == TARGET)

    def _global(self, node: Node, name: str, *, bare: bool) -> Any:
        if node in self.checked.constants:
            return self.checked.constants[node]
        if node in self.checked.type_names:
            return TypeValue(self.checked.type_names[node])
        if not bare:
            self.pay(cost.LOOK_UP)
        return self.attempt(self._names.__getitem__, self.checked.variables.get(node, name))

    def _select(self, node: Select, bare: bool) -> Any:
        checked = self.checked
        if node in checked.variables or node in checked.type_names or node in checked.constants:
            return self._global(node, "", bare=bare)
        operand = self.value(node.operand, bare=self.is_attribute(node.operand))
        value = self._field(node, operand)
        if not bare:
            self.pay((node not in self._prepared.choices) - node.tests)
        return value

    def _field(self, node: Select, operand: Any) -> Any:
        if operand.__class__ is CelError:
            return operand
        look_up = operators.has if node.tests else operators.optional_field if node.optional else operators.field
        value = self.attempt(look_up, operand, node.field)
        is_optional = node.optional or operand.__class__ is Optional
        self._pay_member(value, is_optional=is_optional)
        return value

    def _pay_member(self, value: Any, *, is_optional: bool) -> None:
        """The price of a field or member; one of an optional has none where it is not there."""
        if not is_optional or value is True or (value.__class__ is Optional and value.present):
            self.pay(cost.LOOK_UP)

    def _index(self, node: Call, bare: bool) -> Any:
        name, (container, key), _ = self.checked.calls[node]
        held = self.value(container, bare=self.is_attribute(container))
        value = held
        if held.__class__ is not CelError and not (held.__class__ is Optional and not held.present):
            place = self.value(key, bare=self.is_attribute(key))
            is_optional = name == "_[?_]" or held.__class__ is Optional
            look_up = operators.index if name == "_[_]" else operators.optional_index
            value = place if place.__class__ is CelError else self.attempt(look_up, held, place)
            self._pay_member(value, is_optional=is_optional)
        elif held.__class__ is Optional and not self.is_known(key):
            key_value = self._aside(key)
            value = key_value if key_value.__class__ is CelError else held
        if not bare:
            self.pay(node not in self._prepared.choices)
        return value

    def is_known(self, node: Node | None) -> bool:
        """Whether a node is worked out once, before the expression runs."""
        return node in self._prepared.folded

    def _aside(self, node: Node) -> Any:
        """A value that the reference would not ask for, and so has no cost."""
        spent, limit, leave = self.spent, self._limit, self.silently()
        self._limit = _NO_LIMIT
        try:
            return self.value(node)
        finally:
            self.spent, self._limit = spent, limit
            leave()

    # operations

    def _call(self, node: Call, bare: bool) -> Any:
        name, operands, overloads = self.checked.calls[node]
        if name in INDEXES:
            return self._index(node, bare)
        if name in ("or", "orValue") and len(operands) == 2 and overloads:
            return self._alternative(name, operands)
        given: list[Any] = []
        failed: CelError | None = None
        stops = len(operands) > 2 or (name in _SEARCHES and isinstance(operands[-1], Constant))
        for operand in operands:
            if failed is not None and (stops or not self.counts_all):
                self.unreached(operand)
                continue
            given.append(self.value(operand))
            if failed is None and given[-1].__class__ is CelError:
                failed = given[-1]
        result = self._applied(node, name, given, overloads) if failed is None else failed
        if len(given) == len(operands) and node not in self._prepared.sets:
            self.pay(cost.call_cost(name, overloads, given, result))
        return result

    def _applied(self, node: Call, name: str, given: list[Any], overloads: tuple[Overload, ...]) -> Any:
        operator = _OPERATORS.get(name)
        if operator is not None:
            value = self.attempt(operator, *given)
            grows = name == "_+_" and self.checked.types.get(node, DYN) not in _NUMERIC
        elif not overloads:
            return no_such_overload()
        else:
            if overloads[0].ambient:
                given = [self._names[overloads[0].ambient], *given]
                overloads = with_ambient(overloads)
            value = self.attempt(dispatcher(overloads, name), *given)
            grows = any(overload.grows for overload in overloads)
        return operators.spend(self.budget, value) if grows and self.looping else value

    def _alternative(self, name: str, operands: tuple[Node, ...]) -> Any:
        """`or` and `orValue`, which ask for the other value where there is none, and cost nothing themselves."""
        first, other = operands
        held = self.value(first)
        if held.__class__ is CelError:
            self.unreached(other)
            return held
        if held.__class__ is Optional and not held.present:
            return self.value(other)
        self.unreached(other)
        return held.value if name == "orValue" and held.__class__ is Optional else held

    # truth

    def _logic(self, node: Logic, _bare: bool) -> Any:
        decided = node.operator == "||"
        result: Any = not decided
        for term in node.terms:
            if result is decided:
                self.unreached(term)
                continue
            value = self.value(term)
            if value.__class__ is not bool and value.__class__ is not CelError:
                value = no_such_overload()
            if value is decided or (value.__class__ is CelError and result is not decided and result is (not decided)):
                result = value
        return result

    def _choice(self, node: Choice, _bare: bool) -> Any:
        held = self.value(node.condition)
        condition = held if held.__class__ is CelError else self.attempt(operators.boolean, held)
        value = condition
        for branch, wanted in ((node.yes, True), (node.no, False)):
            if condition is wanted:
                value = self.value(branch, bare=self.is_attribute(branch))
            else:
                self.unreached(branch)
        return value

    # what others walk

    def _list(self, node: ListOf, _bare: bool) -> Any:
        return walk_list(self, node)

    def _map(self, node: MapOf, _bare: bool) -> Any:
        return walk_map(self, node)

    def _message(self, node: Message, _bare: bool) -> Any:
        return walk_message(self, node)

    def _loop(self, node: Loop, _bare: bool) -> Any:
        return walk_loop(self, node)

    def _bind(self, node: Bind, bare: bool) -> Any:
        return walk_bind(self, node, bare=bare)


def _kind(node: Node) -> Kind:
    if isinstance(node, Logic):
        return "and" if node.operator == "&&" else "or"
    if isinstance(node, Loop) and node.kind in ("all", "exists"):
        return "all" if node.kind == "all" else "exists"
    return _KINDS[node.__class__]


def _note(step: Step, node: Node, value: Any) -> None:
    """What came of a step. A chain of fields is one, unless it breaks off: then what there was is seen."""
    if value.__class__ is CelError:
        step.error = str(value)
        return
    step.value = value
    if isinstance(node, Select) and len(step.children) == 1 and step.children[0].kind in ("name", "field"):
        step.children = []


_KINDS: Final[Mapping[type, Kind]] = {
    Constant: "constant",
    Name: "name",
    Select: "field",
    Call: "call",
    Choice: "choice",
    ListOf: "list",
    MapOf: "map",
    Message: "object",
    Loop: "loop",
    Bind: "bind",
}
