"""What is judged and is no Kubernetes object: any JSON, and requests that a proxy asks about, from files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.app.policies import documents, placed
from bartizan.base.errors import SpecError
from bartizan.model.report import Problem, problem_of
from bartizan.model.resource import Resource, payload_from
from bartizan.sources.yaml import BrokenDocument, load_documents

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bartizan.model.request import Payload
    from bartizan.sources.yaml import Document

STDIN: Final = Path("-")


class Given(NamedTuple):
    """A file, a folder or `-`, and what is in it."""

    kind: Payload
    path: Path


class Payloads(NamedTuple):
    """What was read, by what it is; problems stand in its place where it could not be."""

    items: tuple[tuple[Payload, Resource | Problem], ...] = ()

    def groups(self) -> Iterator[tuple[Payload, list[Resource | Problem]]]:
        """What is there of each kind, in order."""
        for kind in dict.fromkeys(kind for kind, _ in self.items):
            yield kind, [item for other, item in self.items if other == kind]


NO_PAYLOADS: Final = Payloads()


def read_payloads(given: Sequence[Given], stdin: bytes | None) -> Payloads:
    """Read payloads; `stdin` is the text of standard input, where `-` is named."""
    return Payloads(tuple((kind, item) for kind, path in given for item in _read(kind, path, stdin)))


def _read(kind: Payload, path: Path, stdin: bytes | None) -> Iterator[Resource | Problem]:
    name = "standard input" if path == STDIN else str(path)
    read: Iterable[Document | Problem] = _piped(stdin or b"") if path == STDIN else documents([path])
    count = 0
    for item in read:
        if isinstance(item, Problem):
            yield item
            continue
        count += 1
        file = item.lines.locate("").file or name
        yield _payload(kind, item, file if count == 1 or path.is_dir() else f"{file}#{count}")
    if not count and path == STDIN:
        yield Problem("input", "no payload", hint="Write JSON to standard input.")


def _piped(data: bytes) -> Iterator[Document | Problem]:
    for document in load_documents(data, "standard input"):
        yield problem_of(document.error, document.quoted) if isinstance(document, BrokenDocument) else document


def _payload(kind: Payload, document: Document, name: str) -> Resource | Problem:
    """One payload, which must be an object, and a request where it is given for one."""
    if not isinstance(document.body, dict):
        return Problem(
            "input", "a payload must be an object", document.lines.locate(""), "Write fields and their values."
        )
    if kind != "json":
        from bartizan.engines.policy.dialects.kyverno.cel.authorization import read_payload  # late: it brings CEL

        try:
            read_payload(kind, document.body)
        except SpecError as error:
            return placed(error, document)
    return payload_from(document.body, name, lines=document.lines)
