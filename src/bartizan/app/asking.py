"""How rules are asked: what a run was told of users, namespaces and values, as the request of a rule on a resource.

A run judges each resource as if it were being created, unless values say
otherwise, and values may differ from rule to rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from bartizan.app.values import EMPTY, Subresource, Values, plain_rule
from bartizan.model.request import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bartizan.engines.policy.chain import RequestFor
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.engines.policy.plan import Rule
    from bartizan.model.finding import RuleId
    from bartizan.model.request import Operation, Payload, UserInfo
    from bartizan.model.resource import Resource

_OF_NOTHING = Subresource("", "", "", "")


class Asking(NamedTuple):
    """Rules are asked with these requests, and what they want to know is answered by this."""

    request_for: RequestFor
    lookup: Lookup


class Asker:
    """Makes requests. `differs` says whether two rules may be told different things of one resource."""

    def __init__(
        self,
        values: Values = EMPTY,
        user: UserInfo | None = None,
        namespaces: Mapping[str, dict[str, str]] | None = None,
        operation: Operation | None = None,
        payload: Payload = "",
    ) -> None:
        self._values = values
        self._user = user
        self._namespaces = {**(namespaces or {}), **values.namespace_labels}
        self._operation = operation
        self._payload = payload
        self._parts = {entry.kind: entry for entry in values.subresources}
        self._last: Request | None = None
        self.differs = bool(values.everywhere or values.of_resource or values.of_rule or values.foreach)
        self.has_parts = bool(self._parts)
        """Whether kinds such as Scale stand for a part of another, which rules may mean by the other's name."""

    def request_for(self, rule: Rule, resource: Resource) -> Request:
        """The request of one rule; where all are told the same, it is one, with what is worked out of it."""
        if self.differs:
            return self.request(rule.info.id, resource)
        if self._last is None or self._last.resource is not resource:
            self._last = self.plain(resource)
        return self._last

    def request(self, rule: RuleId, resource: Resource) -> Request:
        """The request of the rule of that name, with the values that are meant for it."""
        policy = rule.policy.rpartition("/")[2]
        variables = self._values.for_rule(policy, rule.rule, resource.id.name)
        loops = self._values.foreach.get((policy, plain_rule(rule.rule)), {})
        return self._made(resource, variables, loops)

    def plain(self, resource: Resource) -> Request:
        """The request of every rule, where values say nothing of any."""
        return self._made(resource, {}, {})

    def _made(self, resource: Resource, variables: dict[str, Any], loops: dict[str, list[Any]]) -> Request:
        part = self._parts.get(resource.id.kind, _OF_NOTHING)
        operation = self._operation or variables.get("request.operation") or "CREATE"
        return Request(
            resource=resource,
            operation=operation,
            # nobody says what was there before; that it was like this is what the peer takes an update for
            old=resource if operation == "UPDATE" else None,
            user=self._user,
            subresource=str(variables.get("request.subResource") or part.name),
            parent_kind=part.parent_kind,
            parent_group=part.parent_group,
            namespace_labels=self._namespaces.get(resource.id.namespace, {}),
            namespace=self._values.namespaces.get(resource.id.namespace),
            values=variables,
            foreach_values=loops,
            payload=self._payload,
        )
