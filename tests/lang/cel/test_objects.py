"""Objects written out of declared types, as a table of expressions and answers."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import pytest
import yaml
from tests.conformance import ROOT

from bartizan.base.errors import SpecError
from bartizan.lang.cel import CelError, Environment, ObjectType, compile_expression
from bartizan.lang.cel.library import KUBERNETES
from bartizan.lang.cel.types import DYN, INT, STRING, Type, list_of, wrapper_of

TABLE = yaml.safe_load((ROOT / "tests" / "cases" / "cel" / "objects.yaml").read_text())


class Made(dict[str, Any]):
    """An object, which knows its type."""

    def __init__(self, type_name: str, fields: dict[str, Any]) -> None:
        super().__init__(fields)
        self.type_name = type_name


def _point(fields: dict[str, Any]) -> Made:
    if fields.get("x", 0) < 0:
        raise CelError("a point is not negative")
    return Made("geometry.Point", fields)


_FIELDS = {"op": STRING, "path": STRING, "from": STRING, "value": DYN}
_POINT = {"x": INT, "y": wrapper_of(INT), "tags": list_of(STRING)}
_DECLARED = {
    "JSONPatch": ObjectType(Type("JSONPatch"), _FIELDS.get, partial(Made, "JSONPatch"), tuple(_FIELDS)),
    "geometry.Point": ObjectType(Type("geometry.Point"), _POINT.get, _point, tuple(_POINT)),
}


def _constructible(name: str) -> ObjectType | None:
    if name.split(".", maxsplit=1)[0] == "Object":
        return ObjectType(Type(name), lambda _field: DYN, partial(Made, name))
    return _DECLARED.get(name)


ENVIRONMENT = Environment({"object": DYN}, KUBERNETES, container="geometry", constructible=_constructible)


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["expression"])
def test_answer(case: dict[str, Any]) -> None:
    if "refused" in case:
        with pytest.raises(SpecError) as refused:
            compile_expression(case["expression"], ENVIRONMENT)
        assert case["refused"] in str(refused.value)
        return
    run = compile_expression(case["expression"], ENVIRONMENT)
    if "error" in case:
        with pytest.raises(CelError, match=re.escape(case["error"])):
            run(TABLE["given"])
        return
    assert run(TABLE["given"]) == case["is"]
