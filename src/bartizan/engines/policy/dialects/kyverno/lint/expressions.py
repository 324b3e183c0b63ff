"""Rules about expressions: whether they can be read, and can have a value."""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, Final

from bartizan.base.errors import SpecError
from bartizan.base.regex import compile_regex
from bartizan.base.suggest import did_you_mean
from bartizan.engines.policy.dialects.kyverno.lint.uses import ALWAYS, uses
from bartizan.engines.policy.dialects.kyverno.lint.view import conditions_of
from bartizan.engines.policy.remark import Said
from bartizan.lang.jmespath import compile_expression, roots_of
from bartizan.lang.jmespath.parse import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bartizan.engines.policy.dialects.kyverno.lint.uses import Use
    from bartizan.engines.policy.dialects.kyverno.lint.view import PolicyView
    from bartizan.engines.policy.remark import Level
    from bartizan.lang.jmespath import Functions
    from bartizan.lang.jmespath.parse import Node

_PATHS: Final = frozenset({"field", "subexpression", "index_expression"})
_WORDS: Final = frozenset({"null", "true", "false"})
_LISTS: Final = frozenset({"multi_select_list", "projection", "filter_projection", "value_projection", "flatten"})
_TRUTHS: Final = frozenset({"comparator", "not_expression"})
_REGEXES: Final = frozenset({"regex_match", "regex_replace_all", "regex_replace_all_literal"})
_REQUEST: Final = {"type": "field", "children": [], "value": "request"}
_REQUEST_FIELDS: Final = frozenset(
    {
        "clusterRoles",
        "dryRun",
        "kind",
        "name",
        "namespace",
        "object",
        "oldObject",
        "operation",
        "options",
        "requestKind",
        "requestResource",
        "requestSubResource",
        "resource",
        "roles",
        "subResource",
        "uid",
        "userInfo",
    }
)
"""Those of an AdmissionRequest, and the two that Kyverno adds."""
_USERS: Final = ("userInfo", "roles", "clusterRoles")
_USER_ROOTS: Final = frozenset({"serviceAccountName", "serviceAccountNamespace"})


def bad_expression(policy: PolicyView) -> Iterator[Said]:
    """Expressions that do not parse, or call what is not there."""
    for use in _all(policy):
        try:
            compile_expression(use.text, policy.functions, missing="error")
        except SpecError as error:
            yield Said(use.pointer, error.message, error.hint, use.near)


def wrong_argument(policy: PolicyView) -> Iterator[Said]:
    """Calls with an argument that can never have the type that the function takes."""
    for use in _readable(policy):
        for node in _nodes(parse(use.text)):
            if node["type"] == "function_expression":
                yield from _arguments(node, use, policy.functions)


def _arguments(node: Node, use: Use, functions: Functions) -> Iterator[Said]:
    function = functions[node["value"]]
    for index, child in enumerate(node["children"]):
        wanted = function.types[min(index, len(function.types) - 1)]
        given = _types(child, functions)
        if given is not None and not given & wanted:
            message = f"argument {index + 1} of `{function.name}` can never have the type it takes"
            yield Said(use.pointer, message, f"Call {function.signature()}.", use.near)


def _types(node: Node, functions: Functions) -> frozenset[type] | None:
    """The types that a part of an expression can have, where that is known before it runs."""
    kind = node["type"]
    if kind == "literal":
        return frozenset({node["value"].__class__})
    if kind == "function_expression":
        return functions[node["value"]].gives
    if kind == "expref":
        return frozenset({FunctionType})
    if kind in _LISTS:
        return frozenset({list, type(None)})
    if kind in _TRUTHS:
        return frozenset({bool})
    return frozenset({dict}) if kind == "multi_select_dict" else None


def bad_regex(policy: PolicyView) -> Iterator[Said]:
    """Regular expressions that RE2 does not take."""
    for use in _readable(policy):
        for node in _nodes(parse(use.text)):
            if node["type"] != "function_expression" or node["value"] not in _REGEXES:
                continue
            pattern = node["children"][0]
            if pattern["type"] == "literal" and isinstance(pattern["value"], str):
                try:
                    compile_regex(pattern["value"])
                except SpecError as error:
                    yield Said(use.pointer, error.message, error.hint, use.near)


def undefined_variable(policy: PolicyView) -> Iterator[Said]:
    """Variables that nothing defines where they stand."""
    for use in _readable(policy):
        if use.open:
            continue
        for name in sorted(roots_of(use.text) - use.names - {"@"}):
            if name in use.later:
                continue
            message, hint = _undefined(name, use)
            # all but a plain path takes what is missing for null, and goes on
            level: Level | None = None if parse(use.text)["type"] in _PATHS else "warning"
            yield Said(use.pointer, message, hint, use.near, level)


def _undefined(name: str, use: Use) -> tuple[str, str]:
    if not name:
        return '`""` is a name in an expression, not a text', "Write `''` for the empty text."
    if name in _WORDS:
        return f"`{name}` is a name in an expression, and no value", f"Write `` `{name}` `` in backticks."
    if name.startswith("element"):
        return f"`{name}` is known in a loop of its depth only", "Put it in `foreach`, or name the list itself."
    if name == "target":
        return "`target` is known where `mutate.targets` are only", "Write `request.object` for what is admitted."
    hint = did_you_mean(name, use.names)
    if not hint.startswith("Did you mean"):
        hint = "Define it in `context`, or begin with `request.`."
    return f"variable `{name}` is never defined", hint


def unknown_request_field(policy: PolicyView) -> Iterator[Said]:
    """Fields of `request` that are one letter off a known one."""
    for use in _readable(policy):
        for node in _nodes(parse(use.text)):
            if node["type"] != "subexpression" or len(node["children"]) < 2:
                continue
            first, second = node["children"][:2]
            if first != _REQUEST or second["type"] != "field" or second["value"] in _REQUEST_FIELDS:
                continue
            hint = did_you_mean(second["value"], _REQUEST_FIELDS)
            if hint.startswith("Did you mean"):
                yield Said(use.pointer, f"a request has no `{second['value']}`", hint, use.near)


def late_variable(policy: PolicyView) -> Iterator[Said]:
    """Context entries that read one that is defined below them, or themselves."""
    for use in _readable(policy):
        for name in sorted((roots_of(use.text) & use.later) - use.names):
            message = f"`{name}` is defined further down, or by itself"
            yield Said(use.pointer, message, "Put the entry that defines it above.", use.near)


def user_in_background(policy: PolicyView) -> Iterator[Said]:
    """Users in a policy that also runs where nobody asks."""
    if not policy.background:
        return
    hint = "Write `background: false`, or leave the user out."
    for rule in policy.rules:
        if rule.deed not in ("validate", "verifyImages"):
            continue
        for item in (*rule.filters("match"), *rule.filters("exclude")):
            for field in ("roles", "clusterRoles", "subjects"):
                if item.entry.get(field):
                    at = f"{item.at.removesuffix('/resources')}/{field}"
                    yield Said(at, f"`{field}` are not known in background scans", hint)
        for use in uses(rule):
            if _reads_user(use.text) and not use.open:
                yield Said(use.pointer, "who asks is not known in background scans", hint, use.near)


def _reads_user(text: str) -> bool:
    try:
        roots = roots_of(text)
    except SpecError:
        return False
    if roots & _USER_ROOTS:
        return True
    return "request" in roots and "||" not in text and any(f"request.{field}" in text for field in _USERS)


def unmarked_variable(policy: PolicyView) -> Iterator[Said]:
    """Keys of conditions that look like expressions and have no braces."""
    for rule in policy.rules:
        for at, block in rule.blocks_of_conditions():
            for condition, _ in conditions_of(block, at):
                key = condition.body.get("key")
                if isinstance(key, str) and "{{" not in key and key.startswith(tuple(f"{name}." for name in ALWAYS)):
                    message = f"`{key}` is taken as it is written: it is no variable without braces"
                    yield Said(f"{condition.at}/key", message, f"Write `{{{{ {key} }}}}`.", key)


def scalar_loop(policy: PolicyView) -> Iterator[Said]:
    """Loops over what is never a list."""
    for rule in policy.rules:
        for loop in rule.loops():
            text = loop.body.get("list")
            if not isinstance(text, str) or "{{" in text:
                continue
            never = text.strip() in _NO_LISTS or _is_scalar(text, policy.functions)
            if never:
                hint = "Name a list, such as `request.object.spec.containers`."
                yield Said(f"{loop.at}/list", f"`{text.strip()}` is never a list, and one element at most", hint, text)


_NO_LISTS: Final = frozenset(
    f"request.object.{path}"
    for path in (
        "apiVersion",
        "kind",
        "metadata",
        "metadata.name",
        "metadata.namespace",
        "metadata.labels",
        "metadata.annotations",
        "spec",
        "spec.replicas",
        "spec.securityContext",
        "spec.template",
        "spec.template.spec",
        "data",
    )
)


def _is_scalar(text: str, functions: Functions) -> bool:
    if not _compiles(text, functions):
        return False
    given = _types(parse(text), functions)
    return given is not None and given <= {str, int, float, bool}


def _all(policy: PolicyView) -> list[Use]:
    """Every expression of a policy, looked for once."""
    return _kept(policy, "all", lambda: [use for rule in policy.rules for use in uses(rule)])


def _readable(policy: PolicyView) -> list[Use]:
    """Every expression that compiles."""
    return _kept(policy, "readable", lambda: [use for use in _all(policy) if _compiles(use.text, policy.functions)])


def _kept(policy: PolicyView, name: str, find: Callable[[], list[Use]]) -> list[Use]:
    found = policy.memo.get(name)
    if found is None:
        found = policy.memo[name] = find()
    return found


def _compiles(text: str, functions: Functions) -> bool:
    try:
        compile_expression(text, functions, missing="error")
    except SpecError:
        return False
    return True


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node["children"]:
        if isinstance(child, dict):
            yield from _nodes(child)
