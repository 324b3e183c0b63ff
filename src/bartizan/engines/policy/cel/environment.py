"""The names and types that expressions of a policy see: those of Kubernetes, and what a kind adds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bartizan.lang.cel import Environment
from bartizan.lang.cel.library import KUBERNETES
from bartizan.lang.cel.library.kubernetes import WITHOUT
from bartizan.lang.cel.types import BOOL, DYN, INT, STRING, TIMESTAMP, Type, list_of, map_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.lang.cel import ObjectType, Overload

_KIND: Final = Type("kubernetes.GroupVersionKind")
_RESOURCE: Final = Type("kubernetes.GroupVersionResource")
_USER: Final = Type("kubernetes.UserInfo")
_REQUEST: Final = Type("kubernetes.AdmissionRequest")
_NAMESPACE: Final = Type("kubernetes.Namespace")
_METADATA: Final = Type("kubernetes.NamespaceMetadata")
_VARIABLES: Final = Type("kubernetes.variables")
_TEXTS: Final = list_of(STRING)

_OBJECTS: Final[Mapping[str, Mapping[str, Type]]] = {
    _KIND.name: {"group": STRING, "version": STRING, "kind": STRING},
    _RESOURCE.name: {"group": STRING, "version": STRING, "resource": STRING},
    _USER.name: {"username": STRING, "uid": STRING, "groups": _TEXTS, "extra": map_of(STRING, _TEXTS)},
    _REQUEST.name: {
        "kind": _KIND,
        "resource": _RESOURCE,
        "subResource": STRING,
        "requestKind": _KIND,
        "requestResource": _RESOURCE,
        "requestSubResource": STRING,
        "name": STRING,
        "namespace": STRING,
        "operation": STRING,
        "userInfo": _USER,
        "dryRun": BOOL,
        "options": DYN,
    },
    _NAMESPACE.name: {"metadata": _METADATA, "spec": DYN, "status": DYN},
    _METADATA.name: {
        **dict.fromkeys(("name", "generateName", "namespace", "UID", "resourceVersion"), STRING),
        "labels": map_of(STRING, STRING),
        "annotations": map_of(STRING, STRING),
        "creationTimestamp": TIMESTAMP,
        "deletionTimestamp": TIMESTAMP,
        "deletionGracePeriodSeconds": INT,
        "generation": INT,
        "finalizers": _TEXTS,
    },
}
"""What the API server declares; other fields of a namespace are not there for a policy."""

COMMON: Final[Mapping[str, Type]] = {
    "object": DYN,
    "oldObject": DYN,
    "request": _REQUEST,
    "namespaceObject": _NAMESPACE,
}
"""The names that every kind of policy has."""


def _nothing(_name: str) -> ObjectType | None:
    return None


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """What the expressions of one kind of policy may use beside `variables`.

    `names` are its names with their types, `objects` the fields of object
    types that are not those of every policy. Made once for each kind, so that
    an expression that recurs is compiled once.
    """

    functions: Mapping[str, tuple[Overload, ...]] = field(default_factory=lambda: KUBERNETES)
    names: Mapping[str, Type] = field(default_factory=lambda: COMMON)
    objects: Mapping[str, Mapping[str, Type]] = field(default_factory=dict)
    homogeneous: bool = True
    without: frozenset[str] = WITHOUT
    """What the language has and these expressions have not."""
    constructible: Callable[[str], ObjectType | None] = _nothing
    """The object types that expressions may write out."""
    _plain: list[Environment] = field(default_factory=list)

    def environment(self, variables: Mapping[str, Type] | None = None) -> Environment:
        """What the expressions of one policy may use; `variables` are the types of those that it names itself."""
        if not variables and self._plain:
            return self._plain[0]
        environment = Environment(
            {**self.names, "variables": _VARIABLES},
            self.functions,
            {**_OBJECTS, **self.objects, _VARIABLES.name: variables or {}},
            homogeneous=self.homogeneous,
            without=self.without,
            constructible=self.constructible,
        )
        if not variables:
            self._plain.append(environment)
        return environment
