"""`kyverno-test.yaml`: what a test names, read as the peer reads it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.app.fields import Fields
from bartizan.app.files import locating, read_document, read_file
from bartizan.app.policy_tests.context import NOTHING, GivenContext, read_context
from bartizan.app.user_info import read_user_info
from bartizan.app.values import EMPTY, Values, read_values
from bartizan.sources.yaml import BrokenDocument, load_documents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.base.json import Json
    from bartizan.model.request import Payload, UserInfo
    from bartizan.sources.yaml import Document

TEST_FILE = "kyverno-test.yaml"
_SUFFIXES = frozenset({".yaml", ".yml", ".json"})
_PAYLOADS: Final[dict[Payload, str]] = {"json": "jsonPayloads", "http": "httpPayloads", "envoy": "envoyPayloads"}


class Row(NamedTuple):
    """One entry of `results`."""

    policy: str
    rule: str
    kind: str
    resources: tuple[str, ...]
    result: str
    operation: str
    patched: Path | None
    """The file that holds the resource as it should be afterwards."""
    generated: tuple[Path, ...]
    wants_every_object: bool
    """Whether an object that is in no file fails its case, which it else leaves out."""
    fields: Fields


class GlobalEntry(NamedTuple):
    """What a global context entry holds, and the expressions that take parts of it, by name."""

    name: str
    data: Json
    field_path: str
    projections: dict[str, str]


class TestFile(NamedTuple):
    """A test file; paths are resolved against its folder."""

    path: Path
    name: str
    policies: tuple[Path, ...]
    resources: tuple[Path, ...]
    target_resources: tuple[Path, ...]
    cluster_resources: tuple[Path, ...]
    clone_sources: tuple[Path, ...]
    exceptions: tuple[Path, ...]
    payloads: tuple[tuple[Payload, str, Path], ...]
    """JSON that is no object of a cluster: what it is, the name it is known by, and its file."""
    values: Values
    user: UserInfo | None
    api_answers: tuple[Fields, ...]
    global_entries: tuple[GlobalEntry, ...]
    rows: tuple[Row, ...]
    context: GivenContext = NOTHING
    param_resources: tuple[Path, ...] = ()
    """What admission policies take their parameters from."""


def find_tests(paths: list[Path], file_name: str = TEST_FILE) -> Iterator[Path]:
    """Test files named, or below the folders named; hidden folders too, for that is where they are kept."""
    for path in paths:
        if path.is_dir():
            yield from sorted(
                Path(folder, name) for folder, _, names in os.walk(path) for name in names if name == file_name
            )
        else:
            yield path


def read_test_files(path: Path) -> Iterator[TestFile]:
    """Read the tests of a file; it may hold several documents.

    Raises:
        SpecError: it cannot be read, or a document is no test.
    """
    for document in _documents(path):
        with locating(document):
            yield _test(path, Fields(document.body))


def _test(path: Path, body: Fields) -> TestFile:
    folder = path.parent
    variables, user = body.text("variables"), body.text("userInfo")
    rows = tuple(_row(folder, entry) for entry in body.entries("results"))
    values = read_document(folder / variables, read_values) if variables else EMPTY
    if not variables and "values" in body:
        values = read_values(body.value("values"))
    return TestFile(
        path=path,
        name=body.fields("metadata").text("name") or body.text("name") or folder.name,
        policies=_paths(folder, body, "policies"),
        resources=_paths(folder, body, "resources"),
        target_resources=_paths(folder, body, "targetResources"),
        param_resources=_paths(folder, body, "paramResources"),
        cluster_resources=_paths(folder, body, "clusterResources"),
        clone_sources=tuple(path for row in rows for path in _paths(folder, row.fields, "cloneSourceResource")),
        exceptions=_paths(folder, body, "exceptions"),
        payloads=tuple(_payloads(folder, body)),
        values=values,
        user=read_document(folder / user, read_user_info) if user else None,
        api_answers=tuple(body.entries("apiCallResponses")),
        global_entries=tuple(_global_entry(folder, entry) for entry in body.entries("globalContextEntries")),
        rows=rows,
        context=read_document(folder / context, read_context) if (context := body.text("context")) else NOTHING,
    )


def _payloads(folder: Path, body: Fields) -> Iterator[tuple[Payload, str, Path]]:
    for kind, field in _PAYLOADS.items():
        for name in body.texts(field):
            yield kind, name, folder / name


def _row(folder: Path, fields: Fields) -> Row:
    names = list(fields.texts("resources")) or [name for name in (fields.text("resource"),) if name]
    for spec in fields.entries("resourceSpecs"):
        names.append("/".join(part for part in (spec.text("namespace"), spec.text("name")) if part))
    return Row(
        fields.text("policy"),
        fields.text("rule"),
        fields.text("kind"),
        tuple(names),
        fields.text("result") or fields.text("status"),
        fields.text("operation"),
        next(iter(_paths(folder, fields, "patchedResources", "patchedResource")), None),
        _paths(folder, fields, "generatedResources", "generatedResource"),
        bool(fields.value("failOnMissingResources")),
        fields,
    )


def _global_entry(folder: Path, entry: Fields) -> GlobalEntry:
    files = [folder / name for name in entry.texts("resourceFiles")]
    bodies = [document.body for file in files for document in _documents(file)]
    return GlobalEntry(
        name=entry.text("name"),
        data=entry.value("data") if "data" in entry else [*entry.items("resources"), *bodies],
        field_path=entry.text("fieldPath"),
        projections={item.text("name"): item.text("path") for item in entry.entries("projections")},
    )


def _paths(folder: Path, body: Fields, *names: str) -> tuple[Path, ...]:
    """The files of the first field that names any, as a list or alone."""
    for name in names:
        given = body.texts(name) if isinstance(body.value(name), list) else (body.text(name),)
        if any(given):
            return tuple(folder / item for item in given if item)
    return ()


def read_bodies(paths: tuple[Path, ...]) -> Iterator[tuple[Path, Document]]:
    """Every document of files, and of the YAML files in folders.

    Raises:
        SpecError: one cannot be read.
    """
    for path in paths:
        files = sorted(_manifests(path)) if path.suffix not in _SUFFIXES and path.is_dir() else [path]
        for file in files:
            for document in _documents(file):
                yield file, document


def _manifests(folder: Path) -> Iterator[Path]:
    return (item for item in folder.rglob("*") if item.suffix in _SUFFIXES)


def _documents(path: Path) -> Iterator[Document]:
    for document in load_documents(read_file(path), str(path)):
        if isinstance(document, BrokenDocument):
            raise document.error
        yield document
