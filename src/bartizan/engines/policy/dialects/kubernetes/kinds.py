"""The kinds of admission policies and of their bindings, told without the language that they are written in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bartizan.base.json import Json

GROUP: Final = "admissionregistration.k8s.io"
VERSIONS: Final = frozenset({"v1", "v1beta1", "v1alpha1"})
VALIDATING: Final = "ValidatingAdmissionPolicy"
MUTATING: Final = "MutatingAdmissionPolicy"
KINDS: Final = frozenset({VALIDATING, MUTATING, f"{VALIDATING}Binding", f"{MUTATING}Binding"})


def is_admission_document(document: Json) -> bool:
    """Whether a document is one of the four kinds."""
    if not isinstance(document, dict):
        return False
    kind = document.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        return False
    group, _, version = str(document.get("apiVersion", "")).partition("/")
    return group == GROUP and version in VERSIONS
