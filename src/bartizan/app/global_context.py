"""Global context entries over any world: each is asked for once a run, by what the entry says.

A cluster fills its entries beforehand and refreshes them; a run here is a
moment, so the answer it gets first stays. An entry whose answer could not
be had is an error for who reads it, never an empty list.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bartizan.app.ambient import ambient
from bartizan.app.given_world import GivenWorld, read_given
from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno import expression_compiler
from bartizan.engines.policy.dialects.kyverno.global_context import GlobalEntry, compile_entry
from bartizan.engines.policy.dialects.kyverno.variables import UnresolvedError
from bartizan.engines.policy.lookup import ApiQuestion, GlobalQuestion, LookupFailedError
from bartizan.lang.jmespath import JmesPathError
from bartizan.model.scoping import in_default_namespace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bartizan.app.supply import Live, Supply
    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.lookup import Lookup, Question
    from bartizan.model.resource import Resource

_NAME: Final = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?")


class GlobalContext:
    """A `Lookup` that answers for entries, and leaves everything else to the one inside.

    An entry that was not given is looked for in the world itself.
    """

    def __init__(self, inner: Lookup, entries: Iterable[GlobalEntry]) -> None:
        self._inner = inner
        self._entries: dict[str, GlobalEntry | LookupFailedError] = {entry.name: entry for entry in entries}
        self._kept: dict[tuple[str, str], Json | LookupFailedError] = {}

    def answer(self, question: Question) -> Json:
        """The answer, as the engine's `Lookup` has it."""
        if not isinstance(question, GlobalQuestion):
            return self._inner.answer(question)
        name, reference = question.name, question.projection
        if not reference:  # `entry.projection`, as classic policies write; what follows a second dot is not read
            name, _, after = question.name.partition(".")
            reference = after.partition(".")[0]
        if (name, reference) not in self._kept:
            try:
                self._kept[name, reference] = self._value(name, reference)
            except LookupFailedError as error:
                self._kept[name, reference] = error
        found = self._kept[name, reference]
        if isinstance(found, LookupFailedError):
            raise found
        return found

    def _value(self, name: str, projection: str) -> Json:
        """What an entry holds, or what one of its projections makes of that."""
        entry = self._entry(name)
        if not projection:
            return self._data(name, entry)
        project = entry.projections.get(projection)
        if project is None:
            raise LookupFailedError(f"global context entry `{name}` has no projection `{projection}`")
        data = self.answer(GlobalQuestion(name))
        try:
            return project(data)
        except (JmesPathError, SpecError, UnresolvedError) as error:
            raise LookupFailedError(f"projection `{projection}` of global context entry `{name}`: {error}") from error

    def _data(self, name: str, entry: GlobalEntry) -> Json:
        try:
            answer = self._inner.answer(entry.question)
        except LookupFailedError as error:
            raise LookupFailedError(f"global context entry `{name}` has no data: {error}") from error
        if not entry.keeps_objects:
            return answer
        if not isinstance(answer, dict) or not isinstance(answer.get("items"), list):
            raise LookupFailedError(f"global context entry `{name}` is no list: `{entry.question.url}`")
        return [_whole(item, answer) for item in answer["items"]]

    def _entry(self, name: str) -> GlobalEntry:
        if name not in self._entries:
            try:
                self._entries[name] = self._ask(name)
            except LookupFailedError as error:
                self._entries[name] = error
        found = self._entries[name]
        if isinstance(found, LookupFailedError):
            raise found
        return found

    def _ask(self, name: str) -> GlobalEntry:
        if not _NAME.fullmatch(name):  # it is a step of a path, and may come out of what is judged
            raise LookupFailedError(f"no global context entry `{name[:200]}`", status=404)
        try:
            document = self._inner.answer(ApiQuestion(f"/apis/kyverno.io/v2beta1/globalcontextentries/{name}"))
            return compile_entry(document, expression_compiler(ambient()))
        except LookupFailedError as error:
            raise LookupFailedError(f"no global context entry `{name}`: {error}", status=error.status) from error
        except SpecError as error:
            raise LookupFailedError(f"global context entry `{name}`: {error.message}") from error


def _whole(item: JsonObject, listed: JsonObject) -> JsonObject:
    """An element of a list with its kind, which lists leave out and what Kyverno keeps has."""
    kind = str(listed.get("kind") or "").removesuffix("List")
    return {"apiVersion": listed.get("apiVersion"), "kind": kind, **item} if "kind" not in item else item


def answers(
    supply: Supply, live: Live | None, entries: Iterable[GlobalEntry], registry: Lookup | None = None
) -> Lookup:
    """Who answers what policies ask: the cluster, or the manifests of the run and a registry where there is none."""
    if live is not None:
        return GlobalContext(live.lookup, entries)

    def read() -> Iterator[Resource]:
        return map(in_default_namespace, read_given(supply)[0])

    return GlobalContext(GivenWorld(read, otherwise=registry), entries)
