"""Reports as they cross the wire and lie in a spool: JSON under gzip, each bounded, of one version.

What comes in was sent by whoever holds a token of a cluster, so nothing of it
is taken on trust: not its size, not its depth, not the length of a name. An
object's identity is read out of the object. The rules of verdicts are sent
once and named by their digest from then on, which the receiver works out itself.
"""

from __future__ import annotations

import zlib
from datetime import datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias, TypeVar

import msgspec
import orjson

from bartizan.base.errors import SpecError
from bartizan.base.location import Location
from bartizan.model.finding import Finding, RuleId, RuleInfo
from bartizan.model.ledger import RuleSet
from bartizan.model.resource import ResourceId, resource_from
from bartizan.model.severity import Severity
from bartizan.stores.reports import Observed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from bartizan.base.json import Json
    from bartizan.model.resource import Resource

T = TypeVar("T")

MEDIA: Final = "application/vnd.bartizan.report.v1+json"
"""Names the version: a plane that reads another answers 415, and the agent keeps what it has."""
PACKED_BYTES: Final = 8 << 20
"""Of one message as it is sent; an agent sends a quarter of it."""
RAW_BYTES: Final = 16 << 20
"""Of one message unpacked: what a few kilobytes of a bomb may become."""
DEPTH: Final = 200
"""Brackets within brackets of one object. Schemas of custom resources nest some sixty deep; what walks objects
recurses, and the interpreter's own limit is a thousand, that of what writes JSON 254."""
_RULES: Final = 20_000
_TEXT: Final = 8192
_GZIP: Final = 31  # zlib's window bits for a gzip header

_Word: TypeAlias = Annotated[str, msgspec.Meta(max_length=256)]
_Words: TypeAlias = Annotated[str, msgspec.Meta(max_length=_TEXT)]
_Name: TypeAlias = Annotated[str, msgspec.Meta(max_length=512)]
_Digest: TypeAlias = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
_Moment: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]
_Number: TypeAlias = Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)]
Secret: TypeAlias = Annotated[str, msgspec.Meta(min_length=32, max_length=256, pattern="^[A-Za-z0-9_-]*$")]
"""A token as its maker chose it: 256 random bits, as text."""


class TooLargeError(SpecError):
    """A message has more bytes than may be, as it was sent or unpacked."""


class SentFinding(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A finding, without what the receiver knows of its rule and resource."""

    policy: _Name
    result: Literal["fail", "warn", "error"]
    severity: Annotated[int, msgspec.Meta(ge=0, le=4)]
    message: _Words
    rule: _Name = ""
    pointer: _Words = ""
    file: _Words = ""
    line: _Number = 0
    column: _Number = 0
    excerpt: _Words = ""
    evidence: _Words = ""
    waived_by: _Name = ""


class SentObject(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An object without its secrets, and what was said of it."""

    body: msgspec.Raw
    verdicts: bytes
    findings: tuple[SentFinding, ...] = ()
    team: _Word = ""


class SentId(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The name of an object."""

    group: _Word
    version: _Word
    kind: _Word
    namespace: _Word
    name: _Name


class SentProblem(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something that could not be read, for people."""

    message: _Words
    hint: _Words = ""


class Begin(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="begin"):
    """A whole check begins. Its number is the receiver's to give: it is the one that runs."""

    at: _Moment
    policy_digest: _Word
    evaluator: _Word


class Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag="told"):
    """Objects that were judged, are gone, or are as they were; `in_check` where it is the whole check that saw it."""

    at: _Moment
    rules: _Digest
    observed: tuple[SentObject, ...] = ()
    gone: tuple[SentId, ...] = ()
    seen: tuple[SentId, ...] = ()
    in_check: bool = False


class End(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag="end"):
    """The whole check that runs has ended."""

    started_at: _Moment
    ended_at: _Moment
    complete: bool
    policy_digest: _Word
    evaluator: _Word
    objects: _Number
    problems: Annotated[tuple[SentProblem, ...], msgspec.Meta(max_length=1000)] = ()
    unlisted: Annotated[tuple[_Name, ...], msgspec.Meta(max_length=5000)] = ()


Message: TypeAlias = Begin | Told | End
"""What a stream consists of, in the order in which it happened."""


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What became of a message. `sequence` is the last of the stream that is kept.

    `rules` wants the set of rules it names first; `superseded` is of a stream
    that is no more, for another was begun. `objects` is how many the receiver
    holds, at the end of a whole check.
    """

    status: Literal["kept", "repeated", "gap", "rules", "superseded"]
    sequence: int = 0
    objects: int | None = None


class Hello(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An agent says who it is and which stream it goes on with, or begins."""

    cluster: _Word
    identity: _Word
    stream: _Digest
    version: _Word


class Welcome(msgspec.Struct, frozen=True):
    """Where the stream goes on, and how often the plane wants the whole cluster checked. `ends_at` is the token's."""

    cluster: str
    sequence: int
    interval_s: int
    ends_at: datetime | None = None


class JoinAsk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cluster asks to join. `token` is the agent's, which keeps it first: so a lost answer can be asked for again."""

    name: _Word
    identity: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    token: Secret


class Joined(msgspec.Struct, frozen=True):
    """It is a member. `rejoined` is whether it was one before; its history goes on."""

    name: str
    rejoined: bool
    ends_at: datetime


class NewToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The token that an agent will use from now on."""

    token: Secret


class Heartbeat(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An agent is there. `lag_s` is the age of the oldest report that is not sent yet.

    `lease_s` is how often it promises to be heard of: an agent can promise no
    more than an hour, so that none is thought to be well for long after it died.
    """

    lease_s: Annotated[int, msgspec.Meta(ge=5, le=3600)]
    interval_s: Annotated[int, msgspec.Meta(ge=10, le=7 * 86400)]
    version: _Word
    kubernetes: _Word = ""
    policy_digest: _Word = ""
    lag_s: Annotated[float, msgspec.Meta(ge=0, le=1e10)] = 0
    waiting: _Number = 0
    problems: Annotated[tuple[SentProblem, ...], msgspec.Meta(max_length=100)] = ()


class Heard(msgspec.Struct, frozen=True):
    """The plane has heard. `interval_s` is what it wants now, `ends_at` the end of the token that was used.

    `waivers` is a digest of those in force. `stale` is whether the plane has
    verdicts it does not believe any more: only judging again mends them.
    """

    interval_s: int
    ends_at: datetime | None = None
    waivers: str = ""
    stale: bool = False


class SentWaiver(msgspec.Struct, frozen=True, omit_defaults=True):
    """A waiver in force: as `model.waiver` has it, for a team, and until a moment."""

    id: str
    reason: str
    owner: str
    ends_at: datetime
    policy: str = "*"
    rule: str = "*"
    kind: str = "*"
    namespace: str = "*"
    name: str = "*"
    path: str = "*"
    fingerprint: str = ""
    team: str = "*"


class SentWaivers(msgspec.Struct, frozen=True):
    """All that are in force for a cluster."""

    digest: str
    waivers: tuple[SentWaiver, ...]


_ENCODER: Final = msgspec.json.Encoder()


def pack(message: msgspec.Struct | RuleSet) -> bytes:
    """Write a message as it is sent."""
    return packed(_ENCODER.encode(message))


def packed(raw: bytes) -> bytes:
    """Compress; level 1 takes a quarter of the time of level 6, for a tenth more."""
    return zlib.compress(raw, 1, _GZIP)


def unpacked(body: bytes, encoding: str) -> bytes:
    """The bytes of a message, decompressed no further than may be.

    Raises:
        TooLargeError: there are more.
        SpecError: they are not compressed as they say.
    """
    if encoding.strip().lower() not in ("", "gzip", "identity"):
        raise SpecError(f"the encoding `{encoding[:40]}` is not known", hint="Send gzip.")
    if encoding.strip().lower() != "gzip":
        return body
    unpacking = zlib.decompressobj(_GZIP)
    try:
        raw = unpacking.decompress(body, RAW_BYTES + 1)
    except zlib.error as error:
        raise SpecError("the report is no gzip", hint="Send it as it was packed.") from error
    if len(raw) > RAW_BYTES:
        raise TooLargeError(f"the report has more than {RAW_BYTES:,} bytes unpacked", hint="Send less at a time.")
    if not unpacking.eof or unpacking.unused_data:
        raise SpecError("the report is not one whole gzip", hint="Send it as it was packed.")
    return raw


def read(raw: bytes, kind: type[T]) -> T:
    """Read a message of a kind; `Message` is any of a stream.

    Raises:
        SpecError: it is none.
    """
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        said = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise SpecError(f"the report is malformed: {said[:300]}", hint="Use an agent of this release.") from error


def read_message(raw: bytes) -> Message:
    """Read one message of a stream.

    Raises:
        SpecError: it is none.
    """
    return read(raw, Message)  # type: ignore[arg-type]  # msgspec takes a union where a type is meant


def digest_of(rules: RuleSet) -> str:
    """What a set of rules is called: by all of it but the digest that somebody gave it."""
    return blake2b(msgspec.msgpack.encode(rules.rules), digest_size=16).hexdigest()


def read_rules(raw: bytes, digest: str) -> RuleSet:
    """Read a set of rules that is to have a digest.

    Raises:
        SpecError: it is malformed, too large, names one rule twice, or has another digest.
    """
    rules = read(raw, RuleSet)
    names = {facts.id for facts in rules.rules}
    if len(names) != len(rules.rules) or len(names) > _RULES:
        raise SpecError("the rules are too many, or one is there twice", hint="Use an agent of this release.")
    for facts in rules.rules:
        if not 0 < len(facts.id) <= 512 or len(facts.digest) > 256 or sum(map(len, facts.frameworks)) > 2000:
            raise SpecError("a rule says more of itself than is kept", hint="Give it a shorter name.")
    if digest_of(rules) != digest:
        raise SpecError("the rules are not those of their digest", hint="Use an agent of this release.")
    return RuleSet(digest, rules.rules)


def observed_of(sent: Told, rules: RuleSet) -> Iterator[Observed]:
    """What was sent of objects, as a store takes it.

    Raises:
        SpecError: an object is none, is too deep, has no name or too long a one, or a finding is of no rule.
    """
    names = {facts.id for facts in rules.rules}
    for one in sent.observed:
        resource = _resource(bytes(one.body))
        findings = tuple(_finding(said, resource.id, names) for said in one.findings)
        yield Observed(resource, one.verdicts, findings, one.team)


def id_of(sent: SentId) -> ResourceId:
    """The name of an object."""
    return ResourceId(sent.group, sent.version, sent.kind, sent.namespace, sent.name)


def sent_id(rid: ResourceId) -> SentId:
    """A name, as it is sent."""
    return SentId(rid.group, rid.version, rid.kind, rid.namespace, rid.name)


def sendable(rid: ResourceId) -> bool:
    """Whether a receiver would take a name: some kinds of objects have names of any length."""
    return len(rid.name) <= 512 and max(map(len, (rid.group, rid.version, rid.kind, rid.namespace))) <= 256


def _resource(text: bytes) -> Resource:
    try:
        body = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise SpecError("an object of the report is no JSON", hint="Use an agent of this release.") from error
    if not isinstance(body, dict):
        raise SpecError("an object of the report is none", hint="Use an agent of this release.")
    if is_too_deep(text, body):
        raise SpecError("an object of the report is nested too deeply", hint="No object of an API server is.")
    resource = resource_from(body)
    if not resource.id.kind or not sendable(resource.id) or len(resource.uid) > 256:
        raise SpecError("an object of the report has no kind, or too long a name", hint="Use an agent of this release.")
    return resource


def is_too_deep(text: bytes, body: Json) -> bool:
    """Whether an object is nested deeper than `DEPTH`; found without recursion, which is what it guards."""
    if text.count(b"{") + text.count(b"[") <= DEPTH:  # as in most objects
        return False
    level: list[Any] = [body]
    for _ in range(DEPTH):
        level = [
            item
            for one in level
            for item in (one.values() if isinstance(one, dict) else one)
            if isinstance(item, dict | list)
        ]
        if not level:
            return False
    return True


def _finding(sent: SentFinding, resource: ResourceId, names: AbstractSet[str]) -> Finding:
    rule = RuleId(sent.policy, sent.rule)
    if str(rule) not in names:
        raise SpecError(
            f"a finding is of `{str(rule)[:80]}`, which was not asked", hint="Use an agent of this release."
        )
    severity = Severity(sent.severity)
    at = Location(sent.file, sent.line, sent.column) if sent.file else None
    return Finding(
        RuleInfo(rule, severity=severity),
        resource,
        sent.result,
        severity,
        sent.message,
        sent.pointer,
        at,
        sent.excerpt,
        sent.evidence,
        waived_by=sent.waived_by,
    )
