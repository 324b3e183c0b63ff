"""Variables in policies: `{{ expression }}` in any key or leaf of a document, compiled to a renderer.

A document without variables costs nothing at run time. A leaf that is one
variable keeps the type of its value; inside a longer text other values than
text are written as JSON. Innermost braces resolve first, so an expression
may be built from another one.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bartizan.base.errors import SpecError
from bartizan.base.json import to_text
from bartizan.lang.jmespath import JmesPathError, roots_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.base.json import Json

    Scope = Mapping[str, Any]
    Render = Callable[[Scope], Json]
    Compiler = Callable[[str], Callable[[Any], Json]]

_VARIABLE: Final = re.compile(r"(^|[^\\])(\{\{(?:\{[^{}]*\}|[^{}])*\}\})", re.DOTALL)
_REFERENCE: Final = re.compile(r"(^|[^\\])(\$\((\.[^ ()]*)\))")
_AMBIENT: Final = re.compile(r"random|time_now|time_since")
_ESCAPED: Final = re.compile(r"\\(\{\{|\$\()")
_ANCHOR: Final = re.compile(r"^[+<=X^]?\((.+)\)$")
_OPERATOR: Final = re.compile(r"^(<=|>=|<|>|!)")
MAX_ROUNDS: Final = 64
"""Times one text may be substituted again; a variable whose value contains itself would never end."""
MAX_VARIABLES: Final = 1000
MAX_CHARS: Final = 2 << 20
"""How many variables one text may come to have, and how long it may get: values may hold variables of their own."""


class UnresolvedError(Exception):
    """A variable has no value for this request. An outcome, not a crash."""


class Template(NamedTuple):
    """A document with holes. `render` is `None` where there is nothing to fill in and `value` is all."""

    value: Json
    render: Render | None

    def __call__(self, scope: Scope) -> Json:
        """The document with every variable replaced.

        Raises:
            UnresolvedError: a variable has no value.
        """
        return self.value if self.render is None else self.render(scope)


def compile_template(document: Json, compile_expression: Compiler, *, at: str = "") -> Template:
    """Compile all keys and leaves of `document`, which stands at the JSON pointer `at` of its policy.

    Raises:
        SpecError: an expression is malformed.
    """
    resolved = resolve_references(document, at)
    render = _compile(resolved, compile_expression, at)
    return Template(_unescape_all(resolved) if render is None else resolved, render)


def has_variables(text: str) -> bool:
    """Whether a text holds a variable that is not escaped."""
    return "{{" in text and _VARIABLE.search(text) is not None


def variables_in(text: str) -> list[tuple[str, str]]:
    """The variables of a text, as they are written and as expressions; of those inside each other, the innermost."""
    if "{{" not in text:
        return []
    found = [match.group(2) for match in _VARIABLE.finditer(text)]
    return [(variable, variable[2:-2].strip().removeprefix("-").strip()) for variable in found]


def reads_only(document: Json, names: frozenset[str]) -> bool:
    """Whether the variables of a document read nothing but these names, nor the clock or chance."""
    if isinstance(document, dict):
        return all(reads_only(key, names) and reads_only(item, names) for key, item in document.items())
    if isinstance(document, list):
        return all(reads_only(item, names) for item in document)
    if not isinstance(document, str) or "{{" not in document:
        return True
    inner = [match.group(2)[2:-2].strip().removeprefix("-") for match in _VARIABLE.finditer(document)]
    try:
        return all("{{" not in text and not _AMBIENT.search(text) and roots_of(text) <= names for text in inner)
    except SpecError:
        return False


def _compile(value: Json, compiler: Compiler, at: str) -> Render | None:
    if isinstance(value, str):
        return _compile_text(value, compiler, at) if has_variables(value) else None
    if isinstance(value, dict):
        return _compile_dict(value, compiler, at)
    if isinstance(value, list):
        renders = [_compile(item, compiler, f"{at}/{index}") for index, item in enumerate(value)]
        if not any(renders):
            return None
        items = [_or_constant(render, item) for render, item in zip(renders, value, strict=True)]
        return lambda scope: [item(scope) for item in items]
    return None


def _compile_dict(value: dict[str, Json], compiler: Compiler, at: str) -> Render | None:
    keys = [_compile(str(key), compiler, at) for key in value]
    values = [_compile(item, compiler, f"{at}/{key}") for key, item in value.items()]
    if not any(keys) and not any(values):
        return None
    pairs = [
        (_or_constant(key, name), _or_constant(render, item))
        for key, render, (name, item) in zip(keys, values, value.items(), strict=True)
    ]
    if any(keys):
        return lambda scope: {as_text(key(scope)): item(scope) for key, item in pairs}
    named = [(name, item) for name, (_, item) in zip(value, pairs, strict=True)]
    return lambda scope: {name: item(scope) for name, item in named}


def _or_constant(render: Render | None, value: Json) -> Render:
    if render is not None:
        return render
    constant = _unescape_all(value)
    return lambda _scope: constant


def _compile_text(text: str, compiler: Compiler, at: str) -> Render:
    """Compile one text; the usual whole-text variable is bound once, here."""
    whole = _whole_variable(text)
    if whole is not None:
        expression = _bind(whole, compiler, at)
        name = whole.removeprefix("-").strip()

        def render_whole(scope: Scope) -> Json:
            try:
                return expression(scope)
            except JmesPathError as error:
                raise UnresolvedError(f"failed to resolve `{name}`: {error}") from error

        return render_whole
    for match in _VARIABLE.finditer(text):
        inner = match.group(2)[2:-2].strip()
        if "{{" not in inner and f"{{{match.group(2)}" not in text:
            _bind(inner, compiler, at)  # refuses a malformed expression when the policy is loaded
    return lambda scope: _substitute(text, compiler, scope)


def _bind(inner: str, compiler: Compiler, at: str) -> Callable[[Any], Json]:
    try:
        return compiler(inner.removeprefix("-").strip())
    except SpecError as error:
        raise SpecError(error.message, hint=error.hint, pointer=error.pointer or at) from error


def _whole_variable(text: str) -> str | None:
    match = _VARIABLE.fullmatch(text)
    return match.group(2)[2:-2].strip() if match and not match.group(1) else None


def _substitute(text: str, compiler: Compiler, scope: Scope) -> Json:
    left = MAX_VARIABLES
    for _ in range(MAX_ROUNDS):
        matches = list(_VARIABLE.finditer(text))
        if not matches:
            return unescape(text)
        whole = _whole_variable(text)
        if whole is not None:
            return _evaluate(_late(whole, compiler), whole, scope)
        shallow = False
        for match in matches:
            variable = match.group(2)
            inner = variable[2:-2].strip()
            shallow = shallow or inner.startswith("-")
            value = _evaluate(_late(inner, compiler), inner, scope)
            text = text.replace(variable, as_text(value), 1)
            left -= 1
            if left < 0 or len(text) > MAX_CHARS:
                raise UnresolvedError(f"too many variables, or too long a text: `{text[:80]}`")
        if shallow:
            return unescape(text)
    raise UnresolvedError(f"variables in `{text[:80]}` never come to an end")


def _late(inner: str, compiler: Compiler) -> Callable[[Any], Json]:
    """Compile an expression that was only known at run time."""
    try:
        return compiler(inner.removeprefix("-").strip())
    except SpecError as error:
        raise UnresolvedError(f"failed to resolve `{inner}`: {error.message}") from error


def _evaluate(expression: Callable[[Any], Json], name: str, scope: Scope) -> Json:
    try:
        return expression(scope)
    except JmesPathError as error:
        raise UnresolvedError(f"failed to resolve `{name}`: {error}") from error


def as_text(value: Json) -> str:
    """Write a value into a longer text: text as it is, all else as JSON with sorted keys."""
    return value if isinstance(value, str) else to_text(value)


def unescape(text: str) -> str:
    r"""Turn `\{{` and `\$(` into what they escape."""
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text


def _unescape_all(value: Json) -> Json:
    if isinstance(value, str):
        return unescape(value)
    if isinstance(value, dict):
        return {unescape(str(key)): _unescape_all(item) for key, item in value.items()}
    return [_unescape_all(item) for item in value] if isinstance(value, list) else value


def resolve_references(document: Json, at: str) -> Json:
    """Replace `$(./../path)` references: relative paths to other values of the same document.

    A comparison operator in front of the reference is kept.

    Raises:
        SpecError: a reference leads nowhere.
    """
    return _references(document, document, [], at) if _mentions_reference(document) else document


def _mentions_reference(value: Json) -> bool:
    if isinstance(value, str):
        return "$(" in value and _REFERENCE.search(value) is not None
    if isinstance(value, dict):
        return any(_mentions_reference(item) for item in value.values())
    return isinstance(value, list) and any(_mentions_reference(item) for item in value)


def _references(value: Json, document: Json, path: list[str | int], at: str) -> Json:
    if isinstance(value, dict):
        return {key: _references(item, document, [*path, key], at) for key, item in value.items()}
    if isinstance(value, list):
        return [_references(item, document, [*path, index], at) for index, item in enumerate(value)]
    if not isinstance(value, str):
        return value
    text = value
    for match in _REFERENCE.finditer(value):
        target = _follow(document, path, match.group(3), at)
        prefix = _OPERATOR.match(value)
        if value == match.group(2):
            return target
        if prefix and value == prefix.group(1) + match.group(2):
            return prefix.group(1) + as_text(target)
        text = text.replace(match.group(2), as_text(target), 1)
    return text


def _follow(document: Json, path: list[str | int], reference: str, at: str) -> Json:
    steps = [_plain(str(step)) for step in path]
    for part in reference.split("/"):
        if part == "..":
            steps = steps[:-1]
        elif part != ".":
            steps.append(_plain(part))
    value = document
    for step in steps:
        found = _child(value, step)
        if found is None:
            hint = "Count the `..` steps from the value that holds the reference."
            raise SpecError(f"reference `$({reference})` leads nowhere", pointer=at, hint=hint)
        value = found[0]
    return value


def _child(value: Json, step: str) -> tuple[Json] | None:
    if isinstance(value, dict):
        return next(((item,) for key, item in value.items() if _plain(str(key)) == step), None)
    if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
        return (value[int(step)],)
    return None


@lru_cache(maxsize=1024)
def _plain(key: str) -> str:
    """A key without its anchor."""
    match = _ANCHOR.match(key)
    return match.group(1) if match else key
