"""Files of several documents, each read on its own: a broken one does not lose the others."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.base.errors import SpecError
from bartizan.base.location import Location
from bartizan.sources.yaml.blocks import UNCERTAIN, parse_blocks
from bartizan.sources.yaml.lines import DocumentLines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.base.json import Json

_BOUNDARY: Final = re.compile(r"^(?:---(?=[ \t\r\n]|\Z)|\.\.\.[ \t]*\r?$)", re.MULTILINE)
_EMPTY: Final = re.compile(r"(?:[ \t]*(?:[#%][^\n]*|---[ \t]*(?:#[^\n]*)?|\.\.\.[ \t]*)?\r?(?:\n|\Z))*")


class Document(NamedTuple):
    """One document: its value, its line map, and its number in the file from 0."""

    body: Json
    lines: DocumentLines
    number: int


class BrokenDocument(NamedTuple):
    """A document that could not be read; `quoted` is the offending line."""

    error: SpecError
    quoted: str
    number: int


def load_documents(data: bytes, file: str, *, first_line: int = 0) -> Iterator[Document | BrokenDocument]:
    """Read a file's documents in order; empty ones are left out.

    `first_line` is the number of lines before `data` in the file, for parts of one.
    """
    try:
        text = decode(data, file)
    except SpecError as error:
        yield BrokenDocument(error, "", 0)
        return
    for index, (chunk, offset) in enumerate(split_documents(text, first_line)):
        numbers: list[int] = []
        try:
            body = parse_chunk(chunk, file, offset, numbers)
        except SpecError as error:
            lines = DocumentLines(chunk, file, offset)
            yield BrokenDocument(error, lines.quote(error.at.line) if error.at else "", index)
            continue
        if body is not None:
            yield Document(body, DocumentLines(chunk, file, offset, body, numbers), index)


def load_one(data: bytes, file: str) -> Document:
    """Read a file that must hold one document.

    Raises:
        SpecError: it is broken, empty, or holds several.
    """
    found = list(load_documents(data, file))
    if len(found) != 1:
        hint = "Keep one document in the file."
        raise SpecError(f"{len(found)} documents where one is wanted", at=Location(file), hint=hint)
    if isinstance(found[0], BrokenDocument):
        raise found[0].error
    return found[0]


def parse_yaml_text(text: str) -> Json:
    """Read YAML inside a policy's text.

    Raises:
        ValueError: it is not YAML.
    """
    try:
        return parse_chunk(text, "", 0, [])
    except SpecError as error:
        raise ValueError(str(error)) from error


def parse_chunk(text: str, file: str, offset: int, lines: list[int]) -> Json:
    """Read one document by the fast road where that is certain, else by the exact one.

    `lines` takes the line numbers that the fast road finds; see `parse_blocks`.

    Raises:
        SpecError: it is malformed.
    """
    start = text.lstrip()[:1]
    if start == "{":
        from bartizan.sources.yaml.json_text import parse_json

        value = parse_json(text, file, offset)
        if value is not UNCERTAIN:
            return value
    elif start not in ("", "["):
        value = parse_blocks(text, lines)
        if value is not UNCERTAIN:
            return value
        lines.clear()
    from bartizan.sources.yaml.events import parse_events  # late: libyaml is for what the fast road does not take

    return parse_events(text, file, offset)


def decode(data: bytes, file: str) -> str:
    """Bytes to text, in the encodings YAML allows.

    Raises:
        SpecError: it is not text.
    """
    if b"\0" in data[:4096] and not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        hint = "Name manifests only, or leave such files out."
        raise SpecError("a binary file, not a manifest", at=Location(file), hint=hint)
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        raise SpecError(
            f"not UTF-8: byte 0x{data[error.start]:02x}",
            at=Location(file, line, column),
            hint="Save the file as UTF-8.",
        ) from error


def split_documents(text: str, first_line: int) -> Iterator[tuple[str, int]]:
    """Documents with the number of lines before each; `---` stays with the document it begins."""
    start, line = 0, first_line
    for boundary in _BOUNDARY.finditer(text):
        if boundary.start() == start:
            continue
        chunk = text[start : boundary.start()]
        if not _is_empty(chunk):
            yield chunk, line
        line += chunk.count("\n")
        start = boundary.start()
    if not _is_empty(text[start:]):
        yield text[start:], line


def _is_empty(chunk: str) -> bool:
    return _EMPTY.fullmatch(chunk) is not None
