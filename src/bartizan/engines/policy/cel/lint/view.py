"""A policy in CEL as rules about policies look at it: its expressions, as its own compiler has them, and its fields.

Whatever is malformed is as if it were not there; the compiler says that once.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from bartizan.base.errors import SpecError
from bartizan.base.pointer import resolve
from bartizan.engines.policy.cel.expressions import refuse
from bartizan.lang.cel import Expression
from bartizan.lang.cel.nodes import Node, children
from bartizan.lang.cel.parse import parse
from bartizan.lang.cel.types import DYN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.cel.listening import Written


class Found(NamedTuple):
    """One expression of a policy: where it stands, its tree, if it has one, and why it does not compile, if so."""

    written: Written
    tree: Node | None
    error: SpecError | None

    @property
    def at(self) -> str:
        """Its place, as a JSON pointer."""
        return self.written.at

    @property
    def text(self) -> str:
        """It, as written."""
        return self.written.text

    def offset_in(self, document: JsonObject) -> int:
        """Where in the text at its place it begins: a template holds it among others."""
        try:
            text = resolve(document, self.at)
        except LookupError:
            return 0
        return max(text.find(self.text), 0) if isinstance(text, str) else 0

    def nodes(self) -> Iterator[Node]:
        """All its parts, from the outside in."""
        if self.tree is not None:
            yield from every(self.tree)


def every(node: Node) -> Iterator[Node]:
    """A part of an expression and all inside it."""
    yield node
    for child in children(node):
        yield from every(child)


class Collector:
    """Listens while a policy is compiled; what does not compile is stood in for, so that the rest is heard of too.

    Of several expressions at one place the first counts: the others were
    made from it, for pod controllers.
    """

    def __init__(self) -> None:
        self.found: dict[str, Found] = {}
        self.refusals: list[SpecError] = []

    def compiled(self, expression: Expression, written: Written) -> Expression:
        """Note an expression."""
        self._keep(written, None)
        return expression

    def refused(self, written: Written, error: SpecError) -> Expression:
        """Note one that does not compile, and go on with something of the type that is wanted."""
        known = self.found.get(_key(written))
        if known is not None and known.error is None and not written.owner:
            message = f"{error.message}, once it is about what makes Pods"
            self.refusals.append(SpecError(message, pointer=written.at, hint=error.hint))
        self._keep(written, error)
        wanted = written.wanted[0] if written.wanted else DYN
        return Expression(written.text, wanted, "", written.environment, refuse)

    def _keep(self, written: Written, error: SpecError | None) -> None:
        if not written.owner:
            self.found.setdefault(_key(written), Found(written, _tree(written.text), error))


def _key(written: Written) -> str:
    """The place of an expression; a template has several at one."""
    return f"{written.at}#{written.text}" if written.at.endswith("/template/value") else written.at


def _tree(text: str) -> Node | None:
    try:
        return parse(text)
    except (SpecError, RecursionError):
        return None


@dataclass(frozen=True, slots=True)
class CelView:
    """A policy, its expressions by their places, and what else its compiler had to say.

    `kind` is without the `Namespaced` that a kind may begin with.
    """

    document: JsonObject
    expressions: dict[str, Found]
    faults: tuple[SpecError, ...] = ()
    bound: frozenset[str] | None = None
    """The policies that bindings name, where bindings are looked for."""
    memo: dict[str, list[str]] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """What sort of policy it is."""
        return str(self.document.get("kind")).removeprefix("Namespaced")

    @property
    def spec(self) -> JsonObject:
        """Its `spec`, or nothing."""
        return mapping(self.document.get("spec"))

    def items(self, name: str) -> list[tuple[str, JsonObject]]:
        """The objects of a list in the spec, each with its place."""
        listed = self.spec.get(name)
        found = listed if isinstance(listed, list) else []
        return [(f"/spec/{name}/{index}", item) for index, item in enumerate(found) if isinstance(item, dict)]

    @property
    def rules(self) -> list[tuple[str, JsonObject]]:
        """The resource rules of its constraints, each with its place."""
        listed = mapping(self.spec.get("matchConstraints")).get("resourceRules")
        at = "/spec/matchConstraints/resourceRules"
        found = listed if isinstance(listed, list) else []
        return [(f"{at}/{index}", item) for index, item in enumerate(found) if isinstance(item, dict)]

    def texts(self) -> list[str]:
        """Every text in the spec."""
        if "texts" not in self.memo:
            self.memo["texts"] = list(_texts(self.spec))
        return self.memo["texts"]

    def within(self, name: str) -> Iterator[Found]:
        """The expressions of one list of the spec."""
        return (found for at, found in self.expressions.items() if at.startswith(f"/spec/{name}/"))

    def bound_by(self, names: frozenset[str]) -> CelView:
        """The same, beside the bindings that are there."""
        return replace(self, bound=names)


def mapping(value: Json) -> JsonObject:
    """An object, or an empty one."""
    return value if isinstance(value, dict) else {}


def words(value: Json) -> list[str]:
    """The texts of a list."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
