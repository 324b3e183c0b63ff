"""What an expression may use: names with their types, and functions with their overloads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bartizan.lang.cel.types import INT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.lang.cel.nodes import Node
    from bartizan.lang.cel.types import Type


@dataclass(frozen=True, slots=True)
class Overload:
    """One way to call a function. `call` gets values of just these types, or raises `CelError`.

    A member is called on its first parameter. What `grows` may give a text
    or list as large as what it was given, or larger, and is charged for.
    `ambient` is a name that no expression can write, such as `@world`: its
    value is given to `call` before the arguments, which is how a function
    gets at a clock. All overloads of a function have the same.
    """

    parameters: tuple[Type, ...]
    result: Type
    call: Callable[..., Any]
    member: bool = False
    grows: bool = False
    refuses: Callable[[tuple[Node, ...], Callable[[Node], Type]], str] | None = None
    """Says why a call can only fail, by its operands and their types; empty where it may not."""
    loose: bool = False
    """Whether `call` takes values of any type when it comes to run."""
    prepare: Callable[[str], Callable[..., Any] | None] | None = None
    """Makes the function for a last argument that is written out; `None` where that is left to `call`."""
    ambient: str = ""


@dataclass(frozen=True, slots=True)
class ObjectType:
    """A type whose objects an expression may write out, `Name{field: value}`, and read.

    `field` gives the type of a field, `None` where there is no such field.
    `make` makes an object of the values of fields, or raises `CelError`.
    """

    type: Type
    field: Callable[[str], Type | None]
    make: Callable[[dict[str, Any]], Any]
    fields: tuple[str, ...] = ()
    """Names of fields to suggest for one that is misspelt, where they can be told."""


UNIQUE_KEYS: Final = "unique keys"
"""That a map which is written out has no key twice; without it the last one counts."""
_WELL_KNOWN: Final = "google.protobuf."
_NULL_VALUE: Final = (INT, 0)


def _nothing_constructible(_name: str) -> ObjectType | None:
    return None


@dataclass(frozen=True, slots=True, eq=False)
class Environment:
    """What expressions of one place may use.

    `variables` may have dotted names. `objects` are the fields of declared
    object types that are only read; `constructible` gives the type of a name
    whose objects may be written out as well. `constants` are names with a
    type and a value. `without` is what the language has and this place does
    not: the macros of `cel` and `proto`, `existsOne` of one variable,
    `escaped names`, and `UNIQUE_KEYS`. `container` is the namespace that names are looked up in.
    `strict` refuses at compile time what can have no value; without it, that
    comes out when the expression runs. `homogeneous` refuses lists and maps
    written out with members of several types, as Kubernetes does.
    """

    variables: Mapping[str, Type]
    functions: Mapping[str, tuple[Overload, ...]]
    objects: Mapping[str, Mapping[str, Type]] = field(default_factory=dict)
    container: str = ""
    strict: bool = True
    homogeneous: bool = False
    constructible: Callable[[str], ObjectType | None] = _nothing_constructible
    constants: Mapping[str, tuple[Type, Any]] = field(default_factory=dict)
    without: frozenset[str] = frozenset()

    def object_type(self, name: str) -> ObjectType | None:
        """The type of a name whose objects may be written out; those of `google.protobuf` belong to the language."""
        declared = self.constructible(name)
        if declared is None and name.startswith(_WELL_KNOWN):
            from bartizan.lang.cel.messages import well_known_type  # late: hardly anything names one

            return well_known_type(name)
        return declared

    def constant(self, name: str) -> tuple[Type, Any] | None:
        """The type and value of a name that is a constant."""
        return _NULL_VALUE if name == f"{_WELL_KNOWN}NullValue.NULL_VALUE" else self.constants.get(name)


def functions_of(
    *tables: Mapping[str, tuple[Overload, ...]],
) -> dict[str, tuple[Overload, ...]]:
    """Several tables as one; overloads of a name that is in more than one are put together."""
    merged: dict[str, tuple[Overload, ...]] = {}
    for table in tables:
        for name, overloads in table.items():
            merged[name] = merged.get(name, ()) + overloads
    return merged
