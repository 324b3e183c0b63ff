"""Expressions tried outside a policy: in its dialect, with its functions, on an input of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.app.ambient import ambient
from bartizan.app.files import read_file
from bartizan.app.pointing import pointed
from bartizan.base.errors import SpecError
from bartizan.base.json import to_text
from bartizan.base.suggest import did_you_mean
from bartizan.lang.jmespath import JmesPathError, NotFoundError, compile_expression, functions_for
from bartizan.lang.jmespath.parse import name_columns, parse
from bartizan.sources.yaml import load_one

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bartizan.base.json import Json
    from bartizan.lang.jmespath.library import Function
    from bartizan.lang.jmespath.parse import Node

_MISSING: Final = "Write `|| 'default'` behind what may be missing."


class Answer(NamedTuple):
    """What one expression gave: a value, or why there is none, with the offending place shown."""

    expression: str
    value: Json
    error: str


def read_expressions(arguments: Sequence[str], files: Sequence[Path], stdin: Callable[[], bytes]) -> list[str]:
    """The expressions that are asked: of files, then those typed; of standard input where there are neither.

    Raises:
        SpecError: a file cannot be read.
    """
    found = [read_file(file).decode(errors="replace").strip() for file in files] + list(arguments)
    return found or [stdin().decode(errors="replace").strip()]


def read_input(path: Path | None, stdin: Callable[[], bytes]) -> Json:
    """The value that expressions are asked of: one document, of a file or of standard input.

    Nothing at all on standard input is null, so that an expression of
    literals can be tried without anything to ask it of.

    Raises:
        SpecError: it cannot be read, or is not one document.
    """
    if path is None or path == Path("-"):
        data = stdin()
        return load_one(data, "<stdin>").body if data.strip() else None
    return load_one(read_file(path), str(path)).body


def query(expressions: Sequence[str], value: Json) -> Iterator[Answer]:
    """Ask every expression; one that fails does not stop the others."""
    functions = functions_for(ambient())
    for text in expressions:
        try:
            yield Answer(text, compile_expression(text, functions)(value), "")
        except SpecError as error:
            yield Answer(text, None, pointed(text, error.message, error.column, error.hint))
        except NotFoundError as error:
            places = name_columns(text, error.key)
            yield Answer(text, None, pointed(text, str(error), places[0] if len(places) == 1 else 0, _MISSING))
        except JmesPathError as error:
            yield Answer(text, None, pointed(text, str(error), 0, ""))


def tree(expression: str) -> Node:
    """The syntax tree, without what the parser keeps for itself.

    Raises:
        SpecError: the expression is malformed; the message shows the place.
    """
    try:
        return _plain(parse(expression))
    except SpecError as error:
        raise SpecError(pointed(expression, error.message, error.column, ""), hint=error.hint) from error


def _plain(node: Node) -> Node:
    made: Node = {"type": node["type"]}
    if "value" in node:
        made["value"] = node["value"]
    if node["children"]:
        made["children"] = [_plain(child) if isinstance(child, dict) else child for child in node["children"]]
    return made


def tree_lines(node: Node, indent: str = "") -> Iterator[str]:
    """A tree for people, a node a line, what is inside further in."""
    value = f" {to_text(node['value'])}" if "value" in node else ""
    yield f"{indent}{node['type'].replace('_', ' ')}{value}"
    for child in node.get("children", ()):
        if isinstance(child, dict):
            yield from tree_lines(child, f"{indent}  ")
        else:
            yield f"{indent}  {to_text(child)}"


def functions(names: Sequence[str]) -> list[Function]:
    """The functions of these names, or all, in the order of their names.

    Raises:
        SpecError: there is none of a name.
    """
    known = functions_for(ambient())
    for name in names:
        if known.get(name) is None:
            raise SpecError(
                f"no function `{name}`", hint=did_you_mean(name, known.names, listed="bartizan jp function")
            )
    return [known[name] for name in names or sorted(known.names)]
