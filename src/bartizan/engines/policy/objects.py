"""Which objects an `ObjectsQuestion` asks for, the same for every world that answers one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from bartizan.base import wildcard
from bartizan.base.errors import SpecError
from bartizan.engines.policy.lookup import LookupFailedError
from bartizan.engines.policy.selector import LabelSelector, compile_selector
from bartizan.model.resource import labels_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.engines.policy.lookup import ObjectsQuestion
    from bartizan.model.resource import Resource

_VERSION: Final = re.compile(r"v\d+((alpha|beta)\d+)?|\*")


class KindName(NamedTuple):
    """A kind taken apart; each part may be a wildcard, and `*` is any."""

    group: str
    version: str
    kind: str
    subresource: str


def parse_kind(text: str) -> KindName:
    """Take apart `group/version/Kind`, `version/Kind` or `Kind`, with `/subresource` or `.subresource` behind it."""
    parts = text.strip("/").split("/")
    group = version = "*"
    at = next((place for place, part in enumerate(parts[:2]) if len(parts) > 1 and _VERSION.fullmatch(part)), None)
    if at is not None and at + 1 < len(parts):
        group, version = "/".join(parts[:at]), parts[at]
        parts = parts[at + 1 :]
    kind, _, dotted = parts[0].partition(".")
    return KindName(group, version, kind, parts[1] if len(parts) > 1 else dotted)


def selects(question: ObjectsQuestion) -> Callable[[Resource], bool]:
    """A predicate for the objects that are asked for.

    Raises:
        LookupFailedError: the label selector is malformed.
    """
    wanted = parse_kind(question.kind)
    labels_match = _labels(question.selector)
    group, version, kind = (wildcard.matcher(part) for part in wanted[:3])
    namespace, name = (wildcard.matcher(part or "*") for part in (question.namespace, question.name))

    def holds(resource: Resource) -> bool:
        rid = resource.id
        return (
            kind(rid.kind)
            and group(rid.group)
            and version(rid.version)
            and namespace(rid.namespace)
            and name(rid.name)
            and (labels_match is None or labels_match(labels_of(resource.body)))
        )

    return holds


def _labels(text: str) -> Callable[[dict[str, str]], bool] | None:
    if not text:
        return None
    try:
        return compile_selector(msgspec.json.decode(text, type=LabelSelector), "")
    except (SpecError, ValueError) as error:
        raise LookupFailedError(f"malformed label selector: {error}") from error
