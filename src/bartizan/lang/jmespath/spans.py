"""Where in its text each part of an expression stands, for those who show it.

The package's parser keeps no places. A second reading of a text that is
known to be well-formed notes them; the usual road does not pay for it.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Final

from jmespath import parser

if TYPE_CHECKING:
    from bartizan.lang.jmespath.parse import Node

SPAN: Final = "span"
"""The key of a node under which `(start, end)` stands, in characters; nodes that have no text have none."""


def parse_with_spans(text: str) -> Node:
    """The tree of an expression that `parse` has accepted, with the span of every part that is written out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of bare literals, which `parse` has dealt with
        tree: Node = _Parser(text).read()
    return tree


class _Parser(parser.Parser):  # type: ignore[misc]  # the package has no types
    """The package's parser, noting between which tokens a node was made."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def read(self) -> Node:
        """The whole expression; past the package's cache, whose trees are shared."""
        tree: Node = self._parse(self._text).parsed
        return tree

    def _expression(self, binding_power: int = 0) -> Node:
        first = self._index
        token = self._lookahead_token(0)
        self._advance()
        left = self._noted(getattr(self, f"_token_nud_{token['type']}")(token), first)
        while binding_power < self.BINDING_POWER[self._current_token()]:
            operator = self._current_token()
            self._advance()
            left = self._noted(getattr(self, f"_token_led_{operator}")(left), first)
        return left

    def _parse_dot_rhs(self, binding_power: int) -> Node:
        first = self._index
        return self._noted(super()._parse_dot_rhs(binding_power), first)

    def _parse_index_expression(self) -> Node:
        return self._noted(super()._parse_index_expression(), self._index - 1)

    def _noted(self, node: Any, first: int) -> Node:
        # what a token's own end says cannot be relied on; the next one's beginning can
        start, stop = self._tokens[first]["start"], self._lookahead_token(0)["start"]
        node[SPAN] = (start, start + len(self._text[start:stop].rstrip()))
        made: Node = node
        return made
