"""`x-kubernetes-validations`: rules in CEL at any node of a schema, compiled with the types that the schema tells.

Source: `k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel`. A rule is
asked of every value of its node that is there and not null; one that names
`oldSelf` is asked of updates, where the schema tells which value was which.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from bartizan.base.errors import SpecError
from bartizan.engines.policy.cel.schema import Declared, Fault, declare
from bartizan.engines.policy.dialects.kubernetes.crd.field_path import field_path
from bartizan.engines.policy.dialects.kubernetes.crd.nodes import every
from bartizan.engines.policy.dialects.kubernetes.crd.pairs import Pair, in_order, is_keyed, key_of, keyed
from bartizan.engines.policy.dialects.kubernetes.crd.problems import (
    OMITTED,
    FieldProblem,
    Key,
    Path,
    duplicate,
    field_of,
    forbidden,
    invalid,
    quoted,
    required,
)
from bartizan.engines.policy.dialects.kubernetes.crd.rule_specs import RuleSpec, read_rule, specs_below
from bartizan.lang.cel import CelBudgetError, CelError, CelTotalError, Environment, compile_expression
from bartizan.lang.cel.cost import over_budget, over_limit
from bartizan.lang.cel.library import KUBERNETES
from bartizan.lang.cel.limits import Meter, weight
from bartizan.lang.cel.nodes import Name, children
from bartizan.lang.cel.nodes import Node as Expr
from bartizan.lang.cel.parse import parse
from bartizan.lang.cel.types import BOOL, STRING, Type, optional_of
from bartizan.lang.cel.values import NONE, Optional

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kubernetes.crd.nodes import Node
    from bartizan.lang.cel import Expression

    Failures: TypeAlias = "dict[int, list[FieldProblem]]"
    Visit: TypeAlias = Callable[[Json, Json, Path, "Near", "Asked"], None]

MAX_MESSAGE_BYTES: Final = 5 << 10
"""A longer message is not used, as the server has it."""
_NO_OLD: Final = "oldSelf"
_OUT_OF_BUDGET: Final = "running out of cost budget, no further validation rules will be run"
_OVER_CALL: Final = "no further validation rules will be run due to call cost exceeds limit for messageExpression"


@dataclass(frozen=True, slots=True)
class _Rule:
    """One rule, compiled. `number` is its place among all of its schema."""

    number: int
    spec: RuleSpec
    expression: Expression | None
    message: Expression | None
    uses_old: bool
    path: Path
    field: str
    broken: str = ""


class Near(NamedTuple):
    """What is known of a value's older self: its pair, or that of the nearest value above that has one."""

    pair: Pair | None
    above: Pair | None

    def key(self, name: str) -> Near:
        """The same, of a field or key."""
        if self.pair is None:
            return self
        if self.above is None and name in ("apiVersion", "kind"):
            return NOWHERE
        return Near(self.pair.key(name), self.pair)

    def item(self, place: int) -> Near:
        """The same, of an item."""
        return self if self.pair is None else Near(self.pair.index(place), self.pair)

    @property
    def unchanged(self) -> bool:
        """Whether nothing here is new, so that an objection would come too late."""
        pair = self.pair or self.above
        return pair is not None and pair.unchanged()


NOWHERE: Final = Near(None, None)


class Asked:
    """The answers of one object: rules that were asked, by number, and their objections.

    `meter` is what they cost together; a rule that goes beyond that stops all after it.
    """

    __slots__ = ("failures", "meter", "numbers", "stopped")

    def __init__(self, size: int = 0) -> None:
        self.numbers: set[int] = set()
        self.failures: Failures = {}
        self.meter = Meter(size)
        self.stopped = False

    def fail(self, number: int, problem: FieldProblem) -> None:
        """Note an objection."""
        self.failures.setdefault(number, []).append(problem)

    def stop(self, number: int, problem: FieldProblem) -> None:
        """Note an objection, after which nothing is asked any more."""
        self.stopped = True
        self.fail(number, problem)


class Rules(NamedTuple):
    """The rules of a schema, compiled: how to ask them, if there are any, and what is wrong with some."""

    ask: Callable[[JsonObject, JsonObject | None, Near], Asked] | None
    problems: tuple[SpecError, ...]


def compile_rules(root: Node) -> Rules:
    """Compile the rules of a schema; one that does not compile is a problem, and an objection where it is asked."""
    compiler = _Compiler()
    if not any(node.rules for node in every(root)):
        return Rules(None, ())
    declared = declare(root, "self", is_resource=True)
    visit = compiler.node(root, declared)
    if visit is None:
        return Rules(None, tuple(compiler.problems))

    def ask(value: JsonObject, old: JsonObject | None, near: Near) -> Asked:
        asked = Asked(max(weight(value), weight(old)))
        visit(value, old, None, near, asked)
        return asked

    return Rules(ask, tuple(compiler.problems))


class _Compiler:
    """Compiles the rules of one schema, numbering them as `rule_specs` does."""

    def __init__(self) -> None:
        self.problems: list[SpecError] = []
        self._next = 0

    def node(self, node: Node, declared: Declared | None) -> Visit | None:
        """What asks the rules of a node, and of all below; `None` where there are none."""
        own = self._own(node, declared)
        item = None if declared is None else declared.item
        fields = {} if declared is None else declared.fields
        items = self._child(node.items, item)
        properties = {}
        for name, child in node.properties.items():
            visit = self._child(child, fields.get(name))
            if visit is not None:
                properties[name] = visit
        rest = self._child(node.additional, item)
        if not (own or items or properties or rest):
            return None
        return _visit(own, _Below(node, items, properties, rest))

    def _child(self, node: Node | None, declared: Declared | None) -> Visit | None:
        if node is None:
            return None
        if declared is None:
            self._next += sum(1 for _ in specs_below(node, ""))  # what no expression can see is never asked
            return None
        return self.node(node, declared)

    def _own(self, node: Node, declared: Declared | None) -> Visit | None:
        specs = [
            read_rule(rule, f"{node.at}/x-kubernetes-validations/{index}", "") for index, rule in enumerate(node.rules)
        ]
        if not specs:
            return None
        rules = [self._rule(self._next + index, spec, node, declared) for index, spec in enumerate(specs)]
        self._next += len(rules)
        kept = [rule for rule in rules if rule.expression is not None or rule.broken]
        return None if declared is None else _asking(kept, node, declared)

    def _rule(self, number: int, spec: RuleSpec, spine: Node, declared: Declared | None) -> _Rule:
        none = _Rule(number, spec, None, None, uses_old=False, path=None, field="")
        if declared is None or not spec.rule.strip():
            return none
        old = optional_of(declared.type) if spec.optional_old else declared.type
        environment = Environment(
            {"self": declared.type, "oldSelf": old}, KUBERNETES, declared.objects, homogeneous=True
        )
        try:
            path, field = field_path(spec.field_path, spine, spec.at)
            expression = _compile(spec.rule, environment, BOOL, f"{spec.at}/rule")
            uses_old = _mentions(parse(spec.rule), _NO_OLD)
        except SpecError as error:
            self.problems.append(error)
            return replace(none, broken=f"rule compile error: {error.message}")
        message = None
        if spec.message_expression:
            try:
                message = _compile(spec.message_expression, environment, STRING, f"{spec.at}/messageExpression")
            except SpecError as error:
                self.problems.append(error)
        return _Rule(number, spec, expression, message, uses_old, path, field)


def _compile(text: str, environment: Environment, wanted: Type, at: str) -> Expression:
    try:
        compiled = compile_expression(text, environment)
    except SpecError as error:
        raise SpecError(error.message, hint=error.hint, pointer=at, column=error.column) from error
    if compiled.type != wanted:
        raise SpecError(f"`{text.strip()[:200]}` must give a {wanted}, not a {compiled.type}", pointer=at)
    return compiled


def _mentions(node: Expr, name: str) -> bool:
    return (isinstance(node, Name) and node.name == name) or any(_mentions(below, name) for below in children(node))


class _Below(NamedTuple):
    """The rules below one node."""

    spine: Node
    items: Visit | None
    properties: dict[str, Visit]
    rest: Visit | None


def _visit(own: Visit | None, below: _Below) -> Visit:
    def visit(value: Json, old: Json, path: Path, near: Near, asked: Asked) -> None:
        if value is None or asked.stopped:
            return
        if own is not None:
            own(value, old, path, near, asked)
        if value.__class__ is dict:
            _visit_map(below, value, old, path, near, asked)
        elif value.__class__ is list and below.items is not None:
            by_key = keyed(below.spine, old) if is_keyed(below.spine) else {}
            for place, item in enumerate(value):
                older = by_key.get(key_of(below.spine, item)) if by_key else None
                below.items(item, older, (path, place), near.item(place), asked)

    return visit


def _visit_map(below: _Below, value: JsonObject, old: Json, path: Path, near: Near, asked: Asked) -> None:
    older = old if isinstance(old, dict) else {}
    if below.rest is not None:
        for name, item in value.items():
            below.rest(item, older.get(name), (path, Key(name)), near.key(name), asked)
    for name, visit in below.properties.items():
        if name in value:
            visit(value[name], older.get(name), (path, name), near.key(name), asked)


def _asking(rules: list[_Rule], spine: Node, declared: Declared) -> Visit:
    """Asks the rules of one node of one value."""
    reads_old = any(rule.uses_old for rule in rules)

    def ask(value: Json, old: Json, path: Path, near: Near, asked: Asked) -> None:
        if rules and asked.meter.is_spent():
            asked.numbers.add(rules[0].number)
            asked.stop(rules[0].number, invalid(path, spine.type, str(over_budget())))
            return
        names = {"self": declared.value(value)}
        if reads_old and old is not None:
            names[_NO_OLD] = declared.value(in_order(spine, value, old))
        fault = next((item for item in names.values() if item.__class__ is Fault), None)
        for rule in rules:
            if asked.stopped:
                return
            if rule.uses_old and old is None and not rule.spec.optional_old:
                continue
            asked.numbers.add(rule.number)
            if fault is None:
                _ask(rule, _Values(spine, value, names), path, near, asked)
            else:  # no rule can be asked of a value that is none of its type
                said = f"{fault.says} evaluating rule: {rule.spec.shown}"
                asked.fail(rule.number, invalid(path, spine.type, said))

    return ask


class _Values(NamedTuple):
    """A value, as it is and as expressions see it."""

    spine: Node
    value: Json
    names: dict[str, Any]


def _ask(rule: _Rule, values: _Values, path: Path, near: Near, asked: Asked) -> None:
    names = values.names
    if rule.expression is None:
        asked.fail(rule.number, invalid(path, values.spine.type, rule.broken))
        return
    if rule.spec.optional_old:
        names = {**names, _NO_OLD: Optional(names[_NO_OLD]) if _NO_OLD in names else NONE}
    try:
        if asked.meter.run(rule.expression, names) is True:
            return
    except CelTotalError as error:
        asked.stop(rule.number, invalid(path, values.spine.type, str(error)))
        return
    except CelBudgetError:
        said = f"'{over_limit()}': no further validation rules will be run due to call cost exceeds limit for rule: "
        asked.stop(rule.number, invalid(path, values.spine.type, said + rule.spec.shown))
        return
    except CelError as error:
        asked.fail(rule.number, invalid(path, values.spine.type, _error_text(error, rule.spec)))
        return
    message, over = _message(rule, values.names, asked.meter)
    problem = _objection(rule, values, path, message)
    if over:
        problem = _at_field(rule, invalid(path, values.spine.type, over), path)
        asked.stopped = True
    if rule.uses_old or not near.unchanged:
        asked.fail(rule.number, problem)


def _error_text(error: CelError, spec: RuleSpec) -> str:
    if str(error).startswith("no such overload"):
        words = "call arguments did not match a supported operator, function or macro signature for rule"
        return f"'{error}': {words}: {spec.shown}"
    return f"{error} evaluating rule: {spec.shown}"


def _objection(rule: _Rule, values: _Values, path: Path, message: str) -> FieldProblem:
    spec = rule.spec
    detail = message or spec.message.strip() or f"failed rule: {spec.rule.strip()}"
    shown = OMITTED if values.spine.type in ("object", "array") else values.value
    match spec.reason:
        case "FieldValueForbidden":
            made = forbidden(path, detail)
        case "FieldValueRequired":
            made = required(path, detail)
        case "FieldValueDuplicate":
            made = duplicate(path, shown)
        case _:
            made = invalid(path, shown, detail)
    return _at_field(rule, made, path)


def _at_field(rule: _Rule, made: FieldProblem, path: Path) -> FieldProblem:
    """An objection to a value, at the field of it that the rule names."""
    if not rule.field:
        return made
    above = field_of(path)
    pointer = made.pointer + required(rule.path).pointer
    return made._replace(field=f"{above}.{rule.field}" if above else rule.field, pointer=pointer)


def _message(rule: _Rule, names: dict[str, Any], meter: Meter) -> tuple[str, str]:
    """The message that an expression works out, empty where it gives none that can be used; or why it cost too much."""
    if rule.message is None:
        return "", ""
    try:
        said = meter.run(rule.message, names)
    except CelTotalError:
        return "", f"messageExpression evaluation failed due to {_OUT_OF_BUDGET}"
    except CelBudgetError:
        return "", f"{_OVER_CALL}: {quoted(rule.spec.message_expression)}"
    except (CelError, KeyError):  # a message may name an older self that is not there
        return "", ""
    text = said.strip() if isinstance(said, str) else ""
    return "" if len(text.encode(errors="replace")) > MAX_MESSAGE_BYTES or "\n" in text else text, ""
