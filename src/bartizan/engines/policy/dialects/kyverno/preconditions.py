"""Blocks of conditions, as `preconditions`, `deny.conditions` and exceptions have them, compiled.

`any` and `all` must both hold where both are there; a bare list is the old
form of `all`. Conditions run in order and stop as soon as the block is
decided, so that a later one may read what an earlier one has made sure of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno.conditions import bind_key, bind_value, operator
from bartizan.engines.policy.dialects.kyverno.variables import UnresolvedError, as_text, compile_template
from bartizan.engines.policy.dialects.kyverno.watch import watch_of
from bartizan.engines.policy.document import list_at, object_at

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bartizan.base.json import Json
    from bartizan.engines.policy.dialects.kyverno.variables import Compiler, Scope, Template

    Test = Callable[[Scope], bool]

_CONDITION_FIELDS: Final = frozenset({"key", "operator", "value", "message"})
_BLOCK_FIELDS: Final = frozenset({"any", "all"})


class Verdict(NamedTuple):
    """Whether a block holds, with the messages of the conditions that decided, as they are written."""

    holds: bool
    message: str


_HOLDS: Final = Verdict(holds=True, message="")
_HOLDS_NOT: Final = Verdict(holds=False, message="")


class _Condition(NamedTuple):
    test: Test
    message: str


def compile_conditions(block: Json, compiler: Compiler, at: str) -> Callable[[Scope], Verdict]:
    """Compile a block; calling it may raise `UnresolvedError`.

    No conditions at all hold.

    Raises:
        SpecError: an unknown field or operator, or a malformed expression.
    """
    if isinstance(block, str):
        return _late(compile_template(block, compiler, at=at), compiler, at)
    if block is None:
        return lambda _scope: _HOLDS
    if isinstance(block, dict):
        return _any_all(block, compiler, at)
    block = list_at(block, at)
    if any(isinstance(item, dict) and not _BLOCK_FIELDS.isdisjoint(item) for item in block):
        blocks = [_any_all(item, compiler, f"{at}/{index}") for index, item in enumerate(block)]
        return lambda scope: _every_block(blocks, scope)
    return _any_all({"all": block}, compiler, at)


def compile_any_all(block: Json, compiler: Compiler, at: str) -> Callable[[Scope], Verdict]:
    """Compile the block of an exception or a clean-up policy: a mapping, in which an empty list is no condition.

    Raises:
        SpecError: as `compile_conditions`, and where it is no mapping.
    """
    if block is not None and not isinstance(block, dict):
        hint = "Write `any:` or `all:` with a list below it."
        raise SpecError("these conditions must be a mapping", pointer=at, hint=hint)
    filled = None if block is None else {key: value for key, value in block.items() if value != []}
    return compile_conditions(filled, compiler, at)


def _late(template: Template, compiler: Compiler, at: str) -> Callable[[Scope], Verdict]:
    """A block that a variable holds, known only when the rule runs."""

    def decide(scope: Scope) -> Verdict:
        block = template(scope)
        if isinstance(block, str):
            raise UnresolvedError(f"`{block}` is no block of conditions")
        try:
            conditions = compile_conditions(block, compiler, at)
        except SpecError as error:
            raise UnresolvedError(f"bad conditions: {error.message}") from error
        return conditions(scope)

    return decide


def _every_block(blocks: Sequence[Callable[[Scope], Verdict]], scope: Scope) -> Verdict:
    messages: list[str] = []
    for block in blocks:
        verdict = block(scope)
        if not verdict.holds:
            return verdict
        messages.append(verdict.message)
    return Verdict(holds=True, message=_join(messages))


def _any_all(document: Json, compiler: Compiler, at: str) -> Callable[[Scope], Verdict]:
    block = object_at(document, at, _BLOCK_FIELDS)
    anys, alls = (
        [
            _condition(item, compiler, f"{at}/{kind}/{index}")
            for index, item in enumerate(list_at(block.get(kind), f"{at}/{kind}"))
        ]
        for kind in ("any", "all")
    )
    if len(anys) + len(alls) == 1 and not (anys or alls)[0].message and (alls or not block.get("all")):
        return _single((anys or alls)[0].test)
    # an `any` that is there but empty can never hold; one that is absent always does
    needs_any = block.get("any") is not None
    if not any(condition.message for condition in (*anys, *alls)):
        return _silent([item.test for item in anys], [item.test for item in alls], needs_any=needs_any)

    def decide(scope: Scope) -> Verdict:
        said: list[str] = []
        denied: list[str] = []
        holds = not needs_any
        for condition in anys:
            if condition.test(scope):
                holds = True
                said.append(condition.message)
                break
            denied.append(condition.message)
        for condition in alls:
            if not condition.test(scope):
                return Verdict(holds=False, message=_join([*denied, condition.message]))
            said.append(condition.message)
        return Verdict(holds, _join(said if holds else denied))

    return decide


def _silent(anys: Sequence[Test], alls: Sequence[Test], *, needs_any: bool) -> Callable[[Scope], Verdict]:
    """A block whose conditions have no messages, which need not be gathered."""

    def decide(scope: Scope) -> Verdict:
        holds = not needs_any
        for test in anys:
            if test(scope):
                holds = True
                break
        for test in alls:
            if not test(scope):
                return _HOLDS_NOT
        return _HOLDS if holds else _HOLDS_NOT

    return decide


def _single(test: Test) -> Callable[[Scope], Verdict]:
    """A block of one condition, the commonest by far."""
    return lambda scope: _HOLDS if test(scope) else _HOLDS_NOT


def _condition(item: Json, compiler: Compiler, at: str) -> _Condition:
    item = object_at(item, at, _CONDITION_FIELDS)
    name = str(item.get("operator", ""))
    key = compile_template(item.get("key"), compiler, at=f"{at}/key")
    value = compile_template(item.get("value"), compiler, at=f"{at}/value")
    message = as_text(item.get("message") or "")
    watch = watch_of(compiler)
    if watch is not None:
        key, value = watch.template("key", key), watch.template("value", value)
    try:
        test = _test(name, key, value)
    except SpecError as error:
        raise SpecError(error.message, hint=error.hint, pointer=f"{at}/operator") from error
    return _Condition(test if watch is None else watch.around("condition", at, test, detail=item), message)


def _test(name: str, key: Template, value: Template) -> Test:
    """A condition, with whatever is known of its sides bound now."""
    if value.render is None:
        bound = bind_value(name, value.value)
        read = key.render or key
        return lambda scope: bound(read(scope))
    if key.render is None:
        against, late = bind_key(name, key.value), value.render
        return lambda scope: against(late(scope))
    compare, left, right = operator(name), key.render, value.render
    return lambda scope: compare(left(scope), right(scope))


def _join(messages: Sequence[str]) -> str:
    return "; ".join(message for message in messages if message)
