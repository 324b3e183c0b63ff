"""A policy of `policies.kyverno.io`, compiled: each kind by its own module, which is loaded when one is met."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.engines.policy.dialects.kyverno.cel.spec import is_of_group, read_head
from bartizan.engines.policy.plan import Policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bartizan.base.json import Json, JsonObject
    from bartizan.lang.jmespath import Ambient

_IMAGES: Final = "ImageValidatingPolicy"
_KINDS: Final = frozenset({"ValidatingPolicy", _IMAGES})
KINDS: Final = _KINDS | {f"Namespaced{kind}" for kind in _KINDS}


def is_cel_policy(document: Json) -> bool:
    """Whether a document is one of the kinds compiled here."""
    return is_of_group(document, KINDS)


def compile_cel_policy(
    document: JsonObject, ambient: Ambient, *, exceptions: Sequence[JsonObject] = (), pins: bool = True
) -> Policy:
    """Compile a policy; `exceptions` are those of any policy, of which it takes its own.

    `pins` is whether the digests of images are pinned, where the policy wants it.

    Raises:
        SpecError: the document is malformed, or an expression of it does not compile.
    """
    head = read_head(document)
    if head.kind.endswith(_IMAGES):
        from bartizan.engines.policy.dialects.kyverno.cel.images.policy import image_validating_rules

        rules = tuple(image_validating_rules(document, head, ambient, exceptions, pins=pins))
    else:
        from bartizan.engines.policy.dialects.kyverno.cel.validating import validating_rules

        rules = tuple(validating_rules(document, head, ambient, exceptions))
    return Policy(head.name, head.namespace, rules, ())
