"""`http`: calls of services.

Nothing is called here: a call is a question, and the world decides whether
it may be asked at all, and of whom.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Final

from bartizan.engines.policy.dialects.kyverno.library.values import to_json, to_texts
from bartizan.engines.policy.lookup import HttpQuestion
from bartizan.lang.cel import CelError, Overload
from bartizan.lang.cel.types import DYN, STRING, Type, map_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bartizan.base.json import Json
    from bartizan.engines.policy.dialects.kyverno.library.world import World

CONTEXT: Final = Type("http.Context")
_TEXTS: Final = map_of(STRING, STRING)
_FAILED: Final = "request failed"
_MAX_BUNDLE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class HttpContext:
    """The value of `http`, and of `http.client(…)`, which believes only the authorities it names."""

    world: World
    ca_bundle: str = ""
    type_name: ClassVar[str] = CONTEXT.name


def _get(context: HttpContext, url: str, headers: dict[Any, Any] | None = None) -> Json:
    question = HttpQuestion(url, "GET", _headers(headers, 2), "", context.ca_bundle, context.world.namespace)
    return context.world.answer(question, _FAILED)


def _post(context: HttpContext, url: str, data: Any, headers: dict[Any, Any] | None = None) -> Json:
    try:
        body = to_json(data)
    except CelError as error:
        raise CelError(f"invalid arg 2: {error}") from error
    import orjson  # late: few policies post

    text = orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode()
    question = HttpQuestion(url, "POST", _headers(headers, 3), text, context.ca_bundle, context.world.namespace)
    return context.world.answer(question, _FAILED)


def _headers(given: dict[Any, Any] | None, place: int) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(to_texts(given or {}, place).items()))


def _client(context: HttpContext, ca_bundle: str) -> HttpContext:
    if not ca_bundle:
        return context
    if not _has_certificate(ca_bundle):
        raise CelError(f"{_FAILED}: failed to parse PEM CA bundle for APICall")
    return replace(context, ca_bundle=ca_bundle)


def _has_certificate(bundle: str) -> bool:
    if len(bundle) > _MAX_BUNDLE or not bundle.isascii():
        return False
    from cryptography.x509 import load_pem_x509_certificates  # late: few policies name authorities

    try:
        return bool(load_pem_x509_certificates(bundle.encode()))
    except ValueError:
        return False


def _member(*parameters: Type, gives: Type = DYN, by: Any) -> Overload:
    return Overload((CONTEXT, *parameters), gives, by, member=True)


_NAMES: Final = {
    "get": (_member(STRING, by=_get), _member(STRING, _TEXTS, by=_get)),
    "post": (_member(STRING, DYN, by=_post), _member(STRING, DYN, _TEXTS, by=_post)),
    "client": (_member(STRING, gives=CONTEXT, by=_client),),
}

FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    **_NAMES,
    **{name.capitalize(): overloads for name, overloads in _NAMES.items()},
}
