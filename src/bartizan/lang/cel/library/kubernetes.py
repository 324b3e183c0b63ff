"""The language as the Kubernetes API server 1.35 has it.

That is the standard functions; the extensions strings (edition 2), lists
(edition 3), sets, optional values and comprehensions of two variables; and
what Kubernetes adds. Where the reference differs from the specification, the
server is followed, for what it lets in is what counts.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from bartizan.lang.cel.declare import UNIQUE_KEYS, Environment, functions_of
from bartizan.lang.cel.errors import CelError
from bartizan.lang.cel.library import (
    collections,
    finding,
    formats,
    network,
    optional,
    quantities,
    standard,
    strings,
    urls,
    versions,
)
from bartizan.lang.cel.library.formatting import STRING_CLAUSE
from bartizan.lang.cel.library.kubernetes_formatting import format_as_kubernetes
from bartizan.lang.cel.library.quantities import Amount
from bartizan.lang.cel.library.urls import Url
from bartizan.lang.cel.library.versions import Semver
from bartizan.lang.cel.nodes import Constant, ListOf, Node
from bartizan.lang.cel.types import DURATION, STRING, TIMESTAMP, Type

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.lang.cel.declare import Overload

__all__ = ["KUBERNETES", "WITHOUT", "Amount", "Semver", "Url", "kubernetes_environment"]

WITHOUT: Final = frozenset({"cel", "proto", "escaped names", "existsOne", UNIQUE_KEYS})
"""What the language has and the server does not."""
_CONVERSIONS: Final = ("int", "uint", "double", "bool", "string", "bytes")
_CLAUSE: Final = re.compile(r"%(?:(%)|(?:\.(\d+))?(.)|)", re.DOTALL)
_TEXTS: Final = frozenset({"list", "map", "int", "uint", "double", "bool", "string", "bytes", "type", "null_type"})
_TAKEN: Final[Mapping[str, tuple[str, frozenset[str]]]] = {
    "s": (STRING_CLAUSE, _TEXTS | {TIMESTAMP.name, DURATION.name}),
    "d": ("decimal clause can only be used on integers", frozenset({"int", "uint"})),
    "f": ("fixed-point clause can only be used on doubles", frozenset({"double", "string"})),
    "e": ("scientific clause can only be used on doubles", frozenset({"double", "string"})),
    "b": ("only integers and bools can be formatted as binary", frozenset({"int", "uint", "bool"})),
    "o": ("octal clause can only be used on integers", frozenset({"int", "uint"})),
    "x": (
        "only integers, byte buffers, and strings can be formatted as hex",
        frozenset({"int", "uint", "string", "bytes"}),
    ),
}


def _fails(overload: Overload, said: str = "", *, only: int | None = None) -> Overload:
    """An overload that is refused where arguments that are written out make it fail."""

    def refuses(operands: tuple[Node, ...], _kind_of: Callable[[Node], Type]) -> str:
        given = operands if only is None else operands[only:]
        values = [operand.value for operand in given if isinstance(operand, Constant)]
        if len(values) < len(given):
            return ""
        try:
            overload.call(*([""] * (len(operands) - len(given))), *values)
        except CelError as error:
            return said or str(error)
        return ""

    return replace(overload, refuses=refuses)


def _refused_format(operands: tuple[Node, ...], kind_of: Callable[[Node], Type]) -> str:
    template, values = operands
    if not isinstance(template, Constant) or not isinstance(values, ListOf):
        return ""
    given = [kind_of(item).name for item in values.items]
    clauses = [(verb, places) for percent, places, verb in _CLAUSE.findall(template.value) if not percent]
    for place, (verb, _places) in enumerate(clauses):
        problem = _refused_clause(verb, given[place]) if place < len(given) else f"index {place} out of range"
        if problem:
            return problem
    if len(clauses) < len(given):
        return f"too many arguments supplied to string.format (expected {len(clauses)}, got {len(given)})"
    return ""


def _refused_clause(verb: str, given: str) -> str:
    if not verb:
        return "unexpected end of string"
    if verb not in _TAKEN and verb != "X":
        return f'could not parse formatting clause: unrecognized formatting clause "{verb}"'
    said, taken = _TAKEN[verb.lower()]
    known = given != "dyn" and not given.startswith("%")
    return "" if given in taken or not known else f"error during formatting: {said}, was given {given}"


def _milliseconds(value: Any) -> int:
    """All of a length of time, where the specification has what is beyond its seconds."""
    count = abs(value.nanoseconds) // 10**6
    return -count if value.nanoseconds < 0 else int(count)


def _changed(functions: dict[str, tuple[Overload, ...]]) -> dict[str, tuple[Overload, ...]]:
    """What is of another edition here, and what is looked into where it is written out."""
    changed = dict(functions)
    for name in _CONVERSIONS:
        changed[name] = tuple(_fails(overload) for overload in functions[name])
    for name in ("duration", "timestamp"):
        changed[name] = tuple(_fails(overload, f"invalid {name} argument") for overload in functions[name])
    changed["matches"] = tuple(
        _fails(overload, "invalid matches argument", only=1) for overload in functions["matches"]
    )
    changed["reverse"] = tuple(item for item in functions["reverse"] if item.parameters[0] != STRING)
    changed["format"] = tuple(
        replace(item, call=format_as_kubernetes, refuses=_refused_format) for item in functions["format"]
    )
    for name, find in (("indexOf", strings.index_of), ("lastIndexOf", strings.last_index_of)):
        changed[name] = tuple(
            replace(item, call=find) if item.parameters[0] == STRING else item for item in functions[name]
        )
    changed["getMilliseconds"] = tuple(
        replace(item, call=_milliseconds) if item.parameters == (DURATION,) else item
        for item in functions["getMilliseconds"]
    )
    return changed


KUBERNETES: Final = _changed(
    functions_of(
        standard.FUNCTIONS,
        optional.FUNCTIONS,
        strings.FUNCTIONS,
        collections.EXTENSION,
        collections.SETS,
        collections.KUBERNETES,
        network.FUNCTIONS,
        formats.FUNCTIONS,
        urls.FUNCTIONS,
        finding.FUNCTIONS,
        quantities.FUNCTIONS,
        versions.FUNCTIONS,
    )
)
"""All functions of the server."""


def kubernetes_environment(
    variables: Mapping[str, Type], functions: Mapping[str, tuple[Overload, ...]] | None = None
) -> Environment:
    """The server's environment for expressions that have some variables; `functions` are added to its own.

    Further fields are set with `dataclasses.replace`.
    """
    known = KUBERNETES if functions is None else functions_of(KUBERNETES, functions)
    return Environment(variables, known, homogeneous=True, without=WITHOUT)
