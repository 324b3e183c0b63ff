"""The `images` variable: every image a resource names, taken apart, by container."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bartizan.base import pointer
from bartizan.base.image import parse_image
from bartizan.engines.policy.dialects.kyverno.variables import UnresolvedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bartizan.base.image import Image
    from bartizan.base.json import Json, JsonObject

_POD: Final = ("spec",)
_TEMPLATE: Final = ("spec", "template", "spec")
_JOB_TEMPLATE: Final = ("spec", "jobTemplate", "spec", "template", "spec")
_POD_SPECS: Final = {
    "Pod": _POD,
    "CronJob": _JOB_TEMPLATE,
    **dict.fromkeys(
        ("DaemonSet", "Deployment", "Job", "ReplicaSet", "ReplicationController", "StatefulSet"), _TEMPLATE
    ),
}
_GROUPS: Final = ("initContainers", "containers", "ephemeralContainers")


def extract_images(
    body: JsonObject, extractors: JsonObject | None, query: Callable[[str, Json], Json]
) -> dict[str, dict[str, JsonObject]]:
    """All images of a resource: `{group: {container name: parts of the reference}}`.

    `extractors` are the rule's own, by kind, and replace the built-in ones;
    `query` evaluates a JMESPath expression on a value.

    Raises:
        UnresolvedError: a text at a place for images is no image reference.
    """
    kind = str(body.get("kind"))
    found: dict[str, dict[str, JsonObject]] = {}
    if extractors and kind in extractors:
        for index, entry in enumerate(extractors[kind] or ()):
            extractor = entry if isinstance(entry, dict) else {}
            group = extractor.get("name") or "custom"
            for name, text, at in _extract(body, extractor, query, index):
                found.setdefault(group, {})[name] = _describe(text, at)
        return found
    path = _POD_SPECS.get(kind, ())
    spec: Json = body if path else None
    for step in path:
        spec = spec.get(step) if isinstance(spec, dict) else None
    if isinstance(spec, dict):
        for group in _GROUPS:
            for name, text, at in _containers(spec.get(group), (*path, group)):
                found.setdefault(group, {})[name] = _describe(text, at)
    return found


def _containers(items: Json, path: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    for index, item in enumerate(items if isinstance(items, list) else ()):
        # an image that is left empty is for somebody else to fill in, and is none yet
        if isinstance(item, dict) and isinstance(item.get("image"), str) and item["image"].strip():
            yield str(item.get("name", index)), item["image"], pointer.join((*path, index, "image"))


def _extract(
    body: JsonObject, extractor: JsonObject, query: Callable[[str, Json], Json], number: int
) -> Iterator[tuple[str, str, str]]:
    steps = [step for step in str(extractor.get("path", "")).split("/") if step]
    value_field, key_field = extractor.get("value"), extractor.get("key")
    for path, value in _walk(body, steps, []):
        item = value if isinstance(value, dict) else {}
        text: Any = item.get(value_field) if value_field else value
        if extractor.get("jmesPath") and text is not None:
            text = query(str(extractor["jmesPath"]), text)
        if not isinstance(text, str) or not text.strip():
            continue
        at = [*path, value_field] if value_field else path
        name = str(item.get(key_field)) if key_field else pointer.join(at)
        yield name or str(number), text, pointer.join(at)


def _walk(value: Json, steps: Sequence[str], path: list[str | int]) -> Iterator[tuple[list[str | int], Json]]:
    if not steps:
        yield path, value
        return
    head, rest = steps[0], steps[1:]
    if head == "*":
        children: list[tuple[str | int, Json]] = []
        if isinstance(value, list):
            children = list(enumerate(value))
        elif isinstance(value, dict):
            children = list(value.items())
        for key, item in children:
            yield from _walk(item, rest, [*path, key])
    elif isinstance(value, dict) and head in value:
        yield from _walk(value[head], rest, [*path, head])


def _describe(text: str, at: str) -> JsonObject:
    image = parse_image(text)
    if image is None:
        raise UnresolvedError(f"`{text[:200]}` is no image reference")
    return {**parts(image), "jsonPointer": at}


def parts(image: Image) -> JsonObject:
    """An image reference as policies read it."""
    described: JsonObject = {
        "registry": image.registry,
        "path": image.path,
        "name": image.name,
        "reference": image.reference,
        "referenceWithTag": image.reference_with_tag,
    }
    if image.tag:
        described["tag"] = image.tag
    if image.digest:
        described["digest"] = image.digest
    return described
