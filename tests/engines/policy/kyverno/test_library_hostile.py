"""Texts made to be expensive: each ends soon, in a value or an error."""

from __future__ import annotations

import gzip
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from bartizan.engines.policy.dialects.kyverno import library
from bartizan.engines.policy.dialects.kyverno.library.world import MAX_TEXT
from bartizan.engines.policy.lookup import Offline
from bartizan.lang.cel import CelBudgetError, CelError, Environment, compile_expression, functions_of
from bartizan.lang.cel.library import KUBERNETES
from bartizan.lang.cel.types import DYN
from bartizan.lang.jmespath import Ambient
from bartizan.sources.yaml import parse_yaml_text

WORLD = library.World(Offline(), Ambient(lambda: datetime(2026, 1, 1, tzinfo=UTC), lambda: 0.999, parse_yaml_text))
HELD = library.for_kind("ValidatingPolicy")
ENVIRONMENT = Environment({**HELD.variables, "x": DYN}, functions_of(KUBERNETES, HELD.functions), HELD.objects)
LIMIT_S = 20.0  # of a machine with other work to do


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


def shared(levels: int) -> Any:
    value: Any = {"a": "b"}
    for _ in range(levels):
        value = {"a": value, "b": [value]}
    return value


def aliases() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 9)}]" for at in range(1, 12)]
    return "\n".join(lines)


BOMB = gzip.compress(b"\0" * (MAX_TEXT + 1), 9)
TEXT = "x" * 100_000_000
CASES = {
    "a bomb": ("gzip.decompress(x)", BOMB, "more than"),
    "a bomb in parts": ("gzip.decompress(x)", gzip.compress(b"\0" * (MAX_TEXT // 4), 9) * 5, "more than"),
    "many empty members": ("gzip.decompress(x)", gzip.compress(b"") * 5000, "more than 1000 members"),
    "a text too long to compress": ("gzip.compress(x)", TEXT, "more than"),
    "JSON too long": ("json.unmarshal(x)", TEXT, "more than"),
    "JSON nested deep": ("json.unmarshal(x)", "[" * 100_000, "exceeded max depth"),
    "a number of a million digits": ("json.unmarshal(x)", "1" * 1_000_000, "cannot unmarshal number"),
    "a value nested deep": ("json.marshal(x)", nested(5000), "nests too deep"),
    "a posted value nested deep": ("http.post('https://a.example', x)", nested(5000), "nests too deep"),
    "YAML too long": ("yaml.parse(x)", TEXT, "more than"),
    "YAML nested deep": ("yaml.parse(x)", "[" * 100_000, "error converting YAML to JSON"),
    "an alias bomb": ("yaml.parse(x)", aliases(), "error converting YAML to JSON"),
    "a reference of 100 MB": ("image(x)", TEXT, "could not parse reference"),
    "PEM of 100 MB": ("x509.decode(x)", TEXT, "failed to decode PEM block"),
    "many beginnings": ("x509.decode(x)", "-----BEGIN A-----\n" * 50_000, "failed to decode PEM block"),
    "authorities of 100 MB": ("http.client(x)", TEXT, "failed to parse PEM CA bundle"),
    "a pattern that repeats repetitions": ("random(x)", "((a{999}){999}){999}", "at most"),
    "a pattern of parentheses": ("random(x)", "(" * 100_000, "nests too deep"),
    "a name that is a path": ("resource.get('v1', 'pods', 'a', x)", "../../secrets", "invalid resource name"),
    "a kind with two slashes": ("resource.toGVR(x, 'Pod')", "a/b/c", "unexpected GroupVersion string"),
}


@pytest.mark.parametrize(
    "expression", ["json.marshal(x)", "http.post('https://a.example', x)", "resource.post('v1', 'pods', 'n', x)"]
)
def test_value_that_holds_itself_many_times_ends_soon(expression: str) -> None:
    run = compile_expression(expression, ENVIRONMENT)
    started = time.monotonic()
    with pytest.raises(CelBudgetError, match="too large"):
        run({"x": shared(60), **{key: make() for key, make in library.contexts(WORLD).items()}})
    assert time.monotonic() - started < LIMIT_S


@pytest.mark.parametrize("name", CASES)
def test_ends_soon(name: str) -> None:
    expression, given, said = CASES[name]
    run = compile_expression(expression, ENVIRONMENT)
    started = time.monotonic()
    with pytest.raises(CelError, match=said) as caught:
        run({"x": given, **{key: make() for key, make in library.contexts(WORLD).items()}})
    assert time.monotonic() - started < LIMIT_S
    assert len(str(caught.value)) < 2000


def test_a_long_text_is_digested() -> None:
    run = compile_expression("sha256(x)", ENVIRONMENT)
    assert len(run({"x": TEXT})) == 64
