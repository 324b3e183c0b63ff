"""`resource`: objects of the API server, read and posted.

A policy of a namespace has signatures without one: it reads and posts only
in its own. Source: the peer's `libs/resource`, and its dynamic client for
what is refused before the server is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import quote

from bartizan.engines.policy.dialects.kyverno.library.values import to_object, to_texts
from bartizan.engines.policy.dialects.kyverno.library.world import failed
from bartizan.engines.policy.lookup import ApiQuestion, KindQuestion, LookupFailedError
from bartizan.lang.cel import CelError, Overload
from bartizan.lang.cel.types import DYN, STRING, Type, map_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.base.json import Json
    from bartizan.engines.policy.dialects.kyverno.library.world import World

CONTEXT: Final = Type("resource.Context")
GVR: Final = Type("schema.GroupVersionResource")
_OBJECT: Final = map_of(STRING, DYN)
_TEXTS: Final = map_of(STRING, STRING)
_GET, _LIST, _POST = "failed to get resource", "failed to list resource", "failed to create resource"


@dataclass(frozen=True, slots=True)
class ResourceContext:
    """The value of `resource`."""

    world: World
    type_name: ClassVar[str] = CONTEXT.name


@dataclass(frozen=True, slots=True)
class Gvr:
    """What `resource.toGVR` gives: how the API calls the objects of a kind."""

    group: str
    version: str
    resource: str
    type_name: ClassVar[str] = GVR.name

    @property
    def api_version(self) -> str:
        """Group and version as a manifest has them."""
        return f"{self.group}/{self.version}" if self.group else self.version


def _get(context: ResourceContext, api_version: str, resource: str, namespace: str, name: str) -> Json:
    """An object; null where there is none."""
    path = _path(_GET, api_version, resource, namespace, name)
    try:
        return context.world.lookup.answer(ApiQuestion(path))
    except LookupFailedError as error:
        if error.status == 404:
            return None
        raise failed(_GET, error) from error


def _list(
    context: ResourceContext, api_version: str, resource: str, namespace: str, labels: dict[Any, Any] | None = None
) -> Json:
    """A list of objects, whole: `items` beside what the server says of the list."""
    texts = to_texts(labels or {}, 3 if context.world.namespace else 4)
    wanted = ",".join(f"{key}={value}" for key, value in sorted(texts.items()))
    path = _path(_LIST, api_version, resource, namespace)
    return _typed(context.world.answer(ApiQuestion(f"{path}?labelSelector={quote(wanted)}" if wanted else path), _LIST))


def _typed(found: Json) -> Json:
    """A list whose items say what they are, which a server leaves to the list to say."""
    if not isinstance(found, dict) or not isinstance(found.get("items"), list):
        return found
    kind = str(found.get("kind") or "").removesuffix("List")
    if not kind:
        return found
    own = {"apiVersion": found.get("apiVersion"), "kind": kind}
    items = [{**own, **item} if isinstance(item, dict) and not item.get("kind") else item for item in found["items"]]
    return {**found, "items": items}


def _post(context: ResourceContext, api_version: str, resource: str, namespace: str, data: dict[Any, Any]) -> Json:
    """What the server makes of an object, such as a SubjectAccessReview; nothing is kept of it."""
    body = to_object(data, 3 if context.world.namespace else 4)
    path = _path(_POST, api_version, resource, namespace)
    import orjson  # late: few policies post

    return context.world.answer(ApiQuestion(path, "POST", orjson.dumps(body).decode()), _POST)


def _to_gvr(context: ResourceContext, api_version: str, kind: str) -> Gvr:
    what = "failed to map kind to resource"
    _group_version(what, api_version)
    found = context.world.answer(KindQuestion(api_version, kind), what)
    return Gvr(str(found["group"]), str(found["version"]), str(found["resource"]))


def _group_version(what: str, api_version: str) -> tuple[str, str]:
    if api_version.count("/") > 1:
        raise CelError(f"{what}: unexpected GroupVersion string: {api_version[:200]}")
    group, _, version = api_version.rpartition("/")
    return group, version


def _path(what: str, api_version: str, resource: str, namespace: str, name: str | None = None) -> str:
    """Where the API has a resource. Every part is one step of the path, so that no name leads elsewhere.

    A subresource is written `resource/sub`; it comes behind the name, or
    behind the resource where there is none.
    """
    group, version = _group_version(what, api_version)
    plural, *below = resource.split("/")
    if name == "":
        raise CelError(f"{what}: name is required")
    for words, part in (("namespace", namespace), ("resource name", name or "")):
        reason = _wrong(part)
        if reason:
            raise CelError(f'{what}: invalid {words} "{part[:200]}": [{reason}]')
    for part in (group, version, plural, *below):
        if _wrong(part):
            raise CelError(f"{what}: the server could not find the requested resource")
    steps = ["apis", group] if group else ["api"]
    steps += [version, *(["namespaces", namespace] if namespace else []), plural, *([name] if name else []), *below]
    return "/" + "/".join(quote(step, safe="") for step in steps)


def _wrong(part: str) -> str:
    """Why a text is no step of a path; empty where it is one."""
    if part in (".", ".."):
        return f"may not be '{part}'"
    return " ".join(f"may not contain '{letter}'" for letter in "/%" if letter in part)


def _by_gvr(function: Callable[..., Json]) -> Callable[..., Json]:
    def call(context: ResourceContext, gvr: Gvr, *rest: Any) -> Json:
        return function(context, gvr.api_version, gvr.resource, *rest)

    return call


def _own(function: Callable[..., Json]) -> Callable[..., Json]:
    """As for the whole cluster, in the policy's own namespace."""

    def call(context: ResourceContext, api_version: str, resource: str, *rest: Any) -> Json:
        return function(context, api_version, resource, context.world.namespace, *rest)

    return call


def _member(*parameters: Type, gives: Type, by: Callable[..., Any]) -> Overload:
    return Overload((CONTEXT, *parameters), gives, by, member=True)


def _both_cases(table: Mapping[str, tuple[Overload, ...]]) -> dict[str, tuple[Overload, ...]]:
    """Names as they were first, and as they are since version 1.18."""
    return {**{name[0].upper() + name[1:]: overloads for name, overloads in table.items()}, **table}


_TO_GVR: Final = (_member(STRING, STRING, gives=GVR, by=_to_gvr),)

FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = _both_cases(
    {
        "get": (
            _member(STRING, STRING, STRING, STRING, gives=_OBJECT, by=_get),
            _member(GVR, STRING, STRING, gives=_OBJECT, by=_by_gvr(_get)),
        ),
        "list": (
            _member(STRING, STRING, STRING, gives=_OBJECT, by=_list),
            _member(STRING, STRING, STRING, _TEXTS, gives=_OBJECT, by=_list),
            _member(GVR, STRING, gives=_OBJECT, by=_by_gvr(_list)),
            _member(GVR, STRING, _TEXTS, gives=_OBJECT, by=_by_gvr(_list)),
        ),
        "post": (
            _member(STRING, STRING, STRING, _OBJECT, gives=_OBJECT, by=_post),
            _member(
                STRING,
                STRING,
                _OBJECT,
                gives=_OBJECT,
                by=lambda held, api, name, body: _post(held, api, name, "", body),
            ),
        ),
        "toGVR": _TO_GVR,
    }
)
"""As a policy of the whole cluster has them."""

NAMESPACED: Final[Mapping[str, tuple[Overload, ...]]] = _both_cases(
    {
        "get": (
            _member(STRING, STRING, STRING, gives=_OBJECT, by=_own(_get)),
            _member(GVR, STRING, gives=_OBJECT, by=_by_gvr(_own(_get))),
        ),
        "list": (
            _member(STRING, STRING, gives=_OBJECT, by=_own(_list)),
            _member(STRING, STRING, _TEXTS, gives=_OBJECT, by=_own(_list)),
            _member(GVR, gives=_OBJECT, by=_by_gvr(_own(_list))),
            _member(GVR, _TEXTS, gives=_OBJECT, by=_by_gvr(_own(_list))),
        ),
        "post": (_member(STRING, STRING, _OBJECT, gives=_OBJECT, by=_own(_post)),),
        "toGVR": _TO_GVR,
    }
)
"""As a policy of a namespace has them."""
