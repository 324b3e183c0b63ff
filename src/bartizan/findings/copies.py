"""Findings said once: what a Deployment's ReplicaSet and Pods only repeat is left to the Deployment.

What a live pod has beyond its template (an injected sidecar, a debugging
container) is a finding of its own. Policies that people bring are left
alone: they report as they do in the cluster.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from bartizan.model.report import Note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bartizan.model.finding import Finding

Minded: TypeAlias = tuple[str, str, str]
"""Kind, namespace and name."""

_OURS: Final = frozenset({"check", "podsecurity"})


class Said(NamedTuple):
    """Findings without copies, and how many those were."""

    kept: list[Finding]
    notes: tuple[Note, ...]


def without_copies(findings: Sequence[Finding], controllers: Mapping[Minded, tuple[str, str]]) -> Said:
    """Leave out the findings of our own checks that a resource's controller, or one above it, has too."""
    if not controllers:
        return Said(list(findings), ())
    known = {(finding.rule.id.policy, *_key(finding)) for finding in findings if finding.result == "fail"}
    kept = [finding for finding in findings if not _is_copy(finding, known, controllers)]
    number = len(findings) - len(kept)
    if not number:
        return Said(kept, ())
    message = f"{number} findings on pods, replica sets and jobs repeat those of their controllers and are not listed"
    return Said(kept, (Note("copies", message, "Name the kind, as in `--kind Pod`, to see them."),))


def _is_copy(
    finding: Finding, known: set[tuple[str, str, str, str]], controllers: Mapping[Minded, tuple[str, str]]
) -> bool:
    if finding.rule.origin not in _OURS:
        return False
    return any((finding.rule.id.policy, *above) in known for above in _above(_key(finding), controllers))


def _above(resource: Minded, controllers: Mapping[Minded, tuple[str, str]]) -> list[Minded]:
    """The controllers of a resource, up to the last; none where they go round in a circle, or nobody would be left."""
    found = [resource]
    while (controller := controllers.get(found[-1])) is not None:
        above = (controller[0], resource[1], controller[1])
        if above in found:
            return []
        found.append(above)
    return found[1:]


def _key(finding: Finding) -> Minded:
    rid = finding.resource
    return rid.kind, rid.namespace, rid.name
