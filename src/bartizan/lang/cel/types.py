"""Types of expressions, and when a value of one may stand for another.

Source: the type-checking rules of the language definition; `dyn` fits
everything, and what it really is comes out when the expression runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Type:
    """A type by its name; a list, map, optional, wrapper or type has parameters. A name with `%` is a variable."""

    name: str
    parameters: tuple[Type, ...] = ()

    def __str__(self) -> str:
        if not self.parameters:
            return self.name.replace("%", "_var")
        inner = ", ".join(map(str, self.parameters))
        return f"wrapper({inner})" if self.name == "wrapper" else f"{self.name}({inner})"


DYN: Final = Type("dyn")
INT: Final = Type("int")
UINT: Final = Type("uint")
DOUBLE: Final = Type("double")
STRING: Final = Type("string")
BYTES: Final = Type("bytes")
BOOL: Final = Type("bool")
NULL: Final = Type("null_type")
TIMESTAMP: Final = Type("google.protobuf.Timestamp")
DURATION: Final = Type("google.protobuf.Duration")
TYPE: Final = Type("type")
A: Final = Type("%A")
B: Final = Type("%B")

PRIMITIVES: Final = frozenset({INT, UINT, DOUBLE, STRING, BYTES, BOOL})
_SCALARS: Final = PRIMITIVES | {NULL, DYN}


def list_of(item: Type) -> Type:
    """The type of a list."""
    return Type("list", (item,))


def map_of(key: Type, value: Type) -> Type:
    """The type of a map."""
    return Type("map", (key, value))


def optional_of(value: Type) -> Type:
    """The type of a value that may be missing."""
    return Type("optional_type", (value,))


def wrapper_of(value: Type) -> Type:
    """The type of a scalar that may be null."""
    return Type("wrapper", (value,))


def is_variable(kind: Type) -> bool:
    """Whether a type stands for one that is not known yet."""
    return kind.name.startswith("%")


class Unifier:
    """What is known about type variables so far."""

    def __init__(self) -> None:
        self._known: dict[str, Type] = {}
        self._fresh = 0

    def fresh(self) -> Type:
        """A type variable that nothing else uses."""
        self._fresh += 1
        return Type(f"%{self._fresh}")

    def instance(self, types: tuple[Type, ...]) -> list[Type]:
        """Types of a declaration, with variables of their own."""
        names: dict[str, Type] = {}

        def renew(kind: Type) -> Type:
            if is_variable(kind):
                if kind.name not in names:
                    names[kind.name] = self.fresh()
                return names[kind.name]
            return Type(kind.name, tuple(map(renew, kind.parameters))) if kind.parameters else kind

        return [renew(kind) for kind in types]

    def resolve(self, kind: Type, *, final: bool = False) -> Type:
        """A type with what is known filled in; `final` makes `dyn` of what is not."""
        if is_variable(kind):
            known = self._known.get(kind.name)
            if known is not None:
                return self.resolve(known, final=final)
            return DYN if final else kind
        if not kind.parameters:
            return kind
        return Type(kind.name, tuple(self.resolve(item, final=final) for item in kind.parameters))

    def fits(self, given: list[Type], wanted: list[Type]) -> bool:
        """Whether values of some types may stand for others; what that says of variables is kept if so."""
        before = dict(self._known)
        if all(self._fits(*pair) for pair in zip(given, wanted, strict=True)):
            return True
        self._known = before
        return False

    def join(self, left: Type, right: Type) -> Type:
        """The type of what is of either type."""
        if self.fits([left], [right]):
            return most_general(left, right)
        return DYN

    def _fits(self, given: Type, wanted: Type) -> bool:  # noqa: PLR0911 (the rules, one after another)
        given, wanted = self._shallow(given), self._shallow(wanted)
        if given == wanted:
            return True
        if is_variable(wanted):
            return self._learn(wanted, given)
        if is_variable(given):
            return self._learn(given, wanted)
        if DYN in (given, wanted):
            return True
        if NULL in (given, wanted):
            return _is_nullable(wanted if given == NULL else given)
        if "wrapper" in (given.name, wanted.name):
            inner = [kind.parameters[0] if kind.name == "wrapper" else kind for kind in (given, wanted)]
            return inner[0] == inner[1]
        if given.name != wanted.name or (given.name != "type" and len(given.parameters) != len(wanted.parameters)):
            return False
        return given.name == "type" or all(map(self._fits, given.parameters, wanted.parameters))

    def _shallow(self, kind: Type) -> Type:
        while is_variable(kind) and kind.name in self._known:
            kind = self._known[kind.name]
        return kind

    def _learn(self, variable: Type, kind: Type) -> bool:
        if self._mentions(kind, variable):
            return False
        self._known[variable.name] = kind
        return True

    def _mentions(self, kind: Type, variable: Type) -> bool:
        kind = self._shallow(kind)
        return kind == variable or any(self._mentions(item, variable) for item in kind.parameters)

    def widen(self, given: list[Type], wanted: list[Type]) -> bool:
        """As `fits`, where a variable that fits two types takes the more general one."""
        before = dict(self._known)
        if all(self._widen(*pair) for pair in zip(given, wanted, strict=True)):
            return True
        self._known = before
        return False

    def _widen(self, given: Type, wanted: Type) -> bool:
        if is_variable(wanted) and wanted.name in self._known:
            held = self._known[wanted.name]
            if not is_variable(held):
                if not self._fits(given, held):
                    return False
                general = most_general(self.resolve(given), self.resolve(held))
                if not self._mentions(general, wanted):
                    self._known[wanted.name] = general
                return True
        if wanted.parameters and given.name == wanted.name and given.name != "type":
            return len(given.parameters) == len(wanted.parameters) and all(
                map(self._widen, given.parameters, wanted.parameters)
            )
        return self._fits(given, wanted)


def most_general(left: Type, right: Type) -> Type:
    """Of two types that fit each other, the one that says less."""
    return left if _says_less(left, right) else right


def _says_less(left: Type, right: Type) -> bool:
    if left == DYN or is_variable(left):
        return True
    if right == DYN or is_variable(right):
        return False
    if left.name != right.name:
        return left.name == "wrapper" or right == NULL
    if len(left.parameters) != len(right.parameters):
        return False
    return all(map(_says_less, left.parameters, right.parameters))


def _is_nullable(kind: Type) -> bool:
    return kind not in _SCALARS and kind.name not in ("list", "map", "type")
