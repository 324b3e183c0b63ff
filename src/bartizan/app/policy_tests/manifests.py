"""Objects that came beside objects that were expected, compared as the peer compares them.

Empty maps and lists count as absent, and so do the labels that say where a
generated object is from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.app.policy_tests.cases import NOT_FOUND
from bartizan.app.policy_tests.files import read_bodies
from bartizan.base.json import to_text
from bartizan.engines.policy.mutation import difference
from bartizan.model.resource import identify, resource_from
from bartizan.model.scoping import in_default_namespace

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from bartizan.base.json import Json, JsonObject
    from bartizan.model.resource import ResourceId

_GENERATED: Final = "generate.kyverno.io/"
_MANAGED_BY: Final = {"app.kubernetes.io/managed-by": "kyverno"}


def mismatch(came: JsonObject, file: Path) -> str:
    """How an object differs from the one of its name in a file; empty where it does not.

    Raises:
        SpecError: the file cannot be read.
    """
    actual = _placed(came)
    for _, document in read_bodies((file,)):
        if isinstance(document.body, dict):
            wanted = _placed(document.body)
            if identify(wanted) == identify(actual):
                return _compare(wanted, actual)
    return f"{_name(identify(actual))} {NOT_FOUND} `{file.name}`"


def mismatch_any(came: JsonObject, files: Iterable[Path]) -> str:
    """The same for several files, of which one must have the object."""
    said = ""
    for file in files:
        found = mismatch(came, file)
        if not found:
            return ""
        said = said if said and NOT_FOUND in found else found
    return said


def _placed(body: JsonObject) -> JsonObject:
    return in_default_namespace(resource_from(body)).body


def _name(rid: ResourceId) -> str:
    return f"{rid} ({rid.api_version})"


def _compare(wanted: JsonObject, actual: JsonObject) -> str:
    steps = difference(_tidy(_with_labels(wanted)), _tidy(_with_labels(actual)))
    said = [
        f"{step.kind} {''.join(f'/{part}' for part in step.path)}"
        + ("" if step.kind == "remove" else f" {to_text(step.value)[:200]}")
        for step in steps
    ]
    return "the object differs from the one expected: " + "; ".join(said) if said else ""


def _with_labels(body: JsonObject) -> JsonObject:
    metadata = body.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    given = metadata.get("labels")
    labels = {key: value for key, value in (given or {}).items() if not key.startswith(_GENERATED)}
    return {**body, "metadata": {**metadata, "labels": {**_MANAGED_BY, **labels}}}


def _tidy(value: Json) -> Json:
    """A value without what is empty in it."""
    if isinstance(value, dict):
        return {
            key: item for key, item in ((key, _tidy(item)) for key, item in value.items()) if item is not None
        } or None
    if isinstance(value, list):
        return [item for item in map(_tidy, value) if item is not None] or None
    return value
