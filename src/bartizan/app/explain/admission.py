"""Explanations of Kubernetes' own admission policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.base.errors import SpecError
from bartizan.base.suggest import did_you_mean
from bartizan.engines.policy.dialects.kubernetes.explanation import Explained, explain_bound
from bartizan.engines.policy.dialects.kubernetes.policy import compile_policies

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bartizan.app.asking import Asker
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.model.resource import Lines, Resource
    from bartizan.sources.yaml import Document


def explain_admission(
    documents: Sequence[Document], resource: Resource, asker: Asker, lookup: Lookup, name: str
) -> Iterator[tuple[Lines, Explained]]:
    """Explain every policy on a resource, with the lines of its document; `name` is a policy or binding that is meant.

    Raises:
        SpecError: a document is not what it must be, or none has the name.
    """
    compiled = compile_policies([document.body for document in documents])
    for wrong in compiled.problems:
        error, lines = wrong.error, documents[wrong.document].lines
        raise SpecError(error.message, at=lines.locate(error.pointer), hint=error.hint) from error
    names = {part for rule in compiled.rules for part in (rule.info.id.policy, rule.info.id.rule) if part}
    if name and name not in names:
        raise SpecError(f"no rule `{name}`", hint=did_you_mean(name, names))
    for bound in compiled.policies:
        request = asker.request(bound.info.id, resource)
        for explained in explain_bound(bound, request, lookup):
            rule = explained.rule.info.id
            if not name or name in (rule.policy, rule.rule):
                yield documents[bound.document].lines, explained
