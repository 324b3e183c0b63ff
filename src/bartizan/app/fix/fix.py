"""Fix: the user's own files, changed so that they pass, with everything else in them as it was.

For each resource: the rules that mutate, as admission would apply them;
then the remediation of each built-in check that fails for it. The
differences are edited into the text of its document.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.app.asking import Asker, Asking
from bartizan.app.fix.mutations import mutate
from bartizan.app.fix.remedies import Remedy, accepts_none, compile_remedies, failing, judging_only, mend
from bartizan.app.given_world import GivenWorld
from bartizan.app.global_context import GlobalContext
from bartizan.app.policies import read_exceptions, read_policies
from bartizan.app.values import EMPTY, Values
from bartizan.base.errors import SpecError
from bartizan.base.location import Location
from bartizan.findings import fingerprint, waive
from bartizan.model.finding import Finding
from bartizan.model.report import Problem, problem_of
from bartizan.model.resource import labels_of
from bartizan.model.scoping import in_default_namespace
from bartizan.sources.manifests import MAX_DOCUMENT_BYTES, cut, find, read_piece, resources_in, unreadable
from bartizan.sources.yaml.documents import Document, decode, parse_chunk, split_documents
from bartizan.sources.yaml.edit import edit_document
from bartizan.sources.yaml.lines import DocumentLines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date
    from pathlib import Path

    from bartizan.app.selection import CheckSelection
    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.engines.policy.plan import Rule
    from bartizan.model.finding import RuleInfo
    from bartizan.model.outcome import Failed
    from bartizan.model.request import UserInfo
    from bartizan.model.resource import Resource, ResourceId
    from bartizan.model.waiver import Waiver

STDIN: Final = "standard input"


@dataclass(frozen=True, slots=True)
class FixRequest:
    """Everything a fix is told. `named` are checks whose risk was taken by naming them."""

    at: date
    paths: tuple[Path, ...] = ()
    stdin: bytes | None = None
    policies: tuple[Path, ...] = ()
    exceptions: tuple[Path, ...] = ()
    checks: CheckSelection | None = None
    risky: bool = False
    values: Values = EMPTY
    user: UserInfo | None = None
    waivers: tuple[Waiver, ...] = ()


class Left(NamedTuple):
    """A finding that stays, or a rule that was not applied, and why."""

    rule: str
    resource: ResourceId
    because: str


@dataclass(slots=True)
class FixedFile:
    """One file before and after. `path` is `None` for standard input."""

    name: str
    path: Path | None
    before: bytes
    after: bytes
    fixed: list[tuple[str, ResourceId]] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether there is something to write."""
        return self.before != self.after


class Fixes(NamedTuple):
    """A fix under way: its files one by one, and what was said before the first."""

    files: Iterator[FixedFile]
    problems: list[Problem]
    untouched: list[tuple[Path, str]]
    """Folders that are not edited, and why."""


def fix(request: FixRequest) -> Fixes:
    """Begin to fix what the request names; nothing is written here.

    Raises:
        SpecError: a check or framework that was asked for does not exist.
    """
    exceptions, problems = read_exceptions(request.exceptions)
    policies = read_policies(request.policies, exceptions)
    problems += policies.problems
    remedies = judging_only(policies.rules)
    if request.checks is not None:
        from bartizan.app.selection import select

        remedies += compile_remedies(select(request.checks), risky=request.risky, named=request.checks.names)
    found = find(request.paths, render_kustomizations=True)
    problems += found.problems
    untouched = [(path, "a chart: mend its templates and values") for path in found.charts]
    untouched += [(path, "a kustomization: name the files that it is built from") for path in found.kustomizations]
    files = _once(found.files)
    given = GlobalContext(GivenWorld(lambda: _resources_of(files)), policies.entries)
    namespaces = _namespaces(files) if policies.wants_namespaces else {}
    mutating = [rule for rule in policies.rules if rule.does == "mutate"]
    fixer = _Fixer(mutating, remedies, request, namespaces, given)
    return Fixes(fixer.files(files, request.stdin), problems, untouched)


def _once(files: list[tuple[Path, bool]]) -> list[tuple[Path, bool]]:
    """Each file once, by whatever names it was found."""
    seen: dict[Path, tuple[Path, bool]] = {}
    for path, named in files:
        seen.setdefault(path.resolve(), (path, named))
    return list(seen.values())


def _resources_of(files: list[tuple[Path, bool]]) -> Iterator[Resource]:
    """Every resource of the files, for rules that ask about others than their own."""
    for piece in cut(files):
        for item in read_piece(piece) if not isinstance(piece, Problem) else ():
            if not isinstance(item, Problem):
                yield in_default_namespace(item)


def _namespaces(files: list[tuple[Path, bool]]) -> dict[str, dict[str, str]]:
    """Labels of the namespaces among the manifests."""
    return {item.id.name: labels_of(item.body) for item in _resources_of(files) if item.id.kind == "Namespace"}


class _Fixer:
    """Rules bound to what is known of the world, ready to fix files."""

    def __init__(
        self,
        mutating: list[Rule],
        remedies: list[Remedy],
        request: FixRequest,
        namespaces: dict[str, dict[str, str]],
        lookup: Lookup,
    ) -> None:
        self._mutating = mutating
        self._remedies = remedies
        self._request = request
        asker = Asker(request.values, request.user, namespaces)
        self._asking = Asking(asker.request_for, lookup)

    def files(self, files: list[tuple[Path, bool]], stdin: bytes | None) -> Iterator[FixedFile]:
        """Fix files one by one, so that each may be written before the next is read."""
        for path, named in files:
            try:
                data = path.read_bytes()
            except OSError as error:
                yield FixedFile(str(path), path, b"", b"", problems=[unreadable(path, error)])
                continue
            yield self._file(FixedFile(str(path), path, data, data), named=named)
        if stdin is not None:
            yield self._file(FixedFile(STDIN, None, stdin, stdin), named=True)

    def _file(self, file: FixedFile, *, named: bool) -> FixedFile:
        try:
            text = _text(file.before, file.name)
        except SpecError as error:
            file.problems.append(problem_of(error))
            return file
        pieces: list[str] = []
        at = line = 0
        for chunk, offset in split_documents(text, 0):
            start = _skip_lines(text, at, offset - line)
            pieces += (text[at:start], self._document(chunk, offset, file, named=named))
            at, line = start + len(chunk), offset + chunk.count("\n")
        edited = "".join((*pieces, text[at:]))
        if edited != text:
            file.after = _encode(edited, file.before)
        return file

    def _document(self, chunk: str, offset: int, file: FixedFile, *, named: bool) -> str:
        """The text of one document after its resources are fixed; as it was where that cannot be done."""
        numbers: list[int] = []
        try:
            body = parse_chunk(chunk, file.name, offset, numbers)
        except SpecError as error:
            lines = DocumentLines(chunk, file.name, offset)
            quoted = lines.quote(error.at.line) if error.at else ""
            file.problems.append(problem_of(error, quoted))
            return chunk
        document = Document(body, DocumentLines(chunk, file.name, offset, body, numbers), 0)
        fixed: list[tuple[str, ResourceId]] = []
        try:
            after = self._resources(document, file, fixed, named=named)
            edited = edit_document(chunk, body, after, file=file.name, first_line=offset)
        except RecursionError:
            hint = "Flatten the document."
            file.problems.append(Problem("input", "nests too deep to be fixed", Location(file.name, offset + 1), hint))
            return chunk
        except SpecError as error:
            file.problems.append(problem_of(error))
            file.left += [Left(name, rid, f"cannot be edited safely: {error.message}") for name, rid in fixed]
            return chunk
        file.fixed += fixed
        return edited

    def _resources(
        self, document: Document, file: FixedFile, fixed: list[tuple[str, ResourceId]], *, named: bool
    ) -> Json:
        """The document after each resource in it; what was fixed is put into `fixed`."""
        after = document.body
        for item in resources_in(document, file.name, named=named) if after is not None else ():
            if isinstance(item, Problem):
                file.problems.append(item)
                continue
            changed, names = self._resource(item, file)
            if changed is not item.body:
                after = _put_back(after, item, changed)
                fixed += [(name, item.id) for name in names]
        return after

    def _resource(self, resource: Resource, file: FixedFile) -> tuple[JsonObject, list[str]]:
        """The body of a resource after everything, and the names of what was fixed in it."""
        placed = in_default_namespace(resource)
        failed = failing(placed, self._remedies, self._asking, accepts_none) if self._mutating else []
        mutated = mutate(placed, self._mutating, self._asking) if self._mutating else None
        current = mutated.resource if mutated else placed
        mended = mend(current, self._remedies, self._asking, self._accepts(resource))
        names = [str(rule.info.id) for rule in mutated.applied] if mutated else []
        left = {info.id for info, _ in mended.left}
        fixed = [remedy.info.id for remedy, _ in failed if remedy.info.id not in left]
        names += map(str, dict.fromkeys((*fixed, *(info.id for info in mended.fixed))))
        file.left += [
            Left(str(rule.info.id), resource.id, because) for rule, because in (mutated.left if mutated else ())
        ]
        file.left += [Left(str(info.id), resource.id, because) for info, because in mended.left]
        return _without_default_namespace(mended.resource.body, placed, resource), names

    def _accepts(self, resource: Resource) -> Callable[[RuleInfo, Resource, Failed], str]:
        """Asks the waivers about a finding; a finding is known by the resource as it is written."""
        waivers, at = self._request.waivers, self._request.at
        if not waivers:
            return accepts_none

        def accepts(info: RuleInfo, _resource: Resource, outcome: Failed) -> str:
            mark = fingerprint(info.id, resource.id, outcome.pointer)
            finding = Finding(
                info, resource.id, "fail", info.severity, outcome.message, outcome.pointer, fingerprint=mark
            )
            waived = waive([finding], waivers, at).waived
            return waived[0].waived_by if waived else ""

        return accepts


def _put_back(document: Json, resource: Resource, body: JsonObject) -> Json:
    """The document with a resource's new body where the old one was."""
    prefix = getattr(resource.lines, "prefix", "")
    if not prefix:
        return body
    index = int(prefix.rpartition("/")[2])
    items = list(document["items"])
    # elements of a typed list may leave out what the list says; what was not written is not written now
    said = {key for key in ("apiVersion", "kind") if key not in items[index]}
    items[index] = {key: value for key, value in body.items() if key not in said}
    return {**document, "items": items}


def _without_default_namespace(body: JsonObject, placed: Resource, resource: Resource) -> JsonObject:
    """The body without the namespace that it was given only to be judged in."""
    if body is placed.body:
        return resource.body
    if placed.body is resource.body:
        return body
    metadata = body.get("metadata")
    given = placed.body["metadata"]
    if metadata is given:
        restored = resource.body.get("metadata")
    elif isinstance(metadata, dict) and metadata.get("namespace") == given["namespace"]:
        restored = {key: value for key, value in metadata.items() if key != "namespace"}
    else:
        return body
    if restored is None:
        return {key: value for key, value in body.items() if key != "metadata"}
    return {**body, "metadata": restored}


def _text(data: bytes, name: str) -> str:
    if len(data) > MAX_DOCUMENT_BYTES:
        hint = "Split it into several files."
        raise SpecError(f"a file of {len(data) >> 20} MiB is not edited", at=Location(name), hint=hint)
    return decode(data, name)


def _skip_lines(text: str, at: int, lines: int) -> int:
    for _ in range(lines):
        at = text.index("\n", at) + 1
    return at


def _encode(text: str, before: bytes) -> bytes:
    """The text in the encoding the file had."""
    if before.startswith(codecs.BOM_UTF8):
        return codecs.BOM_UTF8 + text.encode()
    if before.startswith(codecs.BOM_UTF16_LE):
        return codecs.BOM_UTF16_LE + text.encode("utf-16-le")
    if before.startswith(codecs.BOM_UTF16_BE):
        return codecs.BOM_UTF16_BE + text.encode("utf-16-be")
    return text.encode()
