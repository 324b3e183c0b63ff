"""A change on its way into a cluster, as admission sees it; a scan judges each resource as if it were being created."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from bartizan.model.resource import Resource

Operation: TypeAlias = Literal["CREATE", "UPDATE", "DELETE", "CONNECT"]
Payload: TypeAlias = Literal["", "json", "http", "envoy"]
"""What is judged where it is no Kubernetes object: any JSON, or a request that a proxy asks about."""


class UserInfo(msgspec.Struct, frozen=True):
    """Who asks: user name and groups, with the roles an admission engine resolves for them."""

    username: str = ""
    groups: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    cluster_roles: tuple[str, ...] = ()
    uid: str = ""
    extra: dict[str, Any] = {}


class Request(msgspec.Struct, frozen=True, eq=False):
    """What a rule is asked about.

    `user` is `None` in scans and background audits, where nobody asks.
    A request about a part, such as a Scale, has the kind it is a part of as
    its parent. `options` are those of the call, such as CreateOptions.
    `namespace_labels` are those of the resource's namespace. `values` are
    recorded answers, by the dotted path of a variable, which stand in for
    whatever a policy's context would have looked up; `foreach_values` are
    the same for each element of a loop, in order.
    """

    resource: Resource
    operation: Operation = "CREATE"
    old: Resource | None = None
    user: UserInfo | None = None
    subresource: str = ""
    parent_kind: str = ""
    parent_group: str = ""
    parent_version: str = ""
    options: dict[str, Any] | None = None
    namespace_labels: dict[str, str] = {}
    namespace: dict[str, Any] | None = None
    """The resource's namespace as an object, where it was given with the request."""
    dry_run: bool = False
    payload: Payload = ""
    values: dict[str, Any] = {}
    foreach_values: dict[str, list[Any]] = {}
    memo: dict[str, Any] = msgspec.field(default_factory=dict)
    """What an engine has worked out about this request, so that the next rule need not."""
