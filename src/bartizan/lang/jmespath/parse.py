"""Text to syntax tree, by the jmespath package's parser, with limits and our errors."""

from __future__ import annotations

import warnings
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from jmespath import exceptions, lexer, parser

from bartizan.base.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterator

Node: TypeAlias = dict[str, Any]
"""`{"type": …, "children": […], "value": …}`, as the package builds it."""

MAX_CHARS: Final = 64 * 1024
"""Longer expressions are refused: real ones are below a kilobyte."""
MAX_DEPTH: Final = 100
"""Deeper trees are refused, well before Python's own stack ends."""
MAX_NODES: Final = 5000
"""Larger trees are refused: Python's compiler would take seconds for them."""
_MAX_QUOTED: Final = 200
_BAD_SYNTAX: Final = "Check brackets and quotes: names in \"…\", text in '…', JSON in `…`."


@lru_cache(maxsize=4096)
def parse(text: str, *, bare_literals: bool = False) -> Node:
    """Parse an expression; `bare_literals` takes `` `word` `` for text, as the language once did and Kyverno does not.

    Raises:
        SpecError: it is malformed, too long or too deep; the message has the column.
    """
    if len(text) > MAX_CHARS:
        raise SpecError(f"expression of {len(text)} characters", hint=f"Keep expressions below {MAX_CHARS} characters.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of bare literals, which are looked for below
            tree: Node = parser.Parser().parse(text).parsed
    except (exceptions.ParseError, exceptions.LexerError, exceptions.EmptyExpressionError) as error:
        position = getattr(error, "lex_position", None)
        column = position + 1 if isinstance(position, int) else 0
        place = f" at column {column}" if column else ""
        message = f"bad JMESPath {quote(text)}{place}: {_reason(error)}"
        raise SpecError(message, hint=_BAD_SYNTAX, column=column) from error
    except (RecursionError, ValueError) as error:
        raise SpecError(f"bad JMESPath {quote(text)}: {error}", hint="Make it shorter and flatter.") from error
    if not bare_literals and "`" in text and _has_bare_literal(text):
        raise SpecError(f"bad JMESPath {quote(text)}: what stands between backticks is not JSON", hint=_BAD_SYNTAX)
    if _is_too_large(tree):
        hint = f"Keep below {MAX_DEPTH} levels and {MAX_NODES} parts."
        raise SpecError(f"bad JMESPath {quote(text)}: too large or too deep", hint=hint)
    return tree


def quote(text: str) -> str:
    """An expression as errors show it, cut where nobody would read on."""
    return f"`{text}`" if len(text) <= _MAX_QUOTED else f"`{text[:_MAX_QUOTED]}…`"


def name_columns(text: str, name: str) -> list[int]:
    """The columns at which a name stands in a well-formed expression, bare or in quotes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # `parse` has dealt with it
        tokens = list(lexer.Lexer().tokenize(text))
    names = ("unquoted_identifier", "quoted_identifier")
    return [token["start"] + 1 for token in tokens if token["type"] in names and token["value"] == name]


def call_columns(text: str) -> Iterator[int]:
    """The columns at which functions are called in a well-formed expression, from left to right."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # `parse` has dealt with it
        tokens = list(lexer.Lexer().tokenize(text))
    for token, follower in pairwise(tokens):
        if token["type"] == "unquoted_identifier" and follower["type"] == "lparen":
            yield token["start"] + 1


def _reason(error: Exception) -> str:
    if isinstance(error, exceptions.IncompleteExpressionError):
        return "it ends where more must follow"
    names = ("message", "msg") if isinstance(error, exceptions.LexerError) else ("msg", "message")
    text = next((found for name in names if (found := getattr(error, name, None))), str(error))
    reason = " ".join(str(text).split())
    return reason[:1].lower() + reason[1:]


def _has_bare_literal(text: str) -> bool:
    # the parser keeps what it has parsed and warns once only; the lexer, which warns of nothing else, each time
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        list(lexer.Lexer().tokenize(text))
    return bool(warned)


def _is_too_large(tree: Node) -> bool:
    level, nodes = [tree], 0
    for _ in range(MAX_DEPTH):
        nodes += len(level)
        level = [child for node in level for child in node["children"] if isinstance(child, dict)]
        if not level:
            return nodes > MAX_NODES
    return True
