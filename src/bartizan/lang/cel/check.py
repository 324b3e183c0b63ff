"""Whether an expression can run, and what type each part has.

Overloads are resolved by the rules of the language definition: every one
that the arguments fit is kept, and where these differ in what they give, the
call is `dyn`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

from bartizan.base.errors import SpecError
from bartizan.base.suggest import did_you_mean
from bartizan.lang.cel.declare import UNIQUE_KEYS
from bartizan.lang.cel.lex import fail
from bartizan.lang.cel.nodes import (
    Bind,
    Call,
    Choice,
    Constant,
    ListOf,
    Logic,
    Loop,
    MapOf,
    Message,
    Name,
    Node,
    Select,
    children,
)
from bartizan.lang.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DYN,
    INT,
    NULL,
    PRIMITIVES,
    STRING,
    UINT,
    Type,
    Unifier,
    is_variable,
    list_of,
    map_of,
    most_general,
    optional_of,
)
from bartizan.lang.cel.uniform import check_members
from bartizan.lang.cel.values import UInt

if TYPE_CHECKING:
    from bartizan.lang.cel.declare import Environment, ObjectType, Overload

TYPE_NAMES: Final = {
    **{name: name for name in ("int", "uint", "double", "string", "bytes", "bool", "list", "map", "type", "null_type")},
    **{name: name for name in ("google.protobuf.Timestamp", "google.protobuf.Duration", "optional_type")},
    **{name: name for name in ("net.IP", "net.CIDR", "kubernetes.URL", "kubernetes.Quantity", "kubernetes.Semver")},
}
"""Names that stand for types, as values."""
_CLASSES: Final[dict[type, Type]] = {
    int: INT,
    UInt: UINT,
    float: DOUBLE,
    str: STRING,
    bytes: BYTES,
    bool: BOOL,
    type(None): NULL,
}
_OPERATORS: Final = {"@in": "in", "_[_]": "[]", "_[?_]": "[?]"}


@dataclass(slots=True)
class Checked:
    """What is known of a tree: types, the variable or constant a name is, what a call means, what makes an object."""

    types: dict[Node, Type] = field(default_factory=dict)
    variables: dict[Node, str] = field(default_factory=dict)
    type_names: dict[Node, str] = field(default_factory=dict)
    calls: dict[Node, tuple[str, tuple[Node, ...], tuple[Overload, ...]]] = field(default_factory=dict)
    constants: dict[Node, Any] = field(default_factory=dict)
    unique_keys: bool = True
    """Whether a map that is written out may have no key twice."""
    objects: dict[Node, ObjectType] = field(default_factory=dict)


class TypeProblem(NamedTuple):
    """Something that does not fit: what is said of it, the part it is about, and the types right below that."""

    error: SpecError
    node: Node
    below: tuple[Type, ...]


def problems_of(tree: Node, text: str, environment: Environment) -> tuple[Type, list[TypeProblem]]:
    """The type of a tree, and everything that does not fit in it: what is wrong is `dyn` for what is around it."""
    found: list[TypeProblem] = []
    checker = _Checker(text, environment, found)
    checker.check(tree)
    resolve = checker.unifier.resolve
    types = {node: resolve(kind, final=True) for node, kind in checker.done.types.items()}
    found = [item._replace(below=tuple(resolve(kind, final=True) for kind in item.below)) for item in found]
    if not found and environment.homogeneous and environment.strict:
        try:
            check_members(tree, text, types)
        except SpecError as error:
            found.append(TypeProblem(error, tree, ()))
    return types[tree], sorted(found, key=lambda item: item.error.column)


def check(tree: Node, text: str, environment: Environment) -> Checked:
    """Check a tree.

    Raises:
        SpecError: a name, field or function that is not there, or operands that an operation does not take.
    """
    checker = _Checker(text, environment)
    checker.check(tree)
    checked = checker.done
    checked.unique_keys = UNIQUE_KEYS not in environment.without
    resolve = checker.unifier.resolve
    checked.types = {node: resolve(kind, final=True) for node, kind in checked.types.items()}
    if environment.homogeneous and environment.strict:
        check_members(tree, text, checked.types)
    return checked


class _Checker:
    """The walk over one tree, with the types of the names in reach."""

    def __init__(self, text: str, environment: Environment, problems: list[TypeProblem] | None = None) -> None:
        self.done = Checked()
        self.unifier = Unifier()
        self._problems = problems
        self._text = text
        self._environment = environment
        self._strict = environment.strict
        self._scope: dict[str, Type] = {}

    def check(self, node: Node) -> Type:
        """The type of a node, noted for it and everything below."""
        scope = self._scope
        try:
            kind = self.unifier.resolve(self._type(node))
        except SpecError as error:
            self._note(error, node)
            self._scope = scope
            kind = DYN
        self.done.types[node] = kind
        return kind

    def _note(self, error: SpecError, node: Node) -> None:
        """Go on after a problem, where all of them are wanted."""
        if self._problems is None:
            raise error
        types = self.done.types
        self._problems.append(TypeProblem(error, node, tuple(types[item] for item in children(node) if item in types)))

    def _fail(self, node: Node, problem: str, hint: str = "") -> NoReturn:
        fail(self._text, node.at, problem, hint)

    def _complain(self, node: Node, problem: str) -> None:
        """Fail, or note a problem that keeps nobody from looking at what is beside it."""
        try:
            self._fail(node, problem)
        except SpecError as error:
            self._note(error, node)

    def _type(self, node: Node) -> Type:  # noqa: C901, PLR0911 (one line for each kind)
        match node:
            case Constant(value=value):
                return _CLASSES[value.__class__]
            case Name():
                return self._name(node)
            case Select():
                return self._select(node)
            case Call():
                return self._call(node)
            case Logic(terms=terms):
                return self._logic(terms)
            case Choice():
                return self._choice(node)
            case ListOf():
                return self._list(node)
            case MapOf():
                return self._map(node)
            case Loop():
                return self._loop(node)
            case Bind(name=name, value=value, body=body):
                return self._within({name: self.check(value)}, body)
            case Message():
                return self._message(node)

    def _within(self, names: dict[str, Type], node: Node) -> Type:
        outer = self._scope
        self._scope = {**outer, **names}
        kind = self.check(node)
        self._scope = outer
        return kind

    # names

    def _candidates(self, name: str) -> list[str]:
        """The full names that a name may mean, those of the inner namespaces first."""
        if name.startswith("."):
            return [name[1:]]
        parts = self._environment.container.split(".") if self._environment.container else []
        return [".".join([*parts[:count], name]) for count in range(len(parts), -1, -1)]

    def _resolved(self, node: Node, name: str) -> Type | None:
        for candidate in self._candidates(name):
            kind = self._environment.variables.get(candidate)
            if kind is not None:
                self.done.variables[node] = candidate
                return kind
            constant = self._environment.constant(candidate)
            if constant is not None:
                kind, self.done.constants[node] = constant
                return kind
            if candidate in TYPE_NAMES:
                self.done.type_names[node] = TYPE_NAMES[candidate]
                return Type("type", (Type(candidate),))
            declared = self._environment.object_type(candidate)
            if declared is not None:
                self.done.type_names[node] = declared.type.name
                return Type("type", (declared.type,))
        return None

    def _name(self, node: Name) -> Type:
        if node.name in self._scope:
            return self._scope[node.name]
        kind = self._resolved(node, node.name)
        if kind is None:
            if not self._strict:
                return DYN
            known = [*self._scope, *self._environment.variables]
            self._fail(node, f"unknown name `{node.name}`", did_you_mean(node.name, known))
        return kind

    def _dotted(self, node: Node) -> str:
        """The dotted name that a chain of fields may be; empty where a loop's variable comes first."""
        parts: list[str] = []
        while isinstance(node, Select) and not (node.tests or node.optional):
            parts.append(node.field)
            node = node.operand
        if not isinstance(node, Name) or node.name in self._scope:
            return ""
        return ".".join([node.name, *reversed(parts)])

    def _select(self, node: Select) -> Type:
        if not node.tests and not node.optional:
            name = self._dotted(node)
            kind = self._resolved(node, name) if name else None
            if kind is not None:
                return kind
        operand = self.check(node.operand)
        is_optional = operand.name == "optional_type"
        kind = self._field(node, operand.parameters[0] if is_optional else operand)
        if node.tests:
            return BOOL
        return optional_of(kind) if is_optional or node.optional else kind

    def _field(self, node: Select, operand: Type) -> Type:
        if operand.name == "map":
            return operand.parameters[1]
        fields = self._environment.objects.get(operand.name)
        if fields is not None:
            if node.field not in fields and self._strict:
                self._fail(node, f"unknown field `{node.field}`", did_you_mean(node.field, fields))
            return fields.get(node.field, DYN)
        declared = self._environment.object_type(operand.name)
        if declared is not None:
            return self._declared_field(node, declared, node.field) or DYN
        if operand != DYN and not is_variable(operand) and self._strict:
            self._fail(node, f"a {operand} has no fields, and so no `{node.field}`")
        return DYN

    # operations

    def _call(self, node: Call) -> Type:
        if isinstance(node.target, (Name, Select)):
            name = self._dotted(node.target)
            for candidate in self._candidates(f"{name}.{node.function}") if name else ():
                if candidate in self._environment.functions:
                    return self._apply(node, candidate, node.arguments, member=False)
        if node.target is not None:
            return self._apply(node, node.function, node.operands, member=True)
        candidates = self._candidates(node.function)
        known = next((name for name in candidates if name in self._environment.functions), candidates[-1])
        return self._apply(node, known, node.arguments, member=False)

    def _apply(self, node: Call, name: str, operands: tuple[Node, ...], *, member: bool) -> Type:
        given = [self.check(operand) for operand in operands]
        overloads = tuple(
            overload
            for overload in self._environment.functions.get(name, ())
            if overload.member == member and len(overload.parameters) == len(given)
        )
        if not overloads and self._strict:
            self._unknown(node, name, len(operands) - member)
        fitting: list[Overload] = []
        result: Type | None = None
        for overload in overloads:
            *wanted, gives = self.unifier.instance((*overload.parameters, overload.result))
            if not self.unifier.widen(given, wanted):
                continue
            fitting.append(overload)
            kind = self.unifier.resolve(gives)
            result = kind if result is None or result == kind else DYN
        if result is None:
            if self._strict:
                shown = ", ".join(str(self.unifier.resolve(kind)) for kind in given)
                self._fail(node, f"`{_shown(name)}` does not take ({shown})")
            self.done.calls[node] = (name, operands, overloads)
            return DYN
        self.done.calls[node] = (name, operands, tuple(fitting))
        if len(fitting) == 1 and fitting[0].refuses is not None and self._strict:
            refused = fitting[0].refuses(operands, self.done.types.__getitem__)
            if refused:
                self._fail(node, refused)
        return result

    def _unknown(self, node: Call, name: str, count: int) -> NoReturn:
        known = self._environment.functions
        if name in known:
            self._fail(node, f"`{_shown(name)}` is not called like this, with {count} arguments")
        words = [function for function in known if function[0].isalpha()]
        self._fail(node, f"unknown function `{name}`", did_you_mean(name, words))

    def _expect(self, node: Node, kind: Type, what: str) -> None:
        given = self.check(node)
        if not self.unifier.fits([given], [kind]) and self._strict:
            self._complain(node, f"{what} must be a {kind}, not a {self.unifier.resolve(given)}")

    def _logic(self, terms: tuple[Node, ...]) -> Type:
        for term in terms:
            self._expect(term, BOOL, "each term")
        return BOOL

    def _choice(self, node: Choice) -> Type:
        self._expect(node.condition, BOOL, "the condition")
        yes, no = self.check(node.yes), self.check(node.no)
        if self.unifier.fits([no], [yes]):
            return self._general(yes, no)
        if self._strict:
            self._fail(node, f"the two outcomes are of different types: {yes} and {no}", "Wrap one in `dyn()`.")
        return DYN

    def _general(self, left: Type, right: Type) -> Type:
        return most_general(self.unifier.resolve(left), self.unifier.resolve(right))

    # collections

    def _list(self, node: ListOf) -> Type:
        kinds: list[Any] = []
        for index, item in enumerate(node.items):
            kind = self.check(item)
            kinds.append((item, self._present(item, kind) if index in node.optional else kind))
        return list_of(self._joined(kinds))

    def _present(self, node: Node, kind: Type) -> Type:
        """What an optional member holds."""
        inner = self.unifier.fresh()
        fits = kind != NULL and self.unifier.fits([kind], [optional_of(inner)])
        if not fits and self._strict:
            self._fail(node, f"an optional member must be an optional, not a {kind}")
        return DYN if kind == DYN else self.unifier.resolve(inner)

    def _joined(self, kinds: list[tuple[Node, Type]]) -> Type:
        if not kinds:
            return self.unifier.fresh()
        joined = kinds[0][1]
        for _node, kind in kinds[1:]:
            joined = self._general(joined, kind) if self.unifier.fits([kind], [joined]) else DYN
        return joined

    def _map(self, node: MapOf) -> Type:
        keys: list[tuple[Node, Type]] = []
        values: list[tuple[Node, Type]] = []
        for index, (key, value) in enumerate(node.entries):
            keys.append((key, self.check(key)))
            kind = self.check(value)
            values.append((value, self._present(value, kind) if index in node.optional else kind))
        return map_of(self._joined(keys), self._joined(values))

    def _message(self, node: Message) -> Type:
        declared = next(filter(None, map(self._environment.object_type, self._candidates(node.name))), None)
        if declared is None:
            self._fail(node, f"`{node.name}` is no known object type", "Write a map, without a name.")
        self.done.objects[node] = declared
        for place, (name, value) in enumerate(node.fields):
            given = self.check(value)
            wanted = self._declared_field(value, declared, name)
            if place in node.optional:
                given = self._present(value, given)
            if wanted not in (None, DYN) and not self.unifier.fits([given], [wanted]) and self._strict:
                shown = self.unifier.resolve(given)
                self._fail(value, f"field `{name}` of `{declared.type}` takes a {wanted}, not a {shown}")
        return declared.type

    def _declared_field(self, node: Node, declared: ObjectType, name: str) -> Type | None:
        kind = declared.field(name)
        if kind is None and self._strict:
            self._fail(node, f"unknown field `{name}` of `{declared.type}`", did_you_mean(name, declared.fields))
        return kind

    def _loop(self, node: Loop) -> Type:
        names = self._loop_names(node)
        if node.condition is not None:
            outer = self._scope
            self._scope = {**outer, **names}
            self._expect(node.condition, BOOL, "the condition")
            self._scope = outer
        if node.result is not None:
            result = self._within(names, node.result)
        match node.kind:
            case "map":
                return list_of(result)
            case "filter":
                return list_of(self.unifier.resolve(names[node.first]))
            case "transformMap":
                return map_of(names[node.first], result)
            case "transformMapEntry":
                return result if result.name == "map" else map_of(DYN, DYN)
            case _:
                return BOOL

    def _loop_names(self, node: Loop) -> dict[str, Type]:
        over = self.check(node.over)
        first: Type = DYN
        second: Type = DYN
        if is_variable(over):
            self.unifier.fits([over], [DYN])
        elif over.name == "list":
            first, second = (over.parameters[0], DYN) if node.second is None else (INT, over.parameters[0])
        elif over.name == "map":
            first, second = over.parameters
        elif over != DYN and self._strict:
            self._complain(node, f"a loop needs a list or a map, not a {over}")
        return {node.first: first} | ({} if node.second is None else {node.second: second})


def _shown(name: str) -> str:
    return _OPERATORS.get(name, name.replace("_", "") if not name[0].isalpha() else name)


def is_concrete(kind: Type) -> bool:
    """Whether values of a static type always have the class that goes with it."""
    return kind in PRIMITIVES or kind.name in ("list", "map")
