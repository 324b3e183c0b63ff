"""JSON documents, strictly; what is JSON to YAML only is left to the exact road."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bartizan.base.errors import SpecError
from bartizan.base.location import Location
from bartizan.sources.yaml.blocks import UNCERTAIN

if TYPE_CHECKING:
    from bartizan.base.json import JsonObject


class _DuplicateKeyError(Exception):
    """Two members of one name."""


def parse_json(text: str, file: str, offset: int) -> Any:
    """Read a JSON document; `UNCERTAIN` where it is not JSON, but may be YAML.

    Raises:
        SpecError: a key stands twice, or it nests too deep.
    """
    try:
        return json.loads(text, object_pairs_hook=_members, parse_constant=_refuse)
    except _DuplicateKeyError as error:
        hint = "Keep one of the two; Kubernetes would silently drop the first."
        raise SpecError(f"duplicate key `{error}`", at=Location(file, 1 + offset), hint=hint) from error
    except RecursionError as error:
        raise SpecError("nests too deep", at=Location(file, 1 + offset), hint="Flatten the document.") from error
    except ValueError:
        return UNCERTAIN


def _members(pairs: list[tuple[str, Any]]) -> JsonObject:
    body = dict(pairs)
    if len(body) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _DuplicateKeyError(key)
            seen.add(key)
    return body


def _refuse(word: str) -> Any:
    raise ValueError(word)
