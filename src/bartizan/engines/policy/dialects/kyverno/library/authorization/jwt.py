"""`jwt.Decode` and `jwks.Fetch`: the claims of a signed token, and the keys that a service publishes.

A token that is not signed by the key is an error; one that is signed, but
has expired or is not valid yet, is a token whose `Valid` is false.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from bartizan.engines.policy.dialects.kyverno.library.authorization.messages import Schema
from bartizan.engines.policy.dialects.kyverno.library.values import doubles
from bartizan.engines.policy.dialects.kyverno.library.world import WORLD
from bartizan.engines.policy.lookup import HttpQuestion
from bartizan.lang.cel import CelError, Overload
from bartizan.lang.cel.types import STRING, Type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kyverno.library.authorization.messages import Message
    from bartizan.engines.policy.dialects.kyverno.library.authorization.tokens import KeySet
    from bartizan.engines.policy.dialects.kyverno.library.world import World

TOKEN: Final = Type("jwt.Token")
KEYS: Final = Type("jwk.Set")
SCHEMA: Final = Schema({TOKEN.name: {"Claims": "google.protobuf.Struct", "Valid": "bool"}}, folds=True)
_TIMES: Final = ("exp", "nbf", "iat")
_TEXTS: Final = ("iss", "sub", "jti")
_SECONDS: Final = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]*)?")
_LATEST: Final = 2**53
_OK: Final = 200


def _decode(world: World, token: str, key: str | KeySet) -> Message:
    from bartizan.engines.policy.dialects.kyverno.library.authorization import tokens  # late: it brings cryptography
    from bartizan.engines.policy.signatures.refusal import RefusedError

    try:
        keys = _secret(key) if isinstance(key, str) else key
        claims = tokens.verified_claims(token, keys)
    except RefusedError as error:
        raise CelError(f"failed to parse token: {error}") from error
    known = _known(claims)
    valid = _is_valid(known, world.ambient.now().timestamp())
    return SCHEMA.kinds[TOKEN.name]({"Claims": known} | ({"Valid": True} if valid else {}))


@lru_cache(maxsize=16)
def _secret(text: str) -> Any:
    from bartizan.engines.policy.dialects.kyverno.library.authorization.tokens import secret_key

    return secret_key(text)


def _known(claims: JsonObject) -> JsonObject:
    """Claims as expressions see them: numbers are doubles, moments are whole seconds."""
    known: JsonObject = {}
    for name, value in claims.items():
        if value is None and name in (*_TIMES, *_TEXTS, "aud"):
            continue
        if name in _TIMES:
            known[name] = float(_moment(name, value))
        elif name == "aud":
            known[name] = _audience(value)
        elif name in _TEXTS and not isinstance(value, str):
            raise CelError(f"failed to parse token: claim `{name}` is no text")
        else:
            known[name] = doubles(value)
    return known


def _moment(name: str, value: Json) -> int:
    """Seconds since 1970, of a number or its text; a text may be a moment too."""
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LATEST:
        return int(value)
    if isinstance(value, str):
        if _SECONDS.fullmatch(value):
            return int(value.partition(".")[0])
        from bartizan.lang.cel.library.times import parse_timestamp

        try:
            return parse_timestamp(value).nanoseconds // 10**9
        except CelError as error:
            raise CelError(f"failed to parse token: claim `{name}` is no moment") from error
    raise CelError(f"failed to parse token: claim `{name}` is no moment")


def _audience(value: Json) -> Json:
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list) or not all(isinstance(item, str) for item in given):
        raise CelError("failed to parse token: claim `aud` is neither a text nor a list of texts")
    return given


def _is_valid(claims: JsonObject, now: float) -> bool:
    """Whether a token has begun and not ended, in whole seconds."""
    second = int(now // 1)
    begun = all(second >= claims[name] for name in ("iat", "nbf") if name in claims)
    return begun and ("exp" not in claims or second < claims["exp"])


def _fetch(world: World, url: str) -> KeySet:
    answer = world.answer(HttpQuestion(url, "GET", (), "", "", world.namespace), "failed to fetch the key set")
    status = answer.get("statusCode") if isinstance(answer, dict) else None
    if status != _OK:
        raise CelError(f"failed to fetch the key set: request returned status {status}, expected 200")
    from bartizan.engines.policy.dialects.kyverno.library.authorization.tokens import read_key_set
    from bartizan.engines.policy.signatures.decoding import decode_json
    from bartizan.engines.policy.signatures.refusal import RefusedError

    # what came is the answer itself, or is held by it
    held = answer["body"] if isinstance(answer, dict) and "body" in answer and "keys" not in answer else answer
    try:
        return read_key_set(decode_json(held, "the key set") if isinstance(held, str) else held)
    except RefusedError as error:
        raise CelError(f"failed to fetch the key set: {error}") from error


FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "jwt.Decode": (
        Overload((STRING, STRING), TOKEN, _decode, ambient=WORLD),
        Overload((STRING, KEYS), TOKEN, _decode, ambient=WORLD),
    ),
    "jwks.Fetch": (Overload((STRING,), KEYS, _fetch, ambient=WORLD),),
}
