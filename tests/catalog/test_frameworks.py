"""Every control of every framework: what shows that it is met, and that what it names is there."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import msgspec
import pytest

from bartizan.app.selection import CheckSelection, select
from bartizan.base.errors import SpecError
from bartizan.catalog import Control, Framework, join, load_catalog
from bartizan.catalog.loader import read_file

if TYPE_CHECKING:
    from collections.abc import Iterator

CATALOG = load_catalog()
FRAMEWORKS = list(CATALOG.frameworks.values())
LAYERS = ("application", "cluster", "infrastructure")
PHASES = ("build", "operate")


def _controls() -> Iterator[object]:
    for framework in FRAMEWORKS:
        for name, control in framework.controls.items():
            yield pytest.param(framework, name, control, id=f"{framework.id}:{name}")


@pytest.mark.parametrize(("framework", "name", "control"), list(_controls()))
def test_control_can_be_shown_to_be_met(framework: Framework, name: str, control: Control) -> None:
    assert control.checks or control.manual
    assert set(control.checks) <= CATALOG.checks.keys()
    naming = {check.id for check in CATALOG.checks.values() if f"{framework.id}:{name}" in check.frameworks}
    assert naming <= set(control.checks)
    assert bool(control.attest) is control.manual is (control.days > 0)
    assert not control.manual or control.attest.endswith(".")


@pytest.mark.parametrize("check", CATALOG.checks.values(), ids=lambda check: check.id)
def test_check_serves_a_control(check: object) -> None:
    assert any(check.id in framework.checks for framework in FRAMEWORKS)  # type: ignore[attr-defined]  # a CheckSpec


def test_the_checklist_has_every_layer_and_phase() -> None:
    controls = CATALOG.frameworks["kubernetes-checklist"].controls.values()
    assert {(control.layer, control.phase) for control in controls} == set(product(LAYERS, PHASES))


def test_the_four_cs_are_four() -> None:
    assert {name.partition("-")[0] for name in CATALOG.frameworks["four-cs"].controls} == {
        "cloud",
        "cluster",
        "container",
        "code",
    }


def test_owasp_has_ten() -> None:
    assert list(CATALOG.frameworks["owasp-kubernetes"].controls) == [f"K{number:02}" for number in range(1, 11)]


@pytest.mark.parametrize("framework", FRAMEWORKS, ids=lambda framework: framework.id)
def test_a_framework_selects_its_checks(framework: Framework) -> None:
    assert {check.id for check in select(CheckSelection(frameworks=(framework.id,)))} == framework.checks


def _framework(control: Control) -> dict[str, Framework]:
    return {"f": Framework("f", "", "", {"c": control})}


def test_what_names_nothing_is_refused() -> None:
    checks = {"host-path": msgspec.structs.replace(CATALOG.checks["host-path"], frameworks=["f:c"])}
    assert join(checks, _framework(Control("C"))).frameworks["f"].controls["c"].checks == ("host-path",)
    assert join({}, _framework(Control("C", manual=True, attest="It is so.", days=1)))
    with pytest.raises(SpecError, match="names no check: `host-pat`"):
        join(checks, _framework(Control("C", checks=("host-pat",))))
    with pytest.raises(SpecError, match="nothing shows that control `f:c` is met"):
        join({}, _framework(Control("C")))
    with pytest.raises(SpecError, match="names no control: `f:c`"):
        join(checks, {})


@pytest.mark.parametrize(
    "control",
    [
        "{title: t, manual: true}",
        "{title: t, manual: true, attest: It is so.}",
        "{title: t, attest: It is so., days: 3, checks: [host-path]}",
        "{title: t, manual: true, attest: It is so., days: 3, layer: roof}",
        "{title: t, sort: new}",
        "title",
    ],
)
def test_malformed_controls_are_refused(control: str) -> None:
    with pytest.raises(SpecError, match="bad catalogue file"):
        read_file(f"{{id: f, title: t, source: s, controls: {{c: {control}}}}}".encode(), "f.yaml", Framework)
