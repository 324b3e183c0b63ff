"""Manifests from files, folders and standard input: which files there are, and the resources in them.

Files are cut into pieces at document boundaries, so that a worker process
is handed a few numbers instead of objects, and a huge file is never whole
in memory.
"""

from __future__ import annotations

import mmap
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.base.errors import reason_of
from bartizan.base.location import Location
from bartizan.model.report import Problem, problem_of
from bartizan.model.resource import Resource, resource_from
from bartizan.sources.yaml import BrokenDocument, load_documents

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bartizan.base.json import Json
    from bartizan.sources.yaml import Document

SUFFIXES: Final = (".yaml", ".yml", ".json")
PIECE_BYTES: Final = 4 << 20
"""A file beyond this is cut, so that memory is bounded by pieces and not by files."""
MAX_DOCUMENT_BYTES: Final = 32 << 20
"""A document beyond this is refused: etcd takes 1.5 MB, and reading it would take gigabytes."""
KUSTOMIZATIONS: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")
CHART: Final = "Chart.yaml"
_NOT_RESOURCES: Final = frozenset({"kustomize.config.k8s.io", "cli.kyverno.io", "chainsaw.kyverno.io", "kind.x-k8s.io"})


class Piece(NamedTuple):
    """Part of a file: bytes from `start` to `end`, after `first_line` lines. `named` on the command line itself."""

    file: str
    start: int
    end: int
    first_line: int
    named: bool


class Found(NamedTuple):
    """What a walk found: plain files, folders to be rendered first, and what could not be read."""

    files: list[tuple[Path, bool]]
    charts: list[Path]
    kustomizations: list[Path]
    problems: list[Problem]


def find(paths: Sequence[Path], *, render_kustomizations: bool) -> Found:
    """Walk `paths`, in order; folders sorted, hidden ones and loops left out.

    A chart's own folder is rendered, not read. So is a kustomization's where
    there is a program to do it; else its files are read as they are.
    """
    found = Found([], [], [], [])
    for path in paths:
        try:
            mode = path.stat().st_mode
        except OSError as error:
            found.problems.append(unreadable(path, error))
            continue
        if stat.S_ISDIR(mode):
            _walk(path, found, set(), render_kustomizations=render_kustomizations)
        elif stat.S_ISREG(mode):
            found.files.append((path, True))
        else:
            hint = "Name a file or a folder, or `-` for standard input."
            found.problems.append(Problem("input", "neither a file nor a folder", Location(str(path)), hint))
    return found


def _walk(folder: Path, found: Found, above: set[tuple[int, int]], *, render_kustomizations: bool) -> None:
    try:
        here = folder.stat()
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        found.problems.append(unreadable(folder, error))
        return
    identity = (here.st_dev, here.st_ino)
    if identity in above:  # a link back to a folder around this one
        return
    names = {entry.name for entry in entries}
    if CHART in names:
        found.charts.append(folder)
        return
    if render_kustomizations and not names.isdisjoint(KUSTOMIZATIONS):
        found.kustomizations.append(folder)
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        try:
            if entry.is_dir():
                _walk(Path(entry.path), found, above | {identity}, render_kustomizations=render_kustomizations)
            elif entry.is_file() and entry.name.endswith(SUFFIXES) and entry.name not in KUSTOMIZATIONS:
                found.files.append((Path(entry.path), False))
        except OSError as error:
            found.problems.append(unreadable(Path(entry.path), error))


def cut(files: Iterable[tuple[Path, bool]], piece_bytes: int = PIECE_BYTES) -> Iterator[Piece | Problem]:
    """Cut files into pieces of about `piece_bytes`, each beginning with a document."""
    for path, named in files:
        try:
            size = path.stat().st_size
            if size <= piece_bytes:
                yield Piece(str(path), 0, size, 0, named)
            else:
                yield from _cut_large(path, size, piece_bytes, named=named)
        except OSError as error:
            yield unreadable(path, error)


def _cut_large(path: Path, size: int, piece_bytes: int, *, named: bool) -> Iterator[Piece | Problem]:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        start, line = 0, 0
        while start < size:
            boundary = data.find(b"\n---", min(start + piece_bytes, size))
            end = size if boundary < 0 else boundary + 1
            if end - start > MAX_DOCUMENT_BYTES:
                # a huge document ends this piece: what comes before it is read all the same
                before = data.rfind(b"\n---", start, start + piece_bytes) + 1
                end = before if before > start else end
            if end - start > MAX_DOCUMENT_BYTES:
                at = Location(str(path), line + 1)
                hint = f"Keep documents below {MAX_DOCUMENT_BYTES >> 20} MiB; Kubernetes takes 1.5 MB."
                yield Problem("input", f"a document of {(end - start) >> 20} MiB", at, hint)
            else:
                yield Piece(str(path), start, end, line, named)
            line += data[start:end].count(b"\n")
            start = end


def read_piece(piece: Piece) -> Iterator[Resource | Problem]:
    """The resources of a piece, in order, and a problem for each document that has none."""
    try:
        with Path(piece.file).open("rb") as file:
            file.seek(piece.start)
            data = file.read(piece.end - piece.start)
    except OSError as error:
        yield unreadable(Path(piece.file), error)
        return
    yield from read_bytes(data, piece.file, first_line=piece.first_line, named=piece.named)


def mentions(piece: Piece, word: bytes) -> bool:
    """Whether a word is in a piece at all, which costs a fraction of reading it; what is unreadable has none."""
    try:
        with Path(piece.file).open("rb") as file:
            file.seek(piece.start)
            return word in file.read(piece.end - piece.start)
    except OSError:
        return False


def read_bytes(data: bytes, file: str, *, first_line: int = 0, named: bool = True) -> Iterator[Resource | Problem]:
    """The resources in `data`; `file` is what messages call it."""
    for document in load_documents(data, file, first_line=first_line):
        if isinstance(document, BrokenDocument):
            yield problem_of(document.error, document.quoted)
        else:
            yield from resources_in(document, file, named=named)


def resources_in(document: Document, file: str, *, named: bool) -> Iterator[Resource | Problem]:
    """The resources of one document; those of a List have the lines of their element.

    What is no resource is a problem in a file that is `named`, and silence in a folder.
    """
    body = document.body
    if not isinstance(body, dict) or "apiVersion" not in body or "kind" not in body:
        partly = isinstance(body, dict) and ("apiVersion" in body or "kind" in body) and not file.endswith(CHART)
        if named or partly:
            missing = " and ".join(f"`{key}`" for key in ("apiVersion", "kind") if not _has(body, key))
            hint = "A Kubernetes object names both at its top."
            yield Problem("input", f"no Kubernetes object: {missing} missing", document.lines.locate(""), hint)
        return
    if not isinstance(body["apiVersion"], str) or not isinstance(body["kind"], str):
        yield Problem("input", "`apiVersion` and `kind` must be text", document.lines.locate("/kind"))
        return
    if body["apiVersion"].partition("/")[0] in _NOT_RESOURCES:
        return
    if body["kind"].endswith("List") and isinstance(body.get("items"), list):
        yield from _items(document, file)
        return
    yield resource_from(body, source=file, lines=document.lines)


def _items(document: Document, file: str) -> Iterator[Resource | Problem]:
    """The elements of a List; those of a typed one may leave out what the list's kind says."""
    body = document.body
    kind = body["kind"].removesuffix("List")
    for index, item in enumerate(body["items"]):
        lines = document.lines.below(f"/items/{index}")
        if not isinstance(item, dict):
            yield Problem("input", "an element of a List is no object", lines.locate(""))
            continue
        if kind and "kind" not in item:
            item = {"apiVersion": body["apiVersion"], "kind": kind, **item}  # noqa: PLW2901 (the same element, complete)
        if not isinstance(item.get("kind"), str) or not isinstance(item.get("apiVersion"), str):
            yield Problem("input", "an element of a List has no `apiVersion` and `kind`", lines.locate(""))
            continue
        yield resource_from(item, source=file, lines=lines)


def _has(body: Json, key: str) -> bool:
    return isinstance(body, dict) and key in body


def unreadable(path: Path, error: OSError) -> Problem:
    """What the system said of a file that cannot be read."""
    hint = "Check the name and the permissions."
    return Problem("input", f"cannot be read: {reason_of(error)}", Location(str(path)), hint)
