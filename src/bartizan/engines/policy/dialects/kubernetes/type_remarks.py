"""What the schemas of the kinds say of Kubernetes' own admission policies, for whoever writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.engines.policy.cel.lint.types import subject_of_constraints, unfit_types
from bartizan.engines.policy.cel.lint.view import Collector, mapping
from bartizan.engines.policy.cel.listening import listening
from bartizan.engines.policy.dialects.kubernetes.policy import compile_policies

if TYPE_CHECKING:
    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.cel.exact import Shapes
    from bartizan.engines.policy.remark import Remark


def admission_type_remarks(document: JsonObject, shapes: Shapes) -> list[Remark]:
    """Say what types have against the expressions of a policy; nothing of a binding, which has none."""
    subject = subject_of_constraints(mapping(document.get("spec")), shapes)
    if subject is None or not subject.exact.kinds:
        return []
    collector = Collector()
    with listening(collector):
        compile_policies([document])
    return unfit_types(document, collector.found.values(), [subject], shapes)
