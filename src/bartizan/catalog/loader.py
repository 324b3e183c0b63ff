"""The checks and frameworks, read from their files.

A check file is everything there is to say of a check: the reason, the fix,
the rule, and the examples that are its tests and its documentation.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from bartizan.base.errors import SpecError
from bartizan.base.location import Location

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

    from bartizan.base.json import JsonObject


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Resources and the verdict the check must give on the first: a test and a documentation page."""

    name: str
    expect: Literal["pass", "fail", "skip"]
    object: dict[str, Any] | None = None  # msgspec cannot decode the recursive alias `Json`
    objects: list[dict[str, Any]] = []

    @property
    def every(self) -> list[dict[str, Any]]:
        """All resources; the first is the one that is judged."""
        return [self.object] if self.object is not None else self.objects


class Remediation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How resources are changed so that they pass: Kyverno's `mutate` blocks, done in order.

    `risk` is `behaviour` where a program may notice; `warning` then says
    which, and what it needs. `fields` are those that may change, where the
    blocks do not say it themselves because a variable stands there.
    """

    risk: Literal["none", "behaviour"]
    mutate: list[dict[str, Any]]  # msgspec cannot decode the recursive alias `Json`
    warning: str = ""
    fields: list[str] = []

    def __post_init__(self) -> None:
        """Refuse what the fields alone cannot.

        Raises:
            ValueError: there is nothing to do, or a risk without its reason.
        """
        if not self.mutate:
            raise ValueError("`mutate` is empty")
        if (self.risk == "behaviour") != bool(self.warning):
            raise ValueError("`warning` goes with `risk: behaviour`, and with nothing else")


class CheckSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One catalogue file. `policy` holds Kyverno rules; `template` names a native one, with its `export` as rules."""

    id: str
    title: str
    severity: Literal["info", "low", "medium", "high", "critical"]
    category: str
    frameworks: list[str]
    why: str
    fix: str
    examples: list[Example]
    policy: list[dict[str, Any]] = []
    template: str = ""
    export: list[dict[str, Any]] = []
    remediation: Remediation | None = None


class Framework(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A list of controls; checks name the controls they are part of as `framework:control`."""

    id: str
    title: str
    source: str
    controls: dict[str, str]


@dataclass(frozen=True, slots=True)
class Catalog:
    """All checks and frameworks, by id."""

    checks: dict[str, CheckSpec]
    frameworks: dict[str, Framework]


@lru_cache(maxsize=1)
def load_catalog() -> Catalog:
    """Read the catalogue that is part of the program.

    Raises:
        SpecError: a file of it is malformed, which its tests prevent.
    """
    root = resources.files(__package__)
    checks = {check.id: check for check in _read(root / "checks", CheckSpec)}
    frameworks = {framework.id: framework for framework in _read(root / "frameworks", Framework)}
    return Catalog(checks, frameworks)


def _read(folder: Traversable, kind: type[Any]) -> Iterator[Any]:
    for file in sorted(folder.iterdir(), key=lambda item: item.name):
        if file.name.endswith(".yaml"):
            yield read_file(file.read_bytes(), file.name, kind)


def read_file(data: bytes, name: str, kind: type[Any]) -> Any:
    """Read one catalogue file.

    Raises:
        SpecError: it is not YAML, or does not have the fields of its kind.
    """
    import yaml

    try:
        document = yaml.load(data, Loader=yaml.CSafeLoader)
        return msgspec.convert(document, kind)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        hint = f"See `{kind.__name__}` for the fields."
        raise SpecError(f"bad catalogue file: {error}", at=Location(name), hint=hint) from error


def export_policy(check: CheckSpec) -> JsonObject:
    """A check as a ClusterPolicy that people may copy and change."""
    return _policy(check, check.id, check.title, check.why, {"background": True, "rules": check.policy or check.export})


def export_fix(check: CheckSpec) -> JsonObject | None:
    """The remediation of a check as a ClusterPolicy that mutates; `None` where a check has none."""
    remediation = check.remediation
    if remediation is None:
        return None
    judged = (check.policy or check.export)[0]
    scope = {key: judged[key] for key in ("match", "exclude") if key in judged}
    rules = [
        {"name": f"fix-{check.id}-{number}"[:63], **scope, "mutate": mutate}
        for number, mutate in enumerate(remediation.mutate, 1)
    ]
    said = f"{check.fix.strip()} {remediation.warning}"
    return _policy(check, f"fix-{check.id}", f"Fix: {check.title}", said, {"rules": rules})


def _policy(check: CheckSpec, name: str, title: str, said: str, spec: JsonObject) -> JsonObject:
    return {
        "apiVersion": "kyverno.io/v1",
        "kind": "ClusterPolicy",
        "metadata": {
            "name": name,
            "annotations": {
                "policies.kyverno.io/title": title,
                "policies.kyverno.io/category": check.category,
                "policies.kyverno.io/severity": check.severity,
                "policies.kyverno.io/description": " ".join(said.split()),
            },
        },
        "spec": spec,
    }
