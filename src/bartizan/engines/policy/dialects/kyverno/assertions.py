r"""Assertion trees (`validate.assert`): a tree in which every leaf must equal what it stands beside.

Source: the kyverno-json documentation. A key `(expr)` is evaluated as
JMESPath on the value at hand, `~.key` asserts every element, `key->name`
binds what it finds to `$name`, and `\(…)\` is a key that only looks like an
expression.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from bartizan.base.errors import SpecError
from bartizan.base.json import to_text
from bartizan.engines.policy.dialects.kyverno.watch import watch_of
from bartizan.lang.jmespath import JmesPathError
from bartizan.lang.jmespath.runtime import equal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.base.json import Json
    from bartizan.engines.policy.dialects.kyverno.variables import Compiler

    Check = Callable[[Json, Mapping[str, Any], str], list[str]]

_KEY: Final = re.compile(
    r"(?P<each>~(?P<index>\w*)\.)?(?:\\(?P<escaped>.+)\\|\((?P<expression>.+?)\)|(?P<plain>.+?))(?:->(?P<bind>\w+))?",
    re.DOTALL,
)
_BINDING: Final = re.compile(r"\$(\w+)")
_MAX_DEPTH: Final = 40


def compile_assertion(
    tree: Json, compiler: Compiler, *, at: str = ""
) -> Callable[[Json, Mapping[str, Any]], list[str]]:
    """Compile a tree to a function that lists what does not hold, each with its path.

    Raises:
        SpecError: an expression in it is malformed, or it nests too deep.
    """
    check = _compile(tree, compiler, at, 0)
    return lambda value, bindings: check(value, dict(bindings), "")


def _compile(tree: Json, compiler: Compiler, at: str, depth: int) -> Check:
    if depth > _MAX_DEPTH:
        raise SpecError(f"assertion nests deeper than {_MAX_DEPTH} levels", pointer=at, hint="Split the rule.")
    if isinstance(tree, dict):
        return _map([_entry(str(key), item, compiler, f"{at}/{key}", depth) for key, item in tree.items()])
    if isinstance(tree, list):
        return _list([_compile(item, compiler, f"{at}/{i}", depth + 1) for i, item in enumerate(tree)])
    return _leaf(tree, compiler)


def _map(entries: list[Check]) -> Check:
    def check(value: Json, bindings: Mapping[str, Any], path: str) -> list[str]:
        return [error for entry in entries for error in entry(value, bindings, path)]

    return check


def _list(items: list[Check]) -> Check:
    def check(value: Json, bindings: Mapping[str, Any], path: str) -> list[str]:
        if not isinstance(value, list):
            return [f"{path or '/'}: is not a list"]
        if len(value) != len(items):
            return [f"{path or '/'}: has {len(value)} elements, not {len(items)}"]
        pairs = enumerate(zip(items, value, strict=True))
        return [error for i, (item, element) in pairs for error in item(element, bindings, f"{path}/{i}")]

    return check


def _leaf(expected: Json, compiler: Compiler) -> Check:
    expression = None
    if isinstance(expected, str) and expected.startswith("(") and expected.endswith(")"):
        expression = expected[1:-1]
        compiler(_BINDING.sub(r"\1", expression))

    def check(value: Json, bindings: Mapping[str, Any], path: str) -> list[str]:
        try:
            wanted = expected if expression is None else _evaluate(expression, compiler, value, bindings)
        except JmesPathError as error:
            return [f"{path or '/'}: {error}"]
        if equal(value, wanted):
            return []
        return [f"{path or '/'}: is `{to_text(value)[:200]}`, not `{to_text(wanted)[:200]}`"]

    return check


def _entry(key: str, child: Json, compiler: Compiler, at: str, depth: int) -> Check:
    match = _KEY.fullmatch(key)
    if match is None:
        raise SpecError(f"bad assertion key `{key}`", pointer=at, hint="Write `key`, `(expression)` or `~.key`.")
    each, index, bind = match["each"], match["index"], match["bind"]
    expression, name = match["expression"], match["escaped"] or match["plain"]
    if expression is not None:
        compiler(_BINDING.sub(r"\1", expression))
    inner = _compile(child, compiler, at, depth + 1)

    def check(value: Json, bindings: Mapping[str, Any], path: str) -> list[str]:
        where = f"{path}/{name or f'({expression})'}"
        try:
            found = _evaluate(expression, compiler, value, bindings) if expression is not None else _child(value, name)
        except JmesPathError as error:
            return [f"{where}: {error}"]
        scope = {**bindings, bind: found} if bind else bindings
        if not each:
            return inner(found, scope, where)
        if not isinstance(found, list | dict):
            return [f"{where}: is nothing to go through"]
        members = found.items() if isinstance(found, dict) else enumerate(found)
        errors: list[str] = []
        for number, element in members:
            errors += inner(element, {**scope, index: number} if index else scope, f"{where}/{number}")
        return errors

    watch = watch_of(compiler)
    return check if watch is None else watch.around("assertion", at, check, text=key, detail=child)


def _child(value: Json, name: str) -> Json:
    return value.get(name) if isinstance(value, dict) else None


def _evaluate(expression: str, compiler: Compiler, value: Json, bindings: Mapping[str, Any]) -> Json:
    """Evaluate on the value, where `$name` reads a binding."""
    if "$" not in expression:
        return compiler(expression)(value)
    root = {**(value if isinstance(value, dict) else {}), **bindings}
    return compiler(_BINDING.sub(r"\1", expression))(root)
