"""What an ImageValidatingPolicy says of a request: digests, then its validations, then whether each image was verified.

An image that a policy requires to be verified may have been verified by
another policy; so those that are asked about the same resources keep company.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.engines.policy.cel.names import names_of
from bartizan.engines.policy.dialects.kyverno.cel.autogen import pods_within
from bartizan.engines.policy.dialects.kyverno.cel.exceptions import holds, lift
from bartizan.engines.policy.dialects.kyverno.cel.images.selection import images_of, place_of
from bartizan.engines.policy.dialects.kyverno.cel.images.verifier import Evidence
from bartizan.engines.policy.dialects.kyverno.cel.validating import message_of
from bartizan.engines.policy.dialects.kyverno.library.image import parse_reference
from bartizan.lang.cel import CelBudgetError, CelError
from bartizan.model.outcome import PASSED, Broken, Failed, Outcome, Passed, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from bartizan.engines.policy.cel.expressions import Validation
    from bartizan.engines.policy.cel.names import Makers, Names
    from bartizan.engines.policy.dialects.kyverno.cel.exceptions import PolicyException
    from bartizan.engines.policy.dialects.kyverno.cel.images.selection import Extractor
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.lang.cel import Expression
    from bartizan.model.request import Request

EVIDENCE: Final = "cel.images.evidence"
_FAILED: Final = "failed to evaluate policy"
_MAX_REASONS: Final = 5


class Settled(NamedTuple):
    """What is said before a policy is asked; no outcome where it is not about the request."""

    outcome: Outcome | None


class Scope(NamedTuple):
    """What must hold before a policy is asked, and who lifts it."""

    conditions: tuple[tuple[str, Expression], ...]
    exceptions: tuple[PolicyException, ...]
    makers: Makers
    now: Callable[[], datetime]
    ignores: bool

    def names(self, request: Request, lookup: Lookup) -> Names:
        """The names of a request."""
        return names_of(request, lambda: lookup, self.makers)

    def settled(self, names: Names) -> Settled | None:
        """What settles it before the policy is asked, if something does.

        Raises:
            CelError: a condition has no value, and the policy does not ignore that.
        """
        try:
            if not holds(self.conditions, names):
                return Settled(None)
        except CelError:
            if not self.ignores:
                raise
            return Settled(None)
        # one that is for some images or values only lifts nothing here, as the peer has it
        whole = [item for item in self.exceptions if item.is_whole]
        outcome = lift(whole, names, self.now, ignores=self.ignores).outcome if whole else None
        if isinstance(outcome, Passed):
            lifting = outcome.message.rpartition(": ")[2]  # no such exception is reported as a pass, whatever it says
            return Settled(Skipped(f"rule is skipped due to policy exception: {lifting}", lifting))
        return None if outcome is None else Settled(outcome)


class Judged(NamedTuple):
    """What a policy's own expressions say, and the images it was about."""

    outcome: Outcome | None
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class ImageJudge:
    """One compiled policy."""

    scope: Scope
    applies: Callable[[Request], bool]
    extractors: Mapping[str, Extractor]
    is_meant: Callable[[str], bool]
    validations: tuple[Validation, ...]
    annotations: tuple[tuple[str, Expression], ...]
    verifies_digest: bool
    requires: bool
    is_json: bool = False
    extracts: bool = False
    company: list[ImageJudge] = field(default_factory=list)
    """The policies whose verification counts for this one too."""

    def __call__(self, request: Request, lookup: Lookup) -> Outcome | None:
        """The outcome; none where the policy is not about the request."""
        if not self.applies(request):
            return None
        judged = self.judged(request, lookup)
        if not isinstance(judged.outcome, Passed) or not self.requires:
            return judged.outcome
        return self._required(request, lookup, judged)

    def judged(self, request: Request, lookup: Lookup) -> Judged:
        """What the policy's own expressions say, worked out once a request."""
        key = f"cel.images.{id(self)}"
        memo = request.memo
        if key not in memo:
            memo[key] = self._each_pod(request, lookup) if self.extracts else self._judged(request, lookup)
        found: Judged = memo[key]
        return found

    def _required(self, request: Request, lookup: Lookup, judged: Judged) -> Outcome:
        evidence = evidence_of(request)
        waiting = [image for image in judged.images if not evidence.get(image)]
        for other in self.company if waiting else ():
            if other is not self and other.applies(request):
                other.judged(request, lookup)
        for image in waiting:
            if evidence.get(image):
                continue
            said = (
                f"image {image} failed signature or attestation verification"
                if image in evidence
                else f"image {image} is not verified: no policy performed a signature or attestation check on it"
            )
            return Failed(said, place_of(request, image), _reasons(evidence, (image,)))
        return judged.outcome or PASSED

    def _judged(self, request: Request, lookup: Lookup) -> Judged:
        names = self.scope.names(request, lookup)
        try:
            settled = self.scope.settled(names)
            if settled is not None:
                return Judged(settled.outcome)
            found = images_of(request, self.extractors, names, known=not self.is_json)
            meant = {group: [one for one in every if self.is_meant(one)] for group, every in found.items()}
            images = tuple(dict.fromkeys(one for every in meant.values() for one in every))
            names["images"] = meant
            outcome = self._without_digest(images, request) or self._validated(names, images)
        except (CelError, CelBudgetError) as error:
            return Judged(Broken(f"{_FAILED}: {error}"))
        return Judged(outcome, images)

    def _without_digest(self, images: Sequence[str], request: Request) -> Outcome | None:
        for image in images if self.verifies_digest else ():
            if not parse_reference(image).digest:
                return Failed(f"image {image} does not have a digest", place_of(request, image), image)
        return None

    def _validated(self, names: Names, images: Sequence[str]) -> Outcome:
        for index, validation in enumerate(self.validations):
            if validation.expression(names) is not True:
                said = message_of(validation, names, index)
                self._annotate(names)
                return _failed(said, validation, names.request, images)
        self._annotate(names)
        return PASSED

    def _annotate(self, names: Names) -> None:
        for key, annotation in self.annotations:
            try:
                annotation(names)
            except CelError as error:
                raise CelError(f"failed to evaluate auditAnnotation '{key}': {error}") from error

    def _each_pod(self, request: Request, lookup: Lookup) -> Judged:
        """Ask about each pod template of a resource; the first that is not as it should be settles it."""
        pods = pods_within(request)
        if not pods:
            rid = request.resource.id
            return Judged(Broken(f"{_FAILED}: no pod template found in {rid.api_version}/{rid.kind}"))
        last: Outcome | None = None
        images: list[str] = []
        for path, pod in pods:
            pod.memo[EVIDENCE] = evidence_of(request)
            judged = self._judged(pod, lookup)
            images += judged.images
            match judged.outcome:
                case Failed(message, _, evidence):
                    return Judged(Failed(f"{message} (pod template at {path})", "", evidence), tuple(images))
                case Broken(error):
                    return Judged(Broken(f"{error} (pod template at {path})"), tuple(images))
                case Passed():
                    last = judged.outcome
                case outcome:
                    last = last or outcome
        return Judged(last, tuple(dict.fromkeys(images)))


def evidence_of(request: Request) -> Evidence:
    """What is known of a request's images, by all policies together."""
    if EVIDENCE not in request.memo:
        request.memo[EVIDENCE] = Evidence()
    found: Evidence = request.memo[EVIDENCE]
    return found


def _failed(said: str, validation: Validation, request: Request, images: Sequence[str]) -> Failed:
    """A failure, with the place of the first image that nobody vouched for, and why nobody did."""
    evidence = evidence_of(request)
    blamed = [image for image in images if image in evidence.why and not evidence.get(image)]
    if not blamed:
        return Failed(said, "", validation.expression.text)
    return Failed(said, place_of(request, blamed[0]), _reasons(evidence, blamed))


def _reasons(evidence: Evidence, images: Sequence[str]) -> str:
    said = [f"`{image}`: {why}" for image in images for why in dict.fromkeys(evidence.why.get(image, ()))]
    more = f"; and {len(said) - _MAX_REASONS} more reasons" if len(said) > _MAX_REASONS else ""
    return "; ".join(said[:_MAX_REASONS]) + more
