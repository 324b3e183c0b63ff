"""Text to tokens, by the lexical rules of the language definition."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple, NoReturn

from bartizan.base.errors import SpecError
from bartizan.lang.cel.values import INT_MAX, UINT_MAX, UInt

MAX_CHARS: Final = 100_000
"""Length of an expression, as the reference has it: beyond it a text is no expression but an attack."""

_TOKEN: Final = re.compile(
    r"""
    (?P<blank>(?:[ \t\n\r\f]|//[^\n]*)+)
  | (?P<text>(?P<prefix>[rR][bB]?|[bB][rR]?)?(?P<quote>\"{3}|'{3}|\"|'))
  | (?P<float>\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)
  | (?P<int>(?:0[xX][0-9a-fA-F]+|\d+))(?P<unsigned>[uU])?
  | (?P<name>[_a-zA-Z][_a-zA-Z0-9]*)
  | (?P<escaped>`[a-zA-Z0-9_.\-/ ]+`)
  | (?P<sign>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()\[\]{}])
    """,
    re.VERBOSE | re.ASCII,
)
_BODY: Final = {
    (quote, raw): re.compile(body, re.DOTALL)
    for quote in ('"', "'", '"""', "'''")
    for raw, body in (
        (True, rf".*?{quote}" if len(quote) == 3 else rf"[^\r\n{quote}]*{quote}"),
        (False, rf"(?:[^\\]|\\.)*?{quote}" if len(quote) == 3 else rf"(?:[^\\\r\n{quote}]|\\[^\r\n])*{quote}"),
    )
}
_ESCAPE: Final = re.compile(
    r"\\(?:([abfnrtv\\?\"'`])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.?))", re.DOTALL
)
_SIMPLE: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class Token(NamedTuple):
    """`kind` is `name`, `escaped`, `sign`, `value` or `end`."""

    kind: str
    value: Any
    at: int


def tokens(text: str) -> list[Token]:
    """The tokens of an expression, with one of kind `end` behind them.

    Raises:
        SpecError: a character or literal that the language does not have.
    """
    if len(text) > MAX_CHARS:
        raise SpecError(
            f"an expression of {len(text):,} characters", hint=f"Write one of {MAX_CHARS:,} characters at most."
        )
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            fail(text, at, f"unexpected character `{text[at]}`")
        kind, end = match.lastgroup, match.end()
        if match["quote"] is not None:
            end = _text(text, match, found)
        elif match["int"] is not None:
            found.append(Token("value", _integer(text, match), at))
        elif kind == "float":
            found.append(Token("value", float(match[0]), at))
        elif kind == "escaped":
            found.append(Token("escaped", match[0][1:-1], at))
        elif kind in ("name", "sign"):
            found.append(Token(kind, match[0], at))
        at = end
    found.append(Token("end", "", len(text)))
    return found


def fail(text: str, at: int, problem: str, hint: str = "") -> NoReturn:
    """Refuse an expression, with the column of what is wrong."""
    shown = text if len(text) <= 200 else f"{text[:200]}…"
    raise SpecError(f"{problem} at column {at + 1} of `{shown}`", hint=hint, column=at + 1)


def _integer(text: str, match: re.Match[str]) -> int:
    digits = match["int"]
    if len(digits) > 30:
        fail(text, match.start(), "an integer of more than 64 bits")
    value = int(digits, 16) if digits[1:2] in ("x", "X") else int(digits)
    if match["unsigned"]:
        if value > UINT_MAX:
            fail(text, match.start(), f"`{match[0]}` is beyond 64 bits")
        return UInt(value)
    # one more than the largest is kept: with a minus before it, it is the smallest
    if value > INT_MAX + 1:
        fail(text, match.start(), f"`{match[0]}` is beyond 64 bits", "Add `u` for an unsigned number.")
    return value


def _text(text: str, match: re.Match[str], found: list[Token]) -> int:
    """Read a string or bytes from its opening quotes; says where it ends."""
    prefix, quote = (match["prefix"] or "").lower(), match["quote"]
    body = _BODY[quote, "r" in prefix].match(text, match.end())
    if body is None:
        fail(text, match.start(), "a string that does not end", f"Close it with `{quote}`.")
    inner = body[0][: -len(quote)]
    value: Any = inner if "r" in prefix else _unescape(text, match.end(), inner, as_bytes="b" in prefix)
    if "b" in prefix and isinstance(value, str):
        value = value.encode()
    found.append(Token("value", value, match.start()))
    return body.end()


def _unescape(text: str, start: int, inner: str, *, as_bytes: bool) -> str | bytes:
    parts: list[str] = []
    octets: list[bytes] = []
    at = 0
    for match in _ESCAPE.finditer(inner):
        plain = inner[at : match.start()]
        at = match.end()
        simple, byte, short, long, octal, _wrong = match.groups()
        if simple is not None:
            code = ord(_SIMPLE.get(simple, simple))
        elif byte is not None or octal is not None:
            code = int(byte, 16) if byte is not None else int(octal, 8)
        elif (short or long) and not as_bytes:
            code = int(short or long, 16)
        else:
            fail(text, start + match.start(), f"unknown escape `{match[0]}`")
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            fail(text, start + match.start(), f"`{match[0]}` is no character")
        if as_bytes:
            octets += [plain.encode(), bytes([code])]
        else:
            parts += [plain, chr(code)]
    rest = inner[at:]
    return b"".join([*octets, rest.encode()]) if as_bytes else "".join([*parts, rest])
