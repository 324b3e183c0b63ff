"""Remarks by the types of kinds, where something says what these are."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from bartizan.app.ambient import ambient
from bartizan.engines.policy.dialects.kubernetes.kinds import is_admission_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from bartizan.app.options import ClusterChoice
    from bartizan.app.policy_check.schemas import Served
    from bartizan.base.json import Json
    from bartizan.engines.policy.cel.exact import Shapes
    from bartizan.engines.policy.remark import Remark
    from bartizan.sources.yaml import Document


def typed_remarks(
    policies: Sequence[Document], definitions: Sequence[Json], openapi: Sequence[Path], choice: ClusterChoice
) -> Iterator[tuple[Document, Remark]]:
    """What types say of the expressions of policies: by definitions beside them, documents, and a cluster.

    Raises:
        SpecError: a document cannot be read.
        SourceError: the cluster does not answer.
    """
    if not (definitions or openapi or choice.is_made):
        return
    from bartizan.app.policy_check.schemas import KnownKinds, read_schemas  # late: most checks go without

    with ExitStack() as stack:
        known = KnownKinds(stack.enter_context(_served(choice)) if choice.is_made else None)
        for definition in definitions:
            known.add(definition)
        read_schemas(openapi, known)
        yield from _remarks(policies, known)


def _served(choice: ClusterChoice) -> AbstractContextManager[Served]:
    from bartizan.app.policy_check.served import ServedKinds  # late: it brings the client

    return closing(ServedKinds(choice))


def _remarks(policies: Sequence[Document], shapes: Shapes) -> Iterator[tuple[Document, Remark]]:
    from bartizan.engines.policy.dialects.kubernetes.type_remarks import admission_type_remarks  # late, as above
    from bartizan.engines.policy.dialects.kyverno.lint.types import type_remarks

    for document in policies:
        body = document.body
        if is_admission_document(body):
            said = admission_type_remarks(body, shapes)
        else:
            said = type_remarks(body, ambient(), shapes)
        for remark in said:
            yield document, remark
