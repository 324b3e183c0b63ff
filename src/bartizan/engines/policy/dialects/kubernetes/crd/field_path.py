"""`fieldPath` of a rule: the field below its value that an objection is about.

Source: `ValidFieldPath` of `k8s.io/apiextensions-apiserver`: names after
dots, or in brackets and single quotes; keys of maps too, items of lists not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NoReturn

from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kubernetes.crd.problems import Key, Path, field_of

if TYPE_CHECKING:
    from bartizan.engines.policy.dialects.kubernetes.crd.nodes import Node

_STEP: Final = re.compile(r"\.([^.\[\]]+)|\['((?:[^'\\]|\\.)*)'\]")
_ESCAPE: Final = re.compile(r"\\(.)")
_ESCAPED: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "'": "'", "\\": "\\"}


def field_path(text: str, node: Node, at: str) -> tuple[Path, str]:
    """Read a path that begins at a node: the steps, and how the server writes it; empty for none.

    Raises:
        SpecError: it is no path, or leads to what the schema does not have.
    """
    path: Path = None
    place = 0
    while place < len(text):
        match = _STEP.match(text, place)
        if match is None:
            _fail(text, "is no path", at)
        place = match.end()
        name = match[1] or _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), match[2] or "")
        if node.properties:
            below, step = node.properties.get(name), name
        else:
            below, step = node.additional, Key(name)
        if below is None:
            _fail(text, "does not refer to a valid field", at)
        path, node = (path, step), below
    return path, field_of(path)


def _fail(text: str, what: str, at: str) -> NoReturn:
    hint = "Write it like `.spec.field`, from the value that the rule is for."
    raise SpecError(f"`{text[:80]}` {what}", pointer=f"{at}/fieldPath", hint=hint)
