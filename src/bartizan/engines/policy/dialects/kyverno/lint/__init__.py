"""What is wrong with a policy before it runs: small rules, each about one thing, none of which runs the policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.engines.policy.dialects.kyverno.lint.exceptions import STRAY, lint_exception
from bartizan.engines.policy.dialects.kyverno.lint.remark import Level, Remark
from bartizan.engines.policy.dialects.kyverno.lint.table import RULES
from bartizan.engines.policy.dialects.kyverno.lint.view import PolicyView, is_deep

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.base.json import JsonObject
    from bartizan.lang.jmespath import Functions

__all__ = ["REASONS", "Level", "Remark", "lint_exception", "lint_policy"]

_MAX_DEPTH: Final = 100
REASONS: Final[dict[str, tuple[Level, str]]] = {
    **{rule.id: (rule.level, rule.why) for rule in RULES},
    STRAY: ("warning", "An exception for a rule that is not there lets nobody off."),
}
"""Every rule by its id, with its usual level and its reason in one sentence."""


def lint_policy(
    document: JsonObject, functions: Functions, line: Callable[[str], str] = lambda _pointer: ""
) -> list[Remark]:
    """Say what is wrong with a ClusterPolicy or Policy; `line` gives the line in which a pointer's key stands."""
    if is_deep(document, _MAX_DEPTH):
        hint = "Kubernetes' own deepest objects stay below 20 levels."
        return [Remark("unreadable-policy", "error", "", f"nests deeper than {_MAX_DEPTH} levels", hint, "")]
    view = PolicyView(document, functions, line)
    found: dict[tuple[str, str, str], Remark] = {}
    errors: set[str] = set()
    for rule in RULES:
        for said in rule.look(view):
            if rule.id == "unreadable-policy" and any(_beside(said.pointer, place) for place in errors):
                continue  # said already, and better
            level = said.level or rule.level
            if level == "error":
                errors.add(said.pointer)
            key = (rule.id, said.pointer, said.message)
            found.setdefault(key, Remark(rule.id, level, said.pointer, said.message, said.hint, said.near))
    return list(found.values())


def _beside(pointer: str, place: str) -> bool:
    """Whether one stands at or in the other, so that they are about one thing."""
    return pointer == place or place.startswith(f"{pointer}/") or pointer.startswith(f"{place}/")
