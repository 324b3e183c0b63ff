"""Reading the files that options and tests name, whole and one document each."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from bartizan.app.text_places import place_of
from bartizan.base.errors import SpecError, reason_of
from bartizan.base.location import Location
from bartizan.sources.yaml import load_one

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bartizan.base.json import Json
    from bartizan.sources.yaml import Document

T = TypeVar("T")


def read_file(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        SpecError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        hint = "Check the name and the permissions."
        raise SpecError(f"cannot be read: {reason_of(error)}", at=Location(str(path)), hint=hint) from error


def read_document(path: Path, decode: Callable[[Json], T]) -> T:
    """What `decode` makes of a file's one document.

    Raises:
        SpecError: the file cannot be read, is broken, or is not what `decode` wants, with the line.
    """
    document = load_one(read_file(path), str(path))
    with locating(document):
        return decode(document.body)


@contextmanager
def locating(document: Document) -> Iterator[None]:
    """Give errors that know a place in the document its file and line."""
    try:
        yield
    except SpecError as error:
        if error.at is not None:
            raise
        raise SpecError(error.message, at=place_of(error, document.body, document.lines), hint=error.hint) from error
