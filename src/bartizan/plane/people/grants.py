"""What a role is for, as forms give it and as people read it; and who may change anybody's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bartizan.base.errors import SpecError
from bartizan.plane.site import ForbiddenError
from bartizan.stores.scope import Grant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bartizan.plane.site import Asked

NONE: Final = "(none)"
"""How a list names what has no namespace, or no team."""
_PARTS: Final = ("clusters", "namespaces", "teams")
_BETWEEN: Final = re.compile(r"[,\s]+")
_NAMES: Final = 500
_LONGEST: Final = 253
"""Characters of a Kubernetes name (RFC 1123 subdomain)."""


def everywhere(asked: Asked) -> None:
    """Refuse who administers only a part of the fleet: they could give themselves the rest.

    Raises:
        ForbiddenError: they do.
    """
    if not asked.viewer.may_everywhere("administer"):
        hint = "Ask an administrator of the whole fleet."
        raise ForbiddenError("this is for who administers the whole fleet", hint=hint)


def grant_of(fields: Mapping[str, str]) -> Grant:
    """The grant of a form: names with commas or spaces between; everything where a field is empty.

    Raises:
        SpecError: there are too many, or something is no name.
    """
    return Grant(*(_names(part, fields.get(part, "")) for part in _PARTS))


def words_of(grant: Grant) -> str:
    """A grant for people, and for the audit log."""
    said = (
        f"{part} {', '.join(name or NONE for name in names)}" if names else f"no {part}"
        for part in _PARTS
        if (names := getattr(grant, part)) is not None
    )
    return "; ".join(said) or "everywhere"


def _names(part: str, told: str) -> tuple[str, ...] | None:
    names = tuple(dict.fromkeys(name for name in _BETWEEN.split(told.strip()) if name))
    if len(names) > _NAMES:
        raise SpecError(f"a grant names at most {_NAMES} {part}", hint="Use teams, or leave the field empty for all.")
    if any(len(name) > _LONGEST or not name.isprintable() for name in names):
        raise SpecError(f"not all of these are names of {part}", hint="Put commas between names.")
    return tuple("" if name == NONE else name for name in names) or None
