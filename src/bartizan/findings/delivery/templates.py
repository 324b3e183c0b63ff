"""Pod templates told apart, and what they say of their making.

A template's name is made of what it holds, so that going back to an earlier
one is seen as that whatever the cluster calls it. What a restart writes
into a template, and what a controller adds to its copies, is left out.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.base.json import to_text
from bartizan.model.resource import metadata_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bartizan.base.json import Json, JsonObject

COMMIT_KEYS: Final = ("bartizan.dev/commit-time",)
"""Annotations or labels with the time of the commit, on the template or the workload."""

IMAGE_KEYS: Final = ("org.opencontainers.image.created",)
"""Annotations or labels with the time an image was made."""

_RESTARTS: Final = frozenset({"kubectl.kubernetes.io/restartedAt"})
_ADDED: Final = frozenset({"pod-template-hash", "controller-revision-hash", "pod-template-generation"})
_SECONDS: Final = re.compile(r"\d{9,11}", re.ASCII)


class Made(NamedTuple):
    """When the source of a template was committed and its newest image made, where that is known."""

    commit_at: datetime | None = None
    image_at: datetime | None = None


def digest(template: JsonObject) -> str:
    """Name a template by what it holds: 16 hex digits."""
    metadata = metadata_of(template)
    held = {
        "labels": _without(metadata.get("labels"), _ADDED),
        "annotations": _without(metadata.get("annotations"), _RESTARTS),
        "spec": template.get("spec"),
    }
    return sha256(to_text(held).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _without(pairs: Json, left_out: frozenset[str]) -> JsonObject:
    return {key: value for key, value in pairs.items() if key not in left_out} if isinstance(pairs, dict) else {}


def made(body: JsonObject, template: JsonObject, image_times: Mapping[str, datetime]) -> Made:
    """Read when a template was made: its own word first, then its workload's, then what is known of its images."""
    commit_at = next(_times(body, template, COMMIT_KEYS), None)
    image_at = next(_times(body, template, IMAGE_KEYS), None)
    known = [image_times[image] for image in _images(template) if image in image_times]
    return Made(commit_at, image_at or (max(known) if known else None))


def _times(body: JsonObject, template: JsonObject, keys: tuple[str, ...]) -> Iterator[datetime]:
    for holder in (template, body):
        metadata = metadata_of(holder)
        for pairs in (metadata.get("annotations"), metadata.get("labels")):
            for key in keys:
                time = read_time(pairs.get(key)) if isinstance(pairs, dict) else None
                if time:
                    yield time


def read_time(text: Json) -> datetime | None:
    """Read an instant: RFC 3339, or seconds since 1970, which a label can hold too. Without a zone it is none."""
    if not isinstance(text, str) or len(text) > 40:
        return None
    if _SECONDS.fullmatch(text):
        return datetime.fromtimestamp(int(text), UTC)
    try:
        time = datetime.fromisoformat(text)
        return time.astimezone(UTC) if time.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _images(template: JsonObject) -> Iterator[str]:
    spec = template.get("spec")
    for group in ("initContainers", "containers"):
        containers = spec.get(group) if isinstance(spec, dict) else None
        for container in containers if isinstance(containers, list) else ():
            image = container.get("image") if isinstance(container, dict) else None
            if isinstance(image, str):
                yield image
