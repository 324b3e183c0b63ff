r"""Templates of a GeneratingPolicy: YAML whose `((…))` are CEL.

A text that is one placeholder and nothing else becomes whatever the
expression gives, a map as well as a number; a placeholder in a longer text
must give a plain value, which is written into it. `\\((` is two brackets.
Source: the peer's `gpol/template`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from bartizan.base.errors import SpecError
from bartizan.base.number import format_float
from bartizan.engines.policy.cel.expressions import compile_at
from bartizan.engines.policy.dialects.kyverno.library.values import to_json
from bartizan.lang.cel import CelBudgetError, CelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.cel.names import Names
    from bartizan.lang.cel import Environment, Expression

Render: TypeAlias = "Callable[[Names], Any]"
"""Makes the value of one part of a template."""

_DOCUMENT_ENDS: Final = re.compile(r"^(?:---|\.\.\.)(?=\s|\Z)", re.MULTILINE)
_OPENS: Final = re.compile(r"\\?\(\(")
_NOTABLE: Final = re.compile(r"[()\"'\\]")
_DEPTH: Final = 200  # nesting that no object of the API comes near
_HINT: Final = "Write each expression as `(( … ))`, and `\\((` for brackets that begin none."


class Placeholder(NamedTuple):
    """An expression in a text."""

    text: str


def scan(text: str) -> list[str | Placeholder]:
    """Take a text apart into what is written and what is worked out.

    Raises:
        SpecError: a placeholder is empty or does not end.
    """
    parts: list[str | Placeholder] = []
    written = ""
    at = 0
    while opens := _OPENS.search(text, at):
        written += text[at : opens.start()]
        if opens.group().startswith("\\"):
            written += "(("
            at = opens.end()
            continue
        ends = _end(text, opens.end())
        inner = text[opens.end() : ends].strip()
        if not inner:
            raise SpecError("empty placeholder", hint=_HINT)
        parts += [written, Placeholder(inner)] if written else [Placeholder(inner)]
        written, at = "", ends + 2
    written += text[at:]
    return [*parts, written] if written else parts


def _end(text: str, start: int) -> int:
    """Where the placeholder that begins at `start` has its closing brackets."""
    depth, quote, at = 0, "", start
    while found := _NOTABLE.search(text, at):
        mark, at = found.group(), found.end()
        if quote:
            if mark == "\\":
                at += 1
            elif mark == quote:
                quote = ""
        elif mark in "\"'":
            quote = mark
        elif mark == "(":
            depth += 1
        elif mark == ")" and depth:
            depth -= 1
        elif mark == ")":
            if text.startswith(")", at):
                return at - 1
            raise SpecError("unbalanced bracket in a placeholder", hint=_HINT)
    raise SpecError("unterminated text in a placeholder" if quote else "unterminated placeholder", hint=_HINT)


def compile_template(
    text: str, environment: Environment | None, parse_yaml: Callable[[str], Json], at: str
) -> Callable[[Names], list[JsonObject]]:
    """Compile a template that stands at `at` to what makes its objects; without `environment` nothing is worked out.

    Raises:
        SpecError: it is no YAML, or holds something other than objects.
    """
    renders: list[Render] = []
    for number, document in enumerate(_documents(text, parse_yaml, at), 1):
        render = _compile(document, environment, _Place(at, f"document {number}"), 0)
        if not isinstance(document, dict) and not (isinstance(document, str) and _is_spliced(document, environment)):
            hint = "Begin it with `apiVersion:` and `kind:`."
            raise SpecError(f"document {number} of the template is no object", pointer=at, hint=hint)
        renders.append(render)
    if not renders:
        raise SpecError("a template without any document", pointer=at, hint="Write the object to be made.")

    def run(names: Names) -> list[JsonObject]:
        return [_object(render, names, number) for number, render in enumerate(renders, 1)]

    return run


def _documents(text: str, parse_yaml: Callable[[str], Json], at: str) -> Iterator[Json]:
    for chunk in _DOCUMENT_ENDS.split(text):
        try:
            document = parse_yaml(chunk)
        except ValueError as error:
            reason = str(error).partition("\n")[0]
            raise SpecError(f"the template is no YAML: {reason}", pointer=at, hint="Mend the text.") from error
        if document is not None:
            yield document


def _is_spliced(text: str, environment: Environment | None) -> bool:
    return environment is not None and len(parts := scan(text)) == 1 and isinstance(parts[0], Placeholder)


def _object(render: Render, names: Names, number: int) -> JsonObject:
    try:
        made = render(names)
    except CelError as error:
        raise CelError(f"failed to render generation template: document {number}: {error}") from error
    if not isinstance(made, dict):
        raise CelError(f"failed to render generation template: document {number}: expected a mapping")
    return made


class _Place(NamedTuple):
    """Where a part of a template is: the template, for a pointer, and the way into it, for people."""

    pointer: str
    way: str

    def error(self, message: str, hint: str = _HINT) -> SpecError:
        return SpecError(f"{message} ({self.way} of the template)", pointer=self.pointer, hint=hint)


def _compile(value: Json, environment: Environment | None, place: _Place, depth: int) -> Render:
    if depth > _DEPTH:
        raise place.error("a template that nests too deep")
    if environment is None or not _has_placeholder(value, depth):
        return lambda _names: value  # shared: what is made of it is never changed in place
    if isinstance(value, dict):
        return _mapping(value, environment, place, depth)
    if isinstance(value, list):
        items = [
            _compile(item, environment, place._replace(way=f"{place.way}, item {index}"), depth + 1)
            for index, item in enumerate(value)
        ]
        return lambda names: [_within(item, f"item {index}", names) for index, item in enumerate(items)]
    return _text(value, environment, place)


def _mapping(value: JsonObject, environment: Environment, place: _Place, depth: int) -> Render:
    fields: list[tuple[str, Render]] = []
    for key, item in value.items():
        if any(isinstance(part, Placeholder) for part in _scanned(key, place)):
            hint = "Let one placeholder give the whole map, such as `labels: (( variables.labels ))`."
            raise place.error(f"`{key}` is a key, which cannot be worked out", hint)
        render = _compile(item, environment, place._replace(way=f"{place.way}, `{key}`"), depth + 1)
        fields.append((key, render))
    return lambda names: {key: _within(render, f'field "{key}"', names) for key, render in fields}


def _within(render: Render, where: str, names: Names) -> Any:
    try:
        return render(names)
    except CelError as error:
        raise CelError(f"{where}: {error}") from error


def _scanned(text: str, place: _Place) -> list[str | Placeholder]:
    try:
        return scan(text)
    except SpecError as error:
        raise place.error(error.message) from error


def _text(text: str, environment: Environment, place: _Place) -> Render:
    parts = _scanned(text, place)
    compiled = [part if isinstance(part, str) else _expression(part, environment, place) for part in parts]
    if len(compiled) == 1:
        only = compiled[0]
        if isinstance(only, str):
            return lambda _names: only
        return lambda names: _spliced(only, names)
    return lambda names: "".join(part if isinstance(part, str) else _written(part, names) for part in compiled)


def _expression(part: Placeholder, environment: Environment, place: _Place) -> Expression:
    try:
        return compile_at(part.text, environment, (), place.pointer)
    except SpecError as error:
        raise place.error(error.message, error.hint) from error


def _value(expression: Expression, names: Names) -> Any:
    try:
        return expression(names)
    except (CelError, CelBudgetError) as error:
        raise CelError(f'failed to evaluate placeholder "{expression.text}": {error}') from error


def _spliced(expression: Expression, names: Names) -> Json:
    value = _value(expression, names)
    if isinstance(value, int) and value.__class__ is not bool:
        return int(value)  # whole, where `to_json` has a text for what a double does not hold
    try:
        return to_json(value)
    except CelError as error:
        raise CelError(f'failed to convert placeholder "{expression.text}" result: {error}') from error


def _written(expression: Expression, names: Names) -> str:
    value = _value(expression, names)
    if value.__class__ is bool:
        return "true" if value else "false"
    if value.__class__ is float:
        return format_float(value)
    if isinstance(value, int):
        return str(int(value))
    made = _spliced(expression, names)
    if isinstance(made, str):
        return made
    kind = "null" if made is None else "a list" if isinstance(made, list) else "a map"
    raise CelError(
        f'placeholder "{expression.text}" embedded in a string must evaluate to a scalar, got {kind}; '
        "use a whole-value placeholder for structured results"
    )


def _has_placeholder(value: Json, depth: int) -> bool:
    if depth > _DEPTH:
        return True  # refused where it is compiled
    if isinstance(value, str):
        return "((" in value
    if isinstance(value, dict):
        return any("((" in key or _has_placeholder(item, depth + 1) for key, item in value.items())
    return isinstance(value, list) and any(_has_placeholder(item, depth + 1) for item in value)
