"""`authorizer` of admission policies: whether who asks may do something else as well.

Each step of `authorizer.group('').resource('pods').check('create')` makes a
value that remembers the steps before it, and `check` asks the world.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Final

import msgspec

from bartizan.engines.policy.cel.names import coordinates, name_of
from bartizan.engines.policy.lookup import AccessQuestion, LookupFailedError
from bartizan.lang.cel import CelError, Overload
from bartizan.lang.cel.types import BOOL, STRING, Type
from bartizan.model.request import UserInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.base.json import Json
    from bartizan.engines.policy.cel.names import Names
    from bartizan.engines.policy.lookup import Lookup

_PACKAGE: Final = "kubernetes.authorization"
AUTHORIZER: Final = Type(f"{_PACKAGE}.Authorizer")
RESOURCE_CHECK: Final = Type(f"{_PACKAGE}.ResourceCheck")
_PATH_CHECK: Final = Type(f"{_PACKAGE}.PathCheck")
_GROUP_CHECK: Final = Type(f"{_PACKAGE}.GroupCheck")
_DECISION: Final = Type(f"{_PACKAGE}.Decision")

_SUBDOMAIN: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN_CHARS: Final = 253
_LABEL_CHARS: Final = 63


@dataclass(frozen=True, slots=True)
class Authorizer:
    """Somebody who may or may not do things. `user` is `None` in a scan, where nobody asks."""

    user: UserInfo | None
    lookup: Callable[[], Lookup]
    type_name: ClassVar[str] = AUTHORIZER.name

    def ask(self, **about: str) -> Decision:
        """What the world says of a check.

        Raises:
            CelError: it cannot be asked, which is not the same as a refusal.
        """
        user = self.user
        if user is None:
            raise CelError("nobody asks in a scan, so `authorizer` has nobody to ask about")
        extra = msgspec.json.encode(user.extra, order="sorted").decode() if user.extra else ""
        question = AccessQuestion(user.username, tuple(user.groups), uid=user.uid, extra=extra, **about)
        try:
            return Decision(self.lookup().answer(question))
        except LookupFailedError as error:
            raise CelError(f"the authorizer could not be asked: {error}") from error


@dataclass(frozen=True, slots=True)
class _GroupCheck:
    authorizer: Authorizer
    group: str
    type_name: ClassVar[str] = _GROUP_CHECK.name


@dataclass(frozen=True, slots=True)
class _PathCheck:
    authorizer: Authorizer
    path: str
    type_name: ClassVar[str] = _PATH_CHECK.name


@dataclass(frozen=True, slots=True)
class ResourceCheck:
    """A resource that somebody may or may not do things to."""

    authorizer: Authorizer
    group: str
    resource: str
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    field_selector: str = ""
    label_selector: str = ""
    type_name: ClassVar[str] = RESOURCE_CHECK.name


@dataclass(frozen=True, slots=True)
class Decision:
    """What came of a check: the status of a review."""

    status: Json
    type_name: ClassVar[str] = _DECISION.name

    def text(self, key: str) -> str:
        """A text of the status; empty where it has none."""
        said = self.status.get(key) if isinstance(self.status, dict) else None
        return said if isinstance(said, str) else ""

    @property
    def allowed(self) -> bool:
        """Whether it may be done."""
        return isinstance(self.status, dict) and self.status.get("allowed") is True


def _path(authorizer: Authorizer, path: str) -> _PathCheck:
    if not path.strip():
        raise CelError("path must not be empty")
    return _PathCheck(authorizer, path)


def _service_account(authorizer: Authorizer, namespace: str, name: str) -> Authorizer:
    if len(name) > _SUBDOMAIN_CHARS or not _SUBDOMAIN.fullmatch(name):
        raise CelError("Invalid service account name")
    if len(namespace) > _LABEL_CHARS or not _LABEL.fullmatch(namespace):
        raise CelError("Invalid service account namespace")
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    return replace(authorizer, user=UserInfo(f"system:serviceaccount:{namespace}:{name}", groups))


def _resource(check: _GroupCheck, resource: str) -> ResourceCheck:
    if not resource.strip():
        raise CelError("resource must not be empty")
    return ResourceCheck(check.authorizer, check.group, resource)


def _check_resource(check: ResourceCheck, verb: str) -> Decision:
    return check.authorizer.ask(
        verb=verb,
        group=check.group,
        resource=check.resource,
        subresource=check.subresource,
        namespace=check.namespace,
        name=check.name,
        field_selector=check.field_selector,
        label_selector=check.label_selector,
    )


def _narrowed(field: str) -> tuple[Overload, ...]:
    """The function that says one more thing of a resource."""

    def call(check: ResourceCheck, value: str) -> ResourceCheck:
        changes: dict[str, Any] = {field: value}
        return replace(check, **changes)

    return (Overload((RESOURCE_CHECK, STRING), RESOURCE_CHECK, call, member=True),)


def _member(parameters: tuple[Type, ...], result: Type, call: Callable[..., Any]) -> tuple[Overload, ...]:
    return (Overload(parameters, result, call, member=True),)


FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "path": _member((AUTHORIZER, STRING), _PATH_CHECK, _path),
    "group": _member((AUTHORIZER, STRING), _GROUP_CHECK, _GroupCheck),
    "serviceAccount": _member((AUTHORIZER, STRING, STRING), AUTHORIZER, _service_account),
    "resource": _member((_GROUP_CHECK, STRING), RESOURCE_CHECK, _resource),
    "subresource": _narrowed("subresource"),
    "namespace": _narrowed("namespace"),
    "name": _narrowed("name"),
    "fieldSelector": _narrowed("field_selector"),
    "labelSelector": _narrowed("label_selector"),
    "check": (
        Overload(
            (_PATH_CHECK, STRING),
            _DECISION,
            lambda check, verb: check.authorizer.ask(verb=verb, path=check.path),
            member=True,
        ),
        Overload((RESOURCE_CHECK, STRING), _DECISION, _check_resource, member=True),
    ),
    "allowed": _member((_DECISION,), BOOL, lambda decision: decision.allowed),
    "errored": _member((_DECISION,), BOOL, lambda decision: bool(decision.text("evaluationError"))),
    "error": _member((_DECISION,), STRING, lambda decision: decision.text("evaluationError")),
    "reason": _member((_DECISION,), STRING, lambda decision: decision.text("reason")),
}
"""The functions of `authorizer`, which the rest of the language does not have."""

NAMES: Final[Mapping[str, Type]] = {"authorizer": AUTHORIZER, "authorizer.requestResource": RESOURCE_CHECK}
"""The names that stand for who asks, and for what is asked about."""


def authorizer_of(names: Names) -> Authorizer:
    """Who asks."""
    return Authorizer(names.request.user, names.lookup)


def request_resource(names: Names) -> ResourceCheck:
    """What is asked about, by who asks."""
    request = names.request
    at = coordinates(request)
    return ResourceCheck(
        authorizer_of(names), at.group, at.resource, request.subresource, at.namespace, name_of(request)
    )
