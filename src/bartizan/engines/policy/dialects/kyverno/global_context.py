"""GlobalContextEntry: what a cluster keeps at hand for all policies, read into the question that fetches it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from bartizan.base.duration import parse_duration
from bartizan.base.errors import SpecError
from bartizan.base.json import to_text
from bartizan.engines.policy.dialects.kyverno.spec import is_of
from bartizan.engines.policy.document import Metadata, decode, object_at
from bartizan.engines.policy.lookup import ApiQuestion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kyverno.variables import Compiler

KIND: Final = "GlobalContextEntry"
VERSIONS: Final = frozenset({"v2", "v2beta1", "v2alpha1"})
_TOP_FIELDS: Final = frozenset({"apiVersion", "kind", "metadata", "spec", "status"})
_CORE: Final = "v1"


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Fields in camel case; an unknown one is an error."""


class KeptResource(Record, frozen=True):
    """Every object of a resource, in one namespace or in all."""

    version: str
    resource: str
    group: str = ""
    namespace: str = ""


class Pair(Record, frozen=True):
    """A field of the body that a call sends."""

    key: str
    value: Any


class KeptCall(Record, frozen=True):
    """The answer to a call, asked anew at every interval; a run here is shorter than any."""

    url_path: str = ""
    method: Literal["GET", "POST"] = "GET"
    data: list[Pair] | None = None
    service: dict[str, Any] | None = None
    refresh_interval: str = "10m"
    retry_limit: int = 3


class ProjectionSpec(Record, frozen=True):
    """A part of what is kept, under a name."""

    name: str
    jmes_path: str


class EntrySpec(Record, frozen=True):
    """`spec` of an entry; one of the two ways is set."""

    kubernetes_resource: KeptResource | None = None
    api_call: KeptCall | None = None
    projections: list[ProjectionSpec] | None = None


@dataclass(frozen=True, slots=True)
class GlobalEntry:
    """An entry, compiled: what to ask, whether the answer is a list of objects, and the projections of it."""

    name: str
    question: ApiQuestion
    keeps_objects: bool
    projections: Mapping[str, Callable[[Json], Json]]


def is_global_entry(document: Json) -> bool:
    """Whether a document is of the kind compiled here."""
    return is_of(document, (KIND,), VERSIONS)


def compile_entry(document: JsonObject, compiler: Compiler) -> GlobalEntry:
    """Compile an entry.

    Raises:
        SpecError: something in it is malformed, or a cluster would not take it.
    """
    object_at(document, "", _TOP_FIELDS)
    name = decode(document.get("metadata") or {}, Metadata, "/metadata").name
    if not name:
        raise SpecError("an entry needs a name", pointer="/metadata", hint="Write `metadata.name`.")
    spec = decode(document.get("spec") or {}, EntrySpec, "/spec")
    kept, call = spec.kubernetes_resource, spec.api_call
    if (kept is None) == (call is None):
        hint = "Write `kubernetesResource:` or `apiCall:`."
        raise SpecError("an entry keeps either a resource or a call", pointer="/spec", hint=hint)
    question = _of_resource(kept) if kept else _of_call(call or KeptCall())
    return GlobalEntry(name, question, kept is not None, _projections(spec, name, compiler))


def _of_resource(kept: KeptResource) -> ApiQuestion:
    at = "/spec/kubernetesResource"
    for field, value in (("version", kept.version), ("resource", kept.resource)):
        if not value:
            raise SpecError(f"`{field}` is empty", pointer=f"{at}/{field}", hint="Write as the API names it.")
    if not kept.group and kept.version != _CORE:
        raise SpecError("only `v1` has no group", pointer=f"{at}/version", hint="Write `group:` beside it.")
    root = f"/apis/{kept.group}/{kept.version}" if kept.group else f"/api/{kept.version}"
    within = f"/namespaces/{kept.namespace}" if kept.namespace else ""
    return ApiQuestion(f"{root}{within}/{kept.resource}")


def _of_call(call: KeptCall) -> ApiQuestion:
    at = "/spec/apiCall"
    if (call.service is None) == (not call.url_path):
        raise SpecError("a call needs one address", pointer=at, hint="Write either `urlPath:` or `service:`.")
    if call.data and call.method != "POST":
        raise SpecError("`data` is sent by POST alone", pointer=f"{at}/data", hint="Write `method: POST`.")
    interval = parse_duration(call.refresh_interval)
    if not interval or interval < 0:
        hint = "Write a duration above zero, such as `10m`."
        raise SpecError(f"`{call.refresh_interval}` is no interval", pointer=f"{at}/refreshInterval", hint=hint)
    if call.retry_limit < 1:
        raise SpecError("a call is tried at least once", pointer=f"{at}/retryLimit", hint="Write 1 or more.")
    url = call.url_path or str((call.service or {}).get("url") or "")
    if not url:
        raise SpecError("a service needs its `url`", pointer=f"{at}/service", hint="Write `url:` below it.")
    body = {pair.key: pair.value for pair in call.data or ()}
    return ApiQuestion(url, call.method, to_text(body) if body else "")


def _projections(spec: EntrySpec, entry: str, compiler: Compiler) -> dict[str, Callable[[Json], Json]]:
    compiled: dict[str, Callable[[Json], Json]] = {}
    for index, item in enumerate(spec.projections or ()):
        at = f"/spec/projections/{index}"
        if not item.name or item.name == entry:
            hint = "Give it a name of its own; a policy reads it as `entry.projection`."
            raise SpecError("a projection needs another name than its entry", pointer=f"{at}/name", hint=hint)
        try:
            compiled[item.name] = compiler(item.jmes_path)
        except SpecError as error:
            raise SpecError(error.message, hint=error.hint, pointer=f"{at}/jmesPath") from error
    return compiled
