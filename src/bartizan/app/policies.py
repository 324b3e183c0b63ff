"""Policies from files, compiled to one plan; what is wrong with any of them has its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bartizan.app.ambient import ambient
from bartizan.app.text_places import place_of
from bartizan.base.errors import SpecError
from bartizan.base.json import to_text
from bartizan.base.location import Location
from bartizan.engines.policy.dialects.kubernetes.kinds import is_admission_document
from bartizan.engines.policy.dialects.kyverno import compile_policy, decode_exception, expression_compiler, is_policy
from bartizan.engines.policy.dialects.kyverno.cel.policy import compile_cel_policy, is_cel_policy, share_evidence
from bartizan.engines.policy.dialects.kyverno.cel.spec import is_of_group
from bartizan.engines.policy.dialects.kyverno.cleanup import compile_cleanup, is_cleanup_policy
from bartizan.engines.policy.dialects.kyverno.exceptions import is_exception
from bartizan.engines.policy.dialects.kyverno.global_context import GlobalEntry, compile_entry, is_global_entry
from bartizan.model.report import Note, Problem, problem_of
from bartizan.sources.manifests import SUFFIXES, unreadable
from bartizan.sources.yaml import BrokenDocument, Document, load_documents

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.dialects.kyverno.variables import Compiler
    from bartizan.engines.policy.plan import Policy, Rule


class Policies(NamedTuple):
    """Rules ready to run, and what could not be made one."""

    rules: tuple[Rule, ...]
    problems: tuple[Problem, ...]
    wants_namespaces: bool
    """Whether a rule asks for the labels of namespaces."""
    entries: tuple[GlobalEntry, ...] = ()
    """Global context entries that stand beside the policies."""
    notes: tuple[Note, ...] = ()
    """What is not wrong with the policies, but should be known."""
    found: int = 0
    """How many documents are policies, or stand beside them."""


def read_policies(paths: Sequence[Path], exceptions: Sequence[JsonObject]) -> Policies:
    """Compile every policy in files and folders."""
    policies = compile_all(documents(paths), exceptions)
    if paths and not policies.found and not policies.problems:
        hint = "Name files or folders that hold ClusterPolicy or Policy documents."
        nothing = Problem("input", "no policy found", Location(", ".join(map(str, paths))), hint)
        return policies._replace(problems=(nothing,))
    return policies


def compile_all(items: Iterable[Document | Problem], exceptions: Sequence[JsonObject]) -> Policies:
    """Compile every policy among documents; what could not be read is passed on."""
    compiler = expression_compiler(ambient())
    rules: list[Rule] = []
    problems: list[Problem] = []
    entries: list[GlobalEntry] = []
    wants_namespaces = any("namespaceSelector" in to_text(item) for item in exceptions)
    found = 0
    admission: list[Document] = []
    for item in items:
        if isinstance(item, Problem):
            problems.append(item)
            continue
        body = item.body
        if is_cleanup_policy(body) or is_global_entry(body):
            _compile_other(item, compiler, entries, problems)
            continue
        if is_admission_document(body):
            admission.append(item)
            continue
        if not is_policy(body) and not is_cel_policy(body):
            if isinstance(body, dict) and str(body.get("apiVersion", "")).startswith(
                ("kyverno.io", "policies.kyverno")
            ):
                found += 1
                if body.get("kind") != "PolicyException":
                    problems.append(_unsupported(item, body))
            continue
        found += 1
        wants_namespaces = wants_namespaces or "namespaceSelector" in item.lines.text
        try:
            policy = compile_document(body, compiler, exceptions)
        except SpecError as error:
            problems.append(placed(error, item))
            continue
        rules += policy.rules
        problems += [placed(error, item) for error in policy.problems]
    notes = _compile_admission(admission, rules, problems) if admission else ()
    # the labels of namespaces are always asked for here: an expression may look at them
    wants_namespaces, found = wants_namespaces or bool(admission), found + len(admission)
    share_evidence(rules)
    return Policies(tuple(rules), tuple(problems), wants_namespaces, tuple(entries), notes, found)


def _compile_admission(given: list[Document], rules: list[Rule], problems: list[Problem]) -> tuple[Note, ...]:
    """Kubernetes' own policies, which are compiled together with their bindings."""
    from bartizan.app.admission import compile_admission  # late: it brings CEL

    admission = compile_admission(given)
    rules += [rule for policy in admission.policies for rule in policy.rules]
    problems += [placed(error, document) for document, error in admission.problems]
    return admission.notes


def compile_document(
    body: JsonObject, compiler: Compiler, exceptions: Sequence[JsonObject], kinds: frozenset[str] | None = None
) -> Policy:
    """Compile a policy of any dialect; where `kinds` are given, nothing else will be asked about.

    Raises:
        SpecError: it is malformed.
    """
    if is_cel_policy(body):
        return compile_cel_policy(body, ambient(), exceptions=exceptions)
    return compile_policy(body, compiler, exceptions=exceptions, kinds=kinds)


def _compile_other(document: Document, compiler: Compiler, entries: list[GlobalEntry], problems: list[Problem]) -> None:
    """What judges nothing, but must be right all the same: entries, and policies that are for `bartizan cleanup`."""
    try:
        if is_global_entry(document.body):
            entries.append(compile_entry(document.body, compiler))
        else:
            compile_cleanup(document.body, compiler)
    except SpecError as error:
        problems.append(placed(error, document))


def read_exceptions(paths: Sequence[Path]) -> tuple[list[JsonObject], list[Problem]]:
    """Read PolicyExceptions, of classic policies and of those in CEL."""
    return exceptions_among(documents(paths))


def exceptions_among(items: Iterable[Document | Problem]) -> tuple[list[JsonObject], list[Problem]]:
    """The PolicyExceptions among documents, and what is wrong with any of them."""
    found: list[JsonObject] = []
    problems: list[Problem] = []
    for item in items:
        if isinstance(item, Problem):
            problems.append(item)
            continue
        body = item.body
        if not isinstance(body, dict) or body.get("kind") != "PolicyException":
            continue
        try:
            _check_exception(body)
        except SpecError as error:
            problems.append(placed(error, item))
        else:
            found.append(body)
    return found, problems


def _check_exception(body: JsonObject) -> None:
    if is_exception(body):
        decode_exception(body)
    elif is_of_group(body, ("PolicyException",)):
        from bartizan.engines.policy.dialects.kyverno.cel.exceptions import (  # late: it brings CEL
            decode_cel_exception,
        )

        decode_cel_exception(body)
    else:
        hint = "Write `apiVersion: kyverno.io/v2`, or `policies.kyverno.io/v1` for policies in CEL."
        message = f"unsupported construct `PolicyException` of `{body.get('apiVersion')}`"
        raise SpecError(message, pointer="/apiVersion", hint=hint)


def documents(paths: Iterable[Path]) -> Iterator[Document | Problem]:
    """Every document of files and folders; hidden files are left out."""
    for path in paths:
        for file in _files(path):
            try:
                data = file.read_bytes()
            except OSError as error:
                yield unreadable(file, error)
                continue
            for document in load_documents(data, str(file)):
                if isinstance(document, BrokenDocument):
                    yield problem_of(document.error, document.quoted)
                else:
                    yield document


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    inside = (item for item in path.rglob("*") if item.suffix in SUFFIXES and item.is_file())
    return sorted(item for item in inside if not any(part.startswith(".") for part in item.relative_to(path).parts))


def placed(error: SpecError, document: Document) -> Problem:
    """An error as a problem with file, line and column."""
    at = error.at or place_of(error, document.body, document.lines)
    return Problem("input", error.message, at, error.hint, document.lines.quote(at.line))


def _unsupported(document: Document, body: JsonObject) -> Problem:
    kind = body.get("kind")
    hint = "See `kind` and `apiVersion`: classic and CEL kinds run, in the versions that Kyverno 1.19 has."
    return Problem("input", f"unsupported construct `{kind}`", document.lines.locate("/kind"), hint)
