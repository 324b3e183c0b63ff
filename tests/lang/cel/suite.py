"""The language's own conformance tests: read, run with our compiler, and compared."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tests.lang.cel import messages, textproto
from tests.lang.cel.textproto import every, one

from bartizan.base.errors import SpecError
from bartizan.lang.cel import CelBudgetError, CelError, Environment, compile_expression
from bartizan.lang.cel.declare import Overload, functions_of
from bartizan.lang.cel.library import FUNCTIONS
from bartizan.lang.cel.messages import Schema, constants_of, constructible_of, enumerations_of, type_of
from bartizan.lang.cel.operators import no_overload
from bartizan.lang.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    NULL,
    STRING,
    TIMESTAMP,
    UINT,
    Type,
    list_of,
    map_of,
    wrapper_of,
)
from bartizan.lang.cel.values import Optional, TypeValue, UInt, from_key, key_of

if TYPE_CHECKING:
    from pathlib import Path

    from bartizan.lang.cel import Expression

_PRIMITIVES = {"BOOL": BOOL, "INT64": INT, "UINT64": UINT, "DOUBLE": DOUBLE, "STRING": STRING, "BYTES": BYTES}
_WELL_KNOWN = {"TIMESTAMP": TIMESTAMP, "DURATION": DURATION, "ANY": DYN}
_REFUSED = re.compile("does not take|unknown field|no known object type")
_CONSTRUCTIBLE = {strong: constructible_of(messages.schema(strong=strong)) for strong in (False, True)}


@dataclass(frozen=True)
class Case:
    """One test, with the file, section and name it is known by."""

    file: str
    section: str
    name: str
    message: list[tuple[str, Any]]

    @property
    def id(self) -> str:
        """`file/section/name`."""
        return f"{self.file}/{self.section}/{self.name}"


def cases(folder: Path) -> list[Case]:
    """Every test of the suite."""
    found: list[Case] = []
    for path in sorted(folder.glob("*.textproto")):
        document = textproto.read(path.read_text())
        for section in every(document, "section"):
            title = one(section, "name").decode()
            found += [Case(path.stem, title, one(test, "name").decode(), test) for test in every(section, "test")]
    twice = Counter(case.id for case in found)
    seen: Counter[str] = Counter()
    for place, case in enumerate(found):
        if twice[case.id] > 1:  # a few names stand for two tests
            seen[case.id] += 1
            found[place] = replace(case, name=f"{case.name} ({seen[case.id]})")
    return found


def question(case: Case) -> tuple[Expression, dict[str, Any]]:
    """The expression of a test, and the names it is asked with.

    Raises:
        SpecError: it does not compile.
    """
    test, types = case.message, _types(case)
    names = {
        one(binding, "key").decode(): _value(one(one(binding, "value"), "value"), types)
        for binding in every(test, "bindings")
    }
    return compile_expression(one(test, "expr").decode(), _environment(test, types)), names


def _types(case: Case) -> Schema:
    return messages.schema(strong=case.section.startswith("strong"))


def problem(case: Case) -> str:
    """Why a test does not pass; empty where it does."""
    test, types = case.message, _types(case)
    wanted = one(test, "value")
    typed = one(test, "typed_result")
    if typed is not None:
        wanted = one(typed, "result")
    expected = None if wanted is None else _value(wanted, types)
    deduced = None if typed is None or not one(typed, "deduced_type") else _type(one(typed, "deduced_type"))
    try:
        expression, names = question(case)
    except SpecError as error:
        # operands that do not fit are an error here, and when they come is not what the test is about
        is_wanted = _REFUSED.search(error.message) and one(test, "eval_error") is not None
        return "" if is_wanted else f"compile: {error.message[:150]}"
    if deduced is not None and expression.type != deduced:
        return f"type: {expression.type} instead of {deduced}"
    if one(test, "check_only"):
        return ""
    fails = one(test, "eval_error") is not None or one(test, "any_eval_errors") is not None
    try:
        value = expression(names)
    except (CelError, CelBudgetError) as error:
        return "" if fails else f"error: {error}"
    if fails:
        return f"value: {value!r:.100} instead of an error"
    if wanted is None:
        expected = True
    return "" if _same(value, expected) else f"value: {value!r:.100} instead of {expected!r:.100}"


def _environment(test: list[tuple[str, Any]], types: Schema) -> Environment:
    variables: dict[str, Type] = {}
    functions = functions_of(FUNCTIONS, enumerations_of(types)) if types.strong_enums else dict(FUNCTIONS)
    for declared in every(test, "type_env"):
        name = one(declared, "name").decode()
        if one(declared, "ident") is not None:
            variables[name] = _type(one(one(declared, "ident"), "type"))
            continue
        functions[name] = tuple(
            Overload(
                tuple(map(_type, every(overload, "params"))),
                _type(one(overload, "result_type")),
                no_overload,
                bool(one(overload, "is_instance_function")),
            )
            for overload in every(one(declared, "function"), "overloads")
        )
    container = one(test, "container", b"").decode()
    return Environment(
        variables,
        functions,
        container=container,
        strict=not one(test, "disable_check"),
        constructible=_CONSTRUCTIBLE[types.strong_enums],
        constants=constants_of(types),
    )


def _type(message: list[tuple[str, Any]]) -> Type:  # noqa: C901, PLR0911 (one line for each kind)
    ((kind, value), *_) = message
    match kind:
        case "primitive":
            return _PRIMITIVES[value]
        case "wrapper":
            return wrapper_of(_PRIMITIVES[value])
        case "well_known":
            return _WELL_KNOWN[value]
        case "null":
            return NULL
        case "dyn":
            return DYN
        case "list_type":
            return list_of(_type(one(value, "elem_type")))
        case "map_type":
            return map_of(_type(one(value, "key_type")), _type(one(value, "value_type")))
        case "type_param":
            return Type(f"%{value.decode()}")
        case "abstract_type":
            return Type(one(value, "name").decode(), tuple(map(_type, every(value, "parameter_types"))))
        case "type":
            return Type("type", (_type(value),)) if value else Type("type")
        case "message_type":
            return type_of(value.decode())
        case _:
            raise AssertionError(kind)


def _value(message: list[tuple[str, Any]], types: Schema) -> Any:  # noqa: PLR0911, PLR0912, C901 (one line for each kind)
    ((kind, value), *_) = message
    match kind:
        case "null_value":
            return None
        case "bool_value":
            return value
        case "int64_value":
            return int(value)
        case "uint64_value":
            return UInt(value)
        case "double_value":
            return float(value)
        case "string_value":
            return value.decode()
        case "bytes_value":
            return bytes(value)
        case "list_value":
            return [_value(item, types) for item in every(value, "values")]
        case "map_value":
            return {
                key_of(_value(one(entry, "key"), types)): _value(one(entry, "value"), types)
                for entry in every(value, "entries")
            }
        case "type_value":
            return TypeValue(value.decode())
        case "object_value":
            ((name, fields), *_) = value
            return messages.value_of(types, name.strip("[]").rpartition("/")[2], fields)
        case "enum_value":
            return types.enums[one(value, "type").decode()].made(one(value, "value", 0))
        case _:
            raise AssertionError(kind)


def _same(value: Any, expected: Any) -> bool:
    """Equality of type and value, where a number that is none equals itself."""
    if isinstance(value, Optional):
        value = value.value
    if value.__class__ is not expected.__class__:
        return False
    if isinstance(value, list):
        return len(value) == len(expected) and all(map(_same, value, expected))
    if isinstance(value, dict):
        return {(key.__class__, from_key(key)) for key in value} == {
            (key.__class__, from_key(key)) for key in expected
        } and all(_same(item, expected[key]) for key, item in value.items())
    if isinstance(value, float) and math.isnan(value):
        return math.isnan(expected)
    return bool(value == expected)
