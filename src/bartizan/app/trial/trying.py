"""A policy's text tried on an object's text: what each rule says, where, why, and what it would change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bartizan.app.asking import Asker
from bartizan.app.explain.explain import Explained, Source, explain_watched, watched_among
from bartizan.app.explain.watched import is_explained
from bartizan.app.policies import Policies, compile_all, exceptions_among
from bartizan.app.trial.wire import Changed, Said, Told, Tried
from bartizan.base.errors import SpecError
from bartizan.engines.policy.chain import run_chain
from bartizan.engines.policy.dialects.kubernetes.kinds import is_admission_document
from bartizan.engines.policy.lookup import LookupFailedError, ObjectsQuestion, describe
from bartizan.model.outcome import Broken, Failed, Passed, Skipped
from bartizan.model.report import Problem, problem_of
from bartizan.model.resource import resource_from
from bartizan.model.scoping import in_default_namespace
from bartizan.outputs.explanation import page, tree
from bartizan.outputs.objects import State, as_difference
from bartizan.sources.yaml import BrokenDocument, Document, load_documents

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bartizan.app.explain.watched import Watched
    from bartizan.app.trial.wire import Try
    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.chain import Step
    from bartizan.engines.policy.lookup import Question
    from bartizan.engines.policy.plan import Rule
    from bartizan.model.outcome import Outcome
    from bartizan.model.report import Note
    from bartizan.model.resource import Resource

RULES: Final = 100
"""The most rules that one text may have."""
_EXPLAINED: Final = 40
_TREE_LINES: Final = 200
_DIFFERENCE_LINES: Final = 400
_CHANGES: Final = 10
_ROOM: Final = 1 << 20
"""Characters of all traces and differences of a trial."""
_REASONS: Final = 8
_LONGEST: Final = 2000
_WIDTH: Final = 120
_PAGE: Final = page(color=False, width=_WIDTH, everything=False)


class NotCalled:
    """The world of a trial: nothing is called, and a question for more than the object fails and says so.

    `alone` is a world in which there is nothing beside the object: so a rule
    that makes others, or changes them, can show what it would make.
    """

    def __init__(self, *, alone: bool = False) -> None:
        self._alone = alone

    def answer(self, question: Question) -> Json:
        """Fail, naming what was asked; who looks for other objects finds none where the object is alone."""
        if self._alone and isinstance(question, ObjectsQuestion):
            return []
        raise LookupFailedError(f"not called here: {describe(question)}")


class Compiled(NamedTuple):
    """What came of a policy's text. `documents` are those that are policies or stand beside them."""

    policies: Policies
    documents: list[Document]
    exceptions: list[JsonObject]
    problems: list[Told]
    notes: list[Told]


def compile_text(text: str) -> Compiled:
    """Compile all policies of a text, with the exceptions and bindings that stand beside them."""
    items = list(read(text, "policy"))
    exceptions, _ = exceptions_among(items)
    policies = compile_all(items, exceptions)
    problems = [told(problem, "policy") for problem in policies.problems]
    if not policies.found and not problems:
        hint = "Begin with `apiVersion` and `kind` of a policy, or with one of the checks."
        problems.append(Told("there is no policy in this text", hint))
    if len(policies.rules) > RULES:
        problems.append(Told(f"{len(policies.rules)} rules are too many to be tried at once", "Leave some out."))
        policies = policies._replace(rules=policies.rules[:RULES])
    documents = [item for item in items if isinstance(item, Document)]
    return Compiled(policies, documents, exceptions, problems, [_noted(note) for note in policies.notes])


def read(text: str, name: str) -> Iterator[Document | Problem]:
    """The documents of a text."""
    for item in load_documents(text.encode("utf-8", "replace"), name):
        yield problem_of(item.error, item.quoted) if isinstance(item, BrokenDocument) else item


def told(problem: Problem, of: str) -> Told:
    """A problem as it crosses the pipe."""
    line, column = (problem.at.line, problem.at.column) if problem.at else (0, 0)
    return Told(_cut(problem.message), _cut(problem.hint), of, line, column, _cut(problem.excerpt))


def try_texts(asked: Try) -> Tried:
    """Try a policy on an object. Nothing is wrong that is not told."""
    compiled = compile_text(asked.policy)
    found = _object(asked.resource)
    if isinstance(found, Told):
        return Tried(problems=[*compiled.problems, found], notes=compiled.notes)
    resource = in_default_namespace(found)
    asker = Asker(namespaces={resource.id.namespace: asked.namespace_labels})
    rules, world = compiled.policies.rules, NotCalled(alone=True)
    steps = run_chain(rules, resource, lambda rule, one: asker.request(rule.info.id, one), world)
    teller = _Teller(compiled, asker, resource)
    kind = resource.id.kind
    meant = any(rule.kinds is None or kind in rule.kinds for rule in rules)
    said, others = [], []
    for rule, step, before in _paired(compiled, steps, resource):
        if meant and rule.kinds is not None and kind not in rule.kinds:
            others.append(str(rule.info.id))
        else:
            said.append(teller.said(rule, step, before))
    return Tried(str(resource.id), said, others, compiled.problems, compiled.notes)


def _object(text: str) -> Resource | Told:
    items = list(read(text, "object"))
    if not items:
        return Told("there is no object in this text", "Paste one, or choose one of the fleet.", "object")
    if isinstance(items[0], Problem):
        return told(items[0], "object")
    body = items[0].body
    if not isinstance(body, dict) or not isinstance(body.get("kind"), str):
        return Told("this is no object of Kubernetes", "It needs `apiVersion` and `kind`.", "object", 1)
    if len(items) > 1:
        return Told(f"{len(items)} objects where one is tried", "Leave one.", "object")
    return resource_from(body, source="object", lines=items[0].lines)


def _paired(compiled: Compiled, steps: list[Step], resource: Resource) -> Iterator[tuple[Rule, Step | None, Resource]]:
    """Every rule with what it said, and the object as the rule met it; those that gave no answer come last."""
    before = resource
    answered = set()
    for step in steps:
        answered.add(id(step.rule))
        yield step.rule, step, before
        before = step.resource
    for rule in compiled.policies.rules:
        if id(rule) not in answered:
            yield rule, None, before


class _Teller:
    """Tells what rules said, each with its trace while there are few enough."""

    def __init__(self, compiled: Compiled, asker: Asker, resource: Resource) -> None:
        self._asker = asker
        self._lines = resource.lines
        self._watched = _watched(compiled)
        self._left = _EXPLAINED
        self._room = _ROOM

    def said(self, rule: Rule, step: Step | None, before: Resource) -> Said:
        """What a rule said, and why."""
        outcome = step.outcome if step else None
        result, message, pointer = _words(rule, outcome)
        explained = self._explained(rule, before)
        if explained and explained.in_resource and not pointer and result in ("fail", "warn"):
            line = explained.in_resource.at.line
        else:
            line = self._lines.locate(pointer).line if self._lines and pointer else 0
        request = self._asker.request(rule.info.id, before)
        return Said(
            str(rule.info.id),
            rule.does,
            rule.action(request) if step else "",
            result,
            _cut(message),
            pointer,
            line,
            explained.in_policy.at.line if explained and explained.in_policy else 0,
            _reasons(explained) if explained else [],
            self._fitting(tree(explained.root, _PAGE), _TREE_LINES) if explained else [],
            self._changes(outcome) if isinstance(outcome, Passed) else [],
        )

    def _explained(self, rule: Rule, before: Resource) -> Explained | None:
        found = self._watched.get((str(rule.info.id), rule.does))
        if found is None or not self._left:
            return None
        self._left -= 1
        source, watched = found
        return explain_watched(source, watched, self._asker.request(rule.info.id, before), NotCalled(alone=True))

    def _changes(self, outcome: Passed) -> list[Changed]:
        found = []
        for change in outcome.changes[:_CHANGES]:
            name = str(change.resource)
            text = as_difference(State(name, change.before, change.after), color=False)
            found.append(Changed(_cut(name), self._fitting(text.splitlines(), _DIFFERENCE_LINES)))
        return found

    def _fitting(self, lines: Iterable[str], most: int) -> list[str]:
        """The first lines, as long as there is room; a last one says that there are more."""
        found: list[str] = []
        for line in lines:
            cut = _cut(line)
            self._room -= len(cut)
            if len(found) >= most or self._room < 0:
                return [*found, "…"]
            found.append(cut)
        return found


def _watched(compiled: Compiled) -> dict[tuple[str, str], tuple[Source, Watched]]:
    """The rules that can be explained, by name and deed. What does not compile was told already."""
    sources = [Source(item.body, item.lines) for item in compiled.documents if is_explained(item.body)]
    admission = [Source(item.body, item.lines) for item in compiled.documents if is_admission_document(item.body)]
    found: dict[tuple[str, str], tuple[Source, Watched]] = {}
    for group in (*([source] for source in sources), admission):
        try:
            for source, rule in watched_among(group, compiled.exceptions):
                found[str(rule.rule.info.id), rule.rule.does] = (source, rule)
        except SpecError:
            continue
    return found


def _words(rule: Rule, outcome: Outcome | None) -> tuple[str, str, str]:
    """A result in one word, what is said of it, and where."""
    match outcome:
        case Failed(message, pointer):
            return ("fail" if rule.info.scored else "warn"), message, pointer
        case Passed(message, changes):
            return ("change" if changes else "pass"), message, ""
        case Skipped(because, waived_by):
            return "skip", f"accepted by exception `{waived_by}`" if waived_by else because, ""
        case Broken(error):
            return "error", error, ""
        case None:
            return "silent", "the rule gives no answer: it is about other objects", ""


def _reasons(explained: Explained) -> list[str]:
    notes = dict.fromkeys(node.note for node in explained.root.deciding if node.note != explained.root.note)
    return [_cut(note) for note in list(notes)[:_REASONS]]


def _noted(note: Note) -> Told:
    return Told(_cut(note.message), _cut(note.hint))


def _cut(text: Any) -> str:
    text = str(text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
