"""JSON documents, strictly; what is JSON to YAML only is left to the exact road."""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

import orjson

from bartizan.base.errors import SpecError
from bartizan.base.location import Location
from bartizan.sources.yaml.blocks import MAX_DEPTH, UNCERTAIN

if TYPE_CHECKING:
    from bartizan.base.json import Json, JsonObject

_LONG: Final = re.compile(r"\d{19}|[eE]\+?\d{3}")
_INT64: Final = range(-(2**63), 2**63)
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")


class _DuplicateKeyError(Exception):
    """Two members of one name."""


def parse_json(text: str, file: str, offset: int) -> Any:
    """Read a JSON document; `UNCERTAIN` where it is not JSON, but may be YAML.

    Raises:
        SpecError: a key stands twice, or it nests too deep.
    """
    try:
        hooks: dict[str, Any] = {"parse_int": _integer, "parse_float": _float} if _LONG.search(text) else {}
        value = json.loads(text, object_pairs_hook=_members, parse_constant=_refuse, **hooks)
        return _shallow(_encodable(value) if _SURROGATE.search(text) else value)
    except _DuplicateKeyError as error:
        hint = "Keep one of the two; Kubernetes would silently drop the first."
        raise SpecError(f"duplicate key `{error}`", at=Location(file, 1 + offset), hint=hint) from error
    except RecursionError as error:
        raise SpecError("nests too deep", at=Location(file, 1 + offset), hint="Flatten the document.") from error
    except ValueError:
        return UNCERTAIN


def _shallow(value: Any) -> Any:
    """A document that does not nest too deep, which is quickest known by writing it.

    The writer stops at 254 levels, so that it is somewhat more patient than `MAX_DEPTH`.

    Raises:
        RecursionError: it does.
    """
    try:
        orjson.dumps(value)
    except TypeError as error:
        level = [value]
        for _ in range(MAX_DEPTH + 1):
            holders = [item for item in level if isinstance(item, dict | list)]
            level = [item for part in holders for item in (part.values() if isinstance(part, dict) else part)]
        if level:
            raise RecursionError from error
    return value


def _members(pairs: list[tuple[str, Any]]) -> JsonObject:
    body = dict(pairs)
    if len(body) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _DuplicateKeyError(key)
            seen.add(key)
    return body


def _integer(text: str) -> float:
    """A number as Go reads it: what does not fit into 64 bits is a float."""
    value = int(text)
    return value if value in _INT64 else _float(text)


def _float(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError(text)
    return value


def _encodable(value: Json) -> Json:
    """The value with half surrogate pairs, which no UTF-8 can hold, replaced by U+FFFD as Kubernetes does."""
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def _refuse(word: str) -> Any:
    raise ValueError(word)
