"""Signed manifests: the YAML that somebody signed, carried in an object's annotations, compared with the object.

Source: the annotations of sigstore's `k8s-manifest-sigstore`. The message is
base64 of gzip of YAML, or of a gzipped tar archive with YAML files; the
signatures are over what the outer gzip holds.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.base.json import to_text
from bartizan.engines.policy.signatures.cosign import BUNDLE, CERTIFICATE, SIGNATURE, Layer
from bartizan.engines.policy.signatures.decoding import MAX_BYTES, decode_base64
from bartizan.engines.policy.signatures.refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bartizan.base.json import Json, JsonObject

DOMAIN: Final = "cosign.sigstore.dev"
_NAMES: Final = ("message", "signature", "certificate", "bundle", "resourceBundleRef")
_GZIP: Final = b"\x1f\x8b"
_BLOCK: Final = 512
_MAX_SIGNATURES: Final = 20
_MAX_CANDIDATES: Final = 3
_MAX_FIELDS: Final = 200_000
_DIVIDER: Final = re.compile(r"^---(?:[ \t].*)?$", re.MULTILINE)
_REGISTRY: Final = "docker.io/"
_TAG: Final = ":latest"

IGNORED: Final[Mapping[str, tuple[str, ...]]] = {
    "*": (
        "metadata.namespace",
        "metadata.labels.app.kubernetes.io/instance",
        "metadata.managedFields.*",
        "metadata.resourceVersion",
        "metadata.selfLink",
        "metadata.annotations.control-plane.alpha.kubernetes.io/leader",
        "metadata.annotations.kubectl.kubernetes.io/last-applied-configuration",
        "metadata.annotations.namespace",
        "metadata.annotations.deprecated.daemonset.template.generation",
        "metadata.annotations.deployment.kubernetes.io/revision",
        "metadata.finalizers",
        "metadata.creationTimestamp",
        "metadata.uid",
        "metadata.generation",
        "spec.containers.*.imagePullPolicy",
        "spec.containers.*.terminationMessagePath",
        "spec.containers.*.terminationMessagePolicy",
        "spec.dnsPolicy",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.terminationGracePeriodSeconds",
        "status",
    ),
    "Pod": (
        "spec.volumes.*.name",
        "spec.volumes.*.projected.*",
        "spec.volumes.*.configMap.defaultMode",
        "spec.containers.*.volumeMounts.*",
        "spec.tolerations.*",
        "spec.enableServiceLinks",
        "spec.preemptionPolicy",
        "spec.priority",
        "spec.serviceAccount",
    ),
    "Deployment": (
        "spec.progressDeadlineSeconds",
        "spec.revisionHistoryLimit",
        "spec.strategy.*",
        "spec.template.metadata.creationTimestamp",
        "spec.containers.*.ports.*.protocol",
        "spec.containers.*.resources",
        "spec.securityContext",
    ),
    "CustomResourceDefinition": ("spec.conversion.strategy", "spec.names.listKind"),
    "Service": (
        "spec.ports.*.nodePort",
        "spec.clusterIP",
        "spec.clusterIPs.0",
        "spec.sessionAffinity",
        "spec.type",
        "spec.ipFamilies.*",
        "spec.ipFamilyPolicy",
        "spec.internalTrafficPolicy",
    ),
    **dict.fromkeys(
        ("ClusterPolicy", "Policy"),
        (
            "metadata.annotations.pod-policies.kyverno.io/autogen-controllers",
            "spec.failurePolicy",
            "spec.background",
            "spec.validationFailureAction",
        ),
    ),
    "ServiceAccount": ("secrets.*.name", "imagePullSecrets.*.name"),
    "Route": ("spec.host",),
}
"""What the API server or controllers write into an object of a kind, and no signature speaks of; the peer's list."""


class Difference(NamedTuple):
    """A field that is not as it was signed; `None` is a field that is not there."""

    field: str
    signed: Json
    found: Json

    def __str__(self) -> str:
        return f"`{self.field}` is {_shown(self.found)}, and {_shown(self.signed)} was signed"


def _shown(value: Json) -> str:
    if value is None:
        return "absent"
    return f"`{(value if isinstance(value, str) else to_text(value))[:80]}`"


def layers_of(annotations: Mapping[str, str], domain: str) -> list[Layer]:
    """The message with each of its signatures.

    Raises:
        RefusedError: there is no message or no signature, or one is malformed.
    """
    text = annotations.get(f"{domain}/message")
    if text is None:
        raise RefusedError("the resource carries no signed manifest")
    message = _unzip(decode_base64(text, "the signed manifest"), "the signed manifest")
    found: list[Layer] = []
    for number in range(_MAX_SIGNATURES):
        suffix = f"_{number}" if number else ""
        signature = annotations.get(f"{domain}/signature{suffix}")
        if signature is None:
            break
        parts = {SIGNATURE: signature}
        for name, key in (("certificate", CERTIFICATE), ("bundle", BUNDLE)):
            held = annotations.get(f"{domain}/{name}{suffix}")
            if held:
                parts[key] = _unzip(decode_base64(held, f"the {name}"), f"the {name}").decode(errors="replace")
        found.append(Layer(message, parts))
    if not found:
        raise RefusedError("the resource carries no signature")
    return found


def manifests_in(message: bytes, parse: Callable[[str], Json]) -> list[JsonObject]:
    """The objects of a message.

    Raises:
        RefusedError: it is malformed.
    """
    if message.startswith(_GZIP):
        archive = _unzip(message, "the signed archive")
        texts = [_text(data) for name, data in _files(archive) if name.endswith((".yaml", ".yml"))]
    else:
        texts = [_text(message)]
    found: list[JsonObject] = []
    for text in texts:
        for part in _DIVIDER.split(text):
            try:
                value = parse(part) if part.strip() else None
            except ValueError as error:
                raise RefusedError("the signed manifest is no YAML") from error
            if isinstance(value, dict):
                found.append(value)
    return found


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise RefusedError("the signed manifest is no text") from error


def _unzip(data: bytes, what: str) -> bytes:
    """Decompress, and not more than is allowed: a few bytes may hold gigabytes."""
    reader = zlib.decompressobj(wbits=31)
    try:
        found = reader.decompress(data, MAX_BYTES)
    except zlib.error as error:
        raise RefusedError(f"{what} is no gzip") from error
    if reader.unconsumed_tail:
        raise RefusedError(f"{what} is larger than {MAX_BYTES:,} bytes")
    if not reader.eof:
        raise RefusedError(f"{what} ends too early")
    return found


def _files(archive: bytes) -> Iterator[tuple[str, bytes]]:
    """The plain files of a tar archive (POSIX ustar); longer names and other kinds are passed over."""
    at = 0
    while at + _BLOCK <= len(archive):
        header = archive[at : at + _BLOCK]
        if not header.strip(b"\0"):
            return
        digits = header[124:136].strip(b" \0")
        if not digits.isdigit() or not set(digits) <= set(b"01234567"):
            raise RefusedError("the signed archive is malformed")
        size = int(digits, 8)
        start = at + _BLOCK
        if size > len(archive) - start:
            raise RefusedError("the signed archive ends too early")
        if header[156:157] in (b"0", b"\0"):
            yield header[:100].partition(b"\0")[0].decode(errors="replace"), archive[start : start + size]
        at = start + -(-size // _BLOCK) * _BLOCK


def candidates(manifests: Sequence[JsonObject], body: JsonObject) -> list[JsonObject]:
    """The manifests that could be the object's: by group, kind and name, else the first few of its kind."""
    kind, group = body.get("kind"), _group(body)
    same = [one for one in manifests if one.get("kind") == kind]
    named = [one for one in same if _group(one) == group and _meta(one, "name") == _meta(body, "name")]
    placed = [one for one in named if _meta(one, "namespace") == _meta(body, "namespace")]
    return (placed or named)[:1] or same[:_MAX_CANDIDATES]


def _group(body: JsonObject) -> str:
    return str(body.get("apiVersion", "")).rpartition("/")[0]


def _meta(body: JsonObject, name: str) -> Json:
    metadata = body.get("metadata")
    return metadata.get(name) if isinstance(metadata, dict) else None


def ignored_for(kind: str, domain: str) -> list[str]:
    """The fields of a kind that are not compared, with the annotations that carry the signatures."""
    own = [f"metadata.annotations.{domain}/{name}*" for name in _NAMES]
    return [*own, *IGNORED["*"], *IGNORED.get(kind, ())]


def differences(signed: JsonObject, found: JsonObject, ignored: Sequence[str]) -> list[Difference]:
    """Every field that is not as it was signed, in order; ignored ones, and what lies below them, left out.

    Raises:
        RefusedError: there are far too many fields.
    """
    before, after = dict(_leaves(signed, "")), dict(_leaves(found, ""))
    if len(before) + len(after) > _MAX_FIELDS:
        raise RefusedError("the manifest has too many fields to compare")
    covers = _cover(ignored)
    made: list[Difference] = []
    for field in sorted({*before, *after}):
        old, new = before.get(field), after.get(field)
        if to_text(old) == to_text(new) or covers(field) or _same_image(field, old, new):
            continue
        if field == "metadata.namespace" and old is None:
            continue  # a manifest may leave the namespace to whoever applies it
        made.append(Difference(field, old, new))
    return made


def _leaves(value: Json, path: str) -> Iterator[tuple[str, Json]]:
    """Leaves with their dotted path; empty lists and mappings have none, and so are as good as absent."""
    if isinstance(value, dict):
        children: Iterator[tuple[str, Json]] = ((str(key), item) for key, item in value.items())
    elif isinstance(value, list):
        children = ((str(index), item) for index, item in enumerate(value))
    else:
        if value is not None:
            yield path, value
        return
    for key, item in children:
        yield from _leaves(item, f"{path}.{key}" if path else key)


def _cover(ignored: Sequence[str]) -> Callable[[str], bool]:
    """Whether a field is one of the ignored, or below one; `*` is any run of characters.

    The peer searches these anywhere in a path, and takes `.` for any
    character; here they begin where the path does.
    """
    patterns = [
        "".join(".*" if part == "*" else re.escape(part) for part in re.split(r"(\*)", text))
        for text in ignored
        if text
    ]
    if not patterns:
        return lambda _field: False
    from bartizan.base.regex import compile_regex

    whole = compile_regex(f"^(?s:{'|'.join(f'(?:{pattern})' for pattern in patterns)})(?:\\.|$)")
    loose = [pattern.removesuffix(".*") for pattern in patterns if pattern.endswith(".*")]
    below = compile_regex(f"^(?s:{'|'.join(f'(?:{pattern})' for pattern in loose)})") if loose else None
    return lambda field: whole.search(field) is not None or (below is not None and below.search(field) is not None)


def _same_image(field: str, signed: Json, found: Json) -> bool:
    """Whether an image only got the registry or the tag that it had anyway."""
    if not field.endswith("image") or not isinstance(signed, str):
        return False
    return found in (_REGISTRY + signed, signed + _TAG)
