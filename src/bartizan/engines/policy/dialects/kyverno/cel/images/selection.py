"""Which images of a resource a policy is about: where they stand, and which of them it means."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from bartizan.base.errors import SpecError
from bartizan.engines.policy.cel.expressions import compile_at
from bartizan.engines.policy.dialects.kyverno.cel.images.globs import compile_glob
from bartizan.engines.policy.dialects.kyverno.cel.rule import FUNCTIONS
from bartizan.engines.policy.dialects.kyverno.library import for_kind
from bartizan.lang.cel import CelError, Environment, functions_of
from bartizan.lang.cel.types import BOOL, DYN, STRING, list_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.cel.names import Names
    from bartizan.engines.policy.dialects.kyverno.cel.images.spec import ExtractorSpec, ReferenceSpec
    from bartizan.lang.cel import Expression
    from bartizan.model.request import Request
    from bartizan.model.resource import ResourceId

    Extractor = Callable[[Names], list[str]]

MAX_IMAGES: Final = 500
"""Images of one resource; one that names more is there to keep the registry busy."""
_GROUPS: Final = ("containers", "initContainers", "ephemeralContainers")
_TEMPLATE: Final = ("spec", "template", "spec")
_PATHS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("v1", "Pod"): ("spec",),
    ("batch/v1", "CronJob"): ("spec", "jobTemplate", "spec", "template", "spec"),
    ("batch/v1", "Job"): _TEMPLATE,
    **{("apps/v1", kind): _TEMPLATE for kind in ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")},
}
"""Where the kinds whose images are known have them; the policy says it of all others."""


@lru_cache(maxsize=1)
def _environment() -> Environment:
    functions = functions_of(FUNCTIONS, for_kind("matchImageReferences").functions)
    return Environment({"ref": STRING}, functions, homogeneous=True)


def compile_references(specs: Sequence[ReferenceSpec], at: str) -> Callable[[str], bool]:
    """Compile `matchImageReferences` to a test, which may raise `CelError`; where there are none, any image is meant.

    Raises:
        SpecError: one is malformed.
    """
    tests = [_reference(spec, f"{at}/{index}") for index, spec in enumerate(specs)]
    if not tests:
        return lambda _image: True
    return lambda image: any(test(image) for test in tests)


def _reference(spec: ReferenceSpec, at: str) -> Callable[[str], bool]:
    if bool(spec.glob) == bool(spec.expression):
        raise SpecError("a reference must be of one form", pointer=at, hint="Write one of `glob` and `expression`.")
    if spec.glob:
        try:
            return compile_glob(spec.glob)
        except SpecError as error:
            raise SpecError(error.message, pointer=f"{at}/glob", hint=error.hint) from error
    expression = compile_at(spec.expression, _environment(), (BOOL,), f"{at}/expression")
    return lambda image: expression({"ref": image}) is True


def compile_extractors(specs: Sequence[ExtractorSpec], environment: Environment, at: str) -> dict[str, Extractor]:
    """Compile `images`, by the names that expressions have for what they give.

    Raises:
        SpecError: one does not compile, or gives no list of texts.
    """
    kinds = (list_of(STRING), DYN, list_of(DYN))
    return {
        spec.name: _extractor(spec.name, compile_at(spec.expression, environment, kinds, f"{at}/{index}/expression"))
        for index, spec in enumerate(specs)
    }


def _extractor(name: str, expression: Expression) -> Extractor:
    def extract(names: Names) -> list[str]:
        found = expression(names)
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            raise CelError(f"`images.{name}` is no list of strings")
        return found

    return extract


def images_of(
    request: Request, extractors: Mapping[str, Extractor], names: Names, *, known: bool
) -> dict[str, list[str]]:
    """Every image of a resource, by where it stands; with `known` also those of kinds that need no extractor.

    Raises:
        CelError: an extractor has no value, a container has no image, or there are far too many.
    """
    found: dict[str, list[str]] = {}
    path = _path(request.resource.id) if known else ()
    if path:
        spec = _inner(request.resource.body, path)
        found = {group: [text for text, _ in _containers(spec, group)] for group in _GROUPS}
    for name, extract in extractors.items():
        found[name] = extract(names)
    count = sum(map(len, found.values()))
    if count > MAX_IMAGES:
        raise CelError(f"the resource names {count} images, and at most {MAX_IMAGES} are verified")
    return found


def place_of(request: Request, image: str) -> str:
    """The JSON pointer of the first container with an image; empty where that is not known."""
    path = () if request.payload else _path(request.resource.id)
    if not path:
        return ""
    spec = _inner(request.resource.body, path)
    for group in _GROUPS:
        for text, index in _containers(spec, group):
            if text == image:
                return f"/{'/'.join(path)}/{group}/{index}/image"
    return ""


def _path(rid: ResourceId) -> tuple[str, ...]:
    return _PATHS.get((rid.api_version, rid.kind), ())


def _inner(body: JsonObject, path: Sequence[str]) -> JsonObject:
    inner: Json = body
    for step in path:
        inner = _field(inner, step)
    return inner if isinstance(inner, dict) else {}


def _field(value: Json, name: str) -> Json:
    if not isinstance(value, dict) or name not in value:
        raise CelError(f"no such key: {name}")
    return value[name]


def _containers(spec: JsonObject, group: str) -> Iterator[tuple[str, int]]:
    items: Any = spec.get(group)
    for index, item in enumerate(items if isinstance(items, list) else ()):
        image = _field(item, "image")
        if not isinstance(image, str):
            raise CelError(f"`image` of {group}[{index}] is no string")
        yield image, index
