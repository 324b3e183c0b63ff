"""Reports made ready to be kept, before a transaction begins: everything that costs time and needs no database.

Nothing goes past here with a secret in it, and nothing longer than a reader
would read: what a cluster sends is not to be trusted with either.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from bartizan.base.json import to_text
from bartizan.findings.fingerprint import fingerprint
from bartizan.findings.ledger import read_verdicts
from bartizan.model.ledger import Verdict
from bartizan.stores.bulk import storable
from bartizan.stores.redaction import redact, redact_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bartizan.base.json import JsonObject
    from bartizan.model.finding import Finding
    from bartizan.model.ledger import RuleSet
    from bartizan.model.resource import ResourceId
    from bartizan.stores.reports import Observed

LONGEST: Final = 4096
"""Characters of one text of a finding: a message that says more is cut, and says so."""
_SHORT: Final = 500
"""Characters of a text that may be said again."""
_COPIES: Final = 20
"""Further places of a finding that are named; a list of a thousand containers makes its point before."""
_VERDICTS: Final = {"fail": Verdict.FAIL, "warn": Verdict.WARN, "error": Verdict.ERROR}
_WORST: Final = (Verdict.ERROR, Verdict.FAIL, Verdict.WARN, Verdict.WAIVED)


class Said(NamedTuple):
    """A finding as it is kept."""

    rule: str
    fingerprint: str
    state: str
    verdict: int
    severity: int
    content: str
    message: str
    pointer: str
    location: str
    excerpt: str
    evidence: str
    others: str
    waived_by: str


class Prepared(NamedTuple):
    """An object as it is kept. `body` is without its secrets; `said` is made only where it is news."""

    id: ResourceId
    key: bytes
    place: tuple[str, str]
    uid: str
    labels: str
    body: bytes
    body_digest: bytes
    verdicts: bytes
    findings_digest: bytes
    said: Callable[[], list[Said]]

    def content(self) -> bytes:
        """The body as its table has it."""
        return zlib.compress(self.body, 1)


def content_of(kept: bytes) -> Any:
    """The object out of its compressed body."""
    return orjson.loads(zlib.decompress(kept))


def key_of(resource: ResourceId) -> bytes:
    """What a resource is called within its cluster, whatever the version it was read in."""
    parts = (resource.group, resource.kind, resource.namespace, resource.name)
    return blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def prepare(observed: Observed, rules: RuleSet, key: bytes) -> Prepared:
    """Make one object ready.

    Raises:
        SpecError: its verdicts are not those of the rules.
    """
    resource = observed.resource
    text, hidden = redact(_without_managed_fields(resource.body), key)
    findings = [one for one in observed.findings if one.result in _VERDICTS]
    return Prepared(
        resource.id,
        key_of(resource.id),
        (storable(resource.id.namespace), storable(observed.team)),
        storable(resource.uid),
        _labels(resource.body, key),
        text,
        blake2b(text, digest_size=16).digest(),
        read_verdicts(observed.verdicts, rules),
        _digest_of(findings, key),
        lambda: _said(resource.id, findings, key, hidden),
    )


def _without_managed_fields(body: JsonObject) -> JsonObject:
    """Who set which field is a third of an object, and no rule asks for it."""
    metadata = body.get("metadata")
    if not isinstance(metadata, dict) or "managedFields" not in metadata:
        return body
    return {**body, "metadata": {name: value for name, value in metadata.items() if name != "managedFields"}}


def _labels(body: JsonObject, key: bytes) -> str:
    metadata = body.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    return storable(redact(labels, key).text.decode()) if isinstance(labels, dict) and labels else "{}"


def _digest_of(findings: Iterable[Finding], key: bytes) -> bytes:
    """What findings say, as one number: another order of the same is the same."""
    said = sorted(
        f"{one.rule.id}\0{one.pointer}\0{one.result}\0{one.severity:d}\0{one.waived_by}\0{one.message}\0{one.evidence}"
        for one in findings
    )
    return blake2b("\1".join(said).encode("utf-8", "surrogatepass"), key=key[:64], digest_size=8).digest()


def _said(resource: ResourceId, findings: Iterable[Finding], key: bytes, hidden: tuple[str, ...]) -> list[Said]:
    groups: dict[str, list[Finding]] = {}
    for one in findings:
        groups.setdefault(fingerprint(one.rule.id, resource, one.pointer), []).append(one)
    return [_row(print_, group, lambda words: _kept(words, key, hidden)) for print_, group in groups.items()]


def _row(print_: str, group: list[Finding], kept: Callable[[str], str]) -> Said:
    verdicts = [_verdict(one) for one in group]
    worst = min(verdicts, key=_WORST.index)
    first = group[verdicts.index(worst)]
    others = [
        {"message": kept(one.message), "pointer": storable(one.pointer)[:LONGEST], "evidence": kept(one.evidence)}
        for one in group
        if one is not first
    ][:_COPIES]
    words = (
        kept(first.message),
        storable(first.pointer)[:LONGEST],  # where, and so no value
        storable(str(first.location or ""))[:LONGEST],
        kept(first.excerpt),
        kept(first.evidence),
        to_text(others),
        kept(first.waived_by if worst == Verdict.WAIVED else ""),
    )
    state = "waived" if worst == Verdict.WAIVED else "open"
    seen = (first.result, str(int(first.severity)), *words[:-1])  # a waiver is a change of its own
    content = blake2b("\0".join(seen).encode(), digest_size=8).hexdigest()
    return Said(storable(str(first.rule.id)), print_, state, int(worst), int(first.severity), content, *words)


def _verdict(finding: Finding) -> Verdict:
    return Verdict.WAIVED if finding.waived_by else _VERDICTS[finding.result]


def _kept(words: str, key: bytes, hidden: tuple[str, ...]) -> str:
    if not words:
        return ""
    if not hidden and len(words) <= _SHORT:
        return _kept_before(words, key)
    safe = storable(redact_text(words, key, hidden))
    return safe if len(safe) <= LONGEST else f"{safe[:LONGEST]}…"


@lru_cache(
    maxsize=32768
)  # a rule says the same of a thousand objects, and to look for secrets takes longer than to judge
def _kept_before(words: str, key: bytes) -> str:
    return storable(redact_text(words, key))
