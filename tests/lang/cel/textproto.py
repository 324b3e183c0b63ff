"""Reads the text format of protocol buffers, as far as the language's conformance tests use it.

A message is a list of (field, value) pairs; a value is a message, text,
bytes, a number, a boolean or the name of an enumeration's member.
"""

from __future__ import annotations

import re
from typing import Any

_TOKEN = re.compile(
    r"""(?:\s|\#[^\n]*)*(?:
    (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
  | (?P<name>[A-Za-z_][\w.]*)
  | (?P<any>\[[\w./]+\])
  | (?P<number>-?(?:0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+|inf|nan))
  | (?P<sign>[-{}<>:;,\[\]])
  | (?P<end>\Z))""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_SIMPLE = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}


class Text(bytes):
    """A string or bytes: which of them, the field decides."""


def read(text: str) -> list[tuple[str, Any]]:
    """The fields of a file."""
    tokens: list[tuple[str, str]] = []
    at = 0
    while True:
        match = _TOKEN.match(text, at)
        assert match, f"not textproto at {at}: {text[at : at + 40]!r}"
        tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
        at = match.end()
        if match.lastgroup == "end":
            return _fields(tokens[::-1], "end")


def one(message: list[tuple[str, Any]], field: str, default: Any = None) -> Any:
    """The last value of a field."""
    return next((value for name, value in reversed(message) if name == field), default)


def every(message: list[tuple[str, Any]], field: str) -> list[Any]:
    """All values of a field."""
    return [value for name, value in message if name == field]


def _fields(tokens: list[tuple[str, str]], closing: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    while True:
        kind, name = tokens.pop()
        if closing in (kind, name):
            return found
        if name in (",", ";"):
            continue
        if name == "[":  # `[type.googleapis.com/…]` was not one token
            raise AssertionError(tokens[-1])
        if tokens[-1][1] == ":":
            tokens.pop()
        found += [(name, value) for value in _values(tokens)]


def _values(tokens: list[tuple[str, str]]) -> list[Any]:
    kind, text = tokens.pop()
    if text in ("{", "<"):
        return [_fields(tokens, "}" if text == "{" else ">")]
    if text == "[":
        values: list[Any] = []
        while tokens[-1][1] != "]":
            values += _values(tokens)
            if tokens[-1][1] == ",":
                tokens.pop()
        tokens.pop()
        return values
    if kind == "text":
        parts = [text]
        while tokens[-1][0] == "text":
            parts.append(tokens.pop()[1])
        return [Text(b"".join(_unescape(part[1:-1]) for part in parts))]
    if text == "-":
        return [-float(tokens.pop()[1])]
    if kind == "number":
        return [_number(text)]
    return [{"true": True, "false": False, "inf": float("inf"), "nan": float("nan")}.get(text, text)]


def _number(text: str) -> Any:
    try:
        return int(text, 0) if not text.lstrip("-").startswith("0") or "x" in text.lower() else int(text)
    except ValueError:
        return float(text)


def _unescape(text: str) -> bytes:
    def plain(match: re.Match[bytes]) -> bytes:
        octal, byte, short, long, other = match.groups()
        if octal or byte:
            return bytes([int(octal, 8) if octal else int(byte, 16)])
        return chr(int(short or long, 16)).encode() if short or long else _SIMPLE.get(other, other)

    return _ESCAPE.sub(plain, text.encode())
