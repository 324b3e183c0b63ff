"""Rules about names and messages: variables, conditions, what a refusal says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bartizan.engines.policy.cel.lint.paths import start_of
from bartizan.engines.policy.remark import Said
from bartizan.lang.cel.nodes import Name, Select

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.engines.policy.cel.lint.view import CelView

_FILLED: Final = re.compile(r"\{\{[^{}]*\}\}|\$\([^()\s]*\)")
_NAMED: Final = ("matchConditions", "conditions", "targetMatchConditions", "variables")
_ONE: Final = {"variables": "variable"}


def unused_variable(policy: CelView) -> Iterator[Said]:
    """Variables that no expression reads."""
    for at, item in policy.items("variables"):
        name = item.get("name")
        if not isinstance(name, str) or not name:
            continue
        word = re.escape(name)
        read = re.compile(rf"variables\s*(?:\.\s*\??\s*`?{word}\b|\[\s*['\"]{word}['\"])")
        if not any(read.search(text) for text in policy.texts()):
            yield Said(f"{at}/name", f"nothing reads `variables.{name}`", "Remove it, or read it.", name)


def early_variable(policy: CelView) -> Iterator[Said]:
    """Variables that are read by one before them, or by themselves."""
    names = [item.get("name") for _, item in policy.items("variables")]
    for place, (at, item) in enumerate(policy.items("variables")):
        found = policy.expressions.get(f"{at}/expression")
        for node in found.nodes() if found else ():
            is_variable = (
                isinstance(node, Select) and isinstance(node.operand, Name) and node.operand.name == "variables"
            )
            if (
                is_variable
                and isinstance(node, Select)
                and node.field in names[place:]
                and node.field not in names[:place]
            ):
                itself = node.field == item.get("name")
                message = (
                    f"`{node.field}` reads itself"
                    if itself
                    else f"`variables.{node.field}` is named after this variable"
                )
                hint = "Name another." if itself else f"Move `{node.field}` up."
                yield Said(f"{at}/expression", message, hint, begins=start_of(node))


def same_variable(policy: CelView) -> Iterator[Said]:
    """Two variables, or two conditions, of one name."""
    for listed in _NAMED:
        seen: set[str] = set()
        for at, item in policy.items(listed):
            name = item.get("name")
            if isinstance(name, str) and name and name in seen:
                one = _ONE.get(listed, "condition")
                yield Said(f"{at}/name", f"two {one}s are called `{name}`", "Rename one of them.", name)
            seen.add(str(name))


def missing_message(policy: CelView) -> Iterator[Said]:
    """Validations that refuse without saying why."""
    for at, item in policy.items("validations"):
        if not item.get("message") and not item.get("messageExpression"):
            hint = "Write `message:` beside it, for whoever reads the report."
            yield Said(at, "a validation without a message", hint)


def classic_variable(policy: CelView) -> Iterator[Said]:
    """Messages with variables as classic kinds have them, which stand there as they are."""
    for at, item in policy.items("validations"):
        message = item.get("message")
        found = _FILLED.search(message) if isinstance(message, str) else None
        if found:
            hint = "Write `messageExpression:` with `'… ' + object.metadata.name`."
            near = found[0].partition("\n")[0]
            yield Said(f"{at}/message", f"`{near}` is not filled in here", hint, near)
