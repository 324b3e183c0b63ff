"""What a rule wants done to one object: made, changed or deleted. Policies say such things; others do them."""

from __future__ import annotations

from typing import Any

import msgspec

from bartizan.model.resource import ResourceId


class Change(msgspec.Struct, frozen=True, eq=False):
    """One object, before and after. Without `before` it is to be made, without `after` deleted.

    Both are decoded JSON and shared: `after` holds the very parts of
    `before` that did not change. A change of the resource that was asked
    about has that resource's body as `before`, the same object.
    """

    resource: ResourceId
    before: dict[str, Any] | None
    after: dict[str, Any] | None
