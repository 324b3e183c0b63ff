"""What is wrong with an object, in the words of the API server, and where.

Source: `field.Error` of `k8s.io/apimachinery`, and how the API server makes
one of a finding of `kube-openapi`. A path is linked from its end, so that to
go down a step costs next to nothing and text is made for errors alone.
"""

from __future__ import annotations

from math import isfinite, isnan
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from bartizan.base import pointer
from bartizan.base.json import to_text
from bartizan.base.number import format_float

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bartizan.base.json import Json

Path: TypeAlias = "tuple[Any, str | int] | None"
"""The path above and the last step; `None` is the object itself."""
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\a": "\\a", "\b": "\\b"}
_MORE_ESCAPES: Final = {"\f": "\\f", "\v": "\\v"}
_HTML: Final = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


class Key(str):
    """A step into a map, which most field paths show in brackets."""

    __slots__ = ()


class FieldProblem(NamedTuple):
    """One objection. `field` is the path as the server writes it; what `blocks` keeps rules in CEL from being asked."""

    field: str
    body: str
    pointer: str
    blocks: bool = False

    def __str__(self) -> str:
        return f"{self.field}: {self.body}"


class Omitted:
    """Stands for a value that an error does not show."""


OMITTED: Final = Omitted()


def _steps(path: Path) -> list[str | int]:
    steps: list[str | int] = []
    while path is not None:
        path, step = path
        steps.append(step)
    return steps[::-1]


def field_of(path: Path) -> str:
    """A path as the server writes it: `spec.ports[0].name`, `spec.labels[app]`."""
    text = ""
    for step in _steps(path):
        if step.__class__ is str:
            text = f"{text}.{step}" if text else str(step)
        else:
            text += f"[{step}]"
    return text


def plain_of(path: Path) -> str:
    """The same as the schema's own messages have it, where a map's keys are fields."""
    text = ""
    for step in _steps(path):
        text = f"{text}[{step}]" if step.__class__ is int else f"{text}.{step}" if text else str(step)
    return text


def pointer_of(path: Path) -> str:
    """A path as a JSON pointer."""
    return pointer.join(_steps(path))


def quoted(text: str) -> str:
    """A text as Go's `%q` shows it."""
    return f'"{"".join(map(_quoted, text))}"'


def _quoted(char: str) -> str:
    if " " <= char <= "~" and char not in _ESCAPES:
        return char
    known = _ESCAPES.get(char) or _MORE_ESCAPES.get(char)
    if known:
        return known
    code = ord(char)
    if char.isprintable():
        return char
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x1_0000 else f"\\U{code:08x}"


def number(value: float) -> str:
    """A number as Go's `%v` shows it."""
    if isinstance(value, int):
        return str(value)
    return format_float(value) if isfinite(value) else "NaN" if isnan(value) else f"{'+' if value > 0 else '-'}Inf"


def json_text(value: Json) -> str:
    """A value as JSON; halves of surrogate pairs, which no JSON holds, are replaced."""
    try:
        return to_text(value)
    except TypeError:
        return to_text(_encodable(value))


def _encodable(value: Json) -> Json:
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    return [_encodable(item) for item in value] if isinstance(value, list) else value


def go_text(value: Json) -> str:
    """Any value as Go's `%v` shows it."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{go_text(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(go_text, value))}]"
    return value if isinstance(value, str) else number(value)


def shown(value: Json) -> str:
    """A value as an error shows it: text in quotes, what is not simple as JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, str):
        return quoted(value)
    return json_text(value).translate(_HTML)


def _problem(path: Path, kind: str, value: object, detail: str, *, blocks: bool = False) -> FieldProblem:
    body = kind if value is OMITTED else f"{kind}: {shown(value)}"
    return FieldProblem(field_of(path) or "<nil>", f"{body}: {detail}" if detail else body, pointer_of(path), blocks)


def required(path: Path, detail: str = "") -> FieldProblem:
    """Something is not there that must be."""
    return _problem(path, "Required value", OMITTED, detail, blocks=True)


def invalid(path: Path, value: object, detail: str) -> FieldProblem:
    """A value that is not what it must be."""
    return _problem(path, "Invalid value", value, detail)


def duplicate(path: Path, value: object) -> FieldProblem:
    """A value that is there already."""
    return _problem(path, "Duplicate value", value, "")


def forbidden(path: Path, detail: str) -> FieldProblem:
    """Something that must not be there."""
    return _problem(path, "Forbidden", OMITTED, detail)


def too_long(path: Path, most: int) -> FieldProblem:
    """A text that is too long."""
    return _problem(path, "Too long", OMITTED, _most(most, "may not be more than", "byte", "long"), blocks=True)


def too_many(path: Path, number_of: int, most: int) -> FieldProblem:
    """A list or map that holds too much."""
    return _problem(path, "Too many", number_of, _most(most, "must have at most", "item", "many"), blocks=True)


def _most(most: int, words: str, unit: str, kind: str) -> str:
    if most < 0:
        return "value is too long" if kind == "long" else "has too many items"
    return f"{words} {most} {unit}{'' if most == 1 else 's'}"


# what the schema objects to: these carry the path in their words, too


def of_schema(path: Path, value: object, says: str, *, blocks: bool = False) -> FieldProblem:
    """An objection of the schema; `says` goes behind the path."""
    plain = plain_of(path)
    body = f"Invalid value: {shown('' if value is None else value)}: {plain} in body {says}"
    return FieldProblem(plain or "<nil>", body, pointer_of(path), blocks)


def mistyped(path: Path, value: str, wanted: str) -> FieldProblem:
    """A value of another type or format than the schema wants."""
    return of_schema(path, value, f"must be of type {wanted}: {quoted(value)}", blocks=True)


def missing(path: Path, name: str) -> FieldProblem:
    """A required field that is not there."""
    below = (path, name)
    return FieldProblem(plain_of(below), "Required value", pointer_of(below), blocks=True)


def unsupported(path: Path, value: Json, allowed: Sequence[str]) -> FieldProblem:
    """A value that is none of those that the schema lists."""
    body = f"Unsupported value: {shown(value)}: supported values: {', '.join(map(quoted, allowed))}"
    return FieldProblem(plain_of(path) or "<nil>", body, pointer_of(path), blocks=True)


def overlong(path: Path, most: int) -> FieldProblem:
    """As `too_long`, of the schema."""
    return too_long(path, most)._replace(field=plain_of(path) or "<nil>")


def overfull(path: Path, number_of: int, most: int) -> FieldProblem:
    """As `too_many`, of the schema."""
    return too_many(path, number_of, most)._replace(field=plain_of(path) or "<nil>")


def composed(path: Path, says: str) -> FieldProblem:
    """An objection of `anyOf` and its like, which the server reports without a path of its own."""
    return FieldProblem("<nil>", f'Invalid value: "": {quoted(plain_of(path))} {says}', pointer_of(path))


UNCHECKED: Final = FieldProblem(
    "<nil>",
    "Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation",
    "",
)
"""What the server adds where it did not ask rules in CEL."""
