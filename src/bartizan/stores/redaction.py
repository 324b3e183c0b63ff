"""Objects without their secrets: what is to stay secret is a keyed digest before it reaches a database.

A digest tells whether a value changed and whether two are the same, and
nothing else; without the key nobody can try out passwords on it. What a
secret looks like is a guess for all but Secrets, so it guesses broadly:
by the name that a value has, by the shape of known tokens, and in text by
`password=…`. A name of a variable (`$(TOKEN)`) tells nothing and stays.
"""

from __future__ import annotations

import json
from base64 import b64decode
from binascii import Error as Base64Error
from contextlib import suppress
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson
import re2

from bartizan.base.json import to_text
from bartizan.stores.storable import storable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bartizan.base.json import Json, JsonObject

MARK: Final = "redacted:"
"""How a digest begins, where a value was."""

_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_NAMES: Final = (
    r"(?:passw(?:or)?d|passphrase|pwd|secret|token|credentials?|bearer|dsn"
    r"|(?:api|access|private|secret|signing|encryption|auth|master)[_.-]?key)"
)
_SHAPES: Final = (
    r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"  # a JSON web token
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}|\bglpat-[A-Za-z0-9_-]{16,}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[A-Za-z0-9_-]{30,}|\bxox[abeprs]-[A-Za-z0-9-]{8,}"
    r"|\bsk_live_[A-Za-z0-9]{16,}|\bsk-[A-Za-z0-9_-]{32,}|\bnpm_[A-Za-z0-9]{30,}|\bhvs\.[A-Za-z0-9_-]{20,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
    r"|(?i:\bbearer )[A-Za-z0-9._~+/-]{12,}=*"
)
_IN_URL: Final = r"(?P<login>[a-z][a-z0-9+.-]*://[^/\s:@\"']*:)(?P<secret>[^/\s@\"'$][^/\s@\"']*)@"
_SAID: Final = rf"(?P<name>(?i:{_NAMES})\\?[\"']?\s*[:=]\s*\\?[\"']?)(?P<value>[^\s\"'\\,;&}}$][^\s\"'\\,;&}}]*)"

_NAME: Final = re2.compile(rf"(?i){_NAMES}$")
_SHAPE: Final = re2.compile(_SHAPES)
_URL: Final = re2.compile(_IN_URL)
_SAYING: Final = re2.compile(_SAID)
_SUSPECT: Final = re2.compile(
    rf"(?i:{_NAMES})(?:\\*[\"']?\s*[:=]\s*\\*[\"']?[^\s\"'\\,;&}}$\[{{]|\"[,}}])|{_SHAPES}|://[^/\s:@\"']*:[^/\s@\"']+@".encode()
)
"""Whether a written object can hold any of it: most do not, and are neither walked nor copied."""
_PART: Final = re2.compile(rf"(?i:{_NAMES})\\?[\"']?\s*[:=]|{_SHAPES}|://")
"""Whether a text can."""
_SHORTEST: Final = 5  # `dsn=x`
_HARMLESS: Final = b'automountServiceAccountToken":'
"""In every other workload, and never more than true or false."""
_REFERENCES: Final = ("$(", "${", "{{")


class Redacted(NamedTuple):
    """An object as it may be kept, as JSON, and the words that must be in nothing said of it."""

    text: bytes
    hidden: tuple[str, ...]


def redact(body: JsonObject, key: bytes) -> Redacted:
    """Write an object without its secrets. The object itself is not changed."""
    body = _without_last_applied(body)
    hidden: list[str] = []
    if body.get("kind") in ("Secret", "SecretList"):
        return Redacted(_written(_secret(body, key, hidden)), tuple(hidden))
    text = _written(body)
    if _SUSPECT.search(text.replace(_HARMLESS, b"")) is None and b'"Secret"' not in text:
        return Redacted(text, ())
    return Redacted(_written(_walked(body, key, hidden)), tuple(hidden))


def redact_text(words: str, key: bytes, hidden: Iterable[str] = ()) -> str:
    """Take secrets out of what was said of an object: those it holds, and whatever looks like one."""
    for secret in hidden:
        if secret in words:
            words = words.replace(secret, _digest(secret, key))
    return _in_text(words, key, []) if words else words


def _without_last_applied(body: JsonObject) -> JsonObject:
    """The annotation is the object once more, within a string: a reader misses nothing."""
    metadata = body.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if not isinstance(annotations, dict) or _LAST_APPLIED not in annotations:
        return body
    kept = {name: value for name, value in annotations.items() if name != _LAST_APPLIED}
    return {**body, "metadata": {**metadata, "annotations": kept}}  # type: ignore[dict-item]  # a dict, as seen above


def _secret(body: JsonObject, key: bytes, hidden: list[str]) -> JsonObject:
    safe = {name: _walked(value, key, hidden) for name, value in body.items() if name not in ("data", "stringData")}
    for field in ("data", "stringData"):
        if field in body:
            safe[field] = _all_hidden(body[field], key, hidden, encoded=field == "data")
    return safe


def _all_hidden(value: Json, key: bytes, hidden: list[str], *, encoded: bool) -> Json:
    if isinstance(value, dict):
        return {name: _all_hidden(item, key, hidden, encoded=encoded) for name, item in value.items()}
    if isinstance(value, list):
        return [_all_hidden(item, key, hidden, encoded=encoded) for item in value]
    if value is None:
        return None
    words = value if isinstance(value, str) else to_text(value)
    return _hide(words, key, hidden, encoded=encoded)


def _walked(value: Json, key: bytes, hidden: list[str]) -> Json:
    if isinstance(value, str):
        return _in_text(value, key, hidden)
    if isinstance(value, list):
        return [_walked(item, key, hidden) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("kind") == "Secret" and ("data" in value or "stringData" in value):
        return _secret(value, key, hidden)  # within a List, a template or a chart
    named = value.get("name")
    if isinstance(named, str) and isinstance(value.get("value"), str) and _is_secret(named):
        value = {**value, "value": _unless_reference(value["value"], key, hidden)}
    return {
        name: _unless_reference(item, key, hidden)
        if isinstance(item, str) and isinstance(name, str) and _is_secret(name)
        else _walked(item, key, hidden)
        for name, item in value.items()
    }


@lru_cache(maxsize=4096)  # the same few names everywhere
def _is_secret(name: str) -> bool:
    return _NAME.search(storable(name)) is not None


def _unless_reference(words: str, key: bytes, hidden: list[str]) -> str:
    if not words or words.startswith((*_REFERENCES, MARK)):
        return words
    return _hide(words, key, hidden)


def _in_text(words: str, key: bytes, hidden: list[str]) -> str:
    if not words.isascii():
        words = storable(words)  # RE2 reads UTF-8, and half of a surrogate pair is none
    if len(words) < _SHORTEST or _PART.search(words) is None:
        return words
    words = _SHAPE.sub(lambda match: _hide(match.group(0), key, hidden), words)
    if "://" in words:
        words = _URL.sub(lambda found: f"{found.group('login')}{_hide(found.group('secret'), key, hidden)}@", words)
    return str(_SAYING.sub(lambda found: _value_hidden(found, key, hidden), words))


def _value_hidden(found: Any, key: bytes, hidden: list[str]) -> str:
    value = found.group("value")
    return (
        str(found.group(0))
        if value.startswith((*_REFERENCES, MARK))
        else found.group("name") + _hide(value, key, hidden)
    )


def _hide(words: str, key: bytes, hidden: list[str], *, encoded: bool = False) -> str:
    if words.startswith(MARK) or not words:
        return words
    hidden.append(words)
    if encoded:
        with suppress(Base64Error, ValueError):  # no text: it can be said only as it is written
            hidden.append(b64decode(words, validate=True).decode())
    return _digest(words, key)


def _digest(words: str, key: bytes) -> str:
    return MARK + blake2b(words.encode("utf-8", "surrogatepass"), key=key[:64], digest_size=8).hexdigest()


def _written(body: Json) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError:  # an integer beyond 64 bits, a key that is no text, half of a surrogate pair
        return json.dumps(body, separators=(",", ":"), default=str).encode()
