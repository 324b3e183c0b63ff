"""Every rule about policies. A new one is a function, a line here, and a file of cases."""

from __future__ import annotations

from typing import Final

from bartizan.engines.policy.dialects.kyverno.lint import (
    conditions,
    contexts,
    deeds,
    expressions,
    matching,
    naming,
    patterns,
    pods,
    reading,
    traps,
)
from bartizan.engines.policy.remark import LintRule

RULES: Final = (
    LintRule(
        "bad-expression", "error", "An expression that cannot be read gives no value.", expressions.bad_expression
    ),
    LintRule(
        "wrong-argument",
        "error",
        "A function refuses an argument of another type than it takes.",
        expressions.wrong_argument,
    ),
    LintRule(
        "bad-regex",
        "error",
        "A regular expression that RE2 refuses fails whenever it is reached.",
        expressions.bad_regex,
    ),
    LintRule(
        "undefined-variable",
        "error",
        "A variable that nothing defines has no value, and the rule none either.",
        expressions.undefined_variable,
    ),
    LintRule(
        "unknown-request-field",
        "error",
        "A request has the fields of an AdmissionRequest, and no others.",
        expressions.unknown_request_field,
    ),
    LintRule("late-variable", "warning", "Context entries are read from top to bottom.", expressions.late_variable),
    LintRule("user-in-background", "warning", "A background scan has nobody who asks.", expressions.user_in_background),
    LintRule(
        "unmarked-variable",
        "error",
        "Without braces a variable is a text like any other.",
        expressions.unmarked_variable,
    ),
    LintRule(
        "scalar-loop", "warning", "A loop over what is no list sees one element at most.", expressions.scalar_loop
    ),
    LintRule(
        "unused-entry",
        "warning",
        "A context entry that nobody reads is left over, or mistyped where it is read.",
        contexts.unused_entry,
    ),
    LintRule(
        "shadowed-entry", "warning", "Of two entries of one name only the later is seen.", contexts.shadowed_entry
    ),
    LintRule("long-name", "error", "A rule's name is kept in a label, which has 63 characters.", naming.long_name),
    LintRule("same-name", "error", "Reports, exceptions and tests know a rule by its name.", naming.same_name),
    LintRule("missing-message", "note", "Whoever is refused wants to know why.", naming.missing_message),
    LintRule("bad-action", "error", "An action that is neither word audits, and refuses nothing.", naming.bad_action),
    LintRule("replaced-field", "note", "A deprecated field goes with a later version.", naming.replaced_field),
    LintRule("replaced-operator", "note", "A deprecated operator goes with a later version.", naming.replaced_operator),
    LintRule("unknown-kind", "warning", "A rule for a kind that is not there is never asked.", matching.unknown_kind),
    LintRule(
        "every-kind",
        "warning",
        "Changing or making something for every kind meets the cluster's own objects.",
        matching.every_kind,
    ),
    LintRule("unknown-operation", "error", "Requests have four operations, in capitals.", matching.unknown_operation),
    LintRule("negated-name", "error", "Names in filters have wildcards, and no negation.", matching.negated_namespace),
    LintRule("empty-filter", "warning", "A filter that says nothing matches nothing.", matching.empty_filter),
    LintRule(
        "impossible-match", "error", "A rule that can never match looks alive and is not.", matching.impossible_match
    ),
    LintRule(
        "covering-exclude", "error", "An exclude that covers the match leaves nothing.", matching.covering_exclude
    ),
    LintRule(
        "silenced-rule",
        "warning",
        "With `applyRules: One` the first rule that applies is the only one.",
        matching.silenced_rule,
    ),
    LintRule(
        "constant-condition",
        "warning",
        "A condition without a variable decides the same for everything.",
        conditions.constant_condition,
    ),
    LintRule(
        "unknown-operator",
        "error",
        "A condition with an operator that is not there does not run.",
        conditions.unknown_operator,
    ),
    LintRule("same-sides", "warning", "A value compared with itself says nothing of it.", conditions.same_sides),
    LintRule(
        "missing-value", "warning", "Nothing is equal to what is not there, nor unequal.", conditions.missing_value
    ),
    LintRule("empty-block", "warning", "`any` of nothing never holds.", conditions.empty_block),
    LintRule("unordered-value", "warning", "An ordering wants an amount on both sides.", conditions.unordered_value),
    LintRule(
        "impossible-amount",
        "error",
        "A leaf that nothing matches makes the pattern fail for everything.",
        patterns.impossible_amount,
    ),
    LintRule(
        "impossible-type", "error", "A field never has a value of another type than its own.", patterns.impossible_type
    ),
    LintRule(
        "lost-value", "warning", "`X(…)` asks that a key is absent, whatever stands under it.", patterns.lost_value
    ),
    LintRule(
        "patching-anchor",
        "error",
        "`+(…)` adds in patches, and is an ordinary key in patterns.",
        patterns.patching_anchor,
    ),
    LintRule("contrary-keys", "error", "A key cannot be there and be absent.", patterns.contrary_keys),
    LintRule(
        "toothless-pattern",
        "warning",
        "A condition that does not hold skips; a pattern of conditions only never fails.",
        patterns.toothless_pattern,
    ),
    LintRule("lost-element", "warning", "Of a list pattern the first element is asked of all.", patterns.lost_element),
    LintRule("weaker-first", "warning", "The first pattern that matches ends the search.", patterns.weaker_first),
    LintRule("idle-patch", "warning", "A patch without anything to set changes nothing.", deeds.idle_patch),
    LintRule("judging-anchor", "error", "Anchors that judge are ordinary keys in patches.", deeds.judging_anchor),
    LintRule(
        "bad-patch",
        "error",
        "A JSON patch needs an operation it knows, a path from the root, and its value.",
        deeds.bad_patch,
    ),
    LintRule("self-trigger", "warning", "What triggers itself does not end.", deeds.self_trigger),
    LintRule("unattested-image", "warning", "An image is verified by somebody's signature.", deeds.unattested_image),
    LintRule("unnamed-image", "error", "A verification is about the images that it names.", deeds.unnamed_image),
    LintRule("audited-digest", "warning", "Writing digests goes with refusing what has none.", deeds.audited_digest),
    LintRule("empty-loop", "warning", "A loop needs a list.", deeds.empty_loop),
    LintRule(
        "pods-only", "warning", "Whoever writes about Pods mostly means what makes them, too.", pods.unmade_controllers
    ),
    LintRule(
        "unknown-controller", "warning", "Rules are made for seven kinds of controllers.", pods.unknown_controller
    ),
    LintRule("truth-word", "warning", "YAML reads yes, no, on and off as truth values.", traps.truth_word),
    LintRule(
        "octal-number", "warning", "YAML reads a number that begins with 0 to the base of eight.", traps.octal_number
    ),
    LintRule("unreadable-policy", "error", "What cannot be compiled does not run.", reading.unreadable_policy),
)
"""In the order in which they look; the compiler comes last, for the others say more."""
