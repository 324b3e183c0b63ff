"""Rules about `context`: entries that nobody reads, or that hide others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bartizan.base.json import to_text
from bartizan.engines.policy.dialects.kyverno.lint.uses import ALWAYS, names_of
from bartizan.engines.policy.remark import Said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.engines.policy.dialects.kyverno.lint.view import PolicyView


def unused_entry(policy: PolicyView) -> Iterator[Said]:
    """Entries whose name stands nowhere else in the rule."""
    for rule in policy.rules:
        whole = to_text(rule.body)
        for _, entries in rule.contexts():
            for entry, name in zip(entries, names_of(entries), strict=True):
                if not name:
                    continue
                own = len(_mentions(name, to_text(entry.body)))
                same = [other for other in entries if other.body.get("name") == name]
                if len(_mentions(name, whole)) <= own and len(same) == 1:
                    hint = "Leave it out, or write its name where it is meant."
                    yield Said(f"{entry.at}/name", f"context entry `{name}` is never read", hint)


def _mentions(name: str, text: str) -> list[str]:
    return re.findall(rf"(?<![\w]){re.escape(name)}(?![\w])", text)


def shadowed_entry(policy: PolicyView) -> Iterator[Said]:
    """Entries that a later one of the same name replaces, or that replace what every rule knows."""
    for rule in policy.rules:
        for _, entries in rule.contexts():
            names = names_of(entries)
            for index, name in enumerate(names):
                if name in ALWAYS:
                    message = f"context entry `{name}` hides what every rule knows by that name"
                    yield Said(f"{entries[index].at}/name", message, "Give it a name of its own.")
                after = [at for at in range(index + 1, len(names)) if names[at] == name and name]
                if not after:
                    continue
                between = [entry.body for entry in entries[index + 1 : after[0] + 1]]
                read = sum(len(_mentions(name, to_text({**body, "name": ""}))) for body in between)
                if not read:
                    message = f"context entry `{name}` is replaced by a later one before anything reads it"
                    yield Said(f"{entries[index].at}/name", message, "Leave one of them out, or rename it.")
