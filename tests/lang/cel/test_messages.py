"""Objects of protocol buffers, as a table of expressions and answers, and as bytes of any kind."""

from __future__ import annotations

import contextlib
import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance import ROOT
from tests.lang.cel import messages
from tests.laws import examples

from bartizan.base.errors import SpecError
from bartizan.lang.cel import CelError, Environment, ObjectType, compile_expression
from bartizan.lang.cel.library import FUNCTIONS
from bartizan.lang.cel.messages import Schema, constants_of, constructible_of, read_schema
from bartizan.lang.cel.messages.wire import unpack

CASES = yaml.safe_load((ROOT / "tests" / "cases" / "cel" / "protobuf.yaml").read_text())["cases"]
SCHEMA = messages.schema(strong=False)
_KNOWN = constructible_of(SCHEMA)
_SHORT = {
    "T": "cel.expr.conformance.proto3.TestAllTypes",
    "P": "cel.expr.conformance.proto2.TestAllTypes",
    "A": "google.protobuf.Any",
}


def _constructible(name: str) -> ObjectType | None:
    first, _, rest = name.partition(".")
    return _KNOWN(f"{_SHORT[first]}.{rest}".rstrip(".") if first in _SHORT else name)


_CONSTANTS = constants_of(SCHEMA)
ENVIRONMENT = Environment(
    {},
    FUNCTIONS,
    constructible=_constructible,
    constants={
        f"T.NestedEnum.{name}": _CONSTANTS[f"{_SHORT['T']}.NestedEnum.{name}"] for name in ("FOO", "BAR", "BAZ")
    },
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["expression"])
def test_answer(case: dict[str, Any]) -> None:
    if "refused" in case:
        with pytest.raises(SpecError) as refused:
            compile_expression(case["expression"], ENVIRONMENT)
        assert case["refused"] in str(refused.value)
        return
    run = compile_expression(case["expression"], ENVIRONMENT)
    if "error" in case:
        with pytest.raises(CelError, match=re.escape(case["error"])):
            run({})
        return
    value = run({})
    assert value == case["is"]
    assert type(value) is type(case["is"])


@examples(500)
@given(st.binary(max_size=60), st.sampled_from(sorted(SCHEMA.messages)))
def test_any_bytes_are_an_object_or_an_error_of_the_language(data: bytes, name: str) -> None:
    with contextlib.suppress(CelError):
        value = unpack(SCHEMA, f"x/{name}", data)
        for field in getattr(value, "fields", ()):
            value[field]
        assert [value] == [value] or value != value  # noqa: PLR0124 (an object that holds what is not a number)


def test_objects_within_objects_have_a_bound() -> None:
    data = b""
    for _ in range(3000):
        size = len(data)
        data = b"\x0a" + bytes([size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14]) + data
    with pytest.raises(CelError, match="nest too deep"):
        unpack(SCHEMA, "x/cel.expr.conformance.proto3.NestedTestAllTypes", data)


@pytest.mark.parametrize("field", ["int32", "repeated", "int32 x", "NoSuch 1", "map string 1"])
def test_malformed_description_is_refused(field: str) -> None:
    with pytest.raises(SpecError):
        read_schema(Schema(), {"messages": {"m": {"explicit": True, "fields": {"a": field}}}})
