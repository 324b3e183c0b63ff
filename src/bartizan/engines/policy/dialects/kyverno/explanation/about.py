"""What a rule is about before its own filters say so: the namespace of its policy, the kinds it was made for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.engines.policy.explanation.draft import Draft

if TYPE_CHECKING:
    from bartizan.model.request import Request


def explain_about(namespace: str, made_for: frozenset[str] | None, request: Request) -> list[Draft]:
    """Whether a request is in `namespace`, and of a kind in `made_for`; empty and nothing ask neither."""
    found: list[Draft] = []
    if namespace:
        met = request.resource.id.namespace
        note = f"the policy is about namespace `{namespace}`, and this is in `{met}`"
        found.append(_scoped("namespace", namespace, met, note, holds=met == namespace))
    if made_for is not None:
        kind, kinds = request.resource.id.kind, ", ".join(sorted(made_for))
        note = f"the rule was made for {kinds}, and this is a {kind}"
        found.append(_scoped("made for", kinds, kind, note, holds=kind in made_for))
    return found


def _scoped(label: str, wanted: str, met: str, note: str, *, holds: bool) -> Draft:
    return Draft("scope", label, wanted, value=met, verdict="held" if holds else "failed", note="" if holds else note)
