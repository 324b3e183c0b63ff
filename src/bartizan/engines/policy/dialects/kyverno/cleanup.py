"""CleanupPolicy and ClusterCleanupPolicy, compiled: which objects one would delete, and when it runs.

Deletions are said, as changes without `after`; nothing is deleted here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import msgspec

from bartizan.base.cron import Cron, parse_cron
from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno.context import compile_context
from bartizan.engines.policy.dialects.kyverno.match import compile_filters, parse_kind
from bartizan.engines.policy.dialects.kyverno.preconditions import compile_any_all
from bartizan.engines.policy.dialects.kyverno.scope import Scope, images_loader
from bartizan.engines.policy.dialects.kyverno.spec import Filter, MatchSpec, is_of
from bartizan.engines.policy.dialects.kyverno.ttl import moment_of
from bartizan.engines.policy.dialects.kyverno.variables import UnresolvedError
from bartizan.engines.policy.document import Metadata, decode, object_at
from bartizan.model.change import Change
from bartizan.model.outcome import Broken, Passed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kyverno.match import KindSelector
    from bartizan.engines.policy.dialects.kyverno.scope import Loader
    from bartizan.engines.policy.dialects.kyverno.variables import Compiler
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.model.request import Request

KINDS: Final = frozenset({"CleanupPolicy", "ClusterCleanupPolicy"})
VERSIONS: Final = frozenset({"v2", "v2beta1", "v2alpha1"})
_TOP_FIELDS: Final = frozenset({"apiVersion", "kind", "metadata", "spec", "status"})
_REFUSED_CONTEXT: Final = ("configMap", "imageRegistry")


class CleanupSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """`spec` of a clean-up policy."""

    schedule: str
    match: MatchSpec
    exclude: MatchSpec | None = None
    context: list[dict[str, Any]] | None = None
    conditions: Any = None
    deletion_propagation_policy: Literal["Foreground", "Background", "Orphan"] | None = None


class ResourceSelector(NamedTuple):
    """Objects as the API names them, which is how policies in CEL do; `*` is any."""

    group: str
    version: str
    resource: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanupPolicy:
    """A clean-up policy of any dialect, compiled; `kind` is that of its document.

    `kinds` are all it names. Its runs are counted from `last_ran`, or from
    when it was `created`. `judge` says of an object whether it is to go:
    `Passed` with the deletion and the reason, `Broken` where that could not
    be found out, which deletes nothing, and `None` where it stays.
    """

    kind: str
    name: str
    namespace: str
    schedule: Cron
    propagation: str
    kinds: tuple[KindSelector | ResourceSelector, ...]
    wants_namespaces: bool
    created: datetime | None
    last_ran: datetime | None
    judge: Callable[[Request, Lookup], Passed | Broken | None]

    @property
    def full_name(self) -> str:
        """`namespace/name`, or the name alone for a policy of the whole cluster."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    def due(self, at: datetime) -> datetime | None:
        """When it runs next, or should have run already; `None` where its schedule is over.

        Counted from the last run, or from when the policy was made; for a
        policy that is in no cluster yet, from now on.
        """
        return self.schedule.next_after(self.last_ran or self.created or at)


def is_cleanup_policy(document: Json) -> bool:
    """Whether a document is of a kind compiled here."""
    return is_of(document, KINDS, VERSIONS)


def compile_cleanup(document: JsonObject, compiler: Compiler) -> CleanupPolicy:
    """Compile a clean-up policy.

    Raises:
        SpecError: something in it is malformed, or a cluster would not take it.
    """
    object_at(document, "", _TOP_FIELDS)
    metadata = decode(document.get("metadata") or {}, Metadata, "/metadata")
    if not metadata.name:
        raise SpecError("a policy needs a name", pointer="/metadata", hint="Write `metadata.name`.")
    spec = decode(document.get("spec") or {}, CleanupSpec, "/spec")
    namespace = (metadata.namespace or "default") if document.get("kind") == "CleanupPolicy" else ""
    judge = _judge(spec, namespace, compiler)
    kinds = tuple(parse_kind(text) for text in dict.fromkeys(_kinds(spec.match)))
    if not kinds:
        raise SpecError("a clean-up policy names no kind", pointer="/spec/match", hint="Write `kinds:` in a filter.")
    _refuse_users(spec)
    status = document.get("status")
    return CleanupPolicy(
        kind=str(document.get("kind")),
        name=metadata.name,
        namespace=namespace,
        schedule=_schedule(spec.schedule),
        propagation=spec.deletion_propagation_policy or "",
        kinds=kinds,
        wants_namespaces=any(item.resources and item.resources.namespace_selector for _, item in _filters(spec)),
        created=moment_of((document.get("metadata") or {}).get("creationTimestamp")),
        last_ran=moment_of(status.get("lastExecutionTime") if isinstance(status, dict) else None),
        judge=judge,
    )


def _schedule(text: str) -> Cron:
    try:
        return parse_cron(text)
    except SpecError as error:
        raise SpecError(error.message, hint=error.hint, pointer="/spec/schedule") from error


def _judge(
    spec: CleanupSpec, namespace: str, compiler: Compiler
) -> Callable[[Request, Lookup], Passed | Broken | None]:
    of_kind = compile_filters(_any_kind(spec.match), "/spec/match")
    matched = compile_filters(spec.match, "/spec/match")
    # Kyverno asks whether an object fails the block, and none fails a block without filters: it excludes all
    excludes_all = spec.exclude is not None and not spec.exclude.any and not spec.exclude.all
    excluded = compile_filters(spec.exclude, "/spec/exclude")
    loaders = _loaders(spec, compiler)
    conditions = compile_any_all(spec.conditions, compiler, "/spec/conditions")

    def judge(request: Request, lookup: Lookup) -> Passed | Broken | None:
        resource = request.resource
        if excludes_all or (namespace and resource.id.namespace != namespace) or of_kind(request) is None:
            return None
        where = matched(request)
        if where is None or excluded(request) is not None:
            return None
        because = f"it matches `{where}`"
        if spec.conditions is not None:
            names = {"target": resource.body, "request": {"namespace": resource.id.namespace}}
            try:
                if not conditions(Scope(names, request, lookup, loaders)).holds:
                    return None
            except UnresolvedError as error:
                return Broken(str(error))
            because += ", and the conditions hold"
        return Passed(because, (Change(resource.id, resource.body, None),))

    return judge


def _any_kind(block: MatchSpec) -> MatchSpec:
    """A block for the kinds alone: filters that name none hold for the objects of the others' kinds."""
    named = [item.resources.kinds for item in (*(block.any or ()), *(block.all or ())) if item.resources]
    resources = [msgspec.convert({"resources": {"kinds": kinds}}, Filter) for kinds in named if kinds]
    return MatchSpec(any=resources)


def _loaders(spec: CleanupSpec, compiler: Compiler) -> dict[str, Loader]:
    for index, entry in enumerate(spec.context or ()):
        for kind in _REFUSED_CONTEXT:
            if entry.get(kind) is not None:
                at = f"/spec/context/{index}/{kind}"
                hint = "Ask with an `apiCall`: a cluster refuses this kind of entry in a clean-up policy."
                raise SpecError(f"`{kind}` is not for clean-up policies", pointer=at, hint=hint)

    def query(text: str, value: Json) -> Json:
        return compiler(text)(value)

    return {"images": images_loader(None, query), **compile_context(spec.context, compiler, "/spec/context")}


def _kinds(block: MatchSpec) -> Iterator[str]:
    for item in (*(block.all or ()), *(block.any or ())):
        yield from (item.resources.kinds or ()) if item.resources else ()


def _filters(spec: CleanupSpec) -> Iterator[tuple[str, Filter]]:
    """Every filter, with its place."""
    for name, block in (("match", spec.match), ("exclude", spec.exclude)):
        for word, items in (("any", block.any), ("all", block.all)) if block else ():
            for index, item in enumerate(items or ()):
                yield f"/spec/{name}/{word}/{index}", item


def _refuse_users(spec: CleanupSpec) -> None:
    """Nobody asks for a clean-up, and a cluster refuses such a policy."""
    for at, item in _filters(spec):
        if item.roles or item.cluster_roles or item.subjects:
            raise SpecError("users in a clean-up policy", pointer=at, hint="Say it by kinds, names and labels.")
