"""Macros walked turn by turn, at the prices of what the reference makes of them.

It has one loop, over which a value is carried that a condition and a step
look up by name; each look-up and operation of those costs. After an error it
goes on to the end where nothing tells it to stop, and counts that too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bartizan.lang.cel import cost, operators
from bartizan.lang.cel.errors import CelError, no_such_overload
from bartizan.lang.cel.text import constant_text
from bartizan.lang.cel.trace.prepared import TARGET

if TYPE_CHECKING:
    from bartizan.lang.cel.nodes import Bind, Loop, Node
    from bartizan.lang.cel.trace.walk import Walk

_GO_ON: Final = {"all": 2, "exists": 3}
"""What it costs to ask whether a quantifier must go on."""
_RESULT: Final = 1
_COUNTED: Final = 2


class Slot:
    """A name in reach: its value, or how to come to one when it is first asked for."""

    __slots__ = ("_looping", "_node", "_price", "_scope", "_value")

    def __init__(self, value: Any = None, node: Node | None = None, walk: Walk | None = None) -> None:
        self._value = value
        self._node = node
        self._price = 0
        self._scope = {} if walk is None else walk.scope
        self._looping = 0 if walk is None else walk.looping

    def get(self, walk: Walk, *, again: bool = False) -> Any:
        """The value; `again` where the reference works it out each time, at the same price."""
        if self._node is None:
            if again:
                walk.pay(self._price)
            return self._value
        node, self._node = self._node, None
        before, scope, looping = walk.spent, walk.scope, walk.looping
        walk.scope, walk.looping = self._scope, self._looping
        self._value = walk.value(node)
        walk.scope, walk.looping = scope, looping
        self._price = walk.spent - before
        return self._value


def walk_bind(walk: Walk, node: Bind, *, bare: bool) -> Any:
    """A name for a value that is worked out where it is first used."""
    outer = walk.scope
    walk.scope = {**outer, node.name: Slot(node=node.value, walk=walk)}
    walk.looping += 1
    value = walk.value(node.body, bare=bare and node.name == TARGET)
    walk.looping -= 1
    walk.scope = outer
    return value


class _Turn(NamedTuple):
    first: Any
    second: Any


def walk_loop(walk: Walk, node: Loop) -> Any:
    """The value of a macro, or the error it ends in."""
    over = walk.value(node.over)
    if over.__class__ is CelError:
        return over
    found = walk.attempt(operators.members if node.second is None else operators.pairs, over)
    if found.__class__ is CelError:
        return found
    walk.budget[0] -= len(found)
    if walk.budget[0] < 0:
        raise operators.over_budget()
    turns = [_Turn(item, None) for item in found] if node.second is None else [_Turn(*pair) for pair in found]
    outer = walk.scope
    walk.looping += 1
    value = _quantified(walk, node, turns) if node.kind in _GO_ON else _collected(walk, node, turns)
    walk.looping -= 1
    walk.scope = outer
    walk.pay(_RESULT)
    return value


def _enter(walk: Walk, node: Loop, outer: dict[str, Slot], turn: _Turn) -> None:
    walk.scope = {**outer, node.first: Slot(turn.first)}
    if node.second is not None:
        walk.scope[node.second] = Slot(turn.second)


def _label(node: Loop, number: int, turn: _Turn) -> str:
    if node.second is None:
        return f"{node.first}, turn {number + 1}"
    first = constant_text(turn.first) if isinstance(turn.first, (str, int)) else "…"
    return f"{node.first} = {first}, {node.second}"


def _quantified(walk: Walk, node: Loop, turns: list[_Turn]) -> Any:
    assert node.condition is not None  # noqa: S101 (macros give these a condition)
    decided = node.kind == "exists"
    result: Any = not decided
    outer = walk.scope
    for number, turn in enumerate(turns):
        walk.pay(_GO_ON[node.kind])
        if result is decided:
            break
        step = walk.begin("turn", _label(node, number, turn), node.at)
        step.value = turn.first if node.second is None else turn.second
        before, leave = walk.spent, walk.within(step)
        _enter(walk, node, outer, turn)
        walk.pay(cost.LOOK_UP)
        value = walk.value(node.condition)
        step.cost = walk.spent - before
        leave()
        if value.__class__ is not bool and value.__class__ is not CelError:
            value = no_such_overload()
        if value.__class__ is CelError:
            step.error = str(value)
        if value is decided or (value.__class__ is CelError and result is (not decided)):
            result = value
    return result


class _Collector:
    """What a macro has gathered so far, or the first error."""

    def __init__(self, walk: Walk, node: Loop) -> None:
        self.failed: CelError | None = None
        self.made: Any = 0 if node.kind == "exists_one" else {} if node.kind.startswith("transformMap") else []
        self._walk = walk
        self._node = node

    def turn(self, turn: _Turn) -> Any:
        """What one turn comes to: an error, or nothing to speak of."""
        walk, node = self._walk, self._node
        if node.condition is not None:
            held = walk.value(node.condition)
            condition = held if held.__class__ is CelError else walk.attempt(operators.boolean, held)
            if condition is not True:
                if condition is False and node.result is not None:
                    walk.unreached(node.result)
                return condition
        walk.pay(cost.LOOK_UP)
        if self.failed is not None and node.kind == "transformMap":
            return self.failed  # a call of three arguments stops at the first that is an error
        return self._gathered(turn)

    def _gathered(self, turn: _Turn) -> Any:
        walk, node = self._walk, self._node
        if node.kind == "exists_one":
            walk.pay(1)
            self.made += 1
            return None
        if node.kind == "transformMap":
            walk.pay(cost.LOOK_UP)
        if node.result is None:
            walk.pay(cost.LOOK_UP)
            value = turn.first
        else:
            value = walk.value(node.result)
        walk.pay(1)
        if node.kind in ("map", "filter") and not walk.is_known(node.result):
            walk.pay(cost.LIST)
        if value.__class__ is CelError or self.failed is not None:
            return value
        if node.kind == "transformMap":
            return walk.attempt(operators.insert, self.made, turn.first, value)
        if node.kind == "transformMapEntry":
            return walk.attempt(operators.insert_all, self.made, value)
        self.made.append(value)
        return None


def _collected(walk: Walk, node: Loop, turns: list[_Turn]) -> Any:
    gathered = _Collector(walk, node)
    outer = walk.scope
    leave_silence = None
    for number, turn in enumerate(turns):
        step = walk.begin("turn", _label(node, number, turn), node.at)
        step.value = turn.first if node.second is None else turn.second
        before, leave = walk.spent, walk.within(step)
        _enter(walk, node, outer, turn)
        value = gathered.turn(turn)
        step.cost = walk.spent - before
        leave()
        if value.__class__ is CelError and gathered.failed is None:
            gathered.failed, step.error = value, str(value)
            if not walk.counts_all:
                break
            leave_silence = walk.silently()
    if leave_silence is not None:
        leave_silence()
    if node.kind == "exists_one":
        walk.pay(_COUNTED - _RESULT)
    if gathered.failed is not None:
        return gathered.failed
    return gathered.made == 1 if node.kind == "exists_one" else gathered.made
