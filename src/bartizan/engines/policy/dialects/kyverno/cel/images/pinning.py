"""`mutateDigest`: tags of images made into digests, in a rule of its own that admission asks first.

Nothing is verified here; that is for the rule that judges, which then sees
the digests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from bartizan.engines.policy.dialects.kyverno.cel.images.selection import MAX_IMAGES
from bartizan.engines.policy.dialects.kyverno.images.attestors import World
from bartizan.engines.policy.dialects.kyverno.images.changes import pinned
from bartizan.engines.policy.dialects.kyverno.images.material import Beside, Place
from bartizan.engines.policy.dialects.kyverno.images.variable import extract_images
from bartizan.engines.policy.dialects.kyverno.variables import UnresolvedError
from bartizan.engines.policy.signatures.refusal import RefusedError, UndecidedError
from bartizan.lang.cel import CelBudgetError, CelError
from bartizan.model.change import Change
from bartizan.model.outcome import Broken, Outcome, Passed, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.base.json import Json
    from bartizan.engines.policy.dialects.kyverno.cel.images.judge import Scope
    from bartizan.engines.policy.lookup import Lookup, RegistryAccess
    from bartizan.model.request import Request

RULE: Final = "mutateDigest"
_FAILED: Final = "failed to update digest"


@dataclass(frozen=True, slots=True, eq=False)
class Pinning:
    """Pins the images of Pods, and of the controllers whose templates are known.

    Where one digest cannot be had nothing is pinned, and the rule is in
    error: a resource half pinned would look as if all of it were.
    """

    scope: Scope
    applies: Callable[[Request], bool]
    is_meant: Callable[[str], bool]
    access: Callable[[Request], RegistryAccess]
    knows: bool = True
    """Whether it is known where the images stand; templates that are found by their shape are left as they are."""
    pins: ClassVar[bool] = True

    def __call__(self, request: Request, lookup: Lookup) -> Outcome | None:
        """The resource with digests in place of tags; no outcome where there is nothing to pin."""
        if request.operation == "DELETE" or not self.applies(request):
            return None
        if not self.knows:
            return Skipped("digest-pinning mutation is not supported for extraction-mode targets")
        try:
            settled = self.scope.settled(self.scope.names(request, lookup))
            tagged = {} if settled is not None else _tagged(request, self.is_meant)
        except (CelError, CelBudgetError, UnresolvedError) as error:
            return Broken(f"{_FAILED}: {error}")
        if len(tagged) > MAX_IMAGES:
            return Broken(f"{_FAILED}: the resource names {len(tagged)} images, and at most {MAX_IMAGES} are pinned")
        place, world = Place(access=self.access(request)), World(lookup, self.scope.now())
        return _pinned(request, tagged, place, world) if tagged else None


def _pinned(request: Request, tagged: dict[str, str], place: Place, world: World) -> Outcome:
    digests, failures = _resolved(set(tagged.values()), place, world)
    if failures:
        return Broken(f"{_FAILED}: {'; '.join(failures)}")
    body = request.resource.body
    after = pinned(body, {at: f"{image}@{digests[image]}" for at, image in tagged.items()})
    return Passed("digests are pinned", (Change(request.resource.id, body, after),))


def _tagged(request: Request, is_meant: Callable[[str], bool]) -> dict[str, str]:
    """The images that the policy means and that have no digest yet, by their places."""
    found = extract_images(request.resource.body, None, _nothing)
    described = [one for group in found.values() for one in group.values()]
    return {
        one["jsonPointer"]: one["reference"]
        for one in described
        if not one.get("digest") and is_meant(one["reference"])
    }


def _nothing(_text: str, value: Json) -> Json:
    return value


def _resolved(images: set[str], place: Place, world: World) -> tuple[dict[str, str], list[str]]:
    """The digests of images, and what is wrong with those that have none."""
    digests: dict[str, str] = {}
    failures: list[str] = []
    for image in sorted(images):
        try:
            digests[image] = Beside(image, world).digest(place)
        except (RefusedError, UndecidedError) as error:
            failures.append(f"failed to resolve digest for image {image}: {error}")
    return digests, failures
