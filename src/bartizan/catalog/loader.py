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
    return {
        "apiVersion": "kyverno.io/v1",
        "kind": "ClusterPolicy",
        "metadata": {
            "name": check.id,
            "annotations": {
                "policies.kyverno.io/title": check.title,
                "policies.kyverno.io/category": check.category,
                "policies.kyverno.io/severity": check.severity,
                "policies.kyverno.io/description": " ".join(check.why.split()),
            },
        },
        "spec": {"background": True, "rules": check.policy or check.export},
    }
