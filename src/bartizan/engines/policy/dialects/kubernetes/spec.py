"""What documents of `admissionregistration.k8s.io` may say of admission policies and their bindings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.engines.policy.cel.expressions import AnnotationSpec, ConditionSpec, ValidationSpec, VariableSpec
from bartizan.engines.policy.cel.match import MatchResources
from bartizan.engines.policy.cel.mutate import MutationSpec
from bartizan.engines.policy.cel.params import ParamKind, ParamRef
from bartizan.engines.policy.document import Record

if TYPE_CHECKING:
    from bartizan.base.json import Json

GROUP: Final = "admissionregistration.k8s.io"
VERSIONS: Final = frozenset({"v1", "v1beta1", "v1alpha1"})
VALIDATING: Final = "ValidatingAdmissionPolicy"
MUTATING: Final = "MutatingAdmissionPolicy"
KINDS: Final = frozenset({VALIDATING, MUTATING, f"{VALIDATING}Binding", f"{MUTATING}Binding"})


class CommonSpec(Record, frozen=True):
    """What both kinds of policy say."""

    param_kind: ParamKind | None = None
    match_constraints: MatchResources | None = None
    match_conditions: tuple[ConditionSpec, ...] = ()
    variables: tuple[VariableSpec, ...] = ()
    failure_policy: str = "Fail"


class ValidatingSpec(CommonSpec, frozen=True):
    """`spec` of a ValidatingAdmissionPolicy."""

    validations: tuple[ValidationSpec, ...] = ()
    audit_annotations: tuple[AnnotationSpec, ...] = ()


class MutatingSpec(CommonSpec, frozen=True):
    """`spec` of a MutatingAdmissionPolicy."""

    mutations: tuple[MutationSpec, ...] = ()
    reinvocation_policy: str = "Never"


class BindingSpec(Record, frozen=True):
    """`spec` of a binding of a MutatingAdmissionPolicy; where a policy applies, and with which parameters."""

    policy_name: str
    param_ref: ParamRef | None = None
    match_resources: MatchResources | None = None


class ValidatingBindingSpec(BindingSpec, frozen=True):
    """`spec` of a binding of a ValidatingAdmissionPolicy, which also says what a failure leads to."""

    validation_actions: tuple[str, ...] = ()


def is_admission_document(document: Json) -> bool:
    """Whether a document is one of the four kinds."""
    if not isinstance(document, dict) or document.get("kind") not in KINDS:
        return False
    group, _, version = str(document.get("apiVersion", "")).partition("/")
    return group == GROUP and version in VERSIONS
