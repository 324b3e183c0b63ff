"""What the compiler refuses: a field that no policy has, a value of the wrong type, an unknown operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno.lint.remark import Said
from bartizan.engines.policy.dialects.kyverno.policy import compile_policy
from bartizan.lang.jmespath import compile_expression

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from bartizan.engines.policy.dialects.kyverno.lint.view import PolicyView


def unreadable_policy(policy: PolicyView) -> Iterator[Said]:
    """What the policy, or one of its rules, does not compile for."""

    def compiler(text: str) -> Callable[[Any], Any]:
        return compile_expression(text, policy.functions, missing="error")

    try:
        problems = compile_policy(policy.document, compiler).problems
    except SpecError as error:
        problems = (error,)
    seen: set[str] = set()
    for problem in problems:
        if problem.pointer not in seen:
            yield Said(problem.pointer, problem.message, problem.hint)
        seen.add(problem.pointer)
