"""A policy of `policies.kyverno.io`, compiled: each kind by its own module, which is loaded when one is met."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from bartizan.engines.policy.dialects.kyverno.cel.spec import is_of_group, read_head
from bartizan.engines.policy.plan import Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kyverno.cel.spec import Head
    from bartizan.engines.policy.plan import Rule
    from bartizan.lang.jmespath import Ambient

Compile: TypeAlias = "Callable[[JsonObject, Head, Ambient, Sequence[JsonObject]], Iterable[Rule]]"

_KINDS: Final = frozenset(
    {"DeletingPolicy", "GeneratingPolicy", "ImageValidatingPolicy", "MutatingPolicy", "ValidatingPolicy"}
)
KINDS: Final = _KINDS | {f"Namespaced{kind}" for kind in _KINDS}


def is_cel_policy(document: Json) -> bool:
    """Whether a document is one of the kinds compiled here."""
    return is_of_group(document, KINDS)


def compile_cel_policy(document: JsonObject, ambient: Ambient, *, exceptions: Sequence[JsonObject] = ()) -> Policy:
    """Compile a policy; `exceptions` are those of any policy, of which it takes its own.

    Raises:
        SpecError: the document is malformed, or an expression of it does not compile.
    """
    head = read_head(document)
    return Policy(head.name, head.namespace, tuple(compile_cel_rules(document, head, ambient, exceptions)), ())


def compile_cel_rules(
    document: JsonObject, head: Head, ambient: Ambient, exceptions: Sequence[JsonObject]
) -> Iterable[Rule]:
    """Compile a policy rule by rule, each when it is asked for.

    Raises:
        SpecError: the document is malformed, or an expression of it does not compile.
    """
    return _compiler(head.kind.removeprefix("Namespaced"))(document, head, ambient, exceptions)


def _compiler(kind: str) -> Compile:
    """What compiles a kind, loaded when it is met."""
    match kind:
        case "GeneratingPolicy":
            from bartizan.engines.policy.dialects.kyverno.cel.generating import generating_rules

            return generating_rules
        case "DeletingPolicy":
            from bartizan.engines.policy.dialects.kyverno.cel.deleting import deleting_rules

            return deleting_rules
        case "ImageValidatingPolicy":
            from bartizan.engines.policy.dialects.kyverno.cel.images.policy import image_validating_rules

            return image_validating_rules
        case "MutatingPolicy":
            from bartizan.engines.policy.dialects.kyverno.cel.mutating import mutating_rules

            return mutating_rules
        case _:
            from bartizan.engines.policy.dialects.kyverno.cel.validating import validating_rules

            return validating_rules


def share_evidence(rules: Iterable[Rule]) -> None:
    """Let the image policies among some rules count what each of the others verifies.

    Without it a policy that requires images to be verified counts only what
    it verifies itself. Known by what they have, so that a run without such
    policies loads nothing of them.
    """
    company = [rule.run for rule in rules if hasattr(rule.run, "company")]
    for one in company:
        one.company[:] = company


def without_pinning(rules: Iterable[Rule]) -> list[Rule]:
    """The rules without those that pin digests, which admission asks, and the peer's command line does not."""
    return [rule for rule in rules if not hasattr(rule.run, "pins")]
