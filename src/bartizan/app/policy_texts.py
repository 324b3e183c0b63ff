"""The texts of the policies that a plane asks, kept where its pages are drawn: the files may be elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.app.policies import documents
from bartizan.engines.policy.dialects.kubernetes.kinds import is_admission_document
from bartizan.engines.policy.dialects.kyverno import is_policy
from bartizan.engines.policy.dialects.kyverno.cel.policy import is_cel_policy
from bartizan.model.report import Problem
from bartizan.model.resource import identify
from bartizan.outputs.yaml import lines
from bartizan.stores.documents import PolicyText

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


def policy_texts(paths: Iterable[Path]) -> Iterator[PolicyText]:
    """The policies in files and folders, named as their rules are; what cannot be read is told by who compiles it."""
    for item in documents(paths):
        if isinstance(item, Problem) or not isinstance(item.body, dict):
            continue
        body = item.body
        if is_policy(body) or is_cel_policy(body) or is_admission_document(body):
            named = identify(body)
            name = f"{named.namespace}/{named.name}" if named.namespace else named.name
            yield PolicyText(name, "".join(f"{line}\n" for line in lines(body)), item.lines.file)
