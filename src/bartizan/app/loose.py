"""Documents read as Go reads them: field names without regard to capitals."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bartizan.base.json import Json, JsonObject


def loose(document: Json) -> JsonObject:
    """The fields of an object under lower-case names; nothing where it is no object.

    Go's JSON decoder takes `isMUtatingPolicy` for `isMutatingPolicy`, and the
    peers' own suites have such files.
    """
    return {str(key).lower(): value for key, value in document.items()} if isinstance(document, dict) else {}
