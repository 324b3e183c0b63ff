"""What is wrong with a policy before it runs: small rules, each about one thing, none of which runs the policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.engines.policy.dialects.kyverno.lint.exceptions import STRAY, lint_exception
from bartizan.engines.policy.dialects.kyverno.lint.table import RULES
from bartizan.engines.policy.dialects.kyverno.lint.view import MAX_DEPTH, PolicyView, is_deep, too_deep
from bartizan.engines.policy.remark import Level, Remark, remarks_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.base.json import JsonObject
    from bartizan.lang.jmespath import Functions

__all__ = ["REASONS", "Level", "Remark", "lint_exception", "lint_policy"]

REASONS: Final[dict[str, tuple[Level, str]]] = {
    **{rule.id: (rule.level, rule.why) for rule in RULES},
    STRAY: ("warning", "An exception for a rule that is not there lets nobody off."),
}
"""Every rule by its id, with its usual level and its reason in one sentence."""


def lint_policy(
    document: JsonObject, functions: Functions, line: Callable[[str], str] = lambda _pointer: ""
) -> list[Remark]:
    """Say what is wrong with a ClusterPolicy or Policy; `line` gives the line in which a pointer's key stands."""
    if is_deep(document, MAX_DEPTH):
        return [too_deep()]
    return remarks_of(RULES, PolicyView(document, functions, line))
