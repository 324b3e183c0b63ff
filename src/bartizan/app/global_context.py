"""Global context entries over any world: each is asked for once a run, by what the entry says.

A cluster fills its entries beforehand and refreshes them; a run here is a
moment, so the answer it gets first stays. An entry whose answer could not
be had is an error for who reads it, never an empty list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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


class GlobalContext:
    """A `Lookup` that answers for entries, and leaves everything else to the one inside.

    An entry that was not given is looked for in the world itself.
    """

    def __init__(self, inner: Lookup, entries: Iterable[GlobalEntry]) -> None:
        self._inner = inner
        self._entries: dict[str, GlobalEntry | LookupFailedError] = {entry.name: entry for entry in entries}
        self._kept: dict[str, Json | LookupFailedError] = {}

    def answer(self, question: Question) -> Json:
        """The answer, as the engine's `Lookup` has it."""
        if not isinstance(question, GlobalQuestion):
            return self._inner.answer(question)
        if question.name not in self._kept:
            try:
                self._kept[question.name] = self._value(question.name)
            except LookupFailedError as error:
                self._kept[question.name] = error
        found = self._kept[question.name]
        if isinstance(found, LookupFailedError):
            raise found
        return found

    def _value(self, reference: str) -> Json:
        """What `entry` or `entry.projection` stands for; what follows a second dot is not read, as in Kyverno."""
        name, *rest = reference.split(".")
        entry = self._entry(name)
        if not rest or not rest[0]:
            return self._data(name, entry)
        projection = entry.projections.get(rest[0])
        if projection is None:
            raise LookupFailedError(f"global context entry `{name}` has no projection `{rest[0]}`")
        data = self.answer(GlobalQuestion(name))
        try:
            return projection(data)
        except (JmesPathError, SpecError, UnresolvedError) as error:
            raise LookupFailedError(f"projection `{rest[0]}` of global context entry `{name}`: {error}") from error

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
        try:
            document = self._inner.answer(ApiQuestion(f"/apis/kyverno.io/v2beta1/globalcontextentries/{name}"))
            return compile_entry(document, expression_compiler(ambient()))
        except LookupFailedError as error:
            raise LookupFailedError(f"no global context entry `{name}`: {error}") from error
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
