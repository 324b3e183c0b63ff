"""Rules about a policy as a whole: its version, what becomes of what cannot be judged, whether it is bound at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.engines.policy.cel.lint.view import mapping, words
from bartizan.engines.policy.remark import Said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.engines.policy.cel.lint.view import CelView

_JUDGING: Final = ("ValidatingPolicy", "ImageValidatingPolicy")


def old_version(policy: CelView) -> Iterator[Said]:
    """Versions of a kind that another has replaced."""
    group, _, version = str(policy.document.get("apiVersion")).partition("/")
    if "alpha" in version or "beta" in version:
        yield Said("/apiVersion", f"`{version}` is deprecated", f"Write `{group}/v1`.", version)


def lenient_deny(policy: CelView) -> Iterator[Said]:
    """Policies that deny, and let in whatever they cannot judge."""
    actions = words(policy.spec.get("validationActions")) or ["Deny"]
    if policy.kind in _JUDGING and policy.spec.get("failurePolicy") == "Ignore" and "Deny" in actions:
        message = "it denies, and lets in what it cannot judge"
        yield Said("/spec/failurePolicy", message, "Write `failurePolicy: Fail`, unless it is meant so.", "Ignore")


def unbound_policy(policy: CelView) -> Iterator[Said]:
    """Kubernetes' own policies that no binding names, so that they are never asked."""
    name = mapping(policy.document.get("metadata")).get("name")
    if policy.bound is not None and isinstance(name, str) and name not in policy.bound:
        message = f"no binding among those given names `{name}`, and without one it does nothing"
        yield Said("/metadata/name", message, f"Write a {policy.kind}Binding with `policyName: {name}`.", name)


def unreadable_policy(policy: CelView) -> Iterator[Said]:
    """What the compiler refuses beside expressions: unknown fields, values of the wrong type."""
    for error in policy.faults:
        yield Said(error.pointer, error.message, error.hint)
