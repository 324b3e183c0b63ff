"""The Python that is generated for a rule, piece by piece, as tracebacks and profilers show it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bartizan.app.ambient import ambient
from bartizan.engines.policy.dialects.kyverno.explanation.rule import WatchedRule
from bartizan.lang import jmespath, overlay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from bartizan.app.explain.watched import Watched
    from bartizan.base.json import Json
    from bartizan.engines.policy.cel.listening import Written
    from bartizan.lang.cel import Expression

_CONSTANT: Final = re.compile(r"c\d+")
_LONGEST: Final = 100  # characters of a constant


class GeneratedPiece(NamedTuple):
    """One compiled piece: which rule it is of, what it was written as, and its source."""

    rule: str
    title: str
    source: str


def generated_pieces(rule: Watched) -> Iterator[GeneratedPiece]:
    """Every pattern and expression of a rule in the fast mode, once.

    Those that are known only when the rule runs, with variables filled in,
    are not among them.
    """
    name = str(rule.rule.info.id)
    if not isinstance(rule, WatchedRule):
        yield from _in_cel(name, rule.expressions)
        return
    for at, pattern in rule.watch.patterns:
        if at.startswith(f"{rule.at}/") and _stands_in(pattern, rule.document):
            yield GeneratedPiece(name, f"pattern at {at}", overlay.source_of(pattern))
    functions = jmespath.functions_for(ambient())
    written = list(_texts(rule.document))
    for text in rule.watch.texts:
        if any(text in item for item in written):
            compiled = jmespath.compile_expression(text, functions)
            yield GeneratedPiece(name, f"expression {text}", _with_constants(compiled, functions))
    if rule.cel is not None:
        own = [item for item in rule.cel.expressions if item[0].at.startswith(f"{rule.at}/")]
        yield from _in_cel(name, own)


def _in_cel(rule: str, expressions: Iterable[tuple[Written, Expression]]) -> Iterator[GeneratedPiece]:
    for written, expression in expressions:
        of = f" of exception {written.owner}" if written.owner else ""
        yield GeneratedPiece(rule, f"expression at {written.at}{of}: {expression.text.strip()}", expression.source)


def _with_constants(compiled: Callable[[Any], Json], functions: jmespath.Functions) -> str:
    """The source of an expression, and below it what its constants stand for."""
    calls = {id(functions[name].call): f"the function {name}" for name in functions.names}
    stands = [
        f"# {name} is {calls.get(id(value)) or repr(value)[:_LONGEST]}"
        for name, value in compiled.__globals__.items()
        if _CONSTANT.fullmatch(name)
    ]
    return "\n".join([jmespath.source_of(compiled), *stands, *([""] if stands else [])])


def _stands_in(part: Json, document: Json) -> bool:
    if part == document:
        return True
    items = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    return any(_stands_in(part, item) for item in items)


def _texts(value: Json) -> Iterator[str]:
    """Every text of a document, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(key)
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
