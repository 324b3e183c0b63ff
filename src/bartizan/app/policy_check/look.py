"""Policies in files, looked at before they run: every remark with its file, line and column."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.app.ambient import ambient
from bartizan.app.options import NO_CLUSTER
from bartizan.app.policies import documents
from bartizan.app.policy_check.reasons import REASONS
from bartizan.app.policy_check.typed import typed_remarks
from bartizan.app.text_places import place_in
from bartizan.base.errors import SpecError
from bartizan.base.location import Location
from bartizan.base.pointer import resolve
from bartizan.base.suggest import did_you_mean
from bartizan.engines.policy.dialects.kubernetes.kinds import is_admission_document
from bartizan.engines.policy.dialects.kubernetes.lint import lint_admission
from bartizan.engines.policy.dialects.kyverno import is_policy
from bartizan.engines.policy.dialects.kyverno.cel.policy import is_cel_policy
from bartizan.engines.policy.dialects.kyverno.cel.spec import is_of_group
from bartizan.engines.policy.dialects.kyverno.lint import Level, Remark, lint_exception, lint_policy
from bartizan.engines.policy.dialects.kyverno.lint.cel import lint_cel_exception, lint_cel_policy
from bartizan.lang.jmespath import functions_for
from bartizan.model.report import Problem
from bartizan.model.resource import ResourceId, resource_from
from bartizan.sources.yaml.lines import DocumentLines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from bartizan.app.options import ClusterChoice
    from bartizan.base.json import JsonObject
    from bartizan.lang.jmespath import Functions
    from bartizan.sources.yaml import Document

LEVELS: Final[tuple[Level, ...]] = ("error", "warning", "note")
_GROUPS: Final = ("kyverno.io/", "policies.kyverno.io/")
_MAX_LINES: Final = 200  # an expression may stand far into a block of text, and nobody looks further
_MAX_SHOWN: Final = 200  # JSON may be one line of a megabyte, and be quoted a thousand times
_MAX_NAME_CHARS: Final = 63


class Placed(NamedTuple):
    """One remark, with what it is about: its place, its line as written, and the policy."""

    level: Level
    rule: str
    message: str
    hint: str
    at: Location
    line: str
    policy: ResourceId


class Checked(NamedTuple):
    """What a check found; `others` are documents of kinds that are not looked at."""

    remarks: tuple[Placed, ...]
    policies: int
    others: int

    def count(self, level: Level) -> int:
        """How many remarks of a level there are."""
        return sum(1 for remark in self.remarks if remark.level == level)


def check_policies(
    paths: Sequence[Path],
    *,
    least: Level = "note",
    ignored: Sequence[str] = (),
    openapi: Sequence[Path] = (),
    cluster: ClusterChoice = NO_CLUSTER,
) -> Checked:
    """Look at every policy and exception in files and folders.

    What types say of expressions is told where kinds are known: by the files
    `openapi`, by a cluster, and by definitions among what is looked at.

    Raises:
        SpecError: there is none, or a rule that is to be ignored does not exist.
        SourceError: the cluster does not answer.
    """
    for name in ignored:
        if name not in REASONS:
            raise SpecError(
                f"no rule `{name}`", hint=did_you_mean(name, REASONS, listed="bartizan policy check --list")
            )
    read = _read(paths)
    said = [*_of_policies(read.policies), *_of_exceptions(read.exceptions, read.policies)]
    said += [
        (read.admission[number], remark) for number, remark in lint_admission([doc.body for doc in read.admission])
    ]
    said += typed_remarks([*read.policies, *read.admission], read.definitions, openapi, cluster)
    wanted = LEVELS[: LEVELS.index(least) + 1]
    found = [_placed(remark, document) for document, remark in said]
    remarks = [item for item in (*read.broken, *found) if item.level in wanted and item.rule not in ignored]
    remarks.sort(key=lambda item: (item.at.file, item.at.line, item.at.column, item.rule))
    return Checked(tuple(remarks), len(read.policies) + len(read.exceptions) + len(read.admission), read.others)


class _Read(NamedTuple):
    """What files hold: `broken` could not be read, and `others` are kinds that are not looked at."""

    policies: list[Document]
    exceptions: list[Document]
    admission: list[Document]
    definitions: list[JsonObject]
    broken: list[Placed]
    others: int


def _read(paths: Sequence[Path]) -> _Read:
    policies: list[Document] = []
    exceptions: list[Document] = []
    admission: list[Document] = []
    definitions: list[JsonObject] = []
    broken: list[Placed] = []
    others = 0
    for item in documents(paths):
        if isinstance(item, Problem):
            broken.append(_broken(item))
        elif is_policy(item.body) or is_cel_policy(item.body):
            policies.append(_exactly_placed(item))
        elif is_admission_document(item.body):
            admission.append(_exactly_placed(item))
        elif isinstance(item.body, dict) and item.body.get("kind") == "CustomResourceDefinition":
            definitions.append(item.body)
        elif isinstance(item.body, dict) and item.body.get("kind") == "PolicyException":
            exceptions.append(_exactly_placed(item))
        elif isinstance(item.body, dict) and str(item.body.get("apiVersion", "")).startswith(_GROUPS):
            others += 1
    if not policies and not exceptions and not admission and not broken:
        hint = "Name files or folders that hold policies or PolicyExceptions."
        raise SpecError("no policy found", at=Location(", ".join(map(str, paths))), hint=hint)
    return _Read(policies, exceptions, admission, definitions, broken, others)


def _broken(problem: Problem) -> Placed:
    at = problem.at or Location("")
    nobody = ResourceId("", "", "", "", "")
    return Placed("error", "unreadable-policy", problem.message, problem.hint, at, _quoted(problem.excerpt, at), nobody)


def _exactly_placed(document: Document) -> Document:
    """The same with the place of what stands in braces too, which costs a second reading of the text."""
    lines = document.lines
    return document._replace(lines=DocumentLines(lines.text, lines.file, lines.offset))


def _of_policies(policies: Sequence[Document]) -> Iterator[tuple[Document, Remark]]:
    functions = functions_for(ambient())
    for document in policies:
        for remark in _looked_at(document, functions):
            yield document, remark


def _looked_at(document: Document, functions: Functions) -> list[Remark]:
    if not is_cel_policy(document.body):
        return lint_policy(document.body, functions, partial(_line, document))
    return lint_cel_policy(document.body, ambient())


def _line(document: Document, pointer: str) -> str:
    return document.lines.quote(document.lines.locate(pointer).line)


def _of_exceptions(exceptions: Sequence[Document], policies: Sequence[Document]) -> Iterator[tuple[Document, Remark]]:
    known = dict(_rules(document.body) for document in policies if is_policy(document.body))
    in_cel = [(str(item.body["kind"]), _name(item.body)) for item in policies if is_cel_policy(item.body)]
    for document in exceptions:
        remarks = (
            lint_cel_exception(document.body, in_cel, ambient().now())
            if is_of_group(document.body, ("PolicyException",))
            else lint_exception(document.body, known)
        )
        for remark in remarks:
            yield document, remark


def _name(body: JsonObject) -> str:
    metadata = body.get("metadata")
    return str(metadata.get("name")) if isinstance(metadata, dict) else ""


def _rules(body: JsonObject) -> tuple[str, frozenset[str]]:
    """The name by which exceptions know a policy, and the names of its rules, with those that autogen may make."""
    metadata, spec = body.get("metadata"), body.get("spec")
    metadata = metadata if isinstance(metadata, dict) else {}
    rules = spec.get("rules") if isinstance(spec, dict) else None
    names = [str(rule.get("name")) for rule in (rules if isinstance(rules, list) else ()) if isinstance(rule, dict)]
    made = [f"{prefix}{name}"[:_MAX_NAME_CHARS] for name in names for prefix in ("autogen-", "autogen-cronjob-")]
    name = str(metadata.get("name"))
    if body.get("kind") == "Policy":
        name = f"{metadata.get('namespace') or 'default'}/{name}"
    return name, frozenset([*names, *made])


def _placed(remark: Remark, document: Document) -> Placed:
    """A remark with its line; at the text that it is about, where that stands in the line or below it."""
    lines = document.lines
    at = lines.locate(remark.pointer) if remark.begins < 0 else _in_text(remark, document)
    for number in range(at.line, at.line + _MAX_LINES) if remark.near else ():
        text = lines.quote(number)
        column = text.find(remark.near.partition("\n")[0], at.column - 1 if number == at.line else 0)
        if column >= 0:
            at = Location(at.file, number, column + 1)
            break
    policy = resource_from(document.body).id
    return Placed(remark.level, remark.rule, remark.message, remark.hint, at, _quoted(lines.quote(at.line), at), policy)


def _in_text(remark: Remark, document: Document) -> Location:
    """Where the part of an expression stands that a remark is about."""
    try:
        text = resolve(document.body, remark.pointer)
    except LookupError:
        text = None
    if not isinstance(text, str):
        return document.lines.locate(remark.pointer)
    return place_in(document.lines, remark.pointer, text, remark.begins)


def _quoted(line: str, at: Location) -> str:
    """A line as it is shown: of a long one its beginning, or nothing where the place is further on."""
    if len(line) <= _MAX_SHOWN:
        return line
    return f"{line[:_MAX_SHOWN]}…" if at.column < _MAX_SHOWN else ""
