"""Policies of every dialect, watched, and their rules explained."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from bartizan.app.ambient import ambient
from bartizan.engines.policy.dialects.kyverno import is_policy
from bartizan.engines.policy.dialects.kyverno.cel.policy import is_cel_policy
from bartizan.engines.policy.dialects.kyverno.explanation.rule import (
    WatchedPolicy,
    WatchedRule,
    explain_rule,
    watch_policy,
)
from bartizan.lang.jmespath import functions_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kubernetes.explanation import WatchedAdmissionRule
    from bartizan.engines.policy.dialects.kyverno.explanation.cel import WatchedCelPolicy, WatchedCelRule
    from bartizan.engines.policy.explanation.explanation import Explanation
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.model.request import Request

Watched: TypeAlias = "WatchedRule | WatchedCelRule | WatchedAdmissionRule"


def is_explained(document: Json) -> bool:
    """Whether a document is a policy whose rules can be explained."""
    return is_policy(document) or is_cel_policy(document)


def watch(document: JsonObject, exceptions: Sequence[JsonObject]) -> WatchedPolicy | WatchedCelPolicy:
    """Compile a policy so that its rules can be explained.

    Raises:
        SpecError: the document is no policy, or malformed.
    """
    if is_cel_policy(document):
        from bartizan.engines.policy.dialects.kyverno.explanation.cel import watch_cel_policy  # late: it brings CEL

        return watch_cel_policy(document, ambient(), exceptions=exceptions)
    return watch_policy(document, functions_for(ambient()), exceptions=exceptions)


def explain(item: Watched, request: Request, lookup: Lookup, *, all_kinds: bool = False) -> Explanation:
    """Run a rule on a request, and say what it did and why."""
    if isinstance(item, WatchedRule):
        return explain_rule(item, request, lookup, all_kinds=all_kinds)
    return item.explain(request, lookup, all_kinds=all_kinds)
