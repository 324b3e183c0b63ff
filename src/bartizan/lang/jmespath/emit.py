"""Syntax tree to Python source.

Each node becomes statements that leave its value in a generated name. A
chain of fields is one indexing expression in one `try`, which costs nothing
when it succeeds. Keys, literals and functions stand in a table of constants;
no text of an expression is ever part of the source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bartizan.base.generated import Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.lang.jmespath.library import Functions
    from bartizan.lang.jmespath.parse import Node

_MAX_BLOCKS: Final = 8  # nested blocks before a function of its own is begun: Python allows 20
_MAX_KEYS: Final = 50  # indexings in one expression: Python's compiler recurses into each
_ORDER: Final = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


def emit(tree: Node, functions: Functions, *, strict: bool) -> tuple[str, dict[str, Any]]:
    """Write `def expression(value)` and the constants it needs; `strict` makes a missing key an error."""
    emitter = _Emitter(functions, strict=strict)
    emitter.function("expression", tree)
    return "\n\n".join(emitter.source.functions) + "\n", emitter.source.constants


def emit_traced(
    tree: Node, functions: Functions, *, strict: bool, part_of: Callable[[Node], Any]
) -> tuple[str, dict[str, Any]]:
    """Write `def bind(trace)`, which makes the expression's function, and the constants it needs.

    The function calls `trace(part, function, value)` for every node, where
    `part` is what `part_of` says of it.
    """
    emitter = _Emitter(functions, strict=strict, part_of=part_of)
    emitter.function("expression", tree)
    lines = [f"    {line}" for written in emitter.source.functions for line in written.splitlines()]
    return "\n".join(["def bind(trace):", *lines, "    return expression", ""]), emitter.source.constants


class _Emitter:
    """The walk over one tree, and the source written so far."""

    def __init__(self, functions: Functions, *, strict: bool, part_of: Callable[[Node], Any] | None = None) -> None:
        self.source = Source()
        self._library = functions
        self._strict = strict
        self._part_of = part_of

    def function(self, name: str, node: Node, *, write: Callable[[Node, str], str] | None = None) -> None:
        """Write a function that evaluates `node` on its argument, by `write` if not as a value."""
        with self.source.body() as lines:
            result = (write or self._value)(node, "value")
            self.source.line(f"return {result}")
        self.source.functions.append("\n".join([f"def {name}(value):", *lines]))

    def _value(self, node: Node, current: str) -> str:
        """Write statements for `node` applied to `current`; returns an expression for its value."""
        if self._part_of is not None and node["type"] != "identity":
            return self._traced(node, current, self._part_of(node))
        if self.source.depth > _MAX_BLOCKS:
            name = self.source.name("part")
            self.function(name, node)
            return self._assign(f"{name}({current})")
        return self._written(node, current)

    def _written(self, node: Node, current: str) -> str:
        write: Callable[[Node, str], str] = getattr(self, f"_{node['type']}")
        return write(node, current)

    def _traced(self, node: Node, current: str, part: Any) -> str:
        """A node as a function of its own, which the recorder calls."""
        name = self.source.name("part")
        self.function(name, node, write=self._written)
        return self._assign(f"trace({self.source.constant(part)}, {name}, {current})")

    def _assign(self, expression: str) -> str:
        name = self.source.name()
        self.source.line(f"{name} = {expression}")
        return name

    # absorbing: what a missing key does

    def _absorbed(self, node: Node, current: str, error: str = "NotFoundError") -> str:
        """The value of `node`, with null where a key is missing.

        What is flattened, filtered or whose members are taken may fail in any
        way (`JmesPathError`) and is null then; so Kyverno has it.
        """
        chain = self._chain(node)
        if chain is not None:
            return self._fields(chain, current, on_missing="null")
        if not self._strict or (_cannot_fail(node) if error == "JmesPathError" else _cannot_miss(node)):
            return self._value(node, current)
        name = self.source.name()
        self.source.line("try:")
        self.source.depth += 1
        value = self._value(node, current)
        self.source.line(f"{name} = {value}")
        self.source.depth -= 1
        self.source.line(f"except {error}:")
        self.source.line(f"    {name} = None")
        return name

    def _chain(self, node: Node) -> list[str] | None:
        """The keys that are read in one go, which the traced mode never does."""
        return _field_chain(node) if self._part_of is None else None

    def _fields(self, keys: list[str], current: str, *, on_missing: str) -> str:
        name = self.source.name()
        self.source.line("try:")
        for start in range(0, len(keys), _MAX_KEYS):
            path = "".join(f"[{self._key(key)}]" for key in keys[start : start + _MAX_KEYS])
            self.source.line(f"    {name} = {name if start else current}{path}")
        if on_missing == "null" or not self._strict:
            self.source.line("except (KeyError, TypeError):")
            self.source.line(f"    {name} = None")
        else:
            self.source.line("except KeyError as missing:")
            self.source.line("    raise NotFoundError(missing.args[0]) from None")
            self.source.line("except TypeError:")
            self.source.line(f"    {name} = None")
        return name

    def _key(self, key: str) -> str:
        return repr(key) if key.isascii() and key.isidentifier() else self.source.constant(key)

    # nodes

    def _field(self, node: Node, current: str) -> str:
        return self._fields([node["value"]], current, on_missing="error")

    def _subexpression(self, node: Node, current: str) -> str:
        chain = self._chain(node)
        if chain is not None:
            return self._fields(chain, current, on_missing="error")
        value = current
        for child in node["children"]:
            value = self._value(child, value)
        return value

    def _pipe(self, node: Node, current: str) -> str:
        left = self._absorbed(node["children"][0], current)
        return self._absorbed(node["children"][1], left)

    def _index_expression(self, node: Node, current: str) -> str:
        value = current
        for child in node["children"]:
            value = self._value(child, value)
        return value

    def _index(self, node: Node, current: str) -> str:
        index = int(node["value"])
        least = index + 1 if index >= 0 else -index
        return self._assign(f"{current}[{index}] if type({current}) is list and len({current}) >= {least} else None")

    def _slice(self, node: Node, current: str) -> str:
        start, stop, step = ("" if part is None else str(int(part)) for part in node["children"])
        return self._assign(f"{current}[{start}:{stop}:{step}] if type({current}) is list else None")

    def _flatten(self, node: Node, current: str) -> str:
        value = self._absorbed(node["children"][0], current, error="JmesPathError")
        return self._assign(f"flatten({value}) if type({value}) is list else None")

    def _identity(self, _node: Node, current: str) -> str:
        return current

    def _current(self, _node: Node, current: str) -> str:
        return current

    def _literal(self, node: Node, _current: str) -> str:
        # a name even for `null`: what follows may index it, and Python refuses to compile `None[0]`
        return self.source.constant(node["value"])

    def _projection(self, node: Node, current: str) -> str:
        left = self._absorbed(node["children"][0], current)
        return self._project(f"type({left}) is list", left, node["children"][1], None)

    def _value_projection(self, node: Node, current: str) -> str:
        left = self._absorbed(node["children"][0], current, error="JmesPathError")
        return self._project(f"isinstance({left}, dict)", f"{left}.values()", node["children"][1], None)

    def _filter_projection(self, node: Node, current: str) -> str:
        source, right, condition = node["children"]
        left = self._absorbed(source, current, error="JmesPathError")
        return self._project(f"type({left}) is list", left, right, condition)

    def _project(self, guard: str, items: str, right: Node, condition: Node | None) -> str:
        name, item = self.source.name(), self.source.name("e")
        self.source.line(f"{name} = None")
        self.source.line(f"if {guard}:")
        self.source.depth += 1
        self.source.line(f"{name} = []")
        self.source.line(f"for {item} in {items}:")
        self.source.depth += 1
        if condition is not None:
            self.source.line(f"if {self._truth(condition, item)}:")
            self.source.depth += 1
            self._keep(name, right, item)
            self.source.depth -= 1
        else:
            self._keep(name, right, item)
        self.source.depth -= 2
        return name

    def _keep(self, name: str, right: Node, item: str) -> None:
        value = self._absorbed(right, item)
        self.source.line(f"if {value} is not None:")
        self.source.line(f"    {name}.append({value})")

    def _truth(self, node: Node, current: str) -> str:
        """An expression for whether `node` is true; a missing key is not."""
        value = self._absorbed(node, current)
        return value if _is_boolean(node) else f"not is_false({value})"

    def _comparator(self, node: Node, current: str) -> str:
        left_node, right_node = node["children"]
        left, right = self._absorbed(left_node, current), self._absorbed(right_node, current)
        operator = node["value"]
        if operator in _ORDER:
            unsure = [name for name, side in ((left, left_node), (right, right_node)) if not _is_number(side)]
            both = " and ".join(f"is_number({name})" for name in unsure) or "True"
            return self._assign(f"({left} {_ORDER[operator]} {right}) if {both} else None")
        same = _plain_equality(left, left_node, right, right_node) or f"equal({left}, {right})"
        return self._assign(same if operator == "eq" else f"not ({same})")

    def _or_expression(self, node: Node, current: str) -> str:
        return self._either(node, current, "if is_false({}):", self._absorbed)

    def _and_expression(self, node: Node, current: str) -> str:
        # Kyverno absorbs what is missing on the left of `&&` only
        return self._either(node, current, "if not is_false({}):", self._value)

    def _either(self, node: Node, current: str, test: str, write: Callable[[Node, str], str]) -> str:
        name = self._assign(self._absorbed(node["children"][0], current))
        self.source.line(test.format(name))
        self.source.depth += 1
        self.source.line(f"{name} = {write(node['children'][1], current)}")
        self.source.depth -= 1
        return name

    def _not_expression(self, node: Node, current: str) -> str:
        return self._assign(f"is_false({self._absorbed(node['children'][0], current)})")

    def _multi_select_list(self, node: Node, current: str) -> str:
        return self._multi(node["children"], current, lambda values: f"[{', '.join(values)}]")

    def _multi_select_dict(self, node: Node, current: str) -> str:
        keys = [self.source.constant(child["value"]) for child in node["children"]]
        children = [child["children"][0] for child in node["children"]]

        def build(values: list[str]) -> str:
            return f"{{{', '.join(f'{key}: {value}' for key, value in zip(keys, values, strict=True))}}}"

        return self._multi(children, current, build)

    def _multi(self, children: list[Node], current: str, build: Callable[[list[str]], str]) -> str:
        name = self.source.name()
        self.source.line(f"{name} = None")
        self.source.line(f"if {current} is not None:")
        self.source.depth += 1
        values = [self._absorbed(child, current) for child in children]
        self.source.line(f"{name} = {build(values)}")
        self.source.depth -= 1
        return name

    def _function_expression(self, node: Node, current: str) -> str:
        function = self.source.constant(self._library[node["value"]].call)
        arguments = []
        for child in node["children"]:
            if child["type"] == "expref":
                name = self.source.name("by")
                self.function(name, child["children"][0], write=self._absorbed)
                arguments.append(name)
            else:
                arguments.append(self._absorbed(child, current))
        return self._assign(f"{function}({', '.join(arguments)})")

    def _expref(self, node: Node, _current: str) -> str:
        name = self.source.name("by")
        self.function(name, node["children"][0], write=self._absorbed)
        return name


def _field_chain(node: Node) -> list[str] | None:
    """The keys of a node that is nothing but fields of fields."""
    if node["type"] == "field":
        return [node["value"]]
    if node["type"] != "subexpression":
        return None
    keys: list[str] = []
    for child in node["children"]:
        below = _field_chain(child)
        if below is None:
            return None
        keys += below
    return keys


def _cannot_miss(node: Node) -> bool:
    """Whether a node absorbs by itself whatever is missing inside it."""
    return node["type"] not in ("field", "subexpression", "index_expression", "and_expression")


def _cannot_fail(node: Node) -> bool:
    return node["type"] in ("literal", "current", "identity")


def _is_boolean(node: Node) -> bool:
    return node["type"] == "not_expression" or (node["type"] == "comparator" and node["value"] in ("eq", "ne"))


def _is_number(node: Node) -> bool:
    return node["type"] == "literal" and node["value"].__class__ in (int, float)


def _plain_equality(left: str, left_node: Node, right: str, right_node: Node) -> str | None:
    """Equality with a literal whose type makes Python's own comparison right."""
    for literal, name, other in ((right_node, right, left), (left_node, left, right)):
        if literal["type"] == "literal":
            value = literal["value"]
            if isinstance(value, str):
                return f"{other} == {name}"
            if value is None or isinstance(value, bool):
                return f"{other} is {value!r}"
    return None
