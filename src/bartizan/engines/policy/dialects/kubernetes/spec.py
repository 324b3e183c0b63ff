"""What documents of `admissionregistration.k8s.io` may say of admission policies and their bindings."""

from __future__ import annotations

from bartizan.engines.policy.cel.expressions import (
    AnnotationSpec,
    ConditionSpec,
    MutationSpec,
    ValidationSpec,
    VariableSpec,
)
from bartizan.engines.policy.cel.match import MatchResources
from bartizan.engines.policy.cel.params import ParamKind, ParamRef
from bartizan.engines.policy.document import Record


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
