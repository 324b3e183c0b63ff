"""An exclusion from a level, as documents write it; apart from what it does, for most policies have none."""

from __future__ import annotations

import msgspec


class Exclusion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A control that is not asked, for some images or some values of a field."""

    control_name: str
    images: list[str] | None = None
    restricted_field: str = ""
    values: list[str] | None = None
