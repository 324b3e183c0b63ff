"""Every rule about policies in CEL. A new one is a function, a line here, and a file of cases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.engines.policy.cel.lint import expressions, fields, kinds, matching, naming
from bartizan.engines.policy.remark import UNREADABLE, LintRule

if TYPE_CHECKING:
    from bartizan.engines.policy.cel.lint.view import CelView

RULES: Final[tuple[LintRule[CelView], ...]] = (
    LintRule("early-variable", "error", "A variable sees those before it, and no others.", naming.early_variable),
    LintRule(
        "bad-expression", "error", "An expression that cannot be read gives no value.", expressions.bad_expression
    ),
    LintRule(
        "unused-variable",
        "warning",
        "A variable that nothing reads is left over, or mistyped where it is read.",
        naming.unused_variable,
    ),
    LintRule(
        "same-variable", "error", "Of two variables or conditions of one name nobody knows which.", naming.same_variable
    ),
    LintRule("missing-message", "note", "Whoever is refused wants to know why.", naming.missing_message),
    LintRule(
        "classic-variable",
        "warning",
        "A message is text here, and braces in it stay braces.",
        naming.classic_variable,
    ),
    LintRule(
        "unguarded-field",
        "warning",
        "A field that was left out has no value, and neither has the expression that reads it.",
        fields.unguarded_field,
    ),
    LintRule(
        "two-types", "warning", "What is a number or a text is never equal to one of the other type.", fields.two_types
    ),
    LintRule(
        "costly-expression",
        "warning",
        "The API server stops an expression that costs more than a million.",
        expressions.costly_expression,
    ),
    LintRule("unknown-operation", "error", "Requests have four operations, in capitals.", matching.unknown_operation),
    LintRule("empty-rule", "warning", "A resource rule means only what it names.", matching.empty_rule),
    LintRule(
        "unknown-resource",
        "warning",
        "A rule for a resource that is not there is never asked.",
        matching.unknown_resource,
    ),
    LintRule(
        "idle-operation",
        "warning",
        "A part of an object is asked for by some operations, and never by the others.",
        matching.idle_operation,
    ),
    LintRule(
        "absent-object", "warning", "What is deleted is `oldObject`, and `object` is null.", matching.absent_object
    ),
    LintRule("lenient-deny", "note", "What cannot be judged is let in.", kinds.lenient_deny),
    LintRule("old-version", "note", "A version that is alpha or beta goes with a later release.", kinds.old_version),
    LintRule("unbound-policy", "note", "Without a binding a policy is asked about nothing.", kinds.unbound_policy),
    LintRule(UNREADABLE, "error", "What cannot be compiled does not run.", kinds.unreadable_policy),
)
"""In the order in which they look; the compiler comes last, for the others say more."""
