"""The traced mode: what it says of each part, and that it answers as the fast mode does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from tests.conformance import conformance_dir
from tests.lang.jmespath.answers import FUNCTIONS
from tests.lang.jmespath.expressions import DOCUMENTS, EXPRESSIONS
from tests.laws import examples

from bartizan.base.errors import SpecError
from bartizan.lang.jmespath import JmesPathError, compile_expression, source_of, standard_functions
from bartizan.lang.jmespath.parse import parse
from bartizan.lang.jmespath.runtime import equal
from bartizan.lang.jmespath.spans import SPAN, parse_with_spans
from bartizan.lang.jmespath.trace import MAX_STEPS, Recorder, Step, trace_expression

STANDARD = standard_functions()
POD = {"spec": {"containers": [{"name": "web", "image": "shop/web"}, {"name": "log"}]}}


def _fast(text: str, document: Any, *, standard: bool) -> dict[str, Any]:
    try:
        if standard:
            return {"result": compile_expression(text, STANDARD, missing="null")(document)}
        return {"result": compile_expression(text, FUNCTIONS)(document)}
    except (SpecError, JmesPathError) as error:
        return {"error": str(error), "type": type(error)}


def _traced(text: str, document: Any, *, standard: bool) -> dict[str, Any]:
    recorder = Recorder()
    try:
        if standard:
            return {"result": trace_expression(text, STANDARD, missing="null")(document, recorder)}
        return {"result": trace_expression(text, FUNCTIONS)(document, recorder)}
    except (SpecError, JmesPathError) as error:
        return {"error": str(error), "type": type(error)}


def _same(text: str, document: Any, *, standard: bool) -> None:
    fast, traced = _fast(text, document, standard=standard), _traced(text, document, standard=standard)
    if "result" not in fast or "result" not in traced:
        assert fast == traced
    else:
        assert equal(fast["result"], traced["result"]), f"{text}: {fast} is not {traced}"


def test_answers_as_the_fast_mode_on_the_compliance_suite() -> None:
    """LAW: both modes give the same value or the same error, in both dialects."""
    for file in sorted(conformance_dir("jmespath").glob("*.json")):
        for group in json.loads(file.read_text()):
            for case in group["cases"]:
                _same(case["expression"], group["given"], standard=True)
                _same(case["expression"], group["given"], standard=False)


@examples(1500)
@given(EXPRESSIONS, DOCUMENTS)
@example("a.b.c", {"a": {"b": None}})
@example("a.b.c", {"a": {"x": None}})
@example("sort_by(@, &a.b)", [{"a": {"b": 2}}, {"a": {"b": 1}}, {}])
def test_answers_as_the_fast_mode(text: str, document: Any) -> None:
    """LAW: both modes give the same value or the same error."""
    _same(text, document, standard=False)
    _same(text, document, standard=True)


@examples(800)
@given(EXPRESSIONS)
@example("  a . b [ 0 ] || {x: 'y' , z: `1` } ")
@example("a.[b, c].{x: d}[?e == '1'] | length(@)")
def test_text_of_a_part_is_that_part(text: str) -> None:
    """LAW: what stands in a part's span parses to that part."""
    try:
        plain = parse(text)
    except SpecError:
        return
    tree = parse_with_spans(text)
    assert _without_spans(tree) == plain
    for node in _nodes(tree):
        if SPAN in node and node["type"] not in ("index", "slice", "expref", "key_val_pair"):
            start, end = node[SPAN]
            # behind a dot `[*]` is a list of one, which it is not alone
            behind_dot = parse(f"@.{text[start:end]}")["children"][1:] if node["type"] == "multi_select_list" else []
            assert _without_spans(node) in (parse(text[start:end]), *behind_dot), text[start:end]


def test_every_part_has_its_value() -> None:
    steps = _steps("spec.containers[?image == 'shop/web'].name", POD)
    assert ("image == 'shop/web'", True, "") in steps
    assert ("image == 'shop/web'", False, "") in steps
    assert ("image", None, "unknown key `image`") in steps
    assert steps[0] == ("spec.containers[?image == 'shop/web'].name", ["web"], "")


def test_the_part_that_failed_has_the_error() -> None:
    steps = _steps("spec.volumes[0].name", POD)
    assert steps[0] == ("spec.volumes[0].name", None, "unknown key `volumes`")
    assert steps[-1] == ("volumes", None, "unknown key `volumes`")


def test_an_error_of_lazy_values_is_noted_and_passed_on() -> None:
    class Lazy(dict[str, Any]):
        def __missing__(self, key: str) -> Any:
            raise LookupError("no answer")

    recorder = Recorder()
    with pytest.raises(LookupError):
        trace_expression("a || b", FUNCTIONS)(Lazy(), recorder)
    assert recorder.steps[0].error == "no answer"


def test_steps_are_bounded() -> None:
    recorder = Recorder()
    value = trace_expression("[*].[@, @, @]", FUNCTIONS)(list(range(MAX_STEPS)), recorder)
    assert len(value) == MAX_STEPS
    assert recorder.kept == MAX_STEPS
    assert recorder.left_out > 0


def test_source_is_what_was_generated() -> None:
    assert "def expression(value):" in source_of(compile_expression("a.b", FUNCTIONS))
    assert source_of(len) == ""  # type: ignore[arg-type]  # any callable may be asked about


def _steps(text: str, document: Any) -> list[tuple[str, Any, str]]:
    recorder = Recorder()
    try:
        trace_expression(text, FUNCTIONS)(document, recorder)
    except JmesPathError:
        assert recorder.steps[0].error
    return [(step.part.text, step.value, step.error) for root in recorder.steps for step in _all(root)]


def _all(step: Step) -> list[Step]:
    return [step, *(below for child in step.children for below in _all(child))]


def _without_spans(node: Any) -> Any:
    if isinstance(node, dict) and "children" in node:
        kept = {key: value for key, value in node.items() if key != SPAN}
        return {**kept, "children": [_without_spans(child) for child in node["children"]]}
    return node


def _nodes(node: Any) -> list[Any]:
    if not isinstance(node, dict) or "children" not in node:
        return []
    return [node, *(below for child in node["children"] for below in _nodes(child))]
