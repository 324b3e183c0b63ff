"""The traced mode: it gives what the quick one gives, and tells which part decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance import ROOT, conformance_dir, find_conformance
from tests.lang.cel import suite
from tests.lang.cel.expressions import DOCUMENTS, EXPRESSIONS, NAMES
from tests.laws import examples

from bartizan.base.errors import SpecError
from bartizan.lang.cel import CelBudgetError, CelError, Environment, compile_expression
from bartizan.lang.cel.library import KUBERNETES
from bartizan.lang.cel.parse import parse
from bartizan.lang.cel.show import value_text
from bartizan.lang.cel.text import texts_of
from bartizan.lang.cel.trace import count, trace
from bartizan.lang.cel.types import DYN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bartizan.lang.cel import Expression
    from bartizan.lang.cel.trace import Counted, Step, Traced

_SUITE = find_conformance("cel-spec")
SPEC = suite.cases(_SUITE) if _SUITE else []
TABLE = yaml.safe_load((ROOT / "tests" / "cases" / "cel" / "traces.yaml").read_text())
ENVIRONMENT = Environment(dict.fromkeys(NAMES, DYN), KUBERNETES)
LIMIT = 10**7


def _quick(expression: Expression, names: Mapping[str, Any]) -> tuple[str, str]:
    try:
        return "value", repr(expression(names))
    except (CelError, CelBudgetError) as error:
        return type(error).__name__, str(error)


def _slow(found: Counted | Traced) -> tuple[str, str]:
    return ("value", repr(found.value)) if found.error is None else (type(found.error).__name__, str(found.error))


@examples(2000)
@given(EXPRESSIONS, st.fixed_dictionaries(dict.fromkeys(NAMES, DOCUMENTS)))
def test_traced_and_quick_give_the_same(text: str, names: dict[str, Any]) -> None:
    """What a walk gives is the value of the emitted function, or its error."""
    try:
        expression = compile_expression(text, ENVIRONMENT)
    except SpecError:
        return
    quick = _quick(expression, names)
    assert _slow(trace(expression, names)) == quick
    assert _slow(count(expression, names, LIMIT)) == quick


@pytest.mark.parametrize("case", SPEC or [None], ids=lambda case: case.id if case else "none")
def test_traced_and_quick_give_the_same_in_the_specification(case: suite.Case | None) -> None:
    conformance_dir("cel-spec")
    assert case is not None
    try:
        expression, names = suite.question(case)
    except SpecError:
        return
    assert _slow(trace(expression, names)) == _quick(expression, names)


@examples(2000)
@given(EXPRESSIONS)
def test_text_of_a_tree_is_read_as_the_same_tree(text: str) -> None:
    """Writing a tree and reading it again changes nothing."""
    try:
        tree = parse(text)
    except SpecError:
        return
    written = texts_of(tree)[tree]
    again = parse(written)
    assert texts_of(again)[again] == written
    assert _shape(again) == _shape(tree)


@pytest.mark.parametrize("case", SPEC or [None], ids=lambda case: case.id if case else "none")
def test_text_of_a_tree_is_read_as_the_same_tree_in_the_specification(case: suite.Case | None) -> None:
    conformance_dir("cel-spec")
    assert case is not None
    (text,) = [value.decode() for key, value in case.message if key == "expr"]
    try:
        tree = parse(text)
    except SpecError:
        return
    assert _shape(parse(texts_of(tree)[tree])) == _shape(tree)


def _shape(node: Any) -> Any:
    """A tree without places, and with numbers that are no number equal to themselves."""
    if isinstance(node, tuple):
        return tuple(map(_shape, node))
    if not hasattr(node, "__slots__") or isinstance(node, (str, int, float, bytes, frozenset)):
        return repr(node)
    return type(node), tuple(_shape(getattr(node, name)) for name in type(node).__slots__ if name != "at")


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["expression"])
def test_trace(case: dict[str, Any]) -> None:
    environment = Environment(dict.fromkeys(TABLE["given"], DYN), KUBERNETES)
    expression = compile_expression(case["expression"], environment)
    step = trace(expression, TABLE["given"]).step
    assert [_shown(item, depth) for item, depth in _flat(step, 0)] == case["steps"]


def _flat(step: Step, depth: int) -> Iterator[tuple[Step, int]]:
    yield step, depth
    for child in step.children:
        yield from _flat(child, depth + 1)


def _shown(step: Step, depth: int) -> str:
    came = "not evaluated" if not step.reached else step.error or value_text(step.value)
    return f"{'>' if step.decided else '.'}{' ' * depth} {step.text} = {came}"


def test_cost_of_a_step_is_its_own_and_what_is_below() -> None:
    environment = Environment(dict.fromkeys(TABLE["given"], DYN), KUBERNETES)
    expression = compile_expression("pod.names.all(n, n.size() > 0) && pod.name == 'web'", environment)
    found = trace(expression, TABLE["given"])
    assert found.step.cost == found.cost == sum(child.cost for child in found.step.children)


def test_steps_are_kept_up_to_a_number() -> None:
    expression = compile_expression("a.all(x, x == 1)", ENVIRONMENT)
    found = trace(expression, {"a": [1] * 50_000, "b": 1, "c": 1})
    assert found.value is True
    assert len(list(_flat(found.step, 0))) <= 20_001
