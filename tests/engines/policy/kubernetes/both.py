"""One request, sent to the API server and decided here, and what differs.

The server fills defaults in before it asks policies, so what is decided on
here is what the server makes of the object where no policy is in force.
"""

from __future__ import annotations

import json
import re
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from tests.engines.policy.kubernetes.cases import CASE_LABEL

from bartizan.app.given_world import GivenWorld
from bartizan.engines.policy.cel.kinds import plural
from bartizan.engines.policy.dialects.kubernetes.admission import mutate, rule_on
from bartizan.engines.policy.dialects.kubernetes.policy import compile_policies
from bartizan.model.request import Operation, Request, UserInfo
from bartizan.model.resource import resource_from
from bartizan.model.scoping import is_cluster_scoped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.engines.policy.kubernetes.cases import AdmissionCase, Asked
    from tests.engines.policy.kubernetes.server import Answer, Server

PLAIN: Final = "bartizan-plain"
_MADE: Final = ("uid", "creationTimestamp", "managedFields", "resourceVersion", "generation", "deletionTimestamp")
_OURS: Final = (
    "Validation failed for ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicy '",
    "policy '",
    'policy "',
)
_OPERATIONS: Final[dict[str, Operation]] = {
    "create": "CREATE",
    "update": "UPDATE",
    "delete": "DELETE",
    "connect": "CONNECT",
    "scale": "UPDATE",
    "evict": "CREATE",
}
_PARTS: Final = {"connect": "exec", "scale": "scale", "evict": "eviction"}
_PARENTS: Final = {"connect": ("", "v1", "Pod"), "scale": ("apps", "v1", "Deployment"), "evict": ("", "v1", "Pod")}


class Outcome(NamedTuple):
    """What came of a request. `body` is the object that would be kept; nothing where it was denied."""

    status: int
    message: str
    warnings: tuple[str, ...]
    body: Any


def path_of(body: Mapping[str, Any], namespace: str) -> str:
    """The path of the resource that an object is one of."""
    version = body["apiVersion"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    scope = "" if is_cluster_scoped(version.rpartition("/")[0], body["kind"]) else f"/namespaces/{namespace}"
    return f"{root}{scope}/{plural(body['kind'])}"


def tidy(body: Any, *, named: bool = True) -> Any:
    """An object without what the server makes anew for each."""
    if not isinstance(body, dict) or "metadata" not in body:
        return body
    metadata = {key: value for key, value in body["metadata"].items() if key not in _MADE and key != "namespace"}
    if not named:
        metadata.pop("name", None)
    return {**{key: value for key, value in body.items() if key != "status"}, "metadata": metadata}


class Both:
    """The server, and what is known of it here."""

    def __init__(self, server: Server, known: Sequence[Mapping[str, Any]]) -> None:
        self.server = server
        self._known = list(known)
        self._plain: dict[str, Answer] = {}

    def send(self, asked: Asked, namespace: str, body: dict[str, Any] | None = None) -> Answer:
        """Send a request as a dry run."""
        body = asked.body if body is None else body
        name = str(body["metadata"].get("name", ""))
        who: dict[str, Any] = {"user": asked.user, "groups": asked.groups}
        part = _PARTS.get(asked.verb)
        if part:
            group, version, kind = _PARENTS[asked.verb]
            parent = {"apiVersion": f"{group}/{version}" if group else version, "kind": kind}
            path = f"{path_of(parent, namespace)}/{name}/{part}"
            if asked.verb == "connect":
                return self.server.ask("POST", path, None, command=body["command"], container="main", **who)
            clean = {**body, "metadata": {**body["metadata"], "namespace": namespace}}
            return self.server.ask("PUT" if asked.verb == "scale" else "POST", path, clean, dryRun="All", **who)
        path = path_of(body, namespace)
        if asked.verb == "create":
            return self.server.ask("POST", path, body, dryRun="All", **who)
        if asked.verb == "update":
            return self.server.ask("PUT", f"{path}/{name}", body, dryRun="All", **who)
        return self.server.ask("DELETE", f"{path}/{name}", None, dryRun="All", **who)

    def plain(self, asked: Asked, body: dict[str, Any] | None = None) -> Answer:
        """What the server answers where no policy is in force; asked once."""
        body = asked.body if body is None else body
        key = json.dumps([asked.verb, body], sort_keys=True)
        if key not in self._plain:
            self._plain[key] = self.send(_by_admin(asked), PLAIN, body)
        return self._plain[key]

    def stored(self, asked: Asked, namespace: str) -> dict[str, Any] | None:
        """The object that is there."""
        if asked.verb not in ("update", "delete", "scale"):
            return None
        if asked.verb == "scale":
            path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{asked.body['metadata']['name']}/scale"
        else:
            path = f"{path_of(asked.body, namespace)}/{asked.body['metadata']['name']}"
        return self.server.ask("GET", path).body

    def differences(self, case: AdmissionCase, *, audit: dict[str, dict[str, str]]) -> list[str]:
        """Where the server and we do not agree on the requests of a case; `audit` collects what we would note."""
        compiled = compile_policies(case.policies)
        assert not compiled.problems, [str(problem.error) for problem in compiled.problems]
        namespace = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": case.name,
                "labels": {CASE_LABEL: case.name, "kubernetes.io/metadata.name": case.name, **case.labels},
            },
        }
        held = [
            namespace,
            *({**item, "metadata": {**item["metadata"], "namespace": case.name}} for item in case.objects),
        ]
        resources = [resource_from(dict(item)) for item in (*held, *self._known)]
        world = GivenWorld(lambda: resources, is_whole=True)
        found: list[str] = []
        for asked in case.requests:
            answer = self.send(asked, case.name)
            theirs = _theirs(answer, asked)
            ours, notes = self._ours(case, asked, compiled.policies, world)
            audit[answer.audit_id] = notes
            found += [f"{asked}: {said}" for said in _compared(theirs, ours)]
        return found

    def _ours(
        self, case: AdmissionCase, asked: Asked, policies: Any, world: GivenWorld
    ) -> tuple[Outcome, dict[str, str]]:
        base = self.plain(asked)
        request = self._request(case, asked, base)
        if request.operation == "CREATE" and not asked.body["metadata"].get("name"):
            unnamed = tidy(request.resource.body, named=False)
            unnamed["metadata"]["namespace"] = case.name
            request = msgspec.structs.replace(request, resource=resource_from(unnamed))
        reworked = mutate(policies, request, world)
        if reworked.denied:
            return Outcome(reworked.denied.code, _plainly(reworked.denied.message, asked), (), None), {}
        body = reworked.body
        if body is not request.resource.body:
            base = self.plain(asked, _sent(body))
            if base.status >= 300:
                return Outcome(base.status, _plainly(base.message, asked), (), None), {}
        # the server makes a name before it validates
        request = msgspec.structs.replace(self._request(case, asked, base), old=request.old)
        ruling = rule_on(policies, request, world)
        if ruling.denied:
            message = _plainly(ruling.denied.message, asked)
            return Outcome(ruling.denied.code, message, ruling.warnings, None), ruling.annotations
        named = bool(asked.body["metadata"].get("name"))
        return Outcome(base.status, "", ruling.warnings, tidy(base.body, named=named)), ruling.annotations

    def _request(self, case: AdmissionCase, asked: Asked, base: Answer) -> Request:
        assert base.status < 300 or asked.verb == "connect", f"{asked}: {base.message}"
        stored = self.stored(asked, case.name)
        body = stored if asked.verb == "delete" and stored else base.body
        if asked.verb in ("connect", "evict"):
            body = asked.body
        body = tidy(deepcopy(body))
        if "metadata" in body and not is_cluster_scoped(body["apiVersion"].rpartition("/")[0], body["kind"]):
            body["metadata"]["namespace"] = case.name
        resource = resource_from(body)
        if asked.verb == "connect":
            body = {key: value for key, value in body.items() if key != "metadata"}
            resource = msgspec.structs.replace(resource, body=body)
        parent = _PARENTS.get(asked.verb, ("", "", ""))
        return Request(
            resource,
            _OPERATIONS[asked.verb],
            None if stored is None or asked.verb == "delete" else resource_from(stored),
            _user(asked),
            _PARTS.get(asked.verb, ""),
            parent[2],
            parent[0],
            parent[1],
            namespace_labels={CASE_LABEL: case.name, **case.labels},
            dry_run=asked.verb != "connect",
        )


def _by_admin(asked: Asked) -> Asked:
    """The request, as the administrator would send it: what others may not do is not what is compared."""
    return type(asked)(asked.verb, asked.body, part=asked.part)


def _user(asked: Asked) -> UserInfo:
    if asked.user:
        return UserInfo(asked.user, (*asked.groups, "system:authenticated"))
    return UserInfo("admin", ("system:masters", "system:authenticated"))


def _sent(body: dict[str, Any]) -> dict[str, Any]:
    """An object as it is sent to where no policy is in force."""
    metadata = {key: value for key, value in body["metadata"].items() if key != "namespace"}
    return {**body, "metadata": metadata}


def _theirs(answer: Answer, asked: Asked) -> Outcome:
    warnings = tuple(text for text in answer.warnings if text.startswith(_OURS))
    if answer.status >= 300:
        return Outcome(answer.status, _plainly(answer.message, asked), warnings, None)
    return Outcome(answer.status, "", warnings, tidy(answer.body, named=bool(asked.body["metadata"].get("name"))))


def _plainly(message: str, asked: Asked) -> str:
    """A message without what is another in each answer, such as the end of a name that the server makes."""
    # the server walks maps in no order
    message = re.sub(r"(structs: )(.*)", lambda found: found[1] + ", ".join(sorted(found[2].split(", "))), message)
    made = asked.body["metadata"].get("generateName")
    return re.sub(f"{made}[a-z0-9]{{5}}(?![a-z0-9])", made, message) if made else message


def _compared(theirs: Outcome, ours: Outcome) -> list[str]:
    said = []
    if (theirs.status, theirs.message) != (ours.status, ours.message):
        is_policy = any(text in theirs.message for text in ("ValidatingAdmissionPolicy", "denied request"))
        if ours.message or is_policy or theirs.status < 300:
            said.append(f"\n  server: {theirs.status} {theirs.message}\n  ours:   {ours.status} {ours.message}")
    if theirs.warnings != ours.warnings:
        said.append(f"warnings\n  server: {theirs.warnings}\n  ours:   {ours.warnings}")
    if theirs.body is not None and ours.body is not None and theirs.body != ours.body:
        said.append(
            f"objects\n  server: {json.dumps(theirs.body, sort_keys=True)}"
            f"\n  ours:   {json.dumps(ours.body, sort_keys=True)}"
        )
    return said
