"""What an expression may use: names with their types, and functions with their overloads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
    prepare: Callable[[str], Callable[..., Any] | None] | None = None
    """Makes the function for a last argument that is written out; `None` where that is left to `call`."""
    ambient: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Environment:
    """What expressions of one place may use.

    `variables` may have dotted names. `objects` are the fields of declared
    object types. `container` is the namespace that names are looked up in.
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


def functions_of(
    *tables: Mapping[str, tuple[Overload, ...]],
) -> dict[str, tuple[Overload, ...]]:
    """Several tables as one; overloads of a name that is in more than one are put together."""
    merged: dict[str, tuple[Overload, ...]] = {}
    for table in tables:
        for name, overloads in table.items():
            merged[name] = merged.get(name, ()) + overloads
    return merged
