"""`validate.foreach`: a rule's judgement on each element of a list, each in a scope of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bartizan.base import pointer as pointers
from bartizan.base.errors import SpecError
from bartizan.base.json import to_text
from bartizan.engines.policy.dialects.kyverno.context import compile_context
from bartizan.engines.policy.dialects.kyverno.preconditions import Verdict, compile_conditions
from bartizan.engines.policy.dialects.kyverno.scope import set_path
from bartizan.engines.policy.dialects.kyverno.spec import ValidateSpec
from bartizan.engines.policy.dialects.kyverno.validate import compile_validate
from bartizan.engines.policy.dialects.kyverno.variables import UnresolvedError, as_text, compile_template
from bartizan.engines.policy.dialects.kyverno.watch import watched_loop
from bartizan.engines.policy.document import list_at, object_at
from bartizan.lang.jmespath import JmesPathError, NotFoundError
from bartizan.model.outcome import PASSED, Broken, Failed, Outcome, Passed
from bartizan.model.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kyverno.scope import Scope
    from bartizan.engines.policy.dialects.kyverno.validate import Judge, ScopeOf
    from bartizan.engines.policy.dialects.kyverno.variables import Compiler
    from bartizan.model.request import Request

    Loop = Callable[[Request, Scope, int], Outcome | None]

_FIELDS: Final = frozenset(
    {"list", "context", "preconditions", "elementScope", "pattern", "anyPattern", "deny", "foreach"}
)
_PATH: Final = re.compile(r"request\.object((?:\.[A-Za-z]\w*)+)(?:\[\])?", re.ASCII)
_NAME: Final = re.compile(r'"([^"]*)"|(\w+)')
_LEVEL_NAMES: Final = tuple((f"element{level}", f"elementIndex{level}") for level in range(16))
_MAX_DEPTH: Final = 8  # loops inside loops; a policy has one or two


def foreach_judge(loops: list[JsonObject], message: str | None, compiler: Compiler, at: str) -> Judge:
    """Judge by every loop in order; the first element that fails decides.

    Raises:
        SpecError: a loop is malformed.
    """
    compiled = [_compile_loop(loop, message, compiler, f"{at}/{index}", 0) for index, loop in enumerate(loops)]

    def judge(request: Request, scope: ScopeOf) -> Outcome | None:
        return _run_loops(compiled, request, scope(), 0)

    return judge


def _run_loops(loops: list[Loop], request: Request, scope: Scope, depth: int) -> Outcome | None:
    """The first failure or error; else a pass, if an element was judged; else why a list could not be read, if one."""
    applied, unread = False, None
    for loop in loops:
        try:
            outcome = loop(request, scope, depth)
        except _ListError as error:
            unread = Broken(f"failed to evaluate list: {error}")
            continue
        if isinstance(outcome, Failed | Broken):
            return outcome
        applied = applied or isinstance(outcome, Passed)
    return PASSED if applied else unread


class _ListError(Exception):
    """The list of a loop has no value, and not for want of a key."""


def _compile_loop(loop: JsonObject, message: str | None, compiler: Compiler, at: str, depth: int) -> Loop:
    loop = object_at(loop, at, _FIELDS)
    if depth > _MAX_DEPTH:
        raise SpecError(f"loops nest deeper than {_MAX_DEPTH}", pointer=at, hint="Flatten them with JMESPath.")
    elements_of = list_reader(loop.get("list", ""), compiler, f"{at}/list")
    loaders = compile_context(loop.get("context"), compiler, f"{at}/context")
    block = loop.get("preconditions")
    conditions = compile_conditions(block, compiler, f"{at}/preconditions") if block else None
    judge = _element_judge(loop, message, compiler, at, depth)
    elements_of, judge = watched_loop(compiler, at, elements_of, judge)
    narrows = False if loop.get("deny") is not None else loop.get("elementScope")
    needs_maps = loop.get("elementScope") is True
    base = _static_pointer(loop.get("list")) if depth == 0 else None  # further in, places are below an element
    fields = _fields_of(loop.get("list"))
    # a plain pattern reads no variables, and making them for each element costs more than judging it
    reads = conditions is not None or narrows is False or "foreach" in loop or "{{" in to_text([loop, message])

    def run(request: Request, scope: Scope, level: int) -> Outcome | None:
        elements = elements_of(scope)
        applied = False
        for index, element in enumerate(elements):
            if element is None:
                continue
            if needs_maps and not isinstance(element, dict):
                return Broken(f"`elementScope: true` is for maps, and element {index} is none")
            inner = scope.nested(element_names(element, index, level, request), loaders) if reads else scope
            narrowed = request if narrows is False else _narrowed(request, element, narrows)
            if conditions is not None and not _holds(conditions, inner):
                continue
            outcome = judge(narrowed, inner, level)
            if outcome is PASSED:
                applied = True
            elif isinstance(outcome, Failed):
                # a pattern that judged the whole resource has said where already
                at_element = (
                    _locate(request, element, base, index, fields)
                    if narrowed is not request or not outcome.pointer
                    else ""
                )
                return Failed(outcome.message, at_element + outcome.pointer, outcome.evidence or f"element {index}")
            elif isinstance(outcome, Broken):
                return outcome
        return PASSED if applied else None

    return run


def _static_pointer(expression: Json) -> str | None:
    """Where the list of a loop stands, when its expression is nothing but a path in the object."""
    match = _PATH.fullmatch(expression) if isinstance(expression, str) else None
    return match.group(1).replace(".", "/") if match else None


def _fields_of(expression: Json) -> frozenset[str] | None:
    """The names an expression mentions, one of which is every key on the way to what it selects; `None` for any key."""
    if not isinstance(expression, str) or "*" in expression or "\\" in expression:
        return None
    return frozenset(quoted or word for quoted, word in _NAME.findall(expression))


def _locate(request: Request, element: Json, base: str | None, index: int, fields: frozenset[str] | None) -> str:
    """Where an element stands; empty where its list was computed and it is no part of the resource."""
    if base is not None:
        return f"{base}/{index}"
    if not isinstance(element, dict):
        return ""
    known: dict[frozenset[str] | None, dict[int, str]] = request.memo.setdefault("places", {})
    places = known.get(fields)
    if places is None:
        places = known[fields] = {}
        _note_places(request.resource.body, "", fields, places)
    return places.get(id(element), "")


def _note_places(value: Json, pointer: str, fields: frozenset[str] | None, places: dict[int, str]) -> None:
    """The pointer of every object in a list, by identity: the resource is shared and stays as it is."""
    if isinstance(value, dict):
        for key in value if fields is None else fields & value.keys():
            item = value[key]
            if item.__class__ is dict or item.__class__ is list:
                _note_places(item, f"{pointer}/{pointers.escape(str(key))}", fields, places)
    else:
        for index, item in enumerate(value):
            if item.__class__ is dict:
                places[id(item)] = f"{pointer}/{index}"
                _note_places(item, f"{pointer}/{index}", fields, places)


def list_reader(text: Json, compiler: Compiler, at: str, *, strict: bool = False) -> Callable[[Scope], list[Json]]:
    """Compile the expression for the list of a loop. A missing key is an empty list, or with `strict` an error."""
    elements = _strict_elements if strict else _elements
    template = compile_template(text, compiler, at=at)
    if template.render is None:
        expression = compiler(as_text(template.value))
        return lambda scope: elements(expression, scope)

    def read(scope: Scope) -> list[Json]:
        late = as_text(template(scope))
        try:
            return elements(compiler(late), scope)
        except SpecError as error:
            raise UnresolvedError(f"failed to resolve `{late}`: {error.message}") from error

    return read


def _elements(expression: Callable[[Scope], Json], scope: Scope) -> list[Json]:
    """The list to loop over; a missing key is an empty list, and a value that is no list is one element."""
    try:
        value = expression(scope)
    except NotFoundError:
        return []
    except JmesPathError as error:
        raise _ListError(error) from error
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _strict_elements(expression: Callable[[Scope], Json], scope: Scope) -> list[Json]:
    try:
        value = expression(scope)
    except JmesPathError as error:
        raise UnresolvedError(f"failed to evaluate list: {error}") from error
    return value if isinstance(value, list) else [value]


def element_names(element: Json, index: int, level: int, request: Request) -> dict[str, Any]:
    """The names that one element of a loop, at a level of loops in loops, is known by; with its recorded values."""
    element_name, index_name = _LEVEL_NAMES[level]
    names: dict[str, Any] = {"element": element, element_name: element, "elementIndex": index, index_name: index}
    if request.foreach_values:
        for path, values in request.foreach_values.items():
            if index < len(values):
                set_path(names, path.split("."), values[index])
    return names


def _narrowed(request: Request, element: Json, narrows: bool | None) -> Request:
    """Patterns judge the element itself where it is an object (and not empty), unless the policy says otherwise."""
    if narrows is False or not isinstance(element, dict) or not element:
        return request
    return msgspec.structs.replace(request, resource=Resource(request.resource.id, element), memo={})


def _holds(conditions: Callable[[Scope], Verdict], scope: Scope) -> bool:
    """Whether an element is judged at all; where that cannot be told, it is not."""
    try:
        return conditions(scope).holds
    except UnresolvedError:
        return False


def _element_judge(
    loop: JsonObject, message: str | None, compiler: Compiler, at: str, depth: int
) -> Callable[[Request, Scope, int], Outcome | None]:
    if loop.get("foreach"):
        inner = [
            _compile_loop(item, message, compiler, f"{at}/foreach/{index}", depth + 1)
            for index, item in enumerate(list_at(loop["foreach"], f"{at}/foreach"))
        ]
        return lambda request, scope, level: _run_loops(inner, request, scope, level + 1)
    spec = ValidateSpec(
        message=message,
        pattern=loop.get("pattern", msgspec.UNSET),
        any_pattern=loop.get("anyPattern", msgspec.UNSET),
        deny=loop.get("deny"),
    )
    judge = compile_validate(spec, compiler, at)
    return lambda request, scope, _level: judge(request, lambda: scope)
