"""How much an expression can cost at most on an input of a given size, told from its tree.

What it does outside of loops is bounded by how large its values can be, and
so is one turn of each loop; how many turns there are, only a run can tell.
The bounds are coarse, and need not be better: they are to show that the many
expressions which are cheap cannot come near a limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isnan
from typing import TYPE_CHECKING, Final

from bartizan.lang.cel import cost
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
    children,
)
from bartizan.lang.cel.operators import MAX_ITEMS
from bartizan.lang.cel.trace.prepared import TARGET

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.lang.cel.trace.prepared import Prepared

_SCALAR: Final = 64.0  # characters of a number, time or address as text
_DIGITS: Final = 400.0  # characters of a number that a format may write
_TURN: Final = 20.0  # what one turn of any macro costs beside its condition and result
_QUANTIFIERS: Final = ("all", "exists")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an expression costs at most: `fixed` once, and `turn` for each turn of a loop; and what its value weighs."""

    fixed: float
    turn: float
    weight: float


def bounds_of(prepared: Prepared, size: int) -> Bounds:
    """The bounds of an expression on names that hold `size` characters and members, or fewer."""
    reckoner = _Reckoner(prepared, float(size))
    fixed, weight = reckoner.reckon(prepared.tree)
    return Bounds(fixed, reckoner.turn, weight)


class _Reckoner:
    """A walk over a tree: for each node the most it costs and the most its value weighs.

    A value weighs as much as it has characters and members. Where a loop is
    `counted`, its turns are left to the run; the others, which the reference
    may go through after an error where we stop, are bounded by weight.
    """

    def __init__(self, prepared: Prepared, size: float) -> None:
        self.turn = 0.0
        self._calls = prepared.checked.calls
        self._folded = prepared.folded
        self._size = size
        self._scope: dict[str, tuple[float, float]] = {}
        self._counts = True
        self._absorbs = False

    def reckon(self, node: Node) -> tuple[float, float]:
        """The most a node costs, and weighs."""
        most, weight = self._reckoned(node)
        # no part of an infinite value is known
        weight = inf if isnan(weight) else weight
        return (0.0 if node in self._folded else inf if isnan(most) else most), weight

    def _reckoned(self, node: Node) -> tuple[float, float]:  # noqa: PLR0911 (one for each kind)
        match node:
            case Constant(value=value):
                return 0.0, float(len(value)) + 1 if isinstance(value, (str, bytes)) else 1.0
            case Name(name=name):
                return self._scope.get(name, (1.0, self._size))
            case Select():
                most, weight = self.reckon(node.operand)
                return most + 2, weight
            case Call():
                return self._call(node)
            case Logic():
                return self._absorbing(node)
            case Loop():
                return self._loop(node)
            case Bind():
                return self._bind(node)
            case Choice():
                parts = [self.reckon(child) for child in children(node)]
                return sum(most for most, _ in parts), max(weight for _, weight in parts)
            case ListOf() | MapOf() | Message():
                return self._sum(node)

    def _sum(self, node: Node) -> tuple[float, float]:
        parts = [self.reckon(child) for child in children(node)]
        return cost.OBJECT + sum(most for most, _ in parts), len(parts) + sum(weight for _, weight in parts)

    def _absorbing(self, node: Logic) -> tuple[float, float]:
        absorbs, self._absorbs = self._absorbs, True
        most = sum(self.reckon(term)[0] for term in node.terms)
        self._absorbs = absorbs
        return most, 1.0

    def _call(self, node: Call) -> tuple[float, float]:
        name, operands, _ = self._calls[node]
        parts = []
        counts = self._counts
        for operand in operands:
            parts.append(self.reckon(operand))
            # the reference evaluates the others even where this one fails
            self._counts = self._counts and not self._absorbs
        self._counts = counts
        weights = [weight for _, weight in parts]
        price = _PRICES.get(name, _flat)(weights)
        made = _MADE.get(name, _same if name in _KEEPING else _unknown)(weights)
        return sum(most for most, _ in parts) + price, made

    def _bind(self, node: Bind) -> tuple[float, float]:
        most, weight = self.reckon(node.value)
        outer = self._scope
        # the optional of `optMap` is worked out again wherever it is named
        self._scope = {**outer, node.name: ((most if node.name == TARGET else 1.0), weight)}
        body, made = self.reckon(node.body)
        self._scope = outer
        return body + (0.0 if node.name == TARGET else most), made

    def _loop(self, node: Loop) -> tuple[float, float]:
        over, weight = self.reckon(node.over)
        outer, counts, absorbs = self._scope, self._counts, self._absorbs
        self._scope = {**outer, node.first: (1.0, weight)} | (
            {} if node.second is None else {node.second: (1.0, weight)}
        )
        self._counts = counts and (node.kind in _QUANTIFIERS or not absorbs)
        self._absorbs = absorbs or node.kind in _QUANTIFIERS
        parts = [self.reckon(part) for part in (node.condition, node.result) if part is not None]
        self._scope, self._counts, self._absorbs = outer, counts, absorbs
        turn = _TURN + sum(most for most, _ in parts)
        if counts:
            self.turn = max(self.turn, turn)
        else:
            over += weight * turn
        if node.kind in (*_QUANTIFIERS, "exists_one"):
            return over + 5, 1.0
        if node.kind == "filter":
            return over + 5, weight
        if node.kind == "map" and node.result is not None and self._is_part(node.result, node.first):
            return over + 5, 2 * weight + 2
        return over + 5, (weight + 1) * (parts[-1][1] + 2)

    def _is_part(self, node: Node, name: str) -> bool:
        """Whether a node gives what stands in the value of a name: all of these weigh no more than all values."""
        while not isinstance(node, Name):
            if isinstance(node, Select) and not node.tests and not node.optional:
                node = node.operand
            elif isinstance(node, Call) and self._calls[node][0] == "_[_]":
                node = self._calls[node][1][0]
            else:
                return False
        return node.name == name


def _part(weight: float) -> float:
    return weight * 0.1 + 1


def _flat(_weights: list[float]) -> float:
    return 3.0


def _linear(weights: list[float]) -> float:
    return _part(2 * sum(weights)) + 3


def _whole(weights: list[float]) -> float:
    return sum(weights) + 1


def _squared(weights: list[float]) -> float:
    return 2.1 * sum(weights) * sum(weights) + 12  # a power would fail where a product is infinite


def _crossed(weights: list[float]) -> float:
    return 2 * weights[0] * weights[1] + 1


def _shorter(weights: list[float]) -> float:
    return _part(min(weights))


def _contains(weights: list[float]) -> float:
    return _part(weights[0]) * _part(weights[1])


def _searched(weights: list[float]) -> float:
    return _part(1 + weights[0]) * (weights[1] * 0.25 + 1)


_PRICES: Final[Mapping[str, Callable[[list[float]], float]]] = {
    **dict.fromkeys(("_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"), _shorter),
    **dict.fromkeys(("_+_", "bytes", "string", "startsWith", "endsWith", "strings.quote", "format"), _linear),
    **dict.fromkeys(("url", "lowerAscii", "upperAscii", "substring", "trim", "replace", "split"), _linear),
    **dict.fromkeys(("jsonpatch.escapeKey", "cidr", "ip", "isIP", "isCIDR", "ip.isCanonical"), _linear),
    **dict.fromkeys(("quantity", "isQuantity", "semver", "isSemver", "containsIP", "containsCIDR"), _linear),
    **dict.fromkeys(("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf", "@in"), _whole),
    **dict.fromkeys(("slice", "reverse"), lambda weights: sum(weights) + 12),
    **dict.fromkeys(("distinct", "sort"), _squared),
    **dict.fromkeys(("sets.contains", "sets.intersects", "sets.equivalent"), _crossed),
    **dict.fromkeys(("find", "findAll", "matches"), _searched),
    "contains": _contains,
    "join": lambda weights: _part(2 * _joined(weights)),
    "flatten": lambda weights: 12 + weights[0] * (1 if len(weights) == 1 else inf),
    "lists.range": lambda _weights: MAX_ITEMS + 12,
    "validate": lambda weights: _part(1 + weights[1]) * 277,
    **dict.fromkeys(("fieldSelector", "labelSelector"), lambda weights: 70 + 26 * weights[1]),
    "check": lambda _weights: 350_000,
}


def _joined(weights: list[float]) -> float:
    return weights[0] * (1 + sum(weights[1:])) + 1


def _same(weights: list[float]) -> float:
    return sum(weights) + 1


def _scalar(_weights: list[float]) -> float:
    return _SCALAR


def _longer(weights: list[float]) -> float:
    return 4 * sum(weights) + _SCALAR


def _unknown(_weights: list[float]) -> float:
    return inf


def _replaced(weights: list[float]) -> float:
    return (weights[0] + 2) * (weights[2] + 2)


_MADE: Final[Mapping[str, Callable[[list[float]], float]]] = {
    **dict.fromkeys(("_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "!_", "-_", "@in", "_*_", "_/_", "_%_"), _scalar),
    **dict.fromkeys(("size", "startsWith", "endsWith", "contains", "matches", "int", "uint", "double"), _scalar),
    **dict.fromkeys(("bool", "type", "timestamp", "duration", "hasValue", "isSorted", "indexOf", "charAt"), _scalar),
    **dict.fromkeys(("lastIndexOf", "sets.contains", "sets.intersects", "sets.equivalent", "isQuantity"), _scalar),
    **dict.fromkeys(("quantity", "sign", "isGreaterThan", "isLessThan", "compareTo", "asInteger", "add"), _scalar),
    **dict.fromkeys(("asApproximateFloat", "isInteger", "sub", "semver", "isSemver", "major", "minor"), _scalar),
    **dict.fromkeys(("patch", "isURL", "getPort", "ip", "isIP", "ip.isCanonical", "family", "cidr"), _scalar),
    **dict.fromkeys(("isCIDR", "containsIP", "containsCIDR", "prefixLength", "masked", "isLoopback"), _scalar),
    **dict.fromkeys(("format.named", "check", "allowed", "optional.none", "_-_"), _scalar),
    **dict.fromkeys(("string", "bytes", "url", "getScheme", "getHost", "getHostname", "getQuery"), _longer),
    **dict.fromkeys(("split", "findAll", "getEscapedPath", "strings.quote", "upperAscii", "lowerAscii"), _longer),
    "format": lambda weights: weights[0] + (weights[1] + 1) * _DIGITS,
    "join": _joined,
    "replace": _replaced,
    "lists.range": lambda _weights: float(MAX_ITEMS),
    "validate": lambda weights: 1000 + weights[1],
}
_KEEPING: Final = frozenset(
    {
        *("_+_", "_[_]", "_[?_]", "dyn", "optional.of", "optional.ofNonZeroValue", "optional.unwrap", "unwrapOpt"),
        *("value", "or", "orValue", "first", "last", "sum", "max", "min", "slice", "flatten", "sort", "reverse"),
        *("distinct", "substring", "trim", "find", "path", "group", "resource", "subresource", "namespace", "name"),
    }
)
"""Functions whose value weighs no more than what they were given."""
