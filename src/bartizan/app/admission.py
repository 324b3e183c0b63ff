"""Kubernetes' own admission policies, from documents that may stand in several files, compiled together."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bartizan.engines.policy.dialects.kubernetes.policy import Remark, compile_policies, rules_of
from bartizan.engines.policy.plan import Policy
from bartizan.model.report import Note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bartizan.base.errors import SpecError
    from bartizan.sources.yaml import Document


class Admission(NamedTuple):
    """Policies with the rules of their bindings, what is wrong with the documents, and what else is to be said."""

    policies: tuple[Policy, ...]
    problems: tuple[tuple[Document, SpecError], ...]
    notes: tuple[Note, ...]


def compile_admission(documents: Sequence[Document]) -> Admission:
    """Compile admission policies and their bindings; a binding is for the policy it names, wherever that stands."""
    compiled = compile_policies([document.body for document in documents])
    return Admission(
        tuple(Policy(bound.policy.name, "", tuple(rules_of(bound)), ()) for bound in compiled.policies),
        tuple((documents[wrong.document], wrong.error) for wrong in compiled.problems),
        tuple(_note(documents[remark.document], remark) for remark in compiled.remarks),
    )


def _note(document: Document, remark: Remark) -> Note:
    at = document.lines.locate("/kind")
    return Note("admission-policies", f"{at.file}:{at.line}: {remark.message}", remark.hint)
