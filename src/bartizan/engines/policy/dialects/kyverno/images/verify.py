"""`verifyImages` of a rule, compiled: who must have signed an image, what must be attested of it, and its digest.

Each entry is about the images that its references match. One image that is
refused fails the rule, with the place of that image; one that nobody could
decide about breaks it. Where all is well the digests are pinned, and the
annotations say what was verified: changes, which the caller does or leaves.

Differences to the peer, all of them stricter: an identity and annotations
must be met by the same signature; of a bundle whatever is given of subject
and issuer must hold, not only both; a certificate given in the policy must
have been good when it signed; a name of an attestation is its own type's
predicate, not whichever comes first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from bartizan.base import pointer, wildcard
from bartizan.base.errors import SpecError
from bartizan.base.image import parse_image
from bartizan.engines.policy.dialects.kyverno.images.access import registry_access
from bartizan.engines.policy.dialects.kyverno.images.attestors import World, satisfy
from bartizan.engines.policy.dialects.kyverno.images.changes import annotated, pinned, verified_before
from bartizan.engines.policy.dialects.kyverno.images.material import Reader
from bartizan.engines.policy.dialects.kyverno.images.spec import (
    AttestorSetSpec,
    AttestorSpec,
    VerifyImagesSpec,
    read_entry,
)
from bartizan.engines.policy.dialects.kyverno.images.variable import extract_images, parts
from bartizan.engines.policy.dialects.kyverno.preconditions import compile_conditions
from bartizan.engines.policy.dialects.kyverno.validate import compile_message
from bartizan.engines.policy.dialects.kyverno.variables import UnresolvedError, compile_template
from bartizan.engines.policy.document import list_at, object_at
from bartizan.engines.policy.lookup import LookupFailedError
from bartizan.engines.policy.signatures.refusal import RefusedError, UndecidedError
from bartizan.model.change import Change
from bartizan.model.outcome import Broken, Failed, Outcome, Passed, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bartizan.base.image import Image
    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kyverno.preconditions import Verdict
    from bartizan.engines.policy.dialects.kyverno.scope import Scope
    from bartizan.engines.policy.dialects.kyverno.validate import Judge, Message, ScopeOf
    from bartizan.engines.policy.dialects.kyverno.variables import Compiler, Template
    from bartizan.engines.policy.signatures.statement import Statement
    from bartizan.model.request import Request

    Conditions = Callable[[Scope], Verdict]

Word: TypeAlias = Literal["pass", "fail", "skip", "error"]

_MAX_IMAGES: Final = 500
"""Images of one resource; one that names more is there to keep the registry busy."""
_ANYBODY: Final = AttestorSetSpec(entries=[AttestorSpec()])
_EXTRACTOR_FIELDS: Final = frozenset({"path", "value", "name", "key", "jmesPath"})


class RuleName(NamedTuple):
    """The rule, as annotations name it: `namespace/policy`, with no namespace for a ClusterPolicy, and its own name."""

    policy: str
    rule: str


class _Named(NamedTuple):
    """An image of the resource, and where it stands."""

    image: Image
    at: str

    @property
    def text(self) -> str:
        return self.image.reference


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry: the spec, now or once its variables are known, and its conditions, which see what was attested."""

    spec: Callable[[ScopeOf], VerifyImagesSpec]
    conditions: tuple[Conditions | None, ...]
    deny: Conditions | None
    message: Message


@dataclass(slots=True)
class _Run:
    """One request being judged: what was found so far."""

    request: Request
    world: World
    scope: ScopeOf
    name: RuleName
    attested: dict[str, Any] = field(default_factory=dict)
    """Predicates by the names that attestations were given."""
    words: dict[str, Word] = field(default_factory=dict)
    """What is to be written down of each image."""
    digests: dict[str, str] = field(default_factory=dict)
    """Digests to pin, by the place of the image."""


class _Said(NamedTuple):
    """What an entry says of one image."""

    word: Word
    message: str
    at: str


def verify_images_judge(
    documents: list[JsonObject],
    extractors: JsonObject | None,
    compiler: Compiler,
    at: str,
    *,
    name: RuleName,
) -> Judge:
    """Compile the entries of a rule.

    Raises:
        SpecError: one is malformed.
    """
    entries = [_compile(document, compiler, f"{at}/{index}") for index, document in enumerate(documents)]
    clock = compiler("time_now_utc()")
    if _rewrites(extractors or {}, f"{at.rpartition('/')[0]}/imageExtractors"):
        _refuse_pinning(documents, at)

    def query(text: str, value: Json) -> Json:
        return compiler(text)(value)

    def judge(request: Request, scope: ScopeOf) -> Outcome | None:
        if request.operation == "DELETE":
            return None
        images = _images(extract_images(request.resource.body, extractors, query))
        specs = [entry.spec(scope) for entry in entries]
        matched = [
            (entry, spec, image)
            for entry, spec in zip(entries, specs, strict=True)
            for image in images
            if _matches(spec.image_references, image.text)
        ]
        if not matched:
            return None
        if len(images) > _MAX_IMAGES:
            return Broken(f"the resource names {len(images)} images, and at most {_MAX_IMAGES} are verified")
        run = _Run(request, World(scope().lookup, _moment(clock({}))), scope, name)
        said = [_judge(entry, spec, image, run) for entry, spec, image in matched]
        return _conclude(said, images, run)

    return judge


def _moment(value: Json) -> datetime:
    at = datetime.fromisoformat(str(value))
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _rewrites(extractors: JsonObject, at: str) -> bool:
    """Whether an extractor takes an image out of other text, into which a digest could not be put back."""
    every = [
        object_at(one, f"{at}/{kind}/{index}", _EXTRACTOR_FIELDS)
        for kind, items in extractors.items()
        for index, one in enumerate(list_at(items, f"{at}/{kind}"))
    ]
    return any(one.get("jmesPath") for one in every)


def _refuse_pinning(documents: Sequence[JsonObject], at: str) -> None:
    for index, document in enumerate(documents):
        if document.get("mutateDigest", True):
            raise SpecError(
                "digests cannot be pinned where an image extractor has a `jmesPath`",
                pointer=f"{at}/{index}",
                hint="Write `mutateDigest: false`, for the text around the image would be lost.",
            )


def _compile(document: JsonObject, compiler: Compiler, at: str) -> _Entry:
    """Compile an entry: variables are filled in everywhere but in conditions, which come later."""
    attestations = list_at(document.get("attestations"), f"{at}/attestations")
    conditions = tuple(
        compile_conditions(item["conditions"], compiler, f"{at}/attestations/{index}/conditions")
        if isinstance(item, dict) and item.get("conditions")
        else None
        for index, item in enumerate(attestations)
    )
    validate = object_at(document.get("validate"), f"{at}/validate", ("message", "deny"))
    deny = object_at(validate.get("deny"), f"{at}/validate/deny", ("conditions",))
    where = f"{at}/validate/deny/conditions"
    plain = {key: value for key, value in document.items() if key != "validate"}
    if attestations:
        plain["attestations"] = [_without(item, "conditions") for item in attestations]
    return _Entry(
        spec=_spec_of(compile_template(plain, compiler, at=at), at),
        conditions=conditions,
        deny=compile_conditions(deny.get("conditions"), compiler, where) if deny else None,
        message=compile_message(validate.get("message"), compiler, f"{at}/validate/message"),
    )


def _without(item: Json, key: str) -> Json:
    return {name: value for name, value in item.items() if name != key} if isinstance(item, dict) else item


def _spec_of(template: Template, at: str) -> Callable[[ScopeOf], VerifyImagesSpec]:
    if template.render is None:
        known = read_entry(template.value, at)
        return lambda _scope: known

    def late(scope: ScopeOf) -> VerifyImagesSpec:
        try:
            return read_entry(template(scope()), at)
        except SpecError as error:
            raise UnresolvedError(f"malformed once its variables were filled in: {error.message}") from error

    return late


def _images(found: dict[str, dict[str, JsonObject]]) -> list[_Named]:
    images: list[_Named] = []
    for group in found.values():
        for described in group.values():
            image = parse_image(described["reference"])
            if image is not None:
                images.append(_Named(image, described["jsonPointer"]))
    return images


def _matches(patterns: Sequence[str] | None, image: str) -> bool:
    return any(wildcard.match(pattern, image) for pattern in patterns or ())


def _judge(entry: _Entry, spec: VerifyImagesSpec, named: _Named, run: _Run) -> _Said:
    """What one entry says of one image: who vouches, then its digest, then whether that is enough."""
    if _unchanged(named, run):
        run.words[named.text] = "pass"
        return _Said("pass", f"`{named.text}` was verified before, and has not changed", named.at)
    reader = Reader(spec, named.text, registry_access(spec.image_registry_credentials, run.request), run.world)
    said = _Said("pass", "", named.at)
    asks = bool(spec.attestors or spec.attestations)
    try:
        if _matches(spec.skip_image_references, named.text):
            said = _Said("skip", f"`{named.text}` is of those that are skipped", named.at)
        elif asks:
            said = _Said("pass", _verify(entry, spec, named, reader, run), named.at)
        digest = named.image.digest
        if not digest and spec.mutate_digest:
            digest = reader.digest()
            run.digests[named.at] = f"{named.text}@{digest}"
    except RefusedError as error:
        run.words[named.text] = "fail"
        return _Said("fail", f"image `{named.text}` is not verified: {error}", named.at)
    except (UndecidedError, UnresolvedError) as error:
        return _Said("error", f"image `{named.text}` could not be verified: {error}", named.at)
    if spec.verify_digest and not digest:
        return _Said("fail", f"image `{named.text}` has no digest", named.at)
    text = _pinned_text(named, digest)
    if asks or said.word == "skip":
        run.words[text] = said.word
    elif spec.required and not verified_before(run.request.resource.body, *run.name, named.text):
        return _Said("fail", f"image `{named.text}` is not verified: nobody is named who could vouch for it", named.at)
    return said


def _pinned_text(named: _Named, digest: str) -> str:
    """The image as annotations name it afterwards: by its digest, once it has one."""
    return f"{named.image.registry}/{named.image.path}@{digest}" if digest else named.text


def _unchanged(named: _Named, run: _Run) -> bool:
    """Whether an update leaves an image as it was when it was verified."""
    old = run.request.old
    if old is None:
        return False
    try:
        same = pointer.resolve(old.body, named.at) == pointer.resolve(run.request.resource.body, named.at)
    except (LookupError, ValueError):
        return False
    return same and verified_before(old.body, *run.name, named.text)


def _verify(entry: _Entry, spec: VerifyImagesSpec, named: _Named, reader: Reader, run: _Run) -> str:
    """Who vouches for the image, and what is attested of it.

    Raises:
        RefusedError: it is not enough.
        UndecidedError: something that decides it cannot be had.
    """
    for index, one in enumerate(spec.attestors or ()):
        satisfy(one, f"attestors[{index}]", reader.signed_by)
    for index, (attestation, conditions) in enumerate(zip(spec.attestations or (), entry.conditions, strict=True)):
        place = f"attestations[{index}]"

        def attested(
            attestor: AttestorSpec,
            _place: str,
            wanted: str = attestation.wanted_type,
            held: Conditions | None = conditions,
        ) -> list[Statement]:
            statements = reader.attested_by(attestor, wanted)
            _check_conditions(statements, held, named, run)
            return statements

        for number, one in enumerate(attestation.attestors or (_ANYBODY,)):
            statements = satisfy(one, f"{place}.attestors[{number}]", attested)
            if attestation.name:
                run.attested[attestation.name] = next((item.predicate for item in statements if item.predicate), None)
    if spec.attestations and entry.deny is not None:
        denied = entry.deny(_inside(run, named, {}))
        if denied.holds:
            said = "; ".join(text for text in (entry.message(run.scope), denied.message) if text)
            raise RefusedError(said or "denied by its conditions")
    return f"`{named.text}` is verified"


def _check_conditions(statements: Sequence[Statement], conditions: Conditions | None, named: _Named, run: _Run) -> None:
    """Every statement of the type must meet the conditions, which see its predicate's fields as names.

    Raises:
        RefusedError: one does not.
    """
    if conditions is None:
        return
    for statement in statements:
        predicate = statement.predicate
        if predicate is None:
            raise RefusedError(f"the attestation of type `{statement.predicate_type}` holds no object to look at")
        try:
            verdict = conditions(_inside(run, named, predicate))
        except UnresolvedError as error:
            if isinstance(error.__cause__, LookupFailedError):
                raise
            # what a condition reads and the statement does not say is not attested
            raise RefusedError(f"the attestation of type `{statement.predicate_type}`: {error}") from error
        if not verdict.holds:
            more = f": {verdict.message}" if verdict.message else ""
            raise RefusedError(
                f"the attestation of type `{statement.predicate_type}` does not meet the conditions{more}"
            )


def _inside(run: _Run, named: _Named, predicate: JsonObject) -> Scope:
    return run.scope().nested({**run.attested, "image": parts(named.image), **predicate}, {})


def _conclude(said: Sequence[_Said], images: Sequence[_Named], run: _Run) -> Outcome:
    """One outcome of all: a refusal before a doubt, and a doubt before a pass."""
    for word in ("fail", "error"):
        worst = [one for one in said if one.word == word]
        if worst:
            message = "; ".join(dict.fromkeys(one.message for one in worst))
            return Failed(message, worst[0].at) if word == "fail" else Broken(message)
    message = "; ".join(dict.fromkeys(one.message for one in said if one.message))
    if all(one.word == "skip" for one in said) and not run.digests:
        return Skipped(message)
    return Passed(message or "image verified", _changes(images, run))


def _changes(images: Sequence[_Named], run: _Run) -> tuple[Change, ...]:
    """The resource with its digests pinned and its annotations written, where that changes it."""
    resource = run.request.resource
    body = resource.body
    after = pinned(body, run.digests)
    if run.words:
        present = {_pinned_text(one, _digest_in(run.digests.get(one.at, "")) or one.image.digest) for one in images}
        after = annotated(after, run.name.policy, run.name.rule, run.words, present)
    return () if after is body or after == body else (Change(resource.id, body, after),)


def _digest_in(text: str) -> str:
    return text.partition("@")[2]
