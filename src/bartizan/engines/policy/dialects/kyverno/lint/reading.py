"""What the compiler refuses: a field that no policy has, a value of the wrong type, an unknown operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.base import pointer as pointers
from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno.lint.remark import Said
from bartizan.engines.policy.dialects.kyverno.policy import compile_policy
from bartizan.lang.jmespath import compile_expression

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from bartizan.base.json import Json
    from bartizan.engines.policy.dialects.kyverno.lint.view import PolicyView
    from bartizan.engines.policy.dialects.kyverno.variables import Compiler

_MOST: Final = 32
"""Times a policy is compiled again without what is wrong with it, to find what else is."""


def unreadable_policy(policy: PolicyView) -> Iterator[Said]:
    """What the policy, or one of its rules, does not compile for."""

    def compiler(text: str) -> Callable[[Any], Any]:
        return compile_expression(text, policy.functions, missing="error")

    document: Json = policy.document
    removed: list[str] = []
    for _ in range(_MOST):
        fresh = [error for error in _problems(document, compiler) if error.pointer not in removed]
        for problem in fresh:
            # what is missing only because of what was taken away is no fault of the policy
            if not any(place.startswith(f"{problem.pointer}/") for place in removed):
                yield Said(problem.pointer, problem.message, problem.hint)
            document = _without(document, pointers.split(problem.pointer))
            removed.append(problem.pointer)
        if not fresh:
            return


def _problems(document: Json, compiler: Compiler) -> tuple[SpecError, ...]:
    try:
        return compile_policy(document, compiler).problems
    except SpecError as error:
        return (error,)


def _without(value: Json, path: list[str]) -> Json:
    """The same without what stands at a path, so that the compiler comes to what is behind it."""
    if not path:
        return value
    if isinstance(value, dict) and path[0] in value:
        rest = {key: item for key, item in value.items() if key != path[0]}
        return rest if len(path) == 1 else {**value, path[0]: _without(value[path[0]], path[1:])}
    if isinstance(value, list) and path[0].isdecimal() and int(path[0]) < len(value):
        at = int(path[0])
        inner = [] if len(path) == 1 else [_without(value[at], path[1:])]
        return [*value[:at], *inner, *value[at + 1 :]]
    return value
