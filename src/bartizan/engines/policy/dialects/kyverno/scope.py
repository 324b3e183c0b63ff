"""What variables can see: the request, its images, and the entries of `context`, loaded when first asked for.

An entry that nothing reads is never looked up. Loops see the scope around
them through a copy, so that one element's values do not reach the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bartizan.engines.policy.dialects.kyverno.images.variable import extract_images

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.model.request import Request, UserInfo

    Loader = Callable[["Scope"], Json]

_SERVICE_ACCOUNT: Final = "system:serviceaccount:"


class Scope(dict[str, Any]):
    """Root names and their values; a missing name is loaded once, if it can be.

    Raises (on look-up of a name):
        KeyError: there is no such name.
        UnresolvedError: its value could not be had.
    """

    __slots__ = ("loaders", "lookup", "recorded", "request")

    def __init__(self, names: Mapping[str, Any], request: Request, lookup: Lookup, loaders: dict[str, Loader]) -> None:
        super().__init__(names)
        self.request = request
        self.lookup = lookup
        self.loaders = loaders
        self.recorded: dict[str, Any] = {}

    def __missing__(self, name: str) -> Json:
        loader = self.loaders.get(name)
        if loader is None:
            raise KeyError(name)
        # INVARIANT: an entry that reads its own name sees what was there before, and so cannot recurse
        self.loaders = {key: value for key, value in self.loaders.items() if key != name}
        value = loader(self)
        self[name] = value
        return value

    def nested(self, names: Mapping[str, Any], loaders: Mapping[str, Loader]) -> Scope:
        """A scope inside this one, for one element of a loop."""
        if loaders:
            outer = {name: value for name, value in self.items() if name not in loaders}
            own = {name: self._before(name, loader) for name, loader in loaders.items()}
            inner = Scope({**outer, **names}, self.request, self.lookup, {**self.loaders, **own})
        else:
            inner = Scope(self, self.request, self.lookup, self.loaders)
            inner.update(names)
        inner.recorded = self.recorded
        if self.request.foreach_values:
            inner.recorded = self.recorded | _nest(names, self.request.foreach_values)
        return inner

    def _before(self, name: str, loader: Loader) -> Loader:
        """A loop's entry, after the one around the loop that has its name."""
        if name in self:
            value = self[name]
            return after(name, lambda _scope: value, loader)
        return after(name, self.loaders[name], loader) if name in self.loaders else loader


def after(name: str, first: Loader, then: Loader) -> Loader:
    """One entry after another of the same name, whose value it sees and whose failure is its own."""

    def load(scope: Scope) -> Json:
        scope[name] = first(scope)
        return then(scope)

    return load


def images_loader(extractors: JsonObject | None, query: Callable[[str, Json], Json]) -> Loader:
    """Loads the `images` variable, from where the rule's extractors say or the built-in places."""
    return lambda scope: extract_images(scope.request.resource.body, extractors, query)


def request_scope(request: Request, lookup: Lookup, loaders: dict[str, Loader]) -> Scope:
    """The scope of one rule on one request."""
    names = request.memo.get("names")
    if names is None:
        names = request.memo["names"] = _names(request)
    scope = Scope(names, request, lookup, loaders)
    if request.values:
        scope.recorded = _nest(names, request.values)
    return scope


def _names(request: Request) -> dict[str, Any]:
    """The names that every rule sees of a request."""
    names: dict[str, Any] = {"request": _admission(request)}
    user = request.user
    if user is not None:
        names |= _service_account(user)
    for path, value in request.values.items():
        set_path(names, path.split("."), value)
    return names


def _nest(names: Mapping[str, Any], recorded: Mapping[str, Any]) -> dict[str, Any]:
    """The names that recorded values stand for, with their values as variables see them."""
    roots = {path.partition(".")[0] for path in recorded}
    return {name: names[name] for name in roots if name in names}


def _admission(request: Request) -> JsonObject:
    rid = request.resource.id
    deleted = request.operation == "DELETE"
    old = request.resource.body if deleted else request.old.body if request.old else None
    review: JsonObject = {
        "uid": request.resource.uid,
        "operation": request.operation,
        "namespace": rid.namespace,
        "name": rid.name,
        "kind": {"group": rid.group, "version": rid.version, "kind": rid.kind},
        "dryRun": request.dry_run,
        "subResource": request.subresource,
    }
    # after a deletion variables that ask for the object mean the one that was deleted, as Kyverno has it
    review["object"] = request.resource.body
    if old is not None:
        review["oldObject"] = old
    user = request.user
    if user is not None:
        review["userInfo"] = {
            "username": user.username,
            "groups": list(user.groups),
            "uid": user.uid,
            "extra": user.extra,
        }
        review["roles"] = list(user.roles)
        review["clusterRoles"] = list(user.cluster_roles)
    return review


def _service_account(user: UserInfo) -> JsonObject:
    """Name and namespace of a service account; both empty for other users, as Kyverno has it."""
    if not user.username.startswith(_SERVICE_ACCOUNT):
        return {"serviceAccountName": "", "serviceAccountNamespace": ""}
    namespace, _, name = user.username.removeprefix(_SERVICE_ACCOUNT).partition(":")
    return {"serviceAccountName": name, "serviceAccountNamespace": namespace}


def set_path(names: dict[str, Any], path: list[str], value: Json) -> None:
    """Set a dotted path, copying what is on the way: the request's own parts are shared and stay as they are."""
    target = names
    for step in path[:-1]:
        below = target.get(step)
        target[step] = dict(below) if isinstance(below, dict) else {}
        target = target[step]
    target[path[-1]] = value
