"""Rules about YAML: words and numbers that it reads as something else than they look like."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bartizan.base.json import to_text
from bartizan.engines.policy.dialects.kyverno.lint.view import conditions_of, leaves
from bartizan.engines.policy.remark import Said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.base.json import Json
    from bartizan.engines.policy.dialects.kyverno.lint.view import PolicyView

_WORDS: Final = re.compile(r"(?<![\w\"'.-])(y|yes|n|no|on|off)(?![\w\"'.-])", re.IGNORECASE)
_OCTAL: Final = re.compile(r"(?<![\w\"'.-])0[0-7]+(?![\w\"'.-])")
_MODES: Final = re.compile(r"[mM]ode")


def truth_word(policy: PolicyView) -> Iterator[Said]:
    """Words such as `yes` and `on` without quotes, which are truth values."""
    for pointer, value in _values(policy):
        if not isinstance(value, bool):
            continue
        written = policy.line(pointer).partition(":")[2].partition(" #")[0].strip() or policy.line(pointer).strip(" -")
        match = _WORDS.fullmatch(written)
        if match:
            message = f"`{match.group()}` without quotes is {to_text(value)}, not a text"
            yield Said(pointer, message, f'Write `"{match.group()}"`, or `{to_text(value)}`.', match.group())


def octal_number(policy: PolicyView) -> Iterator[Said]:
    """Numbers that begin with 0, which are read to the base of eight."""
    for pointer, value in _values(policy):
        if not isinstance(value, int) or isinstance(value, bool):
            continue
        written = policy.line(pointer).partition(":")[2].partition(" #")[0].strip()
        if _OCTAL.fullmatch(written) and not _MODES.search(pointer.rpartition("/")[2]):
            message = f"`{written}` without quotes is {value}: a number that begins with 0 is octal"
            yield Said(pointer, message, "Write it without the 0, or in quotes.", written)


def _values(policy: PolicyView) -> Iterator[tuple[str, Json]]:
    """What values are compared with or set to: patterns, patches, conditions."""
    for rule in policy.rules:
        for at, pattern in (*rule.patterns(), *rule.patches()):
            yield from leaves(pattern, at)
        for at, block in rule.blocks_of_conditions():
            for condition, _ in conditions_of(block, at):
                for field in ("key", "value"):
                    yield from leaves(condition.body.get(field), f"{condition.at}/{field}")
