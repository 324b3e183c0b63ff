"""CEL expressions tried on files, with the names and limits that policies in the API server have."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bartizan.app.cel_answers import as_json, step_json, tree_lines
from bartizan.app.files import read_file
from bartizan.app.pointing import pointed
from bartizan.base.errors import SpecError
from bartizan.engines.policy.cel.environment import COMMON, Vocabulary
from bartizan.engines.policy.cel.names import makers_of, names_of
from bartizan.engines.policy.lookup import Offline
from bartizan.lang.cel import compile_expression
from bartizan.lang.cel.cost import EXPRESSION_LIMIT
from bartizan.lang.cel.show import value_text
from bartizan.lang.cel.trace import trace
from bartizan.lang.cel.types import DYN
from bartizan.model.request import Request, UserInfo
from bartizan.model.resource import Resource, ResourceId, payload_from, resource_from
from bartizan.outputs.text import printable
from bartizan.outputs.value import write_value
from bartizan.sources.yaml import load_documents, load_one
from bartizan.sources.yaml.documents import BrokenDocument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bartizan.base.json import Json, JsonObject
    from bartizan.lang.cel import Expression
    from bartizan.lang.cel.trace import Step, Traced

_DASH: Final = Path("-")
_NOTHING: Final = Resource(ResourceId("", "", "", "", ""), {})
_VOCABULARY: Final = Vocabulary(names={**COMMON, "params": DYN})
_CUT: Final = " at column "
_WHOLE: Final = 100_000_000
"""Characters of a value that is shown whole."""


@dataclass(frozen=True)
class Around:
    """What an expression can see beside its object: files, and who asks."""

    old: Path | None = None
    params: Path | None = None
    namespace: Path | None = None
    request: Path | None = None
    user: str = ""
    groups: tuple[str, ...] = ()
    variables: tuple[str, ...] = field(default=())


class Asked(NamedTuple):
    """An expression that compiled, with the policy's own variables."""

    expression: Expression
    variables: Mapping[str, Expression]


class Answer(NamedTuple):
    """What an expression came to on one document; `error` says why it has no value, with the place."""

    name: str
    value: Any
    error: str
    cost: int
    step: Step


class Wants(NamedTuple):
    """What is to be said beside a value: its type, its cost, the tree of its parts."""

    type: bool
    cost: bool
    trace: bool


def ask(text: str, variables: Sequence[str]) -> Asked:
    """Compile an expression, and each `name=expression` before it that it may use.

    Raises:
        SpecError: one does not compile; the message shows the place.
    """
    known: dict[str, Expression] = {}
    for given in variables:
        name, equals, body = given.partition("=")
        if not equals or not name.strip().isidentifier():
            raise SpecError(f"`{given}` is no variable", hint="Write `name=expression`.")
        known[name.strip()] = _compiled(body, known)
    return Asked(_compiled(text, known), known)


def _compiled(text: str, variables: Mapping[str, Expression]) -> Expression:
    types = {name: expression.type for name, expression in variables.items()}
    try:
        return compile_expression(text, _VOCABULARY.environment(types))
    except SpecError as error:
        message = error.message.partition(_CUT)[0] if error.column else error.message
        raise SpecError(pointed(text, message, error.column, ""), hint=error.hint) from error


def read_expression(file: Path, stdin: Callable[[], bytes]) -> str:
    """The expression in a file.

    Raises:
        SpecError: it cannot be read.
    """
    data = stdin() if file == _DASH else read_file(file)
    return data.decode(errors="replace").strip()


def answers(asked: Asked, paths: Sequence[Path], around: Around, stdin: Callable[[], bytes]) -> Iterator[Answer]:
    """What the expression comes to on every document of some files; without any, on nothing.

    Raises:
        SpecError: a file cannot be read, or what goes with it is not one document.
    """
    params = None if around.params is None else _one(around.params)
    given = None if around.request is None else _one(around.request)
    for name, request in _requests(paths, around, stdin):
        names = names_of(request, Offline, makers_of(asked.variables), params)
        if given is not None:
            names["request"] = given.get("request", given) if isinstance(given, dict) else given
        found = trace(asked.expression, names, EXPRESSION_LIMIT)
        error = "" if found.error is None else _where(asked.expression.text, str(found.error), found)
        yield Answer(name, found.value, error, found.cost, found.step)


def _requests(paths: Sequence[Path], around: Around, stdin: Callable[[], bytes]) -> Iterator[tuple[str, Request]]:
    namespace = None if around.namespace is None else _one(around.namespace)
    old = None if around.old is None else _resource(_one(around.old), str(around.old))
    user = UserInfo(around.user, around.groups) if around.user or around.groups else None
    changed = "CREATE" if old is None else "UPDATE"
    if not paths:
        resource = _NOTHING if old is None else old
        yield "", Request(resource, "DELETE", user=user, namespace=namespace)
        return
    for path in paths:
        for name, resource in _documents(path, stdin):
            yield name, Request(resource, "UPDATE" if changed == "UPDATE" else "CREATE", old, user, namespace=namespace)


def _documents(path: Path, stdin: Callable[[], bytes]) -> Iterator[tuple[str, Resource]]:
    file = "<stdin>" if path == _DASH else str(path)
    data = stdin() if path == _DASH else read_file(path)
    for document in load_documents(data, file):
        if isinstance(document, BrokenDocument):
            raise document.error
        resource = _resource(document.body, file)
        place = f"{file}:{document.lines.locate('').line}"
        yield (f"{resource.id} ({place})" if resource.id.kind else place), resource


def _resource(body: Json, file: str) -> Resource:
    if isinstance(body, dict) and isinstance(body.get("kind"), str):
        return resource_from(body, source=file)
    return payload_from(body, file)


def _one(path: Path) -> Json:
    return load_one(read_file(path), str(path)).body


def _where(text: str, message: str, found: Traced) -> str:
    """An error with the innermost part that ended in it shown."""
    step = found.step
    while inner := next((child for child in step.children if child.decided and child.error == step.error), None):
        step = inner
    # a field's place is its dot
    return pointed(text, message, step.at + 1 + (step.kind == "field"), "")


def text_lines(asked: Asked, found: Sequence[Answer], wants: Wants, *, width: int, color: bool) -> Iterator[str]:
    """What a person reads of some answers, each below the name of its document where there are several."""
    for answer in found:
        if len(found) > 1:
            yield f"# {printable(answer.name)}"
        if wants.trace:
            yield from tree_lines(answer.step, width=width, color=color, costs=wants.cost)
        elif not answer.error:
            yield printable(value_text(answer.value, _WHOLE))
        if wants.type:
            yield f"type: {asked.expression.type}"
        if wants.cost:
            yield f"cost: {answer.cost:,} of {EXPRESSION_LIMIT:,}"


def plain_lines(asked: Asked, found: Sequence[Answer], wants: Wants, form: str) -> Iterator[str]:
    """Some answers as JSON or YAML: the value alone where there is one and nothing else is to be said."""
    made = [_plain(asked, answer, wants, named=len(found) > 1) for answer in found]
    if made:
        yield write_value(made if len(found) > 1 else made[0], form, compact=False, unquoted=False)


def _plain(asked: Asked, answer: Answer, wants: Wants, *, named: bool) -> Json:
    if not (named or answer.error or any(wants)):
        return as_json(answer.value)
    made: JsonObject = {"document": answer.name} if named else {}
    made |= {"error": answer.error.partition("\n")[0]} if answer.error else {"value": as_json(answer.value)}
    made |= {"type": str(asked.expression.type)} if wants.type else {}
    made |= {"cost": answer.cost} if wants.cost else {}
    return made | ({"trace": step_json(answer.step)} if wants.trace else {})
