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
from bartizan.base.suggest import did_you_mean

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


class Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One demand of a framework, and what shows that it is met: checks, a person's word, or both.

    `manual` is where a person must attest (too): `attest` says what the
    attestation must say, and `days` for how long it holds. In a file `checks`
    are those that do not name the control themselves; once loaded, all.
    """

    title: str
    checks: tuple[str, ...] = ()
    manual: bool = False
    attest: str = ""
    days: int = 0
    layer: Literal["", "application", "cluster", "infrastructure"] = ""
    phase: Literal["", "build", "operate"] = ""

    def __post_init__(self) -> None:
        """Refuse what the fields alone cannot.

        Raises:
            ValueError: an attestation without its words or its days, or the other way round.
        """
        if not self.manual == bool(self.attest) == (self.days > 0):
            raise ValueError("`attest` and `days` go with `manual: true`, and with nothing else")


class Framework(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A list of controls. A check names the controls it serves as `framework:control`, or a control its checks."""

    id: str
    title: str
    source: str
    controls: dict[str, Control]

    @property
    def checks(self) -> frozenset[str]:
        """The ids of all checks that serve a control of it."""
        return frozenset(check for control in self.controls.values() for check in control.checks)


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
    return join(checks, frameworks)


def join(checks: dict[str, CheckSpec], frameworks: dict[str, Framework]) -> Catalog:
    """Bring together what checks say of controls and controls of checks.

    Raises:
        SpecError: one names what is not there, or nothing would show that a control is met.
    """
    serving = _serving(checks, frameworks)
    joined: dict[str, Framework] = {}
    for framework in frameworks.values():
        controls: dict[str, Control] = {}
        for name, control in framework.controls.items():
            place = f"{framework.id}:{name}"
            served = tuple(sorted({*control.checks, *serving.get(place, ())}))
            for check in control.checks:
                if check not in checks:
                    raise SpecError(f"control `{place}` names no check: `{check}`", hint=did_you_mean(check, checks))
            if not served and not control.manual:
                raise SpecError(
                    f"nothing shows that control `{place}` is met", hint="Give it checks, or `manual: true`."
                )
            controls[name] = msgspec.structs.replace(control, checks=served)
        joined[framework.id] = msgspec.structs.replace(framework, controls=controls)
    return Catalog(checks, joined)


def _serving(checks: dict[str, CheckSpec], frameworks: dict[str, Framework]) -> dict[str, list[str]]:
    """The checks that name each control."""
    known = {f"{framework.id}:{name}" for framework in frameworks.values() for name in framework.controls}
    serving: dict[str, list[str]] = {}
    for check in checks.values():
        for place in check.frameworks:
            if place not in known:
                raise SpecError(f"check `{check.id}` names no control: `{place}`", hint=did_you_mean(place, known))
            serving.setdefault(place, []).append(check.id)
    return serving


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
