"""The cluster a test pretends to have: its own resources and recorded answers, behind the engine's port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.app.given_world import GivenWorld
from bartizan.app.images.trusted_root import believed
from bartizan.engines.policy.lookup import (
    ApiQuestion,
    ConfigMapQuestion,
    GlobalQuestion,
    ImageQuestion,
    LookupFailedError,
    ObjectsQuestion,
    Question,
    SignaturesQuestion,
    TrustQuestion,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bartizan.app.fields import Fields
    from bartizan.app.policy_tests.files import GlobalEntry
    from bartizan.base.json import Json
    from bartizan.model.resource import Resource


class RecordedWorld:
    """Answers from resources and records; whatever is in neither cannot be had."""

    def __init__(
        self,
        resources: Iterable[Resource],
        answers: Sequence[Fields],
        entries: Sequence[GlobalEntry],
        query: Callable[[str, Json], Json],
    ) -> None:
        kept = list(resources)
        self._given = GivenWorld(lambda: kept, is_whole=True)
        self._answers = {_answer_key(answer): answer.fields("response") for answer in answers}
        self._entries = {entry.name: entry for entry in entries}
        self._query = query

    def answer(self, question: Question) -> Json:
        """The answer, as the engine's `Lookup` has it."""
        match question:
            case ConfigMapQuestion() | ObjectsQuestion():
                return self._given.answer(question)
            case ApiQuestion(url, method):
                recorded = self._answers.get((method, url))
                if recorded is not None:
                    return _body(recorded, url)
                if method == "GET":
                    return self._given.get(url)
                raise LookupFailedError(f"no recorded answer for {method} `{url}`")
            case GlobalQuestion(name):
                return self._global(name)
            case ImageQuestion(reference) | SignaturesQuestion(reference):
                raise LookupFailedError(f"no recorded answer for image `{reference}`")
            case TrustQuestion(mirror):
                return believed(mirror)

    def _global(self, name: str) -> Json:
        path, _, projection = name.partition(".")
        entry = self._entries.get(path)
        if entry is None:
            raise LookupFailedError(f"no recorded global context entry `{name}`")
        data = self._query(entry.field_path, entry.data) if entry.field_path else entry.data
        if projection in entry.projections:
            return self._query(entry.projections[projection], data)
        return data


def _answer_key(answer: Fields) -> tuple[str, str]:
    return (answer.text("method") or "GET").upper(), answer.text("urlPath") or answer.text("url")


def _body(recorded: Fields, url: str) -> Json:
    status = recorded.text("statusCode")
    if status.isdecimal() and int(status) >= 400:
        raise LookupFailedError(f"`{url}` answered {status}")
    return recorded.value("body")
