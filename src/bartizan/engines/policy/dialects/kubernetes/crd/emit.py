"""Schema to Python source: one function a node, which adds its objections to a list.

Nodes that say the same share a function. What is plainly right is passed
over inline, without a call. Inside `anyOf` and `oneOf` the functions also
count what they checked, for the server shows the branch that got furthest.
Text of a schema reaches the source only through `repr()`.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bartizan.base.errors import SpecError
from bartizan.base.generated import load
from bartizan.base.regex import compile_regex
from bartizan.engines.policy.dialects.kubernetes.crd import checks, problems
from bartizan.engines.policy.dialects.kubernetes.crd.formats import format_named

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.engines.policy.dialects.kubernetes.crd.nodes import Node

_FILES: Final = count(1)
_PAIRED: Final = frozenset({"pairs", "root"})
_CLASSES: Final = {
    "string": ("str",),
    "integer": ("int",),
    "number": ("int", "float"),
    "boolean": ("bool",),
    "array": ("list",),
    "object": ("dict",),
}
_NAMES: Final = {
    **{kind.__name__: kind for kind in (str, int, float, bool, list, dict)},
    "len": len,
    "enumerate": enumerate,
    "Key": problems.Key,
    **{
        name: getattr(problems, name)
        for name in ("composed", "missing", "mistyped", "of_schema", "overfull", "overlong")
    },
    **{
        name: getattr(checks, name)
        for name in ("above", "all_of", "any_of", "below", "is_listed", "multiple_problem", "none_of", "one_of")
    },
    **{name: getattr(checks, name) for name in ("ratcheted", "repeats", "type_problem", "unlisted")},
}


class Checker(NamedTuple):
    """A compiled schema: the function, and its source for who wants to read it."""

    check: Callable[..., int]
    source: str


def compile_checks(root: Node, name: str, *, paired: bool) -> Checker:
    """Compile the checks of a schema; `paired` ones also take what the object was before.

    Raises:
        SpecError: a pattern is no regular expression.
    """
    emitter = _Emitter()
    entry = emitter.function(root, "root" if paired else "plain")
    source = "\n\n".join(emitter.functions) + "\n"
    file = f"<schema {next(_FILES)}: {name[:80]!r}>"
    return Checker(load(source, entry, file, {**_NAMES, **emitter.constants}), source)


def search_for(node: Node) -> Callable[[str], object]:
    """What looks for a node's pattern in a text.

    Raises:
        SpecError: it is no regular expression.
    """
    try:
        search: Callable[[str], object] = compile_regex(node.limits.pattern).search
    except SpecError as error:
        raise SpecError(error.message, pointer=f"{node.at}/pattern", hint=error.hint) from error
    return search


class _Emitter:
    """Source being written: finished functions, by what they say, and constants, by what they are."""

    def __init__(self) -> None:
        self.functions: list[str] = []
        self.constants: dict[str, Any] = {}
        self.silent: set[str] = set()
        self._by_node: dict[tuple[int, str], str] = {}
        self._by_body: dict[str, str] = {}
        self._by_value: dict[str, str] = {}

    def function(self, node: Node, mode: str) -> str:
        """The name of the function of a node: `plain`, with `pairs` (the `root` too), or one that `counts`."""
        known = self._by_node.get((id(node), mode))
        if known is not None:
            return known
        body = "\n".join(_Body(self, node, mode).lines)
        pair = ", pair" if mode in _PAIRED else ""
        name = self._by_body.get(pair + body)
        if name is None:
            name = self._by_body[pair + body] = f"n{len(self._by_body)}"
            self.functions.append(f"def {name}(v, path, found{pair}):\n{body}")
            if body == _SILENT:
                self.silent.add(name)
        self._by_node[id(node), mode] = name
        return name

    def constant(self, key: str, value: Any) -> str:
        """The name of a constant."""
        name = self._by_value.get(key)
        if name is None:
            name = self._by_value[key] = f"c{len(self._by_value)}"
            self.constants[name] = value
        return name

    def pattern(self, node: Node) -> str:
        """The name of what searches a text for a pattern."""
        search = search_for(node)

        def matches(value: str) -> bool:
            try:
                return search(value) is not None
            except UnicodeEncodeError:  # half a surrogate pair
                return search(value.encode(errors="replace").decode()) is not None

        return self.constant(f"pattern {node.limits.pattern}", matches)

    def format(self, node: Node) -> str:
        """The name of what tells whether a text is of a format; empty where none is known."""
        test = format_named(node.format) if node.format else None
        return "" if test is None else self.constant(f"format {node.format}", test)

    def enum(self, node: Node) -> tuple[str, str]:
        """The names of an enum's members, and of those that are text."""
        allowed = node.limits.enum or ()
        key = problems.json_text(list(allowed))
        texts = frozenset(item for item in allowed if isinstance(item, str))
        return self.constant(f"enum {key}", allowed), self.constant(f"texts {key}", texts)


class _Body:
    """The lines of one function."""

    def __init__(self, emitter: _Emitter, node: Node, mode: str) -> None:
        self.lines: list[str] = []
        self._emit = emitter
        self._node = node
        self._counts = mode == "counts"
        self._pairs = mode in _PAIRED
        self._is_root = mode == "root"
        self._format = emitter.format(node)
        self._write()

    def _line(self, text: str, depth: int = 1) -> None:
        self.lines.append("    " * depth + text)

    def _count(self, amount: int | str, depth: int = 1) -> None:
        if self._counts:
            self._line(f"count += {amount}", depth)

    def _write(self) -> None:
        node = self._node
        self._line("if v is None:")
        self._null()
        self._line("kind = v.__class__")
        if self._counts:
            self._line(f"count = {4 + bool(node.types or self._format)}")
        self._types()
        self._branches()
        parts = {"str": self._text, "int": self._number, "list": self._list, "dict": self._object}
        for kind, write in parts.items():
            before = len(self.lines)
            self._line(f"if kind is {kind}{' or kind is float' if kind == 'int' else ''}:")
            write()
            if len(self.lines) == before + 1:
                self.lines.pop()
        if node.limits.enum is not None:
            every, texts = self._emit.enum(node)
            self._line(f"if not (kind is str and v in {texts}) and not is_listed(v, {every}):")
            self._line(f"found.append(unlisted(path, v, {every}))", 2)
        self._line("return count" if self._counts else "return 0")

    def _null(self) -> None:
        node = self._node
        wrong = node.types and not node.nullable
        if wrong:
            self._line(f"found.append(mistyped(path, 'null', {','.join(node.types)!r}))", 2)
        if node.limits.enum is not None:
            every, _ = self._emit.enum(node)
            self._line(f"found.append(unlisted(path, None, {every}))", 2)
        self._line(f"return {int(self._counts and not wrong)}", 2)

    def _types(self) -> None:
        node = self._node
        if not node.types and not self._format:
            return
        classes = [name for kind in node.types for name in _CLASSES[kind]]
        if self._format and not {"integer", "number"} & {*node.types}:
            classes += [name for name in ("str", "list") if name not in classes]
        known = node.format if self._format else ""
        self._count(1)
        self._line(f"if {' and '.join(f'kind is not {name}' for name in classes) or 'True'}:")
        self._line(f"problem = type_problem(v, path, {node.types!r}, {known!r})", 2)
        self._line("if problem is not None:", 2)
        self._line("found.append(problem)", 3)
        self._count(-1, 3)

    def _branches(self) -> None:
        node = self._node
        for name, branches in (("any_of", node.any_of), ("one_of", node.one_of), ("all_of", node.all_of)):
            if branches:
                # only `allOf` is asked for its own sake; in the others it matters which branch got furthest
                mode = "counts" if self._counts or name != "all_of" else "plain"
                functions = "".join(f"{self._emit.function(branch, mode)}, " for branch in branches)
                counted = "count += " if self._counts else ""
                self._line(f"{counted}{name}(v, path, found, ({functions}))")
        if node.negated is not None:
            self._line(f"none_of(v, path, found, {self._emit.function(node.negated, 'plain')})")

    def _text(self) -> None:
        limits = self._node.limits
        self._count(1 + bool(self._format), 2)
        word = "if"
        for test, objection in (
            (limits.max_length is not None and f"len(v) > {limits.max_length}", f"overlong(path, {limits.max_length})"),
            (
                limits.min_length is not None and f"len(v) < {limits.min_length}",
                f"of_schema(path, v, {f'should be at least {limits.min_length} chars long'!r})",
            ),
            (
                bool(limits.pattern) and f"not {self._emit.pattern(self._node)}(v)",
                f"of_schema(path, v, {f'should match {chr(39)}{limits.pattern}{chr(39)}'!r})",
            ),
        ):
            if test:
                self._line(f"{word} {test}: found.append({objection})", 2)
                word = "elif"
        if self._format:
            self._line(f"if not {self._format}(v): found.append(mistyped(path, v, {self._node.format!r}))", 2)

    def _number(self) -> None:
        limits = self._node.limits
        self._count(2, 2)
        if limits.multiple_of is not None:
            self._line(f"problem = multiple_problem(v, path, {limits.multiple_of!r})", 2)
            self._line("if problem is not None: found.append(problem)", 2)
        for limit, exclusive, sign, name in (
            (limits.minimum, limits.exclusive_minimum, "<", "below"),
            (limits.maximum, limits.exclusive_maximum, ">", "above"),
        ):
            if limit is not None:
                self._line(f"if v {sign}{'=' if exclusive else ''} {_limit(limit)}:", 2)
                self._line(f"found.append({name}(path, v, {limit!r}, exclusive={exclusive}))", 3)

    def _list(self) -> None:
        node, limits = self._node, self._node.limits
        self._count(2, 2)
        if node.items is not None and not (self._is_silent(node.items)):
            self._line("for i, x in enumerate(v):", 2)
            self._below(node.items, "i", "index(i)", 3)
        if limits.min_items is not None:
            said = f"should have at least {limits.min_items} items"
            self._line(f"if len(v) < {limits.min_items}: found.append(of_schema(path, len(v), {said!r}))", 2)
        if limits.max_items is not None:
            self._line(f"if len(v) > {limits.max_items}: found.append(overfull(path, len(v), {limits.max_items}))", 2)
        if limits.unique_items:
            self._line('if repeats(v): found.append(of_schema(path, None, "shouldn\'t contain duplicates"))', 2)

    def _object(self) -> None:
        node, limits = self._node, self._node.limits
        self._count(1, 2)
        if limits.min_properties is not None:
            least, said = limits.min_properties, f"should have at least {limits.min_properties} properties"
            self._line(f"if len(v) < {least}: found.append(of_schema(path, len(v), {said!r}))", 2)
        if limits.max_properties is not None:
            most = limits.max_properties
            self._line(f"if len(v) > {most}: found.append(overfull(path, len(v), {most}))", 2)
        if node.additional is not None and not self._is_silent(node.additional):
            self._line("for k, x in v.items():", 2)
            if node.properties:
                names = self._emit.constant(f"names {sorted(node.properties)!r}", frozenset(node.properties))
                self._line(f"if k in {names}: continue", 3)
            self._below(node.additional, "Key(k)", "key(k)", 3)
        for name, child in node.properties.items():
            if not self._is_silent(child):
                self._line(f"if {name!r} in v:", 2)
                self._line(f"x = v[{name!r}]", 3)
                self._below(child, repr(name), f"key({name!r})", 3)
        for name in limits.required:
            self._line(f"if {name!r} not in v: found.append(missing(path, {name!r}))", 2)

    def _is_silent(self, node: Node) -> bool:
        """Whether a node has nothing to say, and so nothing is lost where it is not asked."""
        return not (self._counts or node.types) and self._emit.function(node, "plain") in self._emit.silent

    def _below(self, node: Node, step: str, pair: str, depth: int) -> None:
        """Check a value below, which is `x`."""
        guard = "" if self._counts else self._guard(node)
        if guard:
            self._line(f"if not ({guard}):", depth)
            depth += 1
        plain = self._emit.function(node, "counts" if self._counts else "plain")
        call = f"{plain}(x, (path, {step}), found)"
        if not self._pairs or (self._is_root and step in ("'apiVersion'", "'kind'")):
            # at the root these two are not compared: old and new are of the same version by then
            self._line(f"{'count += ' if self._counts else ''}{call}", depth)
            return
        self._line(f"p = pair.{pair}", depth)
        self._line(f"if p is None: {call}", depth)
        paired = self._emit.function(node, "pairs")
        self._line(f"else: ratcheted({paired}, x, (path, {step}), found, p)", depth)

    def _guard(self, node: Node) -> str:  # noqa: PLR0911 (one for each type)
        """A test of `x` that only what is right passes; empty where that takes more than a line."""
        limits = node.limits
        if node.one_of or node.all_of or node.negated or limits.multiple_of is not None:
            return ""
        if node.int_or_string:
            types = {branch.type for branch in node.any_of} - {"integer", "string"}
            plain = not types and all(_says_type_only(branch) for branch in node.any_of)
            return "x.__class__ is int or x.__class__ is str" if plain and _says_type_only(node) else ""
        if node.any_of:
            return ""
        match node.type:
            case "string":
                return self._text_guard(node)
            case "integer" if limits.enum is None:
                return f"x.__class__ is int{_bounds(node)}"
            case "boolean" if limits.enum is None:
                return "x.__class__ is bool"
            case "number" if limits.enum is None and limits.minimum is None and limits.maximum is None:
                return "x.__class__ is float or x.__class__ is int"
            case _:
                return ""

    def _text_guard(self, node: Node) -> str:
        limits = node.limits
        tests = ["x.__class__ is str"]
        if limits.enum is not None:
            tests.append(f"x in {self._emit.enum(node)[1]}")
        if limits.max_length is not None:
            tests.append(f"len(x) <= {limits.max_length}")
        if limits.min_length is not None:
            tests.append(f"len(x) >= {limits.min_length}")
        if limits.pattern:
            tests.append(f"{self._emit.pattern(node)}(x)")
        known = self._emit.format(node)
        return " and ".join([*tests, f"{known}(x)"] if known else tests)


_SILENT: Final = "    if v is None:\n        return 0\n    kind = v.__class__\n    return 0"


def _limit(limit: float) -> str:
    """A limit as source: beside a whole number it is cut to one."""
    if limit.is_integer():
        return repr(int(limit))
    return f"({int(limit)} if kind is int else {limit!r})"


def _bounds(node: Node) -> str:
    limits = node.limits
    bounds = ""
    if limits.minimum is not None:
        bounds += f" and x >{'' if limits.exclusive_minimum else '='} {int(limits.minimum)}"
    if limits.maximum is not None:
        bounds += f" and x <{'' if limits.exclusive_maximum else '='} {int(limits.maximum)}"
    return bounds


def _says_type_only(node: Node) -> bool:
    """Whether a node says nothing but its type."""
    from bartizan.engines.policy.dialects.kubernetes.crd.nodes import Limits

    below = node.properties or node.additional or node.items or node.all_of or node.one_of or node.negated
    return node.limits == Limits() and not below and not node.format
