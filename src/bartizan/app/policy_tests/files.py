"""`kyverno-test.yaml`: what a test names, read as the peer reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bartizan.app.loose import loose
from bartizan.base.errors import SpecError
from bartizan.base.location import Location
from bartizan.sources.yaml import BrokenDocument, load_documents, load_one

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bartizan.base.json import Json, JsonObject
    from bartizan.sources.yaml import Document

TEST_FILE = "kyverno-test.yaml"


class Row(NamedTuple):
    """One entry of `results`."""

    policy: str
    rule: str
    kind: str
    resources: tuple[str, ...]
    result: str
    fields: JsonObject


class TestFile(NamedTuple):
    """A test file; paths are resolved against its folder."""

    path: Path
    name: str
    policies: tuple[Path, ...]
    resources: tuple[Path, ...]
    cluster_resources: tuple[Path, ...]
    exceptions: tuple[Path, ...]
    values: Json
    user_info: Json
    api_answers: tuple[JsonObject, ...]
    global_entries: tuple[JsonObject, ...]
    rows: tuple[Row, ...]


def find_tests(paths: list[Path], file_name: str = TEST_FILE) -> Iterator[Path]:
    """Test files named, or below the folders named; hidden folders too, for that is where they are kept."""
    for path in paths:
        if path.is_dir():
            yield from sorted(path.rglob(file_name))
        else:
            yield path


def read_test_files(path: Path) -> Iterator[TestFile]:
    """Read the tests of a file; it may hold several documents.

    Raises:
        SpecError: it cannot be read, or a document is no test.
    """
    for document in _documents(path):
        yield _test(path, loose(document.body), document)


def _test(path: Path, body: JsonObject, document: Document) -> TestFile:
    if not isinstance(body.get("policies", []), list) or not isinstance(body.get("results") or [], list):
        hint = "List `policies`, `resources` and `results`."
        raise SpecError("no test: `policies` and `results` must be lists", at=document.lines.locate(""), hint=hint)
    folder = path.parent
    variables = body.get("variables")
    metadata = loose(body.get("metadata"))
    return TestFile(
        path=path,
        name=str(metadata.get("name") or body.get("name") or path.parent.name),
        policies=_paths(folder, body.get("policies")),
        resources=_paths(folder, body.get("resources")),
        cluster_resources=_paths(folder, body.get("clusterresources")),
        exceptions=_paths(folder, body.get("exceptions")),
        values=_one(folder / variables) if isinstance(variables, str) and variables else body.get("values"),
        user_info=_one(folder / body["userinfo"]) if body.get("userinfo") else None,
        api_answers=tuple(map(loose, body.get("apicallresponses") or ())),
        global_entries=_global_entries(folder, body.get("globalcontextentries")),
        rows=tuple(_row(loose(row)) for row in body.get("results") or ()),
    )


def _row(fields: JsonObject) -> Row:
    names = [str(name) for name in fields.get("resources") or ([fields["resource"]] if fields.get("resource") else [])]
    specs = map(loose, fields.get("resourcespecs") or ())
    names += ["/".join(str(spec[key]) for key in ("namespace", "name") if spec.get(key)) for spec in specs]
    policy = str(fields.get("policy") or "")
    return Row(
        policy,
        str(fields.get("rule") or ""),
        str(fields.get("kind") or ""),
        tuple(names),
        str(fields.get("result") or fields.get("status") or ""),
        fields,
    )


def _global_entries(folder: Path, entries: Json) -> tuple[JsonObject, ...]:
    found = []
    for entry in map(loose, entries or ()):
        files = [folder / name for name in entry.get("resourcefiles") or ()]
        bodies = [document.body for file in files for document in _documents(file)]
        found.append({**entry, "resources": [*(entry.get("resources") or ()), *bodies]} if bodies else entry)
    return tuple(found)


def _paths(folder: Path, names: Json) -> tuple[Path, ...]:
    return tuple(folder / str(name) for name in names or ())


def _one(path: Path) -> Json:
    return load_one(_bytes(path), str(path)).body


def read_bodies(paths: tuple[Path, ...]) -> Iterator[tuple[Path, Document]]:
    """Every document of files, and of the YAML files in folders.

    Raises:
        SpecError: one cannot be read.
    """
    for path in paths:
        files = (
            sorted(item for item in path.rglob("*") if item.suffix in (".yaml", ".yml", ".json"))
            if path.is_dir()
            else [path]
        )
        for file in files:
            for document in _documents(file):
                yield file, document


def _documents(path: Path) -> Iterator[Document]:
    for document in load_documents(_bytes(path), str(path)):
        if isinstance(document, BrokenDocument):
            raise document.error
        yield document


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SpecError(f"cannot be read: {reason}", at=Location(str(path)), hint="Check the name.") from error
