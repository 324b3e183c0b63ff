"""Nodes back to text: what a part of an expression says, macros as they are written.

LAW: the text of a tree is read as the same tree.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final

from bartizan.lang.cel.nodes import (
    Bind,
    Call,
    Choice,
    Constant,
    ListOf,
    Logic,
    Loop,
    MapOf,
    Message,
    Name,
    Node,
    Select,
)
from bartizan.lang.cel.values import UInt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_CHOICE, _OR, _AND, _RELATION, _SUM, _PRODUCT, _SIGN, _MEMBER = range(8)
_BINARY: Final = {
    **{f"_{sign}_": (sign, _RELATION) for sign in ("==", "!=", "<", "<=", ">", ">=")},
    "@in": ("in", _RELATION),
    **{f"_{sign}_": (sign, _SUM) for sign in ("+", "-")},
    **{f"_{sign}_": (sign, _PRODUCT) for sign in ("*", "/", "%")},
}
_WORD: Final = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*", re.ASCII)
_NO_FIELDS: Final = frozenset({"true", "false", "null", "in"})
_ESCAPES: Final = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_TWO_NAMES: Final = {"exists_one": "existsOne", "map": "transformList"}
_TARGET: Final = "@target"
_SLOT: Final = re.compile(r"@index(\d+)")
_NUMBERED: Final = re.compile(r"@(it|ac):(\d+):(\d+)")


def texts_of(tree: Node) -> Mapping[Node, str]:
    """The text of a tree and of every node in it."""
    writer = _Writer()
    writer.write(tree)
    return writer.texts


def constant_text(value: Any) -> str:
    """A literal of the language."""
    if value is None or value.__class__ is bool:
        return {None: "null", True: "true", False: "false"}[value]
    if value.__class__ is UInt:
        return f"{int(value)}u"
    if value.__class__ is float:
        # no literal says infinity, but one that is too large is read as it
        return repr(value) if math.isfinite(value) else "1e999" if value > 0 else "-1e999"
    if value.__class__ is bytes:
        return "b'" + "".join(f"\\x{octet:02x}" for octet in value) + "'"
    if value.__class__ is str:
        return "'" + "".join(map(_character, value)) + "'"
    return str(value)


def _field(name: str) -> str:
    return name if _WORD.fullmatch(name) and name not in _NO_FIELDS else f"`{name}`"


def _character(letter: str) -> str:
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    return letter if letter.isprintable() else f"\\U{ord(letter):08x}"


class _Writer:
    """Texts of nodes so far, and how tight each one binds."""

    def __init__(self) -> None:
        self.texts: dict[Node, str] = {}
        self._tightness: dict[Node, int] = {}
        self._targets: list[str] = []

    def write(self, node: Node, tightness: int = _CHOICE) -> str:
        """The text of a node, in brackets where its place needs it to bind tighter than it does."""
        if node not in self.texts:
            writer: Callable[[Any], tuple[str, int]] = getattr(self, _WRITERS[node.__class__])
            self.texts[node], self._tightness[node] = writer(node)
        text = self.texts[node]
        return f"({text})" if self._tightness[node] < tightness else text

    def _constant(self, node: Constant) -> tuple[str, int]:
        text = constant_text(node.value)
        return text, _SIGN if text.startswith("-") else _MEMBER

    def _name(self, node: Name) -> tuple[str, int]:
        if node.name == _TARGET:
            return self._targets[-1], _MEMBER
        slot, numbered = _SLOT.fullmatch(node.name), _NUMBERED.fullmatch(node.name)
        if slot:
            return f"cel.index({slot[1]})", _MEMBER
        if numbered:
            return f"cel.{'iterVar' if numbered[1] == 'it' else 'accuVar'}({numbered[2]}, {numbered[3]})", _MEMBER
        return node.name, _MEMBER

    def _select(self, node: Select) -> tuple[str, int]:
        text = f"{self.write(node.operand, _MEMBER)}.{'?' if node.optional else ''}{_field(node.field)}"
        return (f"has({text})" if node.tests else text), _MEMBER

    def _call(self, node: Call) -> tuple[str, int]:
        if node.function in _BINARY:
            sign, tightness = _BINARY[node.function]
            left, right = node.arguments
            return f"{self.write(left, tightness)} {sign} {self.write(right, tightness + 1)}", tightness
        if node.function in ("!_", "-_"):
            (operand,) = node.arguments
            inner = self.write(operand, _MEMBER)
            # a minus before a number would become part of it
            return f"{node.function[0]}{f'({inner})' if inner[0].isdigit() else inner}", _SIGN
        if node.function in ("_[_]", "_[?_]"):
            container, key = node.arguments
            return f"{self.write(container, _MEMBER)}[{'?' * ('?' in node.function)}{self.write(key)}]", _MEMBER
        given = ", ".join(map(self.write, node.arguments))
        target = "" if node.target is None else f"{self.write(node.target, _MEMBER)}."
        return f"{target}{node.function}({given})", _MEMBER

    def _logic(self, node: Logic) -> tuple[str, int]:
        tightness = _OR if node.operator == "||" else _AND
        return f" {node.operator} ".join(self.write(term, tightness + 1) for term in node.terms), tightness

    def _choice(self, node: Choice) -> tuple[str, int]:
        condition, yes = self.write(node.condition, _OR), self.write(node.yes, _OR)
        return f"{condition} ? {yes} : {self.write(node.no)}", _CHOICE

    def _list(self, node: ListOf) -> tuple[str, int]:
        items = (f"{'?' * (place in node.optional)}{self.write(item)}" for place, item in enumerate(node.items))
        return f"[{', '.join(items)}]", _MEMBER

    def _map(self, node: MapOf) -> tuple[str, int]:
        entries = (
            f"{'?' * (place in node.optional)}{self.write(key)}: {self.write(value)}"
            for place, (key, value) in enumerate(node.entries)
        )
        return f"{{{', '.join(entries)}}}", _MEMBER

    def _message(self, node: Message) -> tuple[str, int]:
        fields = (
            f"{'?' * (place in node.optional)}{_field(name)}: {self.write(value)}"
            for place, (name, value) in enumerate(node.fields)
        )
        return f"{node.name}{{{', '.join(fields)}}}", _MEMBER

    def _loop(self, node: Loop) -> tuple[str, int]:
        kind = node.kind if node.second is None else _TWO_NAMES.get(node.kind, node.kind)
        names = [node.first] if node.second is None else [node.first, node.second]
        names = [self.write(Name(node.at, name)) for name in names]
        parts = [self.write(part) for part in (node.condition, node.result) if part is not None]
        return f"{self.write(node.over, _MEMBER)}.{kind}({', '.join([*names, *parts])})", _MEMBER

    def _bind(self, node: Bind) -> tuple[str, int]:
        if node.name == _TARGET and isinstance(node.body, Choice):
            return self._optional_map(node, node.body)
        if _SLOT.fullmatch(node.name):
            slots: list[str] = []
            body: Node = node
            while isinstance(body, Bind) and body.name == f"@index{len(slots)}":
                slots.append(self.write(body.value))
                body = body.body
            if slots:
                return f"cel.block([{', '.join(slots)}], {self.write(body)})", _MEMBER
        return f"cel.bind({node.name}, {self.write(node.value)}, {self.write(node.body)})", _MEMBER

    def _optional_map(self, node: Bind, choice: Choice) -> tuple[str, int]:
        target = self.write(node.value, _MEMBER)
        self._targets.append(target)
        self.write(choice)
        self._targets.pop()
        inner = choice.yes
        flat = isinstance(inner, Bind)
        if isinstance(inner, Call):
            (inner,) = inner.arguments
        assert isinstance(inner, Bind)  # noqa: S101 (the macro makes it so)
        return f"{target}.opt{'Flat' * flat}Map({inner.name}, {self.write(inner.body)})", _MEMBER


_WRITERS: Final = {
    Constant: "_constant",
    Name: "_name",
    Select: "_select",
    Call: "_call",
    Logic: "_logic",
    Choice: "_choice",
    ListOf: "_list",
    MapOf: "_map",
    Message: "_message",
    Loop: "_loop",
    Bind: "_bind",
}
