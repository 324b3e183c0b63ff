"""Random texts and trees into the compiler: no crash, no hang, and nothing in the generated source but its own.

In a change some seconds of it, seeded; `BARTIZAN_FUZZ_SECONDS=300` searches longer, with other seeds.
"""

from __future__ import annotations

import ast
import io
import os
import random
import time
import tokenize
from typing import TYPE_CHECKING, Any, Final

import pytest
from tests.conformance import find_conformance
from tests.lang.cel import suite

from bartizan.base.errors import SpecError
from bartizan.lang.cel import CelBudgetError, CelError, Environment, compile_expression, operators
from bartizan.lang.cel.check import check
from bartizan.lang.cel.dispatch import dispatcher
from bartizan.lang.cel.emit import emit
from bartizan.lang.cel.library import KUBERNETES
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
)
from bartizan.lang.cel.parse import parse
from bartizan.lang.cel.text import texts_of
from bartizan.lang.cel.trace import trace
from bartizan.lang.cel.types import DYN, STRING, list_of
from bartizan.lang.cel.values import UInt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECONDS: Final = float(os.environ.get("BARTIZAN_FUZZ_SECONDS", "0"))
TURNS: Final = 1000
LONGEST: Final = 20.0  # seconds for one of them with the check of its source, far above what any takes
LOOSE: Final = Environment({"a": DYN, "b": DYN, "text": STRING, "texts": list_of(STRING)}, KUBERNETES, strict=False)
GIVEN: Final[dict[str, Any]] = {
    "a": {"x": [1, {"y": None}], "__class__": "k", "class": 1},
    "b": 2,
    "text": "abc",
    "texts": ["a", ""],
}

KINDS: Final = frozenset(
    {
        *("Module", "FunctionDef", "arguments", "arg", "Return", "Try", "ExceptHandler", "Raise", "If", "For", "Break"),
        *("Assign", "AugAssign", "Expr", "Name", "Load", "Store", "Constant", "Attribute", "Subscript", "Call"),
        *("Compare", "BoolOp", "And", "Or", "UnaryOp", "Not", "USub", "BinOp", "Add", "Sub", "Mult", "IfExp"),
        *("List", "Dict", "Tuple", "Is", "IsNot", "Eq", "NotEq", "Lt", "LtE", "Gt", "GtE", "In", "NotIn"),
    }
)
"""Kinds of Python's nodes that the emitter writes."""
ATTRIBUTES: Final = frozenset({"__class__", "append", "present", "value"})
MADE: Final = ("names", "budget", "failure", "expression")
PREFIXES: Final = ("t", "c", "v", "part")


def problems(source: str, constants: dict[str, Any]) -> Iterator[str]:
    """What is in a generated source that must not be."""
    known = {*operators.NAMES, *constants, *MADE}
    for node in ast.walk(ast.parse(source)):
        if type(node).__name__ not in KINDS:
            yield f"a {type(node).__name__}"
        elif isinstance(node, ast.Attribute) and node.attr not in ATTRIBUTES:
            yield f"the attribute {node.attr}"
        elif isinstance(node, ast.Assign):
            yield from (f"an assignment to {target!r}" for target in node.targets if not _is_plain(target))
        name = _name(node)
        if name and not _is_made(name) and name not in (known if isinstance(node, ast.Name) else MADE):
            yield f"the name {name}"
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        is_text = token.type == tokenize.STRING
        if is_text and (token.string[0] not in "'\"" or token.string != repr(ast.literal_eval(token.string))):
            yield f"the text {token.string}"


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.arg if isinstance(node, ast.arg) else node.name if isinstance(node, ast.FunctionDef) else ""


def _is_made(name: str) -> bool:
    return any(name.startswith(prefix) and name[len(prefix) :].isdecimal() for prefix in PREFIXES)


def _is_plain(target: ast.expr) -> bool:
    """Whether what is assigned to is a name, or a key of a map that is being made."""
    if isinstance(target, ast.Subscript):
        return isinstance(target.value, ast.Name) and _is_made(target.value.id)
    return isinstance(target, ast.Name)


def compile_and_run(text: str, environment: Environment = LOOSE) -> str:
    """Put a text through everything; gives how it ended."""
    try:
        expression = compile_expression(text, environment)
    except SpecError:
        return "refused"
    tree = parse(text)
    source, constants = emit(tree, check(tree, text, environment), dispatcher)
    assert [*problems(source, constants)] == []
    try:
        expression(GIVEN, [100_000])
    except CelBudgetError:
        return "budget"
    except CelError:
        pass
    trace(expression, GIVEN, 100_000)
    return "ran"


def _timed(text: str) -> str:
    started = time.perf_counter()
    ended = compile_and_run(text)
    assert time.perf_counter() - started < LONGEST, text[:200]
    return ended


def _rounds(seed: int) -> Iterator[random.Random]:
    """Sources of chance: as many as a change is worth, or as many as there is time for."""
    if not SECONDS:
        yield from (random.Random(f"{seed} {turn}") for turn in range(TURNS))
        return
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        yield random.Random(os.urandom(16))


WORDS: Final = [
    *("a", "b", "text", "texts", "v", "true", "null", "in", "1", "-1", "0x7f", "2u", "1e999", ".5", "'x'", '"y"'),
    *("r'\\'", "b'\\xff'", "'''", '"""', "(", ")", "[", "]", "{", "}", ".", "?", ":", ",", "&&", "||", "!", "-", "+"),
    *("==", "<=", ">", "*", "/", "%", "size", ".all(", ".map(v, ", "has(", "cel.bind(v, ", ".?", "[?", "`x`", "`a-b`"),
    *("__import__", "__class__", "__builtins__", "eval", "names", "budget", "expression", "FAILURES", "lambda", "def"),
    *(
        "class",
        "import",
        "None",
        "True",
        "\n",
        "\t",
        "\\",
        "\0",
        "\u202e",
        "é",
        "\U0001d4b8",
        "'\\U0001f600'",
        "//",
        "#",
        ";",
        "$",
    ),
    *("@target", "@index0", "cel.block([1], cel.index(0))", ".optMap(v, ", "duration('1h')", "quantity('1k')"),
]


def test_random_texts_are_refused_or_run() -> None:
    """Words of the language, of Python, and of neither, in any order."""
    ended = {_timed(_random_text(chance)) for chance in _rounds(1)}
    assert ended >= {"refused", "ran"}


def _random_text(chance: random.Random) -> str:
    return chance.choice(["", " "]).join(chance.choices(WORDS, k=chance.randint(1, 12)))


@pytest.mark.skipif(find_conformance("cel-spec") is None, reason="the tests of the specification are not there")
def test_expressions_of_the_specification_with_a_change_are_refused_or_run() -> None:
    """What is almost right goes further than what is random."""
    folder = find_conformance("cel-spec")
    assert folder is not None
    texts = [value.decode() for case in suite.cases(folder) for key, value in case.message if key == "expr"]
    ended = {_timed(_changed(chance, chance.choice(texts))) for chance in _rounds(2)}
    assert ended >= {"refused", "ran"}


def _changed(chance: random.Random, text: str) -> str:
    for _ in range(chance.randint(1, 3)):
        start = chance.randint(0, len(text))
        end = min(len(text), start + chance.randint(0, 5))
        text = text[:start] + chance.choice(["", chance.choice(WORDS), text[start:end] * 2]) + text[end:]
    return text[:5000]


NASTY: Final = [
    *(
        "x",
        "__class__",
        "__init__",
        "keys",
        "in",
        "class",
        "a'b",
        'a"b',
        "a\\",
        "\n",
        "]; import os; [",
        "\u2028",
        "\ud7ff",
    ),
    *("{value}", "%s", "'''", "\0", "names", "t1", "é", "x" * 5000),
]
FUNCTIONS: Final = sorted(KUBERNETES)


def test_random_trees_are_refused_or_run() -> None:
    """Trees that no text may stand for: any name, field or constant in any place."""
    ended = {_tree_ends(_tree(chance, chance.randint(1, 6), ("a", "b"))) for chance in _rounds(3)}
    assert ended >= {"refused", "ran"}


def _tree_ends(tree: Node) -> str:
    texts_of(tree)
    try:
        checked = check(tree, "a tree", LOOSE)
    except SpecError:
        return "refused"
    source, constants = emit(tree, checked, dispatcher)
    assert [*problems(source, constants)] == []
    compile(source, "tree", "exec")
    return "ran"


def _tree(chance: random.Random, depth: int, names: tuple[str, ...]) -> Node:
    if depth == 0 or chance.random() < 0.1:
        return chance.choice([_constant, lambda chance: Name(0, chance.choice([*names, *NASTY]))])(chance)
    return chance.choice(_MAKERS)(chance, depth - 1, names)


def _constant(chance: random.Random) -> Node:
    values = [None, True, 0, 2**63 - 1, -(2**63), UInt(3), 1.5, float("nan"), float("inf"), b"\0'", *NASTY]
    return Constant(0, chance.choice(values))


def _several(chance: random.Random, depth: int, names: tuple[str, ...], least: int = 0) -> tuple[Node, ...]:
    return tuple(_tree(chance, depth, names) for _ in range(chance.randint(least, 3)))


def _optional(chance: random.Random, items: tuple[Any, ...]) -> frozenset[int]:
    return frozenset(place for place in range(len(items)) if chance.random() < 0.2)


def _select(chance: random.Random, depth: int, names: tuple[str, ...]) -> Node:
    tests = chance.random() < 0.3
    return Select(0, _tree(chance, depth, names), chance.choice(NASTY), tests, not tests and chance.random() < 0.3)


def _call(chance: random.Random, depth: int, names: tuple[str, ...]) -> Node:
    name = chance.choice(FUNCTIONS)
    overload = chance.choice(KUBERNETES[name])
    operands = tuple(_tree(chance, depth, names) for _ in overload.parameters)
    if not overload.member:
        return Call(0, name, None, operands)
    return Call(0, name, operands[0], operands[1:])


def _logic(chance: random.Random, depth: int, names: tuple[str, ...]) -> Node:
    return Logic(0, "&&" if chance.random() < 0.5 else "||", _several(chance, depth, names, 2))


def _choice(chance: random.Random, depth: int, names: tuple[str, ...]) -> Node:
    return Choice(0, *(_tree(chance, depth, names) for _ in range(3)))


def _list(chance: random.Random, depth: int, names: tuple[str, ...]) -> Node:
    items = _several(chance, depth, names)
    return ListOf(0, items, _optional(chance, items))


def _map(chance: random.Random, depth: int, names: tuple[str, ...]) -> Node:
    entries = tuple((_tree(chance, depth, names), _tree(chance, depth, names)) for _ in range(chance.randint(0, 3)))
    return MapOf(0, entries, _optional(chance, entries))


def _message(chance: random.Random, depth: int, names: tuple[str, ...]) -> Node:
    fields = tuple((chance.choice(NASTY), _tree(chance, depth, names)) for _ in range(chance.randint(0, 2)))
    return Message(0, chance.choice(NASTY), fields, _optional(chance, fields))


def _loop(chance: random.Random, depth: int, names: tuple[str, ...]) -> Node:
    kind = chance.choice(["all", "exists", "exists_one", "map", "filter", "transformMap", "transformMapEntry"])
    first = chance.choice(NASTY)
    second = None
    if kind.startswith("transform") or (kind != "filter" and chance.random() < 0.4):
        second = chance.choice([name for name in NASTY if name != first])
    inner = (*names, first, *([] if second is None else [second]))
    makes = kind in ("map", "transformMap", "transformMapEntry")
    condition = None if makes and chance.random() < 0.5 else _tree(chance, depth, inner)
    result = _tree(chance, depth, inner) if makes else None
    return Loop(0, kind, _tree(chance, depth, names), first, second, condition, result)  # type: ignore[arg-type]  # one of the kinds


def _bind(chance: random.Random, depth: int, names: tuple[str, ...]) -> Node:
    name = chance.choice(NASTY)
    return Bind(0, name, _tree(chance, depth, names), _tree(chance, depth, (*names, name)))


_MAKERS: Final[list[Callable[[random.Random, int, tuple[str, ...]], Node]]] = [
    *(_select, _call, _call, _logic, _choice, _list, _map, _message, _loop, _loop, _bind)
]

ESCAPES: Final = [
    "__import__('os').system('true')",
    "a.__class__.__mro__[1].__subclasses__()",
    "names.__globals__['__builtins__']",
    "expression.__code__",
    "budget[0]",
    "eval('1')",
    "''.__class__",
    "a['__class__'].__init__.__globals__",
    "a.`]; import os; x['`",
    "a.`__class__`.`__base__`",
    "a['\\'] + __import__(\\'os\\') + [\\'']",
    "a[\"'] + __import__('os') + ['\"]",
    "'{0.__class__}'.format([a])",
    "'%(x)s'.format([a])",
    "'\\N{BULLET}'",
    "a.map(__builtins__, __builtins__)",
    "a.map(names, names)",
    "a.all(t1, t1 == 1) && a.all(v1, v1 == 1)",
    "cel.bind(FAILURES, 1, FAILURES)",
    "cel.bind(raised, a, raised.x)",
    "[1].map(budget, budget)[0]",
    "a.map(lambda, lambda)",
    "a.map(class, class + 1)",
    "class.def.lambda",
    "{'__class__': 1}.__class__",
    "type(a).__name__",
    "'" + "\\u0027 + __import__" + "'",
    "b'\\x27; import os'",
    "ª",
    "\U0001d41e\U0001d42f\U0001d41a\U0001d425('1')",
    "a.\ufb01eld",
    "1" * 400,
    "0x" + "f" * 400,
    "1." + "9" * 4000,
    "'" + "x" * 50_000 + "'",
    "[" * 39 + "1" + "]" * 39,
    "a" + ".x" * 95,
    "-" * 39 + "b",
    " || ".join(["a.x == 1"] * 1000),
    " + ".join(["'x'"] * 90),
    "a[" * 30 + "b" + "]" * 30,
]


@pytest.mark.parametrize("text", ESCAPES, ids=lambda text: text[:40])
def test_attempt_to_escape_is_refused_or_comes_to_nothing(text: str) -> None:
    assert _timed(text) in ("refused", "ran", "budget")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def expression(names):\n    return names.get", "the attribute get"),
        ("def expression(names):\n    return open('x')", "the name open"),
        ("import os", "a Import"),
        ("def expression(names):\n    return [v1 for v1 in names]", "a ListComp"),
        ("def expression(names):\n    return f'{names}'", "a JoinedStr"),
        ("def expression(names):\n    return '\\x41'", "the text '\\x41'"),
        ("def expression(names):\n    names.x = 1", "the attribute x"),
        ("def expression(names, os):\n    return 1", "the name os"),
    ],
)
def test_allow_list_finds_what_is_not_on_it(source: str, said: str) -> None:
    assert said in [*problems(source, {})]
