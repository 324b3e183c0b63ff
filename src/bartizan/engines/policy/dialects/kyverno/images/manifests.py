"""`validate.manifests`, compiled: the resource must be as its signed manifest has it, and the right people have signed.

A trial run against a cluster is not made here; where a policy wants one and
the plain comparison finds a difference, the rule is broken and says so.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from bartizan.base import pointer, wildcard
from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno.images.attestors import World, demand_of, public_key, satisfy
from bartizan.engines.policy.dialects.kyverno.images.changes import annotations_of
from bartizan.engines.policy.dialects.kyverno.images.spec import read_manifests
from bartizan.engines.policy.dialects.kyverno.variables import UnresolvedError, compile_template
from bartizan.engines.policy.signatures.cosign import BUNDLE, CERTIFICATE, verify_layer
from bartizan.engines.policy.signatures.demand import Demand
from bartizan.engines.policy.signatures.keys import HASHES
from bartizan.engines.policy.signatures.manifest import (
    DOMAIN,
    candidates,
    differences,
    ignored_for,
    layers_of,
    manifests_in,
)
from bartizan.engines.policy.signatures.refusal import RefusedError, UndecidedError
from bartizan.lang.jmespath import JmesPathError
from bartizan.model.outcome import Broken, Failed, Outcome, Passed

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kyverno.images.spec import AttestorSpec, ManifestsSpec
    from bartizan.engines.policy.dialects.kyverno.validate import Judge, ScopeOf
    from bartizan.engines.policy.dialects.kyverno.variables import Compiler
    from bartizan.engines.policy.signatures.cosign import Layer
    from bartizan.engines.policy.signatures.manifest import Difference
    from bartizan.model.request import Request
    from bartizan.model.resource import ResourceId

_MAX_SHOWN = 3


class _DiffersError(RefusedError):
    """The resource is not as it was signed."""

    def __init__(self, found: list[Difference]) -> None:
        more = f" (and {len(found) - _MAX_SHOWN} more)" if len(found) > _MAX_SHOWN else ""
        super().__init__("; ".join(str(one) for one in found[:_MAX_SHOWN]) + more)
        self.field = found[0].field


class _Tools(NamedTuple):
    """What comes with the compiler: a reader of YAML, and the time."""

    parse: Callable[[str], Json]
    now: Callable[[], datetime]


def manifests_judge(document: JsonObject, compiler: Compiler, at: str) -> Judge:
    """Compile `manifests`.

    Raises:
        SpecError: it is malformed.
    """
    template = compile_template(document, compiler, at=at)
    known = read_manifests(template.value, at) if template.render is None else None
    tools = _tools(compiler)

    def judge(request: Request, scope: ScopeOf) -> Outcome | None:
        if request.operation == "DELETE":
            return None
        if request.dry_run:
            return Passed("a dry run changes nothing")
        try:
            spec = known or read_manifests(template(scope()), at)
            return Passed(_verify(spec, request, World(scope().lookup, tools.now()), tools))
        except SpecError as error:
            raise UnresolvedError(f"malformed once its variables were filled in: {error.message}") from error
        except _DiffersError as error:
            return Failed(f"the resource is not as it was signed: {error}", _pointer(request, error.field))
        except RefusedError as error:
            return Failed(f"the manifest is not verified: {error}", "/metadata/annotations")
        except (UndecidedError, JmesPathError) as error:
            return Broken(f"the manifest could not be verified: {error}")

    return judge


def _tools(compiler: Compiler) -> _Tools:
    parse, clock = compiler("parse_yaml(@)"), compiler("time_now_utc()")

    def read(text: str) -> Json:
        try:
            return parse(text)
        except JmesPathError as error:
            raise ValueError(str(error)) from error

    def now() -> datetime:
        at = datetime.fromisoformat(str(clock({})))
        return at if at.tzinfo else at.replace(tzinfo=UTC)

    return _Tools(read, now)


def _verify(spec: ManifestsSpec, request: Request, world: World, tools: _Tools) -> str:
    """Compare the resource with its signed manifest, then count who signed.

    Raises:
        RefusedError: it differs, or too few have signed.
        UndecidedError: something cannot be had.
    """
    if spec.repository:
        raise UndecidedError(f"manifests are not fetched from images: `{spec.repository}`")
    body = request.resource.body
    domain = spec.annotation_domain or DOMAIN
    annotations = {key: value for key, value in annotations_of(body).items() if isinstance(value, str)}
    layers = layers_of(annotations, domain)
    _compare(spec, request, manifests_in(layers[0].payload, tools.parse), domain)

    def signed(attestor: AttestorSpec, _place: str) -> str:
        for name, wanted in (attestor.annotations or {}).items():
            if annotations.get(name) != wanted:
                raise RefusedError(f"annotation `{name}` is `{annotations.get(name, '')}`, not `{wanted}`")
        if attestor.repository:
            raise UndecidedError(f"manifests are not fetched from images: `{attestor.repository}`")
        return _signed_by(attestor, layers, world)

    for index, one in enumerate(spec.attestors):
        satisfy(one, f"attestors[{index}]", signed)
    return "the resource is as it was signed"


def _compare(spec: ManifestsSpec, request: Request, manifests: list[JsonObject], domain: str) -> None:
    body, rid = request.resource.body, request.resource.id
    ignored = ignored_for(rid.kind, domain)
    for entry in spec.ignore_fields:
        if not entry.objects or any(_is_meant(one, rid) for one in entry.objects):
            ignored += entry.fields
    found = [differences(one, body, ignored) for one in candidates(manifests, body)]
    if not found:
        raise RefusedError(f"no manifest of a {rid.kind} was signed")
    if all(found):
        if spec.dry_run.enable:
            raise UndecidedError(
                f"{_DiffersError(found[0])}, and no cluster is asked what it would make of the manifest"
            )
        raise _DiffersError(found[0])


def _is_meant(wanted: dict[str, str], rid: ResourceId) -> bool:
    """Whether an object is one of those that ignored fields are given for."""
    known = {"group": rid.group, "version": rid.version, "kind": rid.kind, "name": rid.name, "namespace": rid.namespace}
    return all(not text or wildcard.match(text.strip(), known.get(name, "")) for name, text in wanted.items())


def _signed_by(attestor: AttestorSpec, layers: list[Layer], world: World) -> str:
    """Check that an attestor made one of the signatures."""
    reasons: list[str] = []
    for layer in layers:
        try:
            verify_layer(layer, _demand(attestor, layer, world))
        except RefusedError as error:
            reasons.append(str(error))
        else:
            return "signed"
    raise RefusedError("; ".join(dict.fromkeys(reasons)))


def _demand(attestor: AttestorSpec, layer: Layer, world: World) -> Demand:
    """What is demanded of one signature: a log's entry only where it came with one or with a certificate."""
    if attestor.keys is not None:
        algorithm = attestor.keys.signature_algorithm or attestor.signature_algorithm
        return Demand(now=world.now, key=public_key(attestor.keys, world), algorithm=HASHES[algorithm])
    if attestor.certificates is not None and not {CERTIFICATE, BUNDLE} & layer.annotations.keys():
        from bartizan.engines.policy.dialects.kyverno.images.spec import RekorSpec

        spec = msgspec.structs.replace(attestor.certificates, rekor=RekorSpec(ignore_tlog=True))
        attestor = msgspec.structs.replace(attestor, certificates=spec)
    return demand_of(attestor, {}, world)


def _pointer(request: Request, field: str) -> str:
    """The place of a field by its dotted path, whose keys may have dots in them; else its nearest parent."""
    value: Json = request.resource.body
    steps: list[str | int] = []
    rest = field
    while rest:
        if isinstance(value, list):
            head, _, rest = rest.partition(".")
            if not head.isdecimal() or int(head) >= len(value):
                break
            value = value[int(head)]
            steps.append(int(head))
            continue
        keys = value if isinstance(value, dict) else {}
        key = max((one for one in keys if rest == one or rest.startswith(f"{one}.")), key=len, default=None)
        if key is None:
            break
        value, rest = keys[key], rest[len(key) + 1 :]
        steps.append(key)
    return pointer.join(steps)
