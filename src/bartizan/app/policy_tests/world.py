"""The cluster a test pretends to have: its own resources and recorded answers, behind the engine's port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.app.given_world import GivenWorld
from bartizan.app.images.trusted_root import believed
from bartizan.app.policy_tests.context import NOTHING
from bartizan.engines.policy.lookup import (
    AccessQuestion,
    ApiQuestion,
    ConfigMapQuestion,
    GlobalQuestion,
    HttpQuestion,
    ImageDataQuestion,
    ImageQuestion,
    KindQuestion,
    LookupFailedError,
    ObjectsQuestion,
    Question,
    SignaturesQuestion,
    TrustQuestion,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bartizan.app.fields import Fields
    from bartizan.app.policy_tests.context import GivenContext
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
        context: GivenContext = NOTHING,
    ) -> None:
        kept = [*resources, *context.resources]
        self._given = GivenWorld(lambda: kept, is_whole=True)
        self._answers = {_answer_key(answer): answer.fields("response") for answer in answers}
        self._entries = {entry.name: entry for entry in entries}
        self._query = query
        self._images = context.images

    def answer(self, question: Question) -> Json:  # noqa: C901, PLR0911 (one line for each kind)
        """The answer, as the engine's `Lookup` has it."""
        match question:
            case AccessQuestion() | ConfigMapQuestion() | ObjectsQuestion() | KindQuestion():
                return self._given.answer(question)
            case ApiQuestion(url, method):
                recorded = self._recorded(method, url)
                if recorded is not None:
                    return _body(recorded, url)
                if method == "GET":
                    return self._given.get(url)
                raise LookupFailedError(f"no recorded answer for {method} `{url}`")
            case HttpQuestion(url, method):
                recorded = self._recorded(method, url)
                if recorded is None:
                    raise LookupFailedError(f"no recorded answer for {method} `{url[:200]}`")
                return {"body": recorded.value("body"), "statusCode": int(recorded.value("statusCode") or 200)}
            case GlobalQuestion(name, projection):
                return self._projected(name, projection) if projection else self._global(name)
            case ImageDataQuestion(reference):
                if reference not in self._images:
                    raise LookupFailedError(f"image data for {reference[:200]} not found in the context")
                return self._images[reference]
            case ImageQuestion(reference) | SignaturesQuestion(reference):
                raise LookupFailedError(f"no recorded answer for image `{reference}`")
            case TrustQuestion(mirror):
                return believed(mirror)

    def _recorded(self, method: str, url: str) -> Fields | None:
        return self._answers.get((method, url), self._answers.get(("", url)))

    def _global(self, name: str) -> Json:
        path, _, projection = name.partition(".")
        entry = self._entries.get(path)
        if entry is None:
            raise LookupFailedError(f"no recorded global context entry `{name}`", status=404)
        data = self._query(entry.field_path, entry.data) if entry.field_path else entry.data
        if projection in entry.projections:
            return self._query(entry.projections[projection], data)
        return data

    def _projected(self, name: str, projection: str) -> Json:
        """What a projection makes of an entry; of one without projections, a field."""
        entry = self._entries.get(name)
        if entry is None:
            raise LookupFailedError(f"no recorded global context entry `{name}`", status=404)
        if projection in entry.projections:
            return self._global(f"{name}.{projection}")
        data = self._global(name)
        if entry.projections or not isinstance(data, dict) or projection not in data:
            raise LookupFailedError(f'projection "{projection}" not found in global context entry "{name}"')
        return data[projection]


def _answer_key(answer: Fields) -> tuple[str, str]:
    """Method and URL; without a method it is the answer to any call of a service, and to a GET of the API."""
    is_service = "url" in answer and not answer.text("urlPath")
    return (answer.text("method") or ("" if is_service else "GET")).upper(), answer.text("urlPath") or answer.text(
        "url"
    )


def _body(recorded: Fields, url: str) -> Json:
    status = recorded.text("statusCode")
    if status.isdecimal() and int(status) >= 400:
        raise LookupFailedError(f"`{url}` answered {status}", status=int(status))
    return recorded.value("body")
