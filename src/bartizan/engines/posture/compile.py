"""Binding a check of the catalogue to the template it names."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from bartizan.base.errors import SpecError
from bartizan.base.suggest import did_you_mean
from bartizan.engines.posture import delivery, namespaces, services

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bartizan.engines.posture.facts import Conclude, Observe, Template
    from bartizan.model.finding import RuleInfo
    from bartizan.model.resource import ResourceId

TEMPLATES: Final[Mapping[str, Template]] = MappingProxyType(
    {
        "autoscaled-without-probes": delivery.AUTOSCALED_WITHOUT_PROBES,
        "autoscaled-without-requests": delivery.AUTOSCALED_WITHOUT_REQUESTS,
        "dangling-service": services.DANGLING_SERVICE,
        "disruption-blocked": delivery.DISRUPTION_BLOCKED,
        "fixed-replicas": delivery.FIXED_REPLICAS,
        "missing-default-deny": namespaces.MISSING_DEFAULT_DENY,
        "missing-disruption-budget": delivery.MISSING_DISRUPTION_BUDGET,
        "missing-quota": namespaces.MISSING_QUOTA,
        "overlapping-selectors": delivery.OVERLAPPING_SELECTORS,
        "several-tracks": services.SEVERAL_TRACKS,
        "undeclared-external": services.UNDECLARED_EXTERNAL,
        "unknown-target-port": services.UNKNOWN_TARGET_PORT,
    }
)


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """A check that compares resources, ready to run.

    `observe` runs wherever a resource is read, in any process, and keeps a
    little plain data; `conclude` runs once, over all that was kept.
    """

    info: RuleInfo
    kinds: frozenset[str]
    observe: Observe
    conclude: Conclude
    judged: frozenset[str]

    def judges(self, resource: ResourceId) -> bool:
        """Whether the check says anything of such a resource, or only looks at it."""
        return resource.kind in self.judged


def compile_check(info: RuleInfo, template: str) -> CrossCheck:
    """Bind a check to its template.

    Raises:
        SpecError: there is no such template.
    """
    found = TEMPLATES.get(template)
    if found is None:
        hint = did_you_mean(template, TEMPLATES)
        raise SpecError(f"check `{info.id}` names no known template: `{template}`", hint=hint)
    return CrossCheck(info, found.kinds, found.observe, found.conclude, found.judged)
