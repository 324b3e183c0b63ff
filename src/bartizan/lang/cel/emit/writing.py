"""What every writer of source works on: the source so far, what is known of the tree, and the names in reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bartizan.base.generated import Source
from bartizan.lang.cel.nodes import Constant, Name, Node, Select
from bartizan.lang.cel.types import DYN, Type

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.lang.cel.check import Checked
    from bartizan.lang.cel.declare import Overload

_MAX_BLOCKS: Final = 7  # nested blocks before a function of its own is begun: Python allows 20
_MAX_CHARS: Final = 160  # of one Python expression before it gets a name: Python's compiler recurses into each


class Value(NamedTuple):
    """A Python expression, whether it may raise, and whether it is a mere name or constant."""

    code: str
    fails: bool
    plain: bool = False


class Writer:
    """Source being written of one tree; `writers` has the function that writes each kind of node."""

    def __init__(
        self,
        writers: Mapping[type, Callable[[Writer, Any], Value]],
        checked: Checked,
        dispatch: Callable[[tuple[Overload, ...], str], Any],
    ) -> None:
        self.source = Source()
        self.line = self.source.line
        self.name = self.source.name
        self.constant = self.source.constant
        self.checked = checked
        self.dispatch = dispatch
        self.scope: dict[str, Value] = {}
        self.looping = 0
        self._writers = writers

    def function(self, tree: Node) -> None:
        """Write the function of the whole expression, which names every error."""
        with self.source.body(depth=2) as lines:
            self.line(f"return {self.value(tree).code}")
        head = ["def expression(names, budget=None):"]
        if any("budget" in line for line in lines):
            head.append("    if budget is None: budget = [MAX_STEPS]")
        ending = ["    except FAILURES as failure:", "        raise raised(failure) from None"]
        self.source.functions.append("\n".join([*head, "    try:", *lines, *ending]))

    def _part(self, node: Node) -> Value:
        """A node as a function of its own, which is given whatever is in reach."""
        with self.source.body() as lines:
            self.line(f"return {self._written(node).code}")
        name = self.name("part")
        given = ", ".join(["names", "budget", *(value.code for value in self.scope.values())])
        self.source.functions.append("\n".join([f"def {name}({given}):", *lines]))
        return self.assign(f"{name}({given})", fails=True)

    def kind(self, node: Node) -> Type:
        """The static type of a node."""
        return self.checked.types.get(node, DYN)

    def assign(self, code: str, *, fails: bool) -> Value:
        """Give an expression a name."""
        name = self.name()
        self.line(f"{name} = {code}")
        return Value(name, fails, plain=True)

    def value(self, node: Node) -> Value:
        """Write statements for a node; gives an expression for its value, to be used once."""
        if self.source.depth > _MAX_BLOCKS and not isinstance(node, (Constant, Name, Select)):
            return self._part(node)
        value = self._written(node)
        return self.assign(value.code, fails=value.fails) if len(value.code) > _MAX_CHARS else value

    def _written(self, node: Node) -> Value:
        return self._writers[node.__class__](self, node)

    def named(self, node: Node) -> Value:
        """The value of a node as a name, to be used more than once."""
        value = self.value(node)
        return value if value.plain else self.assign(value.code, fails=value.fails)

    def all(self, nodes: tuple[Node, ...]) -> list[Value]:
        """Values of several nodes, in order: what is written for a later one must not overtake an earlier one."""
        values: list[Value] = []
        lines = self.source.lines
        for node in nodes:
            before = len(lines)
            value = self.value(node)
            if len(lines) > before:
                for place, earlier in enumerate(values):
                    if not earlier.plain:
                        name = self.name()
                        lines.insert(before, f"{'    ' * self.source.depth}{name} = {earlier.code}")
                        before += 1
                        values[place] = Value(name, earlier.fails, plain=True)
            values.append(value)
        return values
