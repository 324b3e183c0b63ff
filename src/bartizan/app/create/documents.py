"""Documents beside policies: exceptions, values, users and waivers, filled from what was said on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.base.errors import SpecError
from bartizan.base.suggest import did_you_mean
from bartizan.outputs.yaml import lines

if TYPE_CHECKING:
    from datetime import date

    from bartizan.base.json import JsonObject

_FILTER_FIELDS: Final = {"kind": "kinds", "name": "names", "namespace": "namespaces", "operation": "operations"}


class ExceptionWish(NamedTuple):
    """What the author has said of an exception. Filters are `kind=Pod,name=web-*`, of which each part may recur."""

    name: str
    namespace: str
    policy_rules: tuple[str, ...]
    any_of: tuple[str, ...] = ()
    all_of: tuple[str, ...] = ()
    background: bool = True


def create_exception(wish: ExceptionWish) -> str:
    """Write a PolicyException.

    Raises:
        SpecError: a part of what was said cannot be read.
    """
    entries = [_policy_rules(text) for text in wish.policy_rules] or [
        {"policyName": "require-team-label", "ruleNames": ["require-team-label"]}
    ]
    match: JsonObject = {
        group: [{"resources": _filter(text)} for text in texts]
        for group, texts in (("any", wish.any_of), ("all", wish.all_of))
        if texts
    }
    if len(match) > 1:
        raise SpecError("an exception has `any` or `all`, not both", hint="Leave one of them out.")
    if not match:
        match = {"any": [{"resources": {"kinds": ["Pod"], "namespaces": [wish.namespace], "names": ["web-*"]}}]}
    document = {
        "apiVersion": "kyverno.io/v2",
        "kind": "PolicyException",
        "metadata": {"name": wish.name, "namespace": wish.namespace},
        "spec": {"background": wish.background, "exceptions": entries, "match": match},
    }
    return _commented(
        document,
        "What matches is let off the rules that are named. Keep it as narrow as it can be.",
        {
            "  exceptions:": "which policies, and which rules of them; wildcards may stand in the names of rules",
            "  background:": "false counts it at admission alone",
        },
    )


def _policy_rules(text: str) -> JsonObject:
    policy, *rules = _parts(text)
    if not policy or not rules:
        raise SpecError(f"no policy and rules: `{text}`", hint="Write `policy,rule` or `policy,rule-1,rule-2`.")
    return {"policyName": policy, "ruleNames": rules}


def _filter(text: str) -> JsonObject:
    found: dict[str, list[str]] = {}
    for part in _parts(text):
        key, equals, value = part.partition("=")
        if key not in _FILTER_FIELDS:
            raise SpecError(f"unknown filter `{part}`", hint=did_you_mean(key, _FILTER_FIELDS))
        if not equals or not value:
            raise SpecError(f"filter `{part}` has no value", hint=f"Write `{key}=…`.")
        found.setdefault(_FILTER_FIELDS[key], []).append(value)
    return dict(found)


class ValuesWish(NamedTuple):
    """What a values file is to hold: `key=value`, and `name,key=value…` with one or two names before."""

    everywhere: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()


def create_values(wish: ValuesWish) -> str:
    """Write a values file; an example of each part where nothing was said.

    Raises:
        SpecError: a part of what was said cannot be read.
    """
    if not any(wish):
        wish = ValuesWish(
            ("request.operation=CREATE",),
            ("shop,team=orders",),
            ("require-team-label,require-team-label,allowed.data.teams=orders",),
        )
    policies: dict[str, JsonObject] = {}
    for group, texts in (("rules", wish.rules), ("resources", wish.resources)):
        for text in texts:
            (policy, name), values = _named_values(text, 2)
            entry = policies.setdefault(policy, {"name": policy})
            entry.setdefault(group, []).append({"name": name, "values": values})
    labels = [_named_values(text, 1) for text in wish.namespaces]
    document: JsonObject = {"apiVersion": "cli.kyverno.io/v1alpha1", "kind": "Values", "metadata": {"name": "values"}}
    if wish.everywhere:
        document["globalValues"] = dict(_pair(part, part) for text in wish.everywhere for part in _parts(text))
    if policies:
        document["policies"] = list(policies.values())
    if labels:
        document["namespaceSelector"] = [{"name": name, "labels": values} for (name,), values in labels]
    return _commented(
        document,
        "What policies look up, answered from here: for `bartizan test`, and for `bartizan scan --values`.",
        {
            "globalValues:": "variables for every policy",
            "policies:": "variables for one rule, or for all rules on one resource",
            "namespaceSelector:": "the labels of namespaces, for rules that select by them",
        },
    )


def _named_values(text: str, number: int) -> tuple[tuple[str, ...], dict[str, str]]:
    parts = _parts(text)
    names, pairs = parts[:number], parts[number:]
    if len(names) < number or not pairs or any("=" in name for name in names):
        shape = ",".join(["name"] * number)
        raise SpecError(f"no values: `{text}`", hint=f"Write `{shape},key=value`.")
    return tuple(names), dict(_pair(pair, text) for pair in pairs)


def _pair(part: str, text: str) -> tuple[str, str]:
    key, equals, value = part.partition("=")
    if not key or not equals:
        raise SpecError(f"no `key=value` in `{text}`", hint="Write the name, an equals sign and the value.")
    return key, value


class UserWish(NamedTuple):
    """Who is taken to ask."""

    username: str = ""
    groups: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    cluster_roles: tuple[str, ...] = ()


def create_user_info(wish: UserWish) -> str:
    """Write a UserInfo file."""
    document: JsonObject = {
        "apiVersion": "cli.kyverno.io/v1alpha1",
        "kind": "UserInfo",
        "metadata": {"name": "user-info"},
        "roles": list(wish.roles),
        "clusterRoles": list(wish.cluster_roles),
        "userInfo": {"username": wish.username or "jane", "groups": list(wish.groups)},
    }
    return _commented(
        document,
        "Who is taken to ask: for `bartizan test`, and for `bartizan scan --user-info`.",
        {"roles:": "as `namespace:role`", "    username:": ""},
    )


class WaiverWish(NamedTuple):
    """Which findings are accepted, by whom, why, and until when."""

    id: str
    reason: str
    owner: str
    until: date
    selectors: dict[str, str]


def create_waiver(wish: WaiverWish) -> str:
    """Write a waiver file with one waiver."""
    selectors = {key: value for key, value in wish.selectors.items() if value}
    entry: JsonObject = {
        "id": wish.id,
        "reason": wish.reason,
        "owner": wish.owner,
        "until": wish.until.isoformat(),
        **(selectors or {"policy": "require-team-label", "namespace": "shop"}),
    }
    return _commented(
        {"waivers": [entry]},
        "Findings that are accepted, each with a reason, an owner and an end. For `bartizan scan --waivers`.",
        {"  until:": "the last day on which it holds; after it the findings are back"},
    )


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _commented(document: JsonObject, about: str, notes: dict[str, str]) -> str:
    """The document with a line above it, and a note behind each line that begins so."""
    left = dict(notes)
    made = [f"# {about}"]
    for line in lines(document):
        start = next((key for key in left if line.startswith(key)), "")
        note = left.pop(start, "") if start else ""
        made.append(f"{line}  # {note}" if note else line)
    return "\n".join(made) + "\n"
