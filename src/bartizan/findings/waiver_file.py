"""The waiver file: `waivers:`, a list in which every entry has a reason, an owner and an end.

Only decoded data comes in here; who read the file turns the pointer of an
error into a line.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Final

from bartizan.base.errors import SpecError
from bartizan.base.suggest import did_you_mean
from bartizan.model.waiver import Waiver

if TYPE_CHECKING:
    from bartizan.base.json import Json

_REQUIRED: Final = {
    "id": "Give it a short name of its own, for reports to refer to.",
    "reason": "Say why the finding is acceptable.",
    "owner": "Name the person or team that answers for it.",
    "until": "Name the last day on which it holds, as `2026-12-31`.",
}
_SELECTORS: Final = ("policy", "rule", "kind", "namespace", "name", "path", "fingerprint")
_KNOWN: Final = (*_REQUIRED, *_SELECTORS)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{16}", re.ASCII)


def read_waivers(document: Json) -> tuple[Waiver, ...]:
    """Read a decoded waiver file.

    Raises:
        SpecError: with the JSON pointer of what is wrong.
    """
    if not isinstance(document, dict) or not isinstance(document.get("waivers"), list):
        raise SpecError("a waiver file has one key, `waivers`, with a list", hint="Begin it with `waivers:`.")
    for key in document:
        if key != "waivers":
            message = f"unknown field `{key}` in a waiver file"
            raise SpecError(message, hint="A waiver file has one key, `waivers`.", pointer=f"/{key}")
    waivers: dict[str, Waiver] = {}
    for index, entry in enumerate(document["waivers"]):
        pointer = f"/waivers/{index}"
        waiver = _waiver(entry, pointer)
        if waiver.id in waivers:
            hint = "Give each waiver an id of its own."
            raise SpecError(f"two waivers are called `{waiver.id}`", hint=hint, pointer=f"{pointer}/id")
        waivers[waiver.id] = waiver
    return tuple(waivers.values())


def _waiver(entry: Json, pointer: str) -> Waiver:
    if not isinstance(entry, dict):
        hint = "Write `- id: ...` with `reason`, `owner` and `until`."
        raise SpecError("a waiver is not a mapping", hint=hint, pointer=pointer)
    for key in entry:
        if key not in _KNOWN:
            hint = did_you_mean(str(key), _KNOWN)
            raise SpecError(f"unknown field `{key}` in a waiver", hint=hint, pointer=f"{pointer}/{key}")
    called = f"waiver `{entry['id']}`" if isinstance(entry.get("id"), str) else "a waiver"
    for key, hint in _REQUIRED.items():
        if entry.get(key) in (None, ""):
            raise SpecError(f"{called} has no `{key}`", hint=hint, pointer=pointer)
    texts = {key: _text(entry[key], key, called, pointer) for key in _KNOWN if key in entry and key != "until"}
    if all(texts.get(key, "*") in ("*", "") for key in _SELECTORS):
        hint = f"Say which findings are meant with one of {', '.join(f'`{key}`' for key in _SELECTORS)}."
        raise SpecError(f"{called} accepts everything", hint=hint, pointer=pointer)
    mark = texts.get("fingerprint", "")
    if mark and not _FINGERPRINT.fullmatch(mark):
        hint = "Copy the 16 hex digits from a JSON or SARIF report."
        raise SpecError(f"{called} has a bad fingerprint `{mark}`", hint=hint, pointer=f"{pointer}/fingerprint")
    return Waiver(until=_day(entry["until"], called, pointer), **texts)


def _text(value: Json, key: str, called: str, pointer: str) -> str:
    if isinstance(value, str) and value.strip():
        return value.strip()
    hint = "Leave it out to select everything." if key in _SELECTORS else _REQUIRED[key]
    raise SpecError(f"`{key}` of {called} is not a text", hint=hint, pointer=f"{pointer}/{key}")


def _day(value: Json, called: str, pointer: str) -> date:
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass  # 30 February: the same advice helps
    elif type(value) is date:  # a YAML reader that makes dates
        return value
    message = f"`until` of {called} is no day: `{value}`"
    raise SpecError(message, hint="Write a day as `2026-12-31`.", pointer=f"{pointer}/until")
