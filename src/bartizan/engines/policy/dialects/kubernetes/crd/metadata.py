"""The metadata of an object, and of objects inside one.

Source: `ValidateObjectMeta` of `k8s.io/apimachinery`, and `objectmeta` of
`k8s.io/apiextensions-apiserver`. Left out on purpose: `managedFields`, which
the server writes, and a namespace that is missing, which `kubectl` fills in.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bartizan.engines.policy.dialects.kubernetes.crd.problems import (
    FieldProblem,
    Path,
    forbidden,
    invalid,
    json_text,
    required,
    too_long,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kubernetes.crd.descent import Visit
    from bartizan.engines.policy.dialects.kubernetes.crd.nodes import Node

    Names = Callable[[str], list[str]]

_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN: Final = rf"{_LABEL}(\.{_LABEL})*"
_DNS1035: Final = "[a-z]([-a-z0-9]*[a-z0-9])?"
_WORD: Final = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_CHARS: Final = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
)
_ANNOTATIONS_BYTES: Final = 256 << 10
_TEXTS: Final = ("name", "generateName", "namespace", "uid", "resourceVersion", "selfLink")
_BANNED: Final = ("v1", "Event")


def _shape(most: int, pattern: str, words: str, *examples: str) -> Names:
    compiled = re.compile(pattern, re.ASCII)
    shown = " or ".join(f"'{item}', " for item in examples)
    refusal = f"{words} (e.g. {shown}regex used for validation is '{pattern}')"

    def check(text: str) -> list[str]:
        found = [f"must be no more than {most} bytes"] if len(text.encode(errors="replace")) > most else []
        return found if compiled.fullmatch(text) else [*found, refusal]

    return check


_is_subdomain: Final = _shape(
    253,
    _SUBDOMAIN,
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character",
    "example.com",
)
_is_label: Final = _shape(
    63,
    _LABEL,
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character",
    "my-name",
    "123-abc",
)
_is_dns1035: Final = _shape(
    63,
    _DNS1035,
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
    "start with an alphabetic character, and end with an alphanumeric character",
    "my-name",
    "abc-123",
)
_is_word: Final = _shape(63, _WORD, _CHARS, "MyName", "my.name", "123-abc")
_is_value: Final = _shape(
    63, f"({_WORD})?", f"a valid label must be an empty string or {_CHARS.removeprefix('must ')}",
    "MyValue", "my_value", "12345",
)  # fmt: skip


def _is_namespace(text: str) -> list[str]:
    found = _is_label(text)
    if found and re.fullmatch(_SUBDOMAIN, text):
        found[-1] = "must not contain dots"
    return found


def _qualified(text: str) -> list[str]:
    prefix, slash, name = text.rpartition("/")
    if "/" in prefix:
        [refusal] = _is_word("/")
        return [
            f"a valid label key {refusal} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        ]
    found = [f"prefix part {item}" for item in _is_subdomain(prefix)] if prefix else []
    if slash and not prefix:
        found = ["prefix part must be non-empty"]
    return found + [f"name part {item}" for item in ([] if name else ["must be non-empty"]) + _is_word(name)]


def _segment(text: str) -> list[str]:
    """A name that may stand in an address."""
    if text in (".", ".."):
        return [f"may not be '{text}'"]
    return [f"may not contain '{char}'" for char in "/%" if char in text]


def _masked(text: str) -> str:
    """A prefix may end in a dash, for more will be put behind it."""
    return f"{text[:-2]}a" if len(text) > 1 and text.endswith("-") else text


def malformed(metadata: Json) -> Iterator[tuple[tuple[str, ...], str]]:
    """What cannot be metadata at all: its place in there, and what it should be."""
    if metadata is not None and not isinstance(metadata, dict):
        yield (), "an object"
        return
    for name, value in (metadata or {}).items():
        wanted = _wanted(name, value)
        if wanted:
            yield (name,), wanted


def _wanted(name: str, value: Json) -> str:
    """What a field of metadata must be, where it is not; null is as good as nothing."""
    what, fits = _FIELDS.get(name, ("", lambda _value: True))
    return "" if value is None or fits(value) else what


def _are_texts(values: Iterable[Json]) -> bool:
    return all(item is None or isinstance(item, str) for item in values)


def _is_owner(value: Json) -> bool:
    texts = ("apiVersion", "kind", "name", "uid")
    flags = ("controller", "blockOwnerDeletion")
    return (
        isinstance(value, dict)
        and all(isinstance(value.get(name), str | None) for name in texts)
        and all(isinstance(value.get(name), bool | None) for name in flags)
    )


_TEXT: Final = ("a text", lambda value: isinstance(value, str))
_MAP: Final = ("a map of texts", lambda value: isinstance(value, dict) and _are_texts(value.values()))
_WHOLE: Final = ("a whole number", lambda value: value.__class__ is int)
_FIELDS: Final[Mapping[str, tuple[str, Callable[[Json], bool]]]] = {
    **dict.fromkeys(_TEXTS, _TEXT),
    **dict.fromkeys(("labels", "annotations"), _MAP),
    **dict.fromkeys(("generation", "deletionGracePeriodSeconds"), _WHOLE),
    "finalizers": ("a list of texts", lambda value: isinstance(value, list) and _are_texts(value)),
    "ownerReferences": (
        "a list of references",
        lambda value: isinstance(value, list) and all(item is None or _is_owner(item) for item in value),
    ),
}


def check_metadata(body: JsonObject, *, namespaced: bool, is_update: bool) -> list[FieldProblem]:
    """What is wrong with the metadata of a resource."""
    path: Path = (None, "metadata")
    metadata = body.get("metadata") or {}
    found = [
        invalid(_below(path, place), _at(metadata, place), f"must be {wanted}") for place, wanted in malformed(metadata)
    ]
    if found:
        return found
    if not is_update:
        found += _names(metadata, path, _is_subdomain)
        namespace = metadata.get("namespace") or ""
        if namespaced:
            found += [invalid((path, "namespace"), namespace, said) for said in _is_namespace(namespace) if namespace]
        elif namespace:
            found.append(forbidden((path, "namespace"), "not allowed on this type"))
        found += _generation(metadata, path)
    found += _labels(metadata, path)
    if not is_update:
        found += _finalizers(metadata, path)
    return found


def embedded_check(node: Node) -> Visit | None:
    """What an object inside another must be like, where a schema says that it is one."""
    return _check_embedded if node.embedded else None


def _check_embedded(value: Json, path: Path, found: list[FieldProblem]) -> None:
    if value.__class__ is not dict:
        return
    found.extend(required((path, name)) for name in ("apiVersion", "kind") if name not in value)
    if "apiVersion" in value:
        version = value["apiVersion"]
        if not isinstance(version, str):
            found.append(invalid((path, "apiVersion"), version, "must be a string"))
        elif not version:
            found.append(invalid((path, "apiVersion"), version, "must not be empty"))
        elif version.count("/") > 1:
            found.append(invalid((path, "apiVersion"), version, f"unexpected GroupVersion string: {version}"))
    if "kind" in value:
        found.extend(_kind(value["kind"], (path, "kind")))
    if "metadata" in value:
        found.extend(_embedded_metadata(value["metadata"], (path, "metadata")))


def _kind(kind: Json, path: Path) -> list[FieldProblem]:
    if not isinstance(kind, str):
        return [invalid(path, kind, "must be a string")]
    if not kind:
        return [invalid(path, kind, "must not be empty")]
    said = _is_dns1035(kind.lower())
    words = f"may have mixed case, but should otherwise match: {','.join(said)}"
    return [invalid(path, kind, words)] if said else []


def _embedded_metadata(metadata: Json, path: Path) -> list[FieldProblem]:
    wrong = [
        invalid(_below(path, place), _at(metadata, place), f"must be {wanted}") for place, wanted in malformed(metadata)
    ]
    if wrong or metadata is None:
        return wrong
    found = _names({"name": "fakename", **{key: item for key, item in metadata.items() if item}}, path, _segment)
    namespace = metadata.get("namespace")
    if namespace:
        found += [invalid((path, "namespace"), namespace, said) for said in _is_namespace(namespace)]
    return [*found, *_generation(metadata, path), *_labels(metadata, path), *_finalizers(metadata, path)]


def _below(path: Path, place: tuple[str, ...]) -> Path:
    for step in place:
        path = (path, step)
    return path


def _at(metadata: Json, place: tuple[str, ...]) -> Json:
    for step in place:
        metadata = metadata[step]
    return metadata


def _names(metadata: JsonObject, path: Path, names: Names) -> list[FieldProblem]:
    prefix, name = metadata.get("generateName") or "", metadata.get("name") or ""
    masked = _masked(prefix) if names is not _segment else prefix.replace(".", "")
    found = [invalid((path, "generateName"), prefix, said) for said in names(masked)] if prefix else []
    if not name and not prefix:
        return [*found, required((path, "name"), "name or generateName is required")]
    return found + ([invalid((path, "name"), name, said) for said in names(name)] if name else [])


def _generation(metadata: JsonObject, path: Path) -> list[FieldProblem]:
    generation = metadata.get("generation") or 0
    negative = "must be greater than or equal to 0"
    return [invalid((path, "generation"), generation, negative)] if generation < 0 else []


def _labels(metadata: JsonObject, path: Path) -> list[FieldProblem]:
    found: list[FieldProblem] = []
    at: Path = (path, "labels")
    for key, value in (metadata.get("labels") or {}).items():
        found += [invalid(at, key, said) for said in _qualified(key)]
        found += [invalid(at, value or "", said) for said in _is_value(value or "")]
    at = (path, "annotations")
    annotations = metadata.get("annotations") or {}
    for key in annotations:
        found += [invalid(at, key, said) for said in _qualified(key.lower())]
    size = sum(len(f"{key}{value or ''}".encode(errors="replace")) for key, value in annotations.items())
    if size > _ANNOTATIONS_BYTES:
        found.append(too_long(at, _ANNOTATIONS_BYTES))
    return found + _owners(metadata, (path, "ownerReferences"))


def _owners(metadata: JsonObject, path: Path) -> list[FieldProblem]:
    found: list[FieldProblem] = []
    controller = ""
    owners = metadata.get("ownerReferences") or []
    for owner in (item or {} for item in owners):
        version = owner.get("apiVersion") or ""
        if not version.rpartition("/")[2] or version.count("/") > 1:
            found.append(invalid((path, "apiVersion"), version, "version must not be empty"))
        empty = (name for name in ("kind", "name", "uid") if not owner.get(name))
        found += [invalid((path, name), "", "must not be empty") for name in empty]
        if (version, owner.get("kind")) == _BANNED:
            found.append(_shown(path, owner, "/v1, Kind=Event is disallowed from being an owner"))
        if owner.get("controller"):
            name = f"{owner.get('kind') or ''}/{owner.get('name') or ''}"
            if controller:
                said = 'Only one reference can have Controller set to true. Found "true" in references for '
                found.append(_shown(path, owners, f"{said}{controller} and {name}"))
            controller = controller or name
    return found


def _shown(path: Path, owners: Json, says: str) -> FieldProblem:
    """An objection that shows references, whose fields the server writes in an order of its own."""
    body = f"[{','.join(map(_owner_text, owners))}]" if isinstance(owners, list) else _owner_text(owners)
    return invalid(path, "", "")._replace(body=f"Invalid value: {body}: {says}")


def _owner_text(owner: Json) -> str:
    given = owner or {}
    fields = {name: given.get(name) or "" for name in ("apiVersion", "kind", "name", "uid")}
    fields |= {name: given[name] for name in ("controller", "blockOwnerDeletion") if given.get(name) is not None}
    return f"{{{','.join(f'{json_text(name)}:{json_text(value)}' for name, value in fields.items())}}}"


def _finalizers(metadata: JsonObject, path: Path) -> list[FieldProblem]:
    at: Path = (path, "finalizers")
    finalizers = [item or "" for item in metadata.get("finalizers") or []]
    found = [invalid(at, item, said) for item in finalizers for said in _qualified(item)]
    if {"orphan", "foregroundDeletion"} <= {*finalizers}:
        said = "finalizer orphan and foregroundDeletion cannot be both set"
        found.append(invalid(at, finalizers, said))
    return found
