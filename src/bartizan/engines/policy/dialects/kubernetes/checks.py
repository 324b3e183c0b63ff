"""What the API server refuses in a policy or binding beyond its fields: limits, names, words, selectors.

The first thing that is wrong is told, with its place.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bartizan.base.errors import SpecError
from bartizan.base.suggest import did_you_mean
from bartizan.engines.policy.dialects.kubernetes.spec import MutatingSpec, ValidatingBindingSpec, ValidatingSpec

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from bartizan.engines.policy.cel.expressions import MutationSpec
    from bartizan.engines.policy.cel.match import MatchResources, ResourceRule
    from bartizan.engines.policy.cel.params import ParamKind, ParamRef
    from bartizan.engines.policy.dialects.kubernetes.spec import BindingSpec, CommonSpec
    from bartizan.engines.policy.selector import LabelSelector, Requirement

MAX_CONDITIONS: Final = 64
MAX_ANNOTATIONS: Final = 20
MAX_ANNOTATION_BYTES: Final = 5 * 1024
_NAME_CHARS: Final = 63
_SUBDOMAIN_CHARS: Final = 253

_PART: Final = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_SUBDOMAIN: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_DNS_LABEL: Final = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_IDENTIFIER: Final = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
_RESERVED: Final = frozenset(
    {"true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if"}
    | {"import", "let", "loop", "package", "namespace", "return", "var", "void", "while"}
)
_OPERATIONS: Final = frozenset({"CREATE", "UPDATE", "DELETE", "CONNECT", "*"})
_CHANGES: Final = frozenset({"CREATE", "UPDATE"})
_REASONS: Final = frozenset({"Forbidden", "Invalid", "RequestEntityTooLarge"})
_ACTIONS: Final = frozenset({"Deny", "Warn", "Audit"})


def check_validating(spec: ValidatingSpec, name: str, at: str) -> None:
    """Refuse what the API server does not take as a ValidatingAdmissionPolicy.

    Raises:
        SpecError: what is wrong, and where.
    """
    _check_common(spec, at)
    if not spec.validations and not spec.audit_annotations:
        raise _missing("a policy needs `validations` or `auditAnnotations`", at)
    for index, validation in enumerate(spec.validations):
        place = f"{at}/validations/{index}"
        _check_text(validation.expression, f"{place}/expression")
        if validation.message_expression is not None and validation.message_expression != "":
            _check_text(validation.message_expression, f"{place}/messageExpression")
        if validation.message:
            _check_text(validation.message, f"{place}/message")
            if re.search(r"[\n\r]", validation.message.strip()):
                raise SpecError("a message must be one line", pointer=f"{place}/message", hint="Fold it with `>-`.")
        if validation.reason is not None:
            _check_word(validation.reason, _REASONS, "reason", f"{place}/reason")
    _check_annotations(spec, name, f"{at}/auditAnnotations")


def _check_annotations(spec: ValidatingSpec, name: str, at: str) -> None:
    if len(spec.audit_annotations) > MAX_ANNOTATIONS:
        raise SpecError(f"a policy may have {MAX_ANNOTATIONS} audit annotations", pointer=at, hint="Use fewer.")
    for index, annotation in enumerate(spec.audit_annotations):
        _check_qualified(f"{name}/{annotation.key}", f"{at}/{index}/key")
        expression = annotation.value_expression.strip()
        _check_text(expression, f"{at}/{index}/valueExpression")
        if len(expression.encode()) > MAX_ANNOTATION_BYTES:
            raise SpecError(
                f"an expression of an audit annotation may have {MAX_ANNOTATION_BYTES} bytes",
                pointer=f"{at}/{index}/valueExpression",
                hint="Write it shorter, with variables.",
            )
    _check_unique([item.key for item in spec.audit_annotations], at, "/key")


def check_mutating(spec: MutatingSpec, at: str) -> None:
    """Refuse what the API server does not take as a MutatingAdmissionPolicy.

    Raises:
        SpecError: what is wrong, and where.
    """
    _check_common(spec, at)
    if spec.match_constraints is not None:
        _check_changes(spec.match_constraints, f"{at}/matchConstraints")
    if not spec.mutations:
        raise _missing("a policy needs `mutations`", at)
    for index, mutation in enumerate(spec.mutations):
        _check_mutation(mutation, f"{at}/mutations/{index}")
    _check_word(spec.reinvocation_policy, ("Never", "IfNeeded"), "reinvocation policy", f"{at}/reinvocationPolicy")


def _check_mutation(mutation: MutationSpec, at: str) -> None:
    fields = {"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"}
    found = {"ApplyConfiguration": mutation.apply_configuration, "JSONPatch": mutation.json_patch}
    for kind, patch in found.items():
        place = f"{at}/{fields[kind]}"
        if kind != mutation.patch_type and patch is not None:
            hint = f"Leave `{fields[kind]}` out, or make it a mutation of its own."
            raise SpecError(f"`{fields[kind]}` is no patch of type `{mutation.patch_type}`", pointer=place, hint=hint)
        if patch is not None:
            _check_text(patch.expression, f"{place}/expression")


def _check_changes(resources: MatchResources, at: str) -> None:
    """Only what is created or updated can be mutated."""
    for index, rule in enumerate(resources.resource_rules or ()):
        for number, operation in enumerate(rule.operations):
            place = f"{at}/resourceRules/{index}/operations/{number}"
            _check_word(operation, _CHANGES, "operation for a policy that mutates", place)


def left_out(match: MatchResources | None) -> list[str]:
    """The fields that the API server wants and that have a plain meaning where they are left out."""
    rules = () if match is None else (*(match.resource_rules or ()), *(match.exclude_resource_rules or ()))
    return ["operations"] if any(not rule.operations for rule in rules) else []


def left_out_of_binding(spec: BindingSpec) -> list[str]:
    """The same of a binding."""
    found = left_out(spec.match_resources)
    if spec.param_ref is not None and spec.param_ref.parameter_not_found_action is None:
        found.append("parameterNotFoundAction")
    if isinstance(spec, ValidatingBindingSpec) and not spec.validation_actions:
        found.append("validationActions")
    return found


def check_binding(spec: BindingSpec, at: str) -> None:
    """Refuse what the API server does not take as a binding.

    Raises:
        SpecError: what is wrong, and where.
    """
    check_name(spec.policy_name, f"{at}/policyName")
    if spec.param_ref is not None:
        _check_param_ref(spec.param_ref, f"{at}/paramRef")
    if spec.match_resources is not None:
        _check_match(spec.match_resources, f"{at}/matchResources")
    if not isinstance(spec, ValidatingBindingSpec):
        if spec.match_resources is not None:
            _check_changes(spec.match_resources, f"{at}/matchResources")
        return
    place = f"{at}/validationActions"
    for index, action in enumerate(spec.validation_actions):
        _check_word(action, _ACTIONS, "validation action", f"{place}/{index}")
    _check_unique(spec.validation_actions, place)
    if {"Deny", "Warn"} <= set(spec.validation_actions):
        raise SpecError("`Deny` and `Warn` do not go together", pointer=place, hint="Leave one of them out.")


def _check_common(spec: CommonSpec, at: str) -> None:
    _check_word(spec.failure_policy, ("Fail", "Ignore"), "failure policy", f"{at}/failurePolicy")
    if spec.param_kind is not None:
        _check_param_kind(spec.param_kind, f"{at}/paramKind")
    place = f"{at}/matchConstraints"
    if spec.match_constraints is None or not spec.match_constraints.resource_rules:
        raise _missing("a policy needs `matchConstraints` with `resourceRules`", at)
    _check_match(spec.match_constraints, place)
    place = f"{at}/matchConditions"
    if len(spec.match_conditions) > MAX_CONDITIONS:
        raise SpecError(
            f"a policy may have {MAX_CONDITIONS} match conditions", pointer=place, hint="Join some of them."
        )
    for index, condition in enumerate(spec.match_conditions):
        _check_text(condition.expression, f"{place}/{index}/expression")
        _check_qualified(condition.name, f"{place}/{index}/name")
    _check_unique([condition.name for condition in spec.match_conditions], place, "/name")
    for index, variable in enumerate(spec.variables):
        place = f"{at}/variables/{index}"
        if not _IDENTIFIER.fullmatch(variable.name) or variable.name in _RESERVED:
            hint = "Use letters, digits and `_`, and no word of the language."
            raise SpecError(f"`{variable.name}` is no name for a variable", pointer=f"{place}/name", hint=hint)
        _check_text(variable.expression, f"{place}/expression")


def _check_param_kind(kind: ParamKind, at: str) -> None:
    group, _, version = kind.api_version.rpartition("/")
    if group:
        check_name(group, f"{at}/apiVersion")
    for text, field in ((version, "apiVersion"), (kind.kind.lower(), "kind")):
        if not _DNS_LABEL.fullmatch(text) or len(text) > _NAME_CHARS:
            hint = "Write it as the objects of that kind have it."
            raise SpecError(f"`{text}` is no {field}", pointer=f"{at}/{field}", hint=hint)


def _check_param_ref(ref: ParamRef, at: str) -> None:
    if bool(ref.name) == (ref.selector is not None):
        hint = "Write `name`, or a `selector`."
        raise SpecError("a reference to parameters has either a name or a selector", pointer=at, hint=hint)
    if ref.selector is not None:
        _check_selector(ref.selector, f"{at}/selector")
    action = ref.parameter_not_found_action
    if action is not None:
        _check_word(action, ("Allow", "Deny"), "action", f"{at}/parameterNotFoundAction")


def _check_match(resources: MatchResources, at: str) -> None:
    if resources.match_policy is not None:
        _check_word(resources.match_policy, ("Exact", "Equivalent"), "match policy", f"{at}/matchPolicy")
    for selector, field in (
        (resources.namespace_selector, "namespaceSelector"),
        (resources.object_selector, "objectSelector"),
    ):
        if selector is not None:
            _check_selector(selector, f"{at}/{field}")
    for field, rules in (
        ("resourceRules", resources.resource_rules),
        ("excludeResourceRules", resources.exclude_resource_rules),
    ):
        for index, rule in enumerate(rules or ()):
            _check_rule(rule, f"{at}/{field}/{index}")


def _check_rule(rule: ResourceRule, at: str) -> None:
    _check_unique(rule.resource_names, f"{at}/resourceNames")
    for words, field in (
        (rule.api_groups, "apiGroups"),
        (rule.api_versions, "apiVersions"),
        (rule.resources, "resources"),
    ):
        if not words:
            raise _missing(f"a rule needs `{field}`", at)
    for words, field in (
        (rule.operations, "operations"),
        (rule.api_groups, "apiGroups"),
        (rule.api_versions, "apiVersions"),
    ):
        if len(words) > 1 and "*" in words:
            raise SpecError("`*` stands alone", pointer=f"{at}/{field}", hint="Leave the others out.")
    for index, operation in enumerate(rule.operations):
        _check_word(operation, _OPERATIONS, "operation", f"{at}/operations/{index}")
    for field, words in (("apiVersions", rule.api_versions), ("resources", rule.resources)):
        if "" in words:
            raise SpecError("this must not be empty", pointer=f"{at}/{field}/{words.index('')}", hint="Write a name.")
    _check_resources(rule.resources, f"{at}/resources")
    if rule.scope is not None:
        _check_word(rule.scope, ("Cluster", "Namespaced", "*"), "scope", f"{at}/scope")


def _check_resources(resources: Sequence[str], at: str) -> None:
    """Refuse a resource that another of the list covers already."""
    if len(resources) > 1 and "*/*" in resources:
        raise SpecError("`*/*` stands alone", pointer=at, hint="Leave the others out.")
    seen: set[str] = set()
    for index, text in enumerate(resources):
        resource, slash, part = text.partition("/")
        covering = next((wide for wide in (f"{resource}/*", f"*/{part}") if slash and wide in seen), None)
        if covering is not None:
            hint = "Leave one of them out."
            raise SpecError(f"`{text}` is covered by `{covering}`", pointer=f"{at}/{index}", hint=hint)
        seen.add(text)
    plain = next((text for text in resources if "/" not in text and text != "*"), None)
    if plain is not None and "*" in resources:
        raise SpecError(f"`{plain}` is covered by `*`", pointer=at, hint="Leave one of them out.")


def _check_selector(selector: LabelSelector, at: str) -> None:
    for key, value in (selector.match_labels or {}).items():
        _check_qualified(key, f"{at}/matchLabels")
        _check_label_value(value, f"{at}/matchLabels/{key}")
    for index, requirement in enumerate(selector.match_expressions or ()):
        _check_requirement(requirement, f"{at}/matchExpressions/{index}")


def _check_requirement(requirement: Requirement, at: str) -> None:
    _check_qualified(requirement.key, f"{at}/key")
    operators = ("In", "NotIn", "Exists", "DoesNotExist")
    _check_word(requirement.operator, operators, "selector operator", f"{at}/operator")
    wants_values = requirement.operator in ("In", "NotIn")
    if wants_values != bool(requirement.values):
        said = "needs" if wants_values else "takes no"
        raise SpecError(f"`{requirement.operator}` {said} `values`", pointer=at, hint="See what labels selectors take.")
    for index, value in enumerate(requirement.values or ()):
        _check_label_value(value, f"{at}/values/{index}")


def _check_label_value(value: object, at: str) -> None:
    if not isinstance(value, str):
        raise SpecError(f"the value of a label is a text, not `{value}`", pointer=at, hint="Put it into quotes.")
    if len(value) > _NAME_CHARS or (value and not _PART.fullmatch(value)):
        hint = "Use at most 63 letters, digits, `-`, `_` and `.`."
        raise SpecError(f"`{value}` is no value of a label", pointer=at, hint=hint)


def _check_qualified(name: str, at: str) -> None:
    prefix, slash, last = name.rpartition("/")
    good = len(last) <= _NAME_CHARS and _PART.fullmatch(last)
    if not good or (slash and (not _SUBDOMAIN.fullmatch(prefix) or len(prefix) > _SUBDOMAIN_CHARS)):
        hint = "Use at most 63 letters, digits, `-`, `_` and `.`, after a domain and `/` if you like."
        raise SpecError(f"`{name}` is no qualified name", pointer=at, hint=hint)


def check_name(name: str, at: str) -> None:
    """Refuse what is no name of an object.

    Raises:
        SpecError: it is none.
    """
    if not _SUBDOMAIN.fullmatch(name) or len(name) > _SUBDOMAIN_CHARS:
        hint = "Use small letters, digits, `-` and `.`."
        raise SpecError(f"`{name}` is no name of an object", pointer=at, hint=hint)


def _check_word(word: str, known: Collection[str], what: str, at: str) -> None:
    if word not in known:
        raise SpecError(f"unknown {what} `{word}`", pointer=at, hint=did_you_mean(word, known))


def _check_text(text: str, at: str) -> None:
    if not text.strip():
        raise SpecError("this must not be empty", pointer=at, hint="Write an expression, or leave it out.")


def _check_unique(words: Iterable[str], at: str, below: str = "") -> None:
    seen: set[str] = set()
    for index, word in enumerate(words):
        if word in seen:
            raise SpecError(f"`{word}` is there twice", pointer=f"{at}/{index}{below}", hint="Leave one of them out.")
        seen.add(word)


def _missing(said: str, at: str) -> SpecError:
    return SpecError(said, pointer=at, hint="Write it; the API server refuses the document without.")
