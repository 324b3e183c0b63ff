"""What the compiler refuses: a field that no policy has, a value of the wrong type, an unknown operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno.policy import compile_policy
from bartizan.engines.policy.faults import faults
from bartizan.lang.jmespath import compile_expression

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from bartizan.base.json import Json
    from bartizan.engines.policy.dialects.kyverno.lint.view import PolicyView
    from bartizan.engines.policy.dialects.kyverno.variables import Compiler
    from bartizan.engines.policy.remark import Said


def unreadable_policy(policy: PolicyView) -> Iterator[Said]:
    """What the policy, or one of its rules, does not compile for."""

    def compiler(text: str) -> Callable[[Any], Any]:
        return compile_expression(text, policy.functions, missing="error")

    for said in faults(policy.document, lambda document: _problems(document, compiler)):
        # of an expression in CEL its column is known; that of any other may be a part of a text
        yield said if "/validate/cel/" in said.pointer else said._replace(begins=-1)


def _problems(document: Json, compiler: Compiler) -> tuple[SpecError, ...]:
    try:
        return compile_policy(document, compiler).problems
    except SpecError as error:
        return (error,)
