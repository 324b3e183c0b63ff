"""The fields of documents that the peers' tools read too, with errors that know their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.base.errors import SpecError
from bartizan.base.pointer import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.base.json import Json, JsonObject

_WORDS: Final[dict[type, str]] = {
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a mapping",
    type(None): "nothing",
}


class Fields:
    """The fields of an object, found without regard to capitals; absent and null are the same.

    Go's JSON decoder takes `isMUtatingPolicy` for `isMutatingPolicy`, and the
    peers' own suites have such files.

    Raises:
        SpecError: the document, or later a field that is asked for, has another type than it must.
    """

    def __init__(self, document: Json, pointer: str = "") -> None:
        if document is not None and not isinstance(document, dict):
            raise _wrong("this", "a mapping", document, pointer)
        self._fields = {str(key).lower(): (str(key), value) for key, value in (document or {}).items()}
        self._pointer = pointer

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._fields

    def value(self, name: str) -> Json:
        """A field as it is."""
        return self._fields.get(name.lower(), ("", None))[1]

    def text(self, name: str) -> str:
        """A field as text; empty where it is absent."""
        value = self.value(name)
        if isinstance(value, dict | list):
            raise _wrong(f"`{name}`", "a text", value, self._at(name))
        return "" if value is None else str(value)

    def mapping(self, name: str) -> JsonObject:
        """A field that is an object, as it is."""
        value = self.value(name)
        if value is not None and not isinstance(value, dict):
            raise _wrong(f"`{name}`", "a mapping", value, self._at(name))
        return value or {}

    def fields(self, name: str) -> Fields:
        """A field that is an object, for its fields."""
        return Fields(self.mapping(name), self._at(name))

    def items(self, name: str) -> list[Json]:
        """A field that is a list."""
        value = self.value(name)
        if value is not None and not isinstance(value, list):
            raise _wrong(f"`{name}`", "a list", value, self._at(name))
        return value or []

    def texts(self, name: str) -> tuple[str, ...]:
        """A field that is a list of texts."""
        items = self.items(name)
        for index, item in enumerate(items):
            if isinstance(item, dict | list):
                raise _wrong(f"an item of `{name}`", "a text", item, f"{self._at(name)}/{index}")
        return tuple(map(str, items))

    def entries(self, name: str) -> Iterator[Fields]:
        """A field that is a list of objects, each for its fields."""
        for index, item in enumerate(self.items(name)):
            yield Fields(item, f"{self._at(name)}/{index}")

    def must_be(self, *kinds: str) -> None:
        """Refuse a document that says it is of another kind; one that says nothing is taken at its word.

        Raises:
            SpecError: it is another document altogether.
        """
        kind = self.text("kind")
        if kind and kind not in kinds:
            hint = f"Name a file with `kind: {kinds[0]}`."
            raise SpecError(f"a {kinds[0]} document is wanted, and this is a `{kind}`", pointer="/kind", hint=hint)

    def _at(self, name: str) -> str:
        return f"{self._pointer}/{escape(self._fields.get(name.lower(), (name,))[0])}"


def _wrong(what: str, wanted: str, found: Json, pointer: str) -> SpecError:
    return SpecError(f"{what} must be {wanted}, and is {_WORDS[type(found)]}", pointer=pointer, hint=f"Write {wanted}.")
