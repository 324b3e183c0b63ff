"""Answers from the resources that were given: a run's own manifests stand for the cluster they are meant for.

What lists are asked for is told by paths of the API, so the words for
kinds in them are made from the kinds' names.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from bartizan.app.images.trusted_root import Unconnected
from bartizan.base import wildcard
from bartizan.engines.policy.lookup import (
    AccessQuestion,
    ApiQuestion,
    ConfigMapQuestion,
    GlobalQuestion,
    HttpQuestion,
    KindQuestion,
    LookupFailedError,
    ObjectsQuestion,
    Question,
)
from bartizan.engines.policy.objects import parse_kind, selects
from bartizan.model.report import Problem
from bartizan.model.resource import labels_of, metadata_of
from bartizan.model.scoping import is_builtin, is_cluster_scoped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bartizan.app.supply import Supply
    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.model.resource import Resource

    Test = Callable[[JsonObject], bool]

_EXTENSIONS: Final = "apiextensions.k8s.io"
_IRREGULAR: Final = {"networkpolicy": "networkpolicies", "ingress": "ingresses", "storageclass": "storageclasses"}
_REQUIREMENTS: Final = re.compile(r"(?:[^,(]|\([^)]*(?:\)|\Z))+")
_IN: Final = re.compile(r"(\S+)\s+(in|notin)\s*\(([^)]*)\)")
_EQUALS: Final = re.compile(r"([^\s=!]+)\s*(==|=|!=)\s*(\S*)")
_EXISTS: Final = re.compile(r"(!?)\s*([^\s=!(),]+)")


class GivenWorld:
    """Answers from resources, which are read when the first question comes.

    With `is_whole` they are all there is, and a kind none of them is of has
    none; else such a listing is unknown, for manifests are seldom a whole
    cluster. `otherwise` is asked what manifests do not tell, such as images.
    """

    def __init__(
        self,
        read: Callable[[], Iterable[Resource]],
        *,
        is_whole: bool = False,
        otherwise: Lookup | None = None,
    ) -> None:
        self._read = read
        self._otherwise = otherwise or Unconnected()
        self._is_whole = is_whole
        self._kept: list[Resource] | None = None
        self._by_plural: dict[tuple[str, str], list[Resource]] = defaultdict(list)
        self._by_kind: dict[str, dict[str, list[Resource]]] = {}

    def answer(self, question: Question) -> Json:
        """The answer, as the engine's `Lookup` has it."""
        match question:
            case ConfigMapQuestion(namespace, name):
                return self.get(f"/api/v1/namespaces/{namespace}/configmaps/{name}")
            case ApiQuestion(url, "GET") if url.startswith("/"):
                return self.get(url)
            case ApiQuestion(url, method):
                raise LookupFailedError(f"{method} `{url}` cannot be asked of manifests")
            case GlobalQuestion(name):
                raise LookupFailedError(f"no global context entry `{name}` was given", status=404)
            case HttpQuestion(url, namespace=namespace):
                raise not_called(url, namespace)
            case KindQuestion(api_version, kind):
                return self._kind(api_version, kind)
            case ObjectsQuestion():
                return self._objects(question)
            case AccessQuestion():
                return self._access(question)
            case _:
                return self._otherwise.answer(question)

    def get(self, url: str) -> Json:
        """An object or a list, as the API server's paths name them.

        Raises:
            LookupFailedError: there is no such object, or nobody knows.
        """
        from urllib.parse import urlsplit  # late: most policies ask for no path

        parts = urlsplit(url)
        steps = [step for step in parts.path.split("/") if step]
        if len(steps) < 3 or steps[0] not in ("api", "apis"):
            raise LookupFailedError(f"`{url}` is no list or object of the API")
        group = "" if steps[0] == "api" else steps[1]
        rest = steps[2:] if steps[0] == "api" else steps[3:]
        namespace = ""
        if rest[:1] == ["namespaces"] and len(rest) > 2:
            namespace, rest = rest[1], rest[2:]
        of_kind = self._of(group, rest[0] if rest else "")
        found = [item for item in of_kind if not namespace or item.id.namespace == namespace]
        if len(rest) != 1:
            return self._named(url, found, rest)
        if not of_kind and not self._is_whole:
            raise LookupFailedError(f"no `{rest[0]}` are among the given resources, so `{url}` is unknown")
        tests = _selectors(parts.query)
        bodies = [item.body for item in found if all(test(item.body) for test in tests)]
        return {"apiVersion": "/".join(steps[1:3] if group else steps[1:2]), "kind": "List", "items": bodies}

    def _named(self, url: str, found: list[Resource], rest: list[str]) -> Json:
        for item in found:
            if len(rest) == 2 and item.id.name == rest[1]:
                return item.body
        raise LookupFailedError(f"`{url}` is not among the given resources", status=404 if self._is_whole else 0)

    def _kind(self, api_version: str, kind: str) -> Json:
        """How the API calls a kind: as a given CustomResourceDefinition says, or by the rules for built-in ones."""
        group, _, version = api_version.rpartition("/")
        self._resources()
        for item in self._by_plural.get((_EXTENSIONS, "customresourcedefinitions"), ()):
            spec = item.body.get("spec")
            if not isinstance(spec, dict) or not isinstance(names := spec.get("names"), dict):
                continue
            if (spec.get("group"), names.get("kind")) == (group, kind):
                namespaced = spec.get("scope") != "Cluster"
                resource = str(names.get("plural") or plural(kind))
                return {"group": group, "version": version, "resource": resource, "namespaced": namespaced}
        if not kind or (not is_builtin(group) and kind not in self._by_kind):
            raise unknown_kind(api_version, kind)
        namespaced = not is_cluster_scoped(group, kind)
        return {"group": group, "version": version, "resource": plural(kind), "namespaced": namespaced}

    def _objects(self, question: ObjectsQuestion) -> Json:
        wanted = selects(question)
        return [item.body for item in self._candidates(question) if wanted(item)]

    def _access(self, question: AccessQuestion) -> Json:
        """Who may do what by the RBAC objects that were given; what these do not tell is unknown, and not refused."""
        from bartizan.engines.policy.cel.rbac import decide, rbac_of  # late: few policies ask

        rbac = rbac_of(self)
        if rbac.is_empty:
            raise LookupFailedError("no RBAC objects are among the given resources")
        verdict = decide(question, rbac)
        if verdict.missing and not verdict.allowed and not self._is_whole:
            raise LookupFailedError(f"not among the given resources: {verdict.missing[0]}")
        return {"allowed": verdict.allowed, "reason": verdict.reason}

    def _candidates(self, question: ObjectsQuestion) -> Iterable[Resource]:
        """The objects of a kind and name, which are few; all where either has wildcards."""
        self._resources()
        kind, name = parse_kind(question.kind).kind, question.name
        named = list(self._by_kind.values()) if wildcard.is_wildcard(kind) else [self._by_kind.get(kind, {})]
        for names in named:
            if name and not wildcard.is_wildcard(name):
                yield from names.get(name, ())
            else:
                for items in names.values():
                    yield from items

    def _of(self, group: str, plural_name: str) -> list[Resource]:
        self._resources()
        return self._by_plural.get((group, plural_name), [])

    def _resources(self) -> list[Resource]:
        if self._kept is None:
            self._kept = list(self._read())
            for item in self._kept:
                self._by_plural[item.id.group, plural(item.id.kind)].append(item)
                self._by_kind.setdefault(item.id.kind, {}).setdefault(item.id.name, []).append(item)
        return self._kept


def not_called(url: str, namespace: str) -> LookupFailedError:
    """The failure of a call of a service, which no run makes: a policy's text must not reach into a network."""
    if namespace:
        return LookupFailedError("http calls are not allowed in namespaced policies")
    return LookupFailedError(f"services are not called in a run: `{url[:200]}`")


def unknown_kind(api_version: str, kind: str) -> LookupFailedError:
    """The failure to find a kind, in the words of the API's clients."""
    return LookupFailedError(f'no matches for kind "{kind[:200]}" in version "{api_version[:200]}"', status=404)


def read_given(supply: Supply) -> tuple[tuple[Resource, ...], list[Problem]]:
    """Every resource of a supply, and what could not be read."""
    found: list[Resource] = []
    problems = list(supply.problems)
    for item in supply.everything():
        if isinstance(item, Problem):
            problems.append(item)
        else:
            found.append(item)
    return tuple(found), problems


def plural(kind: str) -> str:
    """The resource name of a kind, by the rules that code generators follow."""
    word = kind.lower()
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word if word == "endpoints" else f"{word}es"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}s"


def _selectors(query: str) -> list[Test]:
    from urllib.parse import parse_qs  # late: as above

    given = parse_qs(query)
    tests = [_label(part) for part in _parts(given.get("labelSelector"))]
    return tests + [_field(part) for part in _parts(given.get("fieldSelector"))]


def _parts(given: list[str] | None) -> list[str]:
    return [part.strip() for text in given or () for part in _REQUIREMENTS.findall(text) if part.strip()]


def _label(text: str) -> Test:
    """One requirement of a label selector, as the API server reads it.

    Raises:
        LookupFailedError: it is none.
    """
    among = _IN.fullmatch(text)
    if among:
        key, word, values = among.groups()
        wanted = frozenset(value.strip() for value in values.split(","))
        return lambda body: (labels_of(body).get(key) in wanted) == (word == "in")
    equals = _EQUALS.fullmatch(text)
    if equals:
        key, word, value = equals.groups()
        return lambda body: (labels_of(body).get(key) == value) == (word != "!=")
    exists = _EXISTS.fullmatch(text)
    if exists:
        denied, key = exists.groups()
        return lambda body: (key in labels_of(body)) == (not denied)
    raise LookupFailedError(f"malformed label selector: `{text}`")


def _field(text: str) -> Test:
    """One requirement of a field selector; only names and namespaces are fields of every kind."""
    equals = _EQUALS.fullmatch(text)
    if equals is None or equals.group(1) not in ("metadata.name", "metadata.namespace"):
        raise LookupFailedError(f"the field selector `{text}` cannot be asked of manifests")
    path, word, value = equals.groups()
    key = path.removeprefix("metadata.")
    return lambda body: (metadata_of(body).get(key, "") == value) == (word != "!=")
