"""The kinds that a policy names one by one, so that schemas can say what its objects are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from bartizan.engines.policy.objects import parse_kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bartizan.engines.policy.cel.match import ResourceRule
    from bartizan.engines.policy.cel.shapes import Shape

_MAX_KINDS: Final = 10
"""Kinds that one rule is checked for; the API server looks at no more."""


class Kind(NamedTuple):
    """A kind in one version."""

    group: str
    version: str
    kind: str

    @property
    def api_version(self) -> str:
        """Group and version, as documents write them."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def __str__(self) -> str:
        """As the API server writes it in its warnings."""
        return f"{self.group}/{self.version}, Kind={self.kind}"


def kind_in(api_version: str, kind: str) -> Kind:
    """A kind by its group and version as documents write them."""
    group, _, version = api_version.rpartition("/")
    return Kind(group, version, kind)


class KindNames(Protocol):
    """Which kinds there are."""

    def kind(self, group: str, version: str, resource: str) -> str | None:
        """The kind of a resource."""


class Shapes(KindNames, Protocol):
    """Which kinds there are, and what their objects look like."""

    def shape(self, api_version: str, kind: str) -> Shape | None:
        """The shape of a kind's objects; `None` where it is not known."""

    def kinds(self, kind: str) -> Iterable[Kind]:
        """The kinds of that name, in every group and version that is served."""


class Exact(NamedTuple):
    """Kinds that are named exactly; `others` where there is more that it is about, or may be."""

    kinds: tuple[Kind, ...]
    others: bool

    def without(self, kinds: Iterable[Kind]) -> Exact:
        """The same but for some kinds, of which a part may be left out, so that nothing is certain."""
        out = frozenset(kinds)
        return Exact(tuple(kind for kind in self.kinds if kind not in out), self.others)


def exact_kinds(rule: ResourceRule, names: KindNames) -> Iterator[Kind]:
    """The kinds of a rule that names them; one with wildcards names none."""
    if any("*" in word for word in (*rule.api_groups, *rule.api_versions)):
        return
    resources = sorted(word for word in rule.resources if "*" not in word and "/" not in word)
    count = 0
    for group in sorted(rule.api_groups):
        for version in sorted(rule.api_versions):
            for resource in resources:
                kind = names.kind(group, version, resource)
                if kind is not None and count < _MAX_KINDS:
                    count += 1
                    yield Kind(group, version, kind)


def exact_of_rules(rules: Iterable[ResourceRule], shapes: Shapes) -> Exact:
    """The kinds of several rules."""
    found: set[Kind] = set()
    others = False
    for rule in rules:
        kinds = [kind for kind in exact_kinds(rule, shapes) if shapes.shape(kind.api_version, kind.kind) is not None]
        found.update(kinds)
        named = len(set(rule.api_groups)) * len(set(rule.api_versions)) * len(set(rule.resources))
        others = others or len(kinds) != named
    return Exact(tuple(sorted(found)), others)


def exact_of_names(names: Iterable[str], shapes: Shapes) -> Exact:
    """The kinds that a classic rule names: `Pod`, `v1/Pod`, `apps/v1/Deployment`."""
    found: set[Kind] = set()
    others = False
    for text in names:
        name = parse_kind(text)
        same = [
            kind
            for kind in (() if name.subresource or "*" in name.kind or "?" in name.kind else shapes.kinds(name.kind))
            if name.group in ("*", kind.group) and name.version in ("*", kind.version)
        ]
        known = [kind for kind in same[:_MAX_KINDS] if shapes.shape(kind.api_version, kind.kind) is not None]
        found.update(known)
        others = others or not known or len(known) != len(same)
    return Exact(tuple(sorted(found)), others)
