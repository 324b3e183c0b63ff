"""What a rule changed, as the operations that the change is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from bartizan.base.pointer import join
from bartizan.engines.policy.explanation.draft import Draft
from bartizan.engines.policy.mutation import difference

if TYPE_CHECKING:
    from bartizan.base.json import Json


def operations(name: str, before: Json, after: Json) -> list[Draft]:
    """A change as the JSON patch between before and after; an object made or deleted is one operation."""
    if before is None:
        return [Draft("change", f"make {name}", value=after, verdict="held")]
    if after is None:
        return [Draft("change", f"delete {name}", verdict="held")]
    return [
        Draft(
            "change",
            f"{step.kind} {join(step.path)}",
            value=msgspec.UNSET if step.kind == "remove" else step.value,
            verdict="held",
            pointer=join(step.path),
        )
        for step in difference(before, after)
    ]
