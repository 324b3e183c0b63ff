"""The cluster a test pretends to have: its own resources and recorded answers, behind the engine's port."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

from bartizan.app.trusted_root import believed
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
from bartizan.engines.policy.objects import selects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bartizan.app.fields import Fields
    from bartizan.app.policy_tests.files import GlobalEntry
    from bartizan.base.json import Json, JsonObject
    from bartizan.model.resource import Resource

_IRREGULAR: Final = {"networkpolicy": "networkpolicies", "ingress": "ingresses", "storageclass": "storageclasses"}


class RecordedWorld:
    """Answers from resources and records; whatever is in neither cannot be had."""

    def __init__(
        self,
        resources: Iterable[Resource],
        answers: Sequence[Fields],
        entries: Sequence[GlobalEntry],
        query: Callable[[str, Json], Json],
    ) -> None:
        self._resources = list(resources)
        self._answers = {_answer_key(answer): answer.fields("response") for answer in answers}
        self._entries = {entry.name: entry for entry in entries}
        self._query = query

    def answer(self, question: Question) -> Json:
        """The answer, as the engine's `Lookup` has it."""
        match question:
            case ConfigMapQuestion(namespace, name):
                return self._get(f"/api/v1/namespaces/{namespace}/configmaps/{name}")
            case ApiQuestion(url, method):
                recorded = self._answers.get((method, url))
                if recorded is not None:
                    return _body(recorded, url)
                if method == "GET":
                    return self._get(url)
                raise LookupFailedError(f"no recorded answer for {method} `{url}`")
            case GlobalQuestion(name):
                return self._global(name)
            case ObjectsQuestion():
                wanted = selects(question)
                return [item.body for item in self._resources if wanted(item)]
            case ImageQuestion(reference) | SignaturesQuestion(reference):
                raise LookupFailedError(f"no recorded answer for image `{reference}`")
            case TrustQuestion():
                return believed()

    def _global(self, name: str) -> Json:
        path, _, projection = name.partition(".")
        entry = self._entries.get(path)
        if entry is None:
            raise LookupFailedError(f"no recorded global context entry `{name}`")
        data = self._query(entry.field_path, entry.data) if entry.field_path else entry.data
        if projection in entry.projections:
            return self._query(entry.projections[projection], data)
        return data

    def _get(self, url: str) -> Json:
        """An object or a list, as the API server's paths name them."""
        parts = urlsplit(url)
        steps = [step for step in parts.path.split("/") if step]
        if len(steps) < 3 or steps[0] not in ("api", "apis"):
            raise LookupFailedError(f"no recorded answer for `{url}`")
        group = "" if steps[0] == "api" else steps[1]
        rest = steps[2:] if steps[0] == "api" else steps[3:]
        namespace = ""
        if rest[:1] == ["namespaces"] and len(rest) > 2:
            namespace, rest = rest[1], rest[2:]
        selected = _selector(parse_qs(parts.query).get("labelSelector", [""])[0])
        found = [
            item.body
            for item in self._resources
            if item.id.group == group
            and rest[:1] == [plural(item.id.kind)]
            and (not namespace or item.id.namespace == namespace)
            and selected(item.body)
        ]
        if len(rest) == 1:
            return {"apiVersion": "/".join(steps[1:3] if group else steps[1:2]), "kind": "List", "items": found}
        named = [body for body in found if (body.get("metadata") or {}).get("name") == rest[1]] if len(rest) > 1 else []
        if not named:
            raise LookupFailedError(f"`{url}` is not among the test's resources")
        return named[0]


def plural(kind: str) -> str:
    """The resource name of a kind, by the rules that code generators follow."""
    word = kind.lower()
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word if word == "endpoints" else f"{word}es"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}s"


def _selector(text: str) -> Callable[[JsonObject], bool]:
    wanted = dict(part.split("=", 1) for part in text.replace("==", "=").split(",") if "=" in part)

    def selects(body: JsonObject) -> bool:
        labels = (body.get("metadata") or {}).get("labels") or {}
        return all(labels.get(key.strip()) == value.strip() for key, value in wanted.items())

    return selects


def _answer_key(answer: Fields) -> tuple[str, str]:
    return (answer.text("method") or "GET").upper(), answer.text("urlPath") or answer.text("url")


def _body(recorded: Fields, url: str) -> Json:
    status = recorded.text("statusCode")
    if status.isdecimal() and int(status) >= 400:
        raise LookupFailedError(f"`{url}` answered {status}")
    return recorded.value("body")
