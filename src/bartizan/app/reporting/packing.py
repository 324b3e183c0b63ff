"""Batches made ready to leave the cluster: without their secrets, in messages of a bounded size.

What a receiver would refuse is left out here and told as a problem, so that
one strange object does not keep all others from being sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from bartizan.app.reporting.wire import (
    End,
    SentFinding,
    SentObject,
    SentProblem,
    Told,
    digest_of,
    is_too_deep,
    sendable,
    sent_id,
)
from bartizan.stores.redaction import redact, redact_text
from bartizan.stores.storable import storable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bartizan.base.json import JsonObject
    from bartizan.model.finding import Finding
    from bartizan.model.fleet import Generation
    from bartizan.model.report import Problem
    from bartizan.model.resource import ResourceId
    from bartizan.stores.reports import Batch, Observed

MESSAGE_BYTES: Final = 2 << 20
"""Of one message before it is compressed: some 500 objects."""
_LONGEST: Final = 8000
_TEAM: Final = 256
_PROBLEMS: Final = 500
_SAID: Final = frozenset({"fail", "warn", "error"})


class Packed(NamedTuple):
    """What is to be sent, in order; `unsendable` are the names of objects that are not."""

    messages: list[Told]
    unsendable: list[str]


def pack_batch(batch: Batch, key: bytes) -> Packed:
    """Make a batch ready. `key` digests secrets; it never leaves the cluster."""
    parts = _Parts(batch)
    for rid in batch.gone:
        parts.name("gone", rid)
    for one in batch.observed:
        parts.see(one, key)
    for rid in batch.seen:
        parts.name("seen", rid)
    parts.close()
    return Packed(parts.messages, parts.unsendable)


def pack_end(done: Generation, key: bytes) -> End:
    """Make the end of a whole check ready."""
    return End(
        done.started_at,
        done.ended_at or done.started_at,
        done.complete,
        done.policy_digest,
        done.evaluator,
        done.objects,
        tuple(pack_problems(done.problems, key)),
        tuple(storable(name)[:512] for name in done.unlisted),
    )


def pack_problems(problems: Iterable[Problem], key: bytes, most: int = _PROBLEMS) -> Iterator[SentProblem]:
    """Problems as they are sent: the first of them, and how many there are beside."""
    every = list(problems)
    for one in every[:most]:
        place = f"{one.at}: " if one.at else ""
        yield SentProblem(_clean(place + one.message, key), _clean(one.hint, key))
    if len(every) > most:
        yield SentProblem(f"and {len(every) - most} more")


class _Parts:
    """Messages of one batch, each closed when it has its size."""

    def __init__(self, batch: Batch) -> None:
        self.messages: list[Told] = []
        self.unsendable: list[str] = []
        self._batch = batch
        self._rules = digest_of(batch.rules)
        self._size = 0
        self._open: dict[str, list[Any]] = {"gone": [], "observed": [], "seen": []}

    def name(self, part: str, rid: ResourceId) -> None:
        """An object that is gone, or as it was; one that could not be told of before needs not be now."""
        rid = _storable(rid)
        if sendable(rid):
            self._add(part, sent_id(rid), 60 + len(rid.name) + len(rid.namespace))

    def see(self, one: Observed, key: bytes) -> None:
        """An object that was judged."""
        text, hidden = redact(_without_managed_fields(one.resource.body), key)
        if not sendable(one.resource.id) or is_too_deep(text, one.resource.body) or len(text) > 4 * MESSAGE_BYTES:
            self.unsendable.append(str(one.resource.id)[:200])
            return
        findings = tuple(_sent(said, key, hidden) for said in one.findings if said.result in _SAID)
        size = len(text) + sum(200 + len(said.message) + len(said.evidence) for said in findings)
        self._add("observed", SentObject(msgspec.Raw(text), one.verdicts, findings, storable(one.team)[:_TEAM]), size)

    def close(self) -> None:
        """End the message that is open, where there is anything in it."""
        if any(self._open.values()):
            parts = {name: tuple(items) for name, items in self._open.items()}
            self.messages.append(Told(self._batch.at, self._rules, in_check=bool(self._batch.generation), **parts))
            self._open = {name: [] for name in self._open}
            self._size = 0

    def _add(self, part: str, item: Any, size: int) -> None:
        if self._size and self._size + size > MESSAGE_BYTES:
            self.close()
        self._open[part].append(item)
        self._size += size


def _without_managed_fields(body: JsonObject) -> JsonObject:
    """Who set which field is a third of an object, and is not kept."""
    metadata = body.get("metadata")
    if not isinstance(metadata, dict) or "managedFields" not in metadata:
        return body
    return {**body, "metadata": {name: value for name, value in metadata.items() if name != "managedFields"}}


def _sent(finding: Finding, key: bytes, hidden: Sequence[str]) -> SentFinding:
    at = finding.location
    return SentFinding(
        storable(finding.rule.id.policy),
        finding.result,  # type: ignore[arg-type]  # one of the three, as was asked
        int(finding.severity),
        _clean(finding.message, key, hidden),
        storable(finding.rule.id.rule),
        storable(finding.pointer)[:_LONGEST],
        storable(at.file)[:_LONGEST] if at else "",
        at.line if at else 0,
        at.column if at else 0,
        _clean(finding.excerpt, key, hidden),
        _clean(finding.evidence, key, hidden),
        storable(finding.waived_by)[:512],
    )


def _storable(rid: ResourceId) -> ResourceId:
    return type(rid)(*map(storable, (rid.group, rid.version, rid.kind, rid.namespace, rid.name)))


def _clean(words: str, key: bytes, hidden: Sequence[str] = ()) -> str:
    if not words:
        return ""
    safe = storable(redact_text(words, key, hidden))
    return safe if len(safe) <= _LONGEST else f"{safe[:_LONGEST]}…"
