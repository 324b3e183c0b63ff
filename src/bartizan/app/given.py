"""The objects a run was given, as the world that its policies ask about: sources of clones, and what exists already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.app.trusted_root import Unconnected
from bartizan.base import wildcard
from bartizan.engines.policy.lookup import ObjectsQuestion
from bartizan.engines.policy.objects import parse_kind, selects
from bartizan.model.report import Problem
from bartizan.model.scoping import in_default_namespace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bartizan.base.json import Json
    from bartizan.engines.policy.lookup import Question
    from bartizan.model.resource import Resource


class GivenObjects:
    """Answers about objects from a run's own manifests; all else cannot be asked.

    Manifests are read when the first question comes, which is never for
    most policies.
    """

    def __init__(self, read: Callable[[], Iterable[Resource | Problem]]) -> None:
        self._read = read
        self._known: dict[str, dict[str, list[Resource]]] | None = None
        self._otherwise = Unconnected()

    def answer(self, question: Question) -> Json:
        """The answer, as the engine's `Lookup` has it."""
        if not isinstance(question, ObjectsQuestion):
            return self._otherwise.answer(question)
        wanted = selects(question)
        return [item.body for item in self._candidates(question) if wanted(item)]

    def _candidates(self, question: ObjectsQuestion) -> Iterable[Resource]:
        """The objects of a kind and name, which are few; all where either has wildcards."""
        kind, name = parse_kind(question.kind).kind, question.name
        known = self._by_kind()
        named = [known.get(kind, {})] if not wildcard.is_wildcard(kind) else list(known.values())
        for names in named:
            if name and not wildcard.is_wildcard(name):
                yield from names.get(name, ())
            else:
                for items in names.values():
                    yield from items

    def _by_kind(self) -> dict[str, dict[str, list[Resource]]]:
        if self._known is None:
            self._known = {}
            for item in self._read():
                if not isinstance(item, Problem):
                    placed = in_default_namespace(item)
                    self._known.setdefault(placed.id.kind, {}).setdefault(placed.id.name, []).append(placed)
        return self._known
