"""Where in a resource the values stand that patterns and loops meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.base.pointer import escape

if TYPE_CHECKING:
    from bartizan.base.json import Json


class Places:
    """Where in a body its maps and lists stand, by identity; looked through once, when somebody asks."""

    def __init__(self, body: Json) -> None:
        self._body = body
        self._known: dict[int, str] | None = None

    def of(self, part: Json) -> str | None:
        """The pointer of a part; `None` where it is no part of the body."""
        if part is self._body:
            return ""
        if not isinstance(part, dict | list):
            return None
        if self._known is None:
            self._known = {}
            self._note(self._body, "", self._known)
        return self._known.get(id(part))

    def _note(self, value: Json, at: str, known: dict[int, str]) -> None:
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(item, dict | list):
                known[id(item)] = pointer = f"{at}/{escape(str(key))}"
                self._note(item, pointer, known)
