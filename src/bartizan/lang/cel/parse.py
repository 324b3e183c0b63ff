"""Tokens to nodes, by the grammar of the language definition; macros are told apart here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

from bartizan.lang.cel.lex import Token, fail, tokens
from bartizan.lang.cel.macros import expand
from bartizan.lang.cel.nodes import (
    Call,
    Choice,
    Constant,
    ListOf,
    Logic,
    MapOf,
    Message,
    Name,
    Node,
    Select,
    children,
    qualified,
)
from bartizan.lang.cel.values import INT_MAX, INT_MIN

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_NESTING: Final = 40  # brackets and ternaries within one another; each takes five Python frames here
_MAX_DEPTH: Final = 100  # levels of the tree, which the stages behind this one recurse into
_MAX_MINUS: Final = 40
RESERVED: Final = frozenset(
    "as break const continue else for function if import let loop package namespace return var void while".split()  # noqa: SIM905 (reads better as the specification lists them)
)
_KEYWORDS: Final = {"true": True, "false": False, "null": None}
_RELATIONS: Final = frozenset({"<", "<=", ">=", ">", "==", "!="})
_LEVELS: Final = (_RELATIONS, frozenset({"+", "-"}), frozenset({"*", "/", "%"}))


def parse(text: str, without: frozenset[str] = frozenset()) -> Node:
    """Parse an expression; `without` is what the place does not have of the language, as in `Environment`.

    Raises:
        SpecError: it is malformed, or nests too deep.
    """
    parser = _Parser(text, without)
    node = parser.expression()
    if parser.token.kind != "end":
        parser.unexpected()
    _check_depth(text, node)
    return node


def _check_depth(text: str, node: Node) -> None:
    level = [node]
    for _ in range(_MAX_DEPTH):
        level = [child for item in level for child in children(item)]
        if not level:
            return
    fail(text, node.at, "an expression that nests too deep", f"Keep it within {_MAX_DEPTH} levels.")


class _Parser:
    """Recursive descent with one token of look-ahead; operators by precedence climbing."""

    def __init__(self, text: str, without: frozenset[str]) -> None:
        self.text = text
        self._without = without
        self._tokens = tokens(text)
        self._place = 0
        self._nesting = 0
        self.token = self._tokens[0]

    def unexpected(self) -> NoReturn:
        """Refuse the token that is next."""
        if self.token.kind == "end":
            fail(self.text, self.token.at, "the expression ends too early")
        fail(self.text, self.token.at, f"unexpected `{self._written(self.token)}`")

    def _written(self, token: Token) -> str:
        return self.text[token.at : token.at + 20].split(" ")[0] if token.kind == "value" else str(token.value)

    def _next(self) -> Token:
        token = self.token
        self._place += 1
        self.token = self._tokens[self._place]
        return token

    def _sign(self, sign: str) -> bool:
        """Take a sign if it is next."""
        if self.token.kind == "sign" and self.token.value == sign:
            self._next()
            return True
        return False

    def _expect(self, sign: str) -> None:
        if not self._sign(sign):
            self.unexpected()

    def expression(self) -> Node:
        """A whole expression: a ternary, or anything that binds tighter."""
        self._nesting += 1
        if self._nesting > _MAX_NESTING:
            fail(self.text, self.token.at, "an expression that nests too deep")
        node = self._logic("||")
        at = self.token.at
        if self._sign("?"):
            yes = self._logic("||")
            self._expect(":")
            node = Choice(at, node, yes, self.expression())
        self._nesting -= 1
        return node

    def _logic(self, operator: str) -> Node:
        below: Callable[[], Node] = (lambda: self._logic("&&")) if operator == "||" else (lambda: self._binary(0))
        at = self.token.at
        terms = [below()]
        while self._sign(operator):
            terms.append(below())
        return terms[0] if len(terms) == 1 else Logic(at, "||" if operator == "||" else "&&", tuple(terms))

    def _binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        node = self._binary(level + 1)
        while self._is_operator(level):
            token = self._next()
            right = self._binary(level + 1)
            name = "@in" if token.kind == "name" else f"_{token.value}_"
            node = Call(token.at, name, None, (node, right))
        return node

    def _is_operator(self, level: int) -> bool:
        if self.token.kind == "sign":
            return self.token.value in _LEVELS[level]
        return level == 0 and self.token.kind == "name" and self.token.value == "in"

    def _unary(self) -> Node:
        signs: list[Token] = []
        while self.token.kind == "sign" and self.token.value in ("!", "-"):
            signs.append(self._next())
            if len(signs) > _MAX_MINUS:
                fail(self.text, self.token.at, "an expression that nests too deep")
            if signs[0].value != signs[-1].value:
                self._place -= 1
                self.token = self._tokens[self._place]
                self.unexpected()
        if signs and signs[-1].value == "-" and self._is_number(self.token):
            self._negate(signs.pop())
        node = self._member()
        for sign in reversed(signs):
            node = Call(sign.at, f"{sign.value}_", None, (node,))
        return node

    @staticmethod
    def _is_number(token: Token) -> bool:
        return token.kind == "value" and token.value.__class__ in (int, float)

    def _negate(self, sign: Token) -> None:
        """A minus right before a number is part of it."""
        self.token = Token("value", -self.token.value, sign.at)
        self._tokens[self._place] = self.token

    def _member(self) -> Node:
        node = self._primary()
        while self.token.kind == "sign":
            at = self.token.at
            if self._sign("."):
                node = self._after_dot(node, at)
            elif self._sign("["):
                optional = self._sign("?")
                index = self.expression()
                self._expect("]")
                node = Call(at, "_[?_]" if optional else "_[_]", None, (node, index))
            elif self.token.value == "{" and (name := qualified(node)):
                self._next()
                node = self._message(at, name)
            else:
                break
        return node

    def _after_dot(self, node: Node, at: int) -> Node:
        optional = self._sign("?")
        if not self._is_field():
            self.unexpected()
        token = self._next()
        if not optional and token.kind == "name" and self._sign("("):
            return expand(self.text, Call(token.at, token.value, node, self._list(")")), self._without)
        return Select(at, node, token.value, optional=optional)

    def _primary(self) -> Node:  # noqa: PLR0911 (one for each way to begin)
        token = self.token
        if token.kind == "value":
            self._next()
            if token.value.__class__ is int and not INT_MIN <= token.value <= INT_MAX:
                fail(self.text, token.at, f"`{token.value}` is beyond 64 bits", "Add `u` for an unsigned number.")
            return Constant(token.at, token.value)
        if token.kind == "name":
            return self._name(self._next(), "")
        if self._sign("."):
            if self.token.kind != "name":
                self.unexpected()
            return self._name(self._next(), ".")
        if self._sign("("):
            node = self.expression()
            self._expect(")")
            return node
        if self._sign("["):
            items, optional = self._items("]")
            return ListOf(token.at, tuple(items), optional)
        if self._sign("{"):
            return self._map(token.at)
        return self.unexpected()

    def _name(self, token: Token, root: str) -> Node:
        name = token.value
        if not root and name in _KEYWORDS:
            return Constant(token.at, _KEYWORDS[name])
        if name in RESERVED or name == "in":
            fail(self.text, token.at, f"`{name}` is reserved", "Choose another name.")
        if self._sign("("):
            return expand(self.text, Call(token.at, root + name, None, self._list(")")), self._without)
        return Name(token.at, root + name)

    def _list(self, closing: str) -> tuple[Node, ...]:
        items: list[Node] = []
        if self._sign(closing):
            return ()
        while True:
            items.append(self.expression())
            if self._sign(closing):
                return tuple(items)
            self._expect(",")

    def _items(self, closing: str) -> tuple[list[Node], frozenset[int]]:
        items: list[Node] = []
        optional: set[int] = set()
        while not self._sign(closing):
            if self._sign("?"):
                optional.add(len(items))
            items.append(self.expression())
            if not self._sign(","):
                self._expect(closing)
                break
        return items, frozenset(optional)

    def _map(self, at: int) -> Node:
        entries: list[tuple[Node, Node]] = []
        optional: set[int] = set()
        while not self._sign("}"):
            if self._sign("?"):
                optional.add(len(entries))
            key = self.expression()
            self._expect(":")
            entries.append((key, self.expression()))
            if not self._sign(","):
                self._expect("}")
                break
        return MapOf(at, tuple(entries), frozenset(optional))

    def _message(self, at: int, name: str) -> Node:
        fields: list[tuple[str, Node]] = []
        optional: set[int] = set()
        while not self._sign("}"):
            if self._sign("?"):
                optional.add(len(fields))
            if not self._is_field():
                self.unexpected()
            field = self._next().value
            self._expect(":")
            fields.append((field, self.expression()))
            if not self._sign(","):
                self._expect("}")
                break
        return Message(at, name, tuple(fields), frozenset(optional))

    def _is_field(self) -> bool:
        """Whether the next token may name a field; one in back-quotes may be any word."""
        if self.token.kind == "escaped":
            return "escaped names" not in self._without
        return self.token.kind == "name" and self.token.value not in _KEYWORDS and self.token.value != "in"
