"""Expressions in their traced mode: every part leaves what it was applied to and the value it had.

The same stages and the same emitter as the fast mode; each part becomes a
function of its own, called by way of a recorder. LAW: both modes give the
same value, or the same error.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final, Literal

from bartizan.lang.jmespath.check import check
from bartizan.lang.jmespath.compile import load_source
from bartizan.lang.jmespath.emit import emit_traced
from bartizan.lang.jmespath.parse import parse
from bartizan.lang.jmespath.spans import SPAN, parse_with_spans

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.base.json import Json
    from bartizan.lang.jmespath.library import Functions
    from bartizan.lang.jmespath.parse import Node

MAX_STEPS: Final = 20_000
"""Steps kept of one evaluation; a projection over a long list would fill the memory with what nobody reads."""


@dataclass(frozen=True, slots=True)
class Part:
    """A sub-expression: its kind of node, its text, and where in the whole it stands, in characters."""

    kind: str
    text: str
    start: int
    end: int


@dataclass(slots=True)
class Step:
    """One evaluation of a part on `given`. With an `error` it has no value; `children` in the order they ran."""

    part: Part
    given: Json
    value: Json = None
    error: str = ""
    children: list[Step] = field(default_factory=list)


class Recorder:
    """Keeps the steps of evaluations, in `steps`; those beyond `MAX_STEPS` are counted in `left_out`."""

    __slots__ = ("_open", "kept", "left_out", "steps")

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.kept = 0
        self.left_out = 0
        self._open = [self.steps]

    def __call__(self, part: Part, function: Callable[[Json], Json], given: Json) -> Json:
        """Evaluate a part, and keep what came of it."""
        step = Step(part, given)
        if self.kept < MAX_STEPS:
            self.kept += 1
            self._open[-1].append(step)
        else:
            self.left_out += 1
        self._open.append(step.children)
        try:
            step.value = function(given)
        except Exception as error:  # whatever ends the evaluation is noted and goes on its way
            step.error = str(error)
            raise
        finally:
            self._open.pop()
        return step.value


@lru_cache(maxsize=512)
def trace_expression(
    text: str, functions: Functions, *, missing: Literal["null", "error"] = "error"
) -> Callable[[Any, Recorder], Json]:
    """Compile an expression to a function of the value it is applied to, and of the recorder of its steps.

    Raises:
        SpecError: the expression is malformed, or calls what is not there.
    """
    tree = parse(text, bare_literals=missing == "null")
    check(tree, text, functions)
    source, constants = emit_traced(
        parse_with_spans(text), functions, strict=missing == "error", part_of=partial(_part, text)
    )
    bind: Callable[[Recorder], Callable[[Any], Json]] = load_source(source, constants, f"traced {text}", "bind")
    return lambda value, recorder: bind(recorder)(value)


def _part(text: str, node: Node) -> Part:
    start, end = node.get(SPAN, (0, 0))
    return Part(node["type"], text[start:end], start, end)
