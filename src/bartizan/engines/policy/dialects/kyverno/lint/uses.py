"""Every expression of a rule, with the names it can read where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.base.pointer import escape
from bartizan.engines.policy.dialects.kyverno.lint.view import mapping, placed
from bartizan.engines.policy.dialects.kyverno.variables import variables_in

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from bartizan.base.json import Json
    from bartizan.engines.policy.dialects.kyverno.lint.view import Placed, RuleView

ALWAYS: Final = frozenset({"request", "images", "serviceAccountName", "serviceAccountNamespace"})
_BARE: Final = frozenset({"jmesPath", "list"})
"""Fields that hold an expression without braces; with braces in them it is put together first."""


class Use(NamedTuple):
    """One expression. `near` is how it is written; `later` are names that context entries below it define."""

    pointer: str
    text: str
    near: str
    names: frozenset[str]
    later: frozenset[str] = frozenset()
    open: bool = False
    """Whether other names may be known there that no policy says, such as those of an attestation."""


class _Scope(NamedTuple):
    names: frozenset[str]
    later: frozenset[str] = frozenset()
    open: bool = False

    def plus(self, names: frozenset[str] | set[str]) -> _Scope:
        return self._replace(names=self.names | names)


def uses(rule: RuleView) -> Iterator[Use]:
    """Every expression of a rule."""
    scope = _Scope(ALWAYS)
    scope = yield from _context(rule.body, rule.at, scope)
    for field in ("preconditions", "validate", "generate", "reportProperties"):
        body = rule.body.get(field)
        yield from _holder(body, f"{rule.at}/{field}", scope, 0)
    yield from _mutation(rule, scope)
    for verification in rule.verify_images:
        # conditions on an attestation read its predicate, whose names no policy says
        yield from _in(verification.body, verification.at, scope.plus({"image"})._replace(open=True))


def names_of(entries: list[Placed]) -> list[str]:
    """The names of context entries, in order; an entry without one has the empty name."""
    return [entry.body["name"] if isinstance(entry.body.get("name"), str) else "" for entry in entries]


def _mutation(rule: RuleView, scope: _Scope) -> Iterator[Use]:
    targets = placed(rule.mutate.get("targets"), f"{rule.at}/mutate/targets")
    inner = scope.plus({"target"}) if targets else scope
    for target in targets:
        here = yield from _context(target.body, target.at, inner)
        rest = {key: value for key, value in target.body.items() if key != "context"}
        yield from _in(rest, target.at, here)
        scope = scope.plus(here.names)
    rest = {key: value for key, value in rule.mutate.items() if key != "targets"}
    yield from _holder(rest, f"{rule.at}/mutate", scope, 0)


def _holder(body: Json, at: str, scope: _Scope, level: int) -> Iterator[Use]:
    """What has loops perhaps: they see more than what is beside them."""
    if not isinstance(body, dict):
        yield from _in(body, at, scope)
        return
    yield from _in({key: value for key, value in body.items() if key != "foreach"}, at, scope)
    for loop in placed(body.get("foreach"), f"{at}/foreach"):
        yield from _in({"list": loop.body.get("list")}, loop.at, scope)
        inner = scope.plus({"element", "elementIndex", f"element{level}", f"elementIndex{level}"})
        inner = yield from _context(loop.body, loop.at, inner)
        rest = {key: value for key, value in loop.body.items() if key not in ("list", "context")}
        yield from _holder(rest, loop.at, inner, level + 1)


def _context(body: Json, at: str, scope: _Scope) -> Generator[Use, None, _Scope]:
    """The expressions of context entries, and what may be read after them."""
    entries = placed(mapping(body).get("context"), f"{at}/context")
    names = names_of(entries)
    for index, entry in enumerate(entries):
        here = scope._replace(names=scope.names.union(names[:index]), later=frozenset(names[index:]))
        for kind, content in entry.body.items():
            # the `jmesPath` of an entry is asked of what it holds; only a variable without a value has none
            reads_scope = kind == "variable" and mapping(content).get("value") is None
            yield from _in(content, f"{entry.at}/{kind}", here, asks=reads_scope)
    return scope.plus(set(names))


def _in(value: Json, at: str, scope: _Scope, *, asks: bool = True, field: str = "") -> Iterator[Use]:
    """The expressions in a document; `asks` is whether bare ones are asked of the names that are known."""
    if isinstance(value, dict):
        for key, item in value.items():
            where = f"{at}/{escape(str(key))}"
            yield from _in(str(key), where, scope)
            yield from _in(item, where, scope, asks=asks, field=str(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _in(item, f"{at}/{index}", scope, asks=asks)
    elif isinstance(value, str):
        for near, text in variables_in(value):
            yield Use(at, text, near, *scope)
        if field in _BARE and "{{" not in value and value.strip():
            yield Use(at, value, value.strip().partition("\n")[0], scope.names, scope.later, scope.open or not asks)
