"""What a rule that verifies images does to the resource: digests pinned, and annotations that say what was verified.

The annotations are Kyverno's: `kyverno.io/verify-images` has each image with
`pass`, `fail` or `skip`, and `kyverno.io/verify-images-scoped` the same by
policy and rule. Entries about images that the resource no longer names go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from bartizan.base import pointer
from bartizan.base.json import to_text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from bartizan.base.json import Json, JsonObject

ANNOTATION: Final = "kyverno.io/verify-images"
SCOPED: Final = "kyverno.io/verify-images-scoped"


def with_value(body: Json, steps: list[str], value: Json) -> Json:
    """The body with one value set; all that is not on the way is shared. Mappings on the way are made."""
    if not steps:
        return value
    head, rest = steps[0], steps[1:]
    if isinstance(body, list):
        index = int(head)
        return [*body[:index], with_value(body[index], rest, value), *body[index + 1 :]]
    inner = body if isinstance(body, dict) else {}
    return {**inner, head: with_value(inner.get(head), rest, value)}


def pinned(body: JsonObject, values: Mapping[str, str]) -> JsonObject:
    """The body with other images at some JSON pointers."""
    changed: Any = body
    for at, text in values.items():
        changed = with_value(changed, pointer.split(at), text)
    return changed  # type: ignore[no-any-return]  # a pointer leads into an object, which an object replaces


def annotated(body: JsonObject, policy: str, rule: str, said: Mapping[str, str], images: Collection[str]) -> JsonObject:
    """The body with annotations about what one rule found; `images` are all that the resource names now."""
    annotations = annotations_of(body)
    every = _read(annotations.get(ANNOTATION))
    plain = {image: word for image, word in every.items() if image in images} | dict(said)
    scoped: dict[str, Any] = {}
    for known, rules in _policies(annotations).items():
        for name, found in (rules if isinstance(rules, dict) else {}).items():
            kept = {
                image: word for image, word in (found if isinstance(found, dict) else {}).items() if image in images
            }
            if kept:
                scoped.setdefault(known, {})[name] = kept
    mine = scoped.setdefault(policy, {})
    mine[rule] = {**mine.get(rule, {}), **said}
    values = {
        **annotations,
        ANNOTATION: to_text(plain),
        SCOPED: f'{{"version":1,"policies":{to_text(scoped)}}}',
    }
    return with_value(body, ["metadata", "annotations"], values)  # type: ignore[no-any-return]  # as above


def verified_before(body: JsonObject, policy: str, rule: str, image: str) -> bool:
    """Whether the rule has verified or skipped this image already, as the resource's annotation has it."""
    rules = _policies(annotations_of(body)).get(policy)
    images = rules.get(rule) if isinstance(rules, dict) else None
    return isinstance(images, dict) and images.get(image) in ("pass", "skip")


def annotations_of(body: JsonObject) -> JsonObject:
    """The annotations of an object."""
    metadata = body.get("metadata")
    found = metadata.get("annotations") if isinstance(metadata, dict) else None
    return found if isinstance(found, dict) else {}


def _policies(annotations: JsonObject) -> JsonObject:
    read = _read(annotations.get(SCOPED))
    found = read.get("policies") if read.get("version") == 1 else None
    return found if isinstance(found, dict) else {}


def _read(text: Json) -> JsonObject:
    """An annotation's JSON object; one that is none says nothing."""
    if not isinstance(text, str):
        return {}
    try:
        value = orjson.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
