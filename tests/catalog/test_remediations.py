"""Every remediation of the catalogue on the failing examples of its check, as objects and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.catalog.test_checks import CHECKS, verdict
from tests.laws import examples

from bartizan.app.asking import Asker, Asking
from bartizan.app.fix.remedies import compile_remedies, mend
from bartizan.base.errors import SpecError
from bartizan.catalog import CheckSpec, Example, Remediation, export_fix
from bartizan.catalog.loader import read_file
from bartizan.engines.policy.lookup import Offline
from bartizan.model.resource import resource_from
from bartizan.sources.yaml import parse_yaml_text
from bartizan.sources.yaml.edit import edit_document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.base.json import JsonObject

_PLAIN = Asking(Asker().request_for, Offline())
"""Rules are told the resource, and nothing else is known."""
MENDED = [check for check in CHECKS if check.remediation]
FAILING = [
    pytest.param(check, example, id=f"{check.id}: {example.name}")
    for check in MENDED
    for example in check.examples
    if example.expect == "fail"
]
PASSING = [
    pytest.param(check, example, id=f"{check.id}: {example.name}")
    for check in MENDED
    for example in check.examples
    if example.expect != "fail"
]


def mended(check: CheckSpec, body: JsonObject) -> JsonObject:
    return mend(resource_from(body), compile_remedies([check], risky=True), _PLAIN).resource.body


@pytest.mark.parametrize(("check", "example"), FAILING)
def test_a_mended_example_passes(check: CheckSpec, example: Example) -> None:
    body = mended(check, example.every[0])
    assert verdict(check, [body, *example.every[1:]]) in ("pass", "skip")


@pytest.mark.parametrize(("check", "example"), FAILING)
def test_mending_twice_changes_nothing_more(check: CheckSpec, example: Example) -> None:
    once = mended(check, example.every[0])
    assert mended(check, once) is once


@pytest.mark.parametrize(("check", "example"), PASSING)
def test_what_passes_is_left_alone(check: CheckSpec, example: Example) -> None:
    assert mended(check, example.every[0]) is example.every[0]


@pytest.mark.parametrize(("check", "example"), FAILING)
def test_text_is_mended_like_the_object(check: CheckSpec, example: Example) -> None:
    """The example as YAML, mended in its text, reads as the mended object, and keeps the other lines."""
    text = yaml.safe_dump(example.every[0], sort_keys=False)
    before = parse_yaml_text(text)
    after = mended(check, before)
    edited = edit_document(text, before, after)
    assert parse_yaml_text(edited) == mended(check, example.every[0])
    assert verdict(check, [parse_yaml_text(edited), *example.every[1:]]) in ("pass", "skip")
    kept = [line for line in text.splitlines() if line in edited.splitlines()]
    assert len(kept) >= len(text.splitlines()) - 3


@pytest.mark.parametrize(("check", "example"), FAILING)
def test_only_what_the_remediation_names_changes(check: CheckSpec, example: Example) -> None:
    """Every value that differs stands at or below a field that the patch sets."""
    before = dict(_leaves(example.every[0]))
    after = dict(_leaves(mended(check, example.every[0])))
    assert check.remediation
    named = {path[-1] for path, _ in _leaves(check.remediation.mutate)} | {"drop", "add"}
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert changed
    assert not [path for path in changed if named.isdisjoint(path)]


def _leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, index))
    elif value not in ({}, []):
        yield path, value


def maps(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Maps with some of the fields."""
    return st.fixed_dictionaries({}, optional=fields)


SECURITY = maps(
    privileged=st.booleans(),
    allowPrivilegeEscalation=st.booleans(),
    readOnlyRootFilesystem=st.booleans(),
    runAsNonRoot=st.booleans(),
    runAsUser=st.sampled_from([0, 1000]),
    procMount=st.sampled_from(["Default", "Unmasked"]),
    seccompProfile=maps(type=st.sampled_from(["RuntimeDefault", "Unconfined", "Localhost"])),
    appArmorProfile=maps(type=st.sampled_from(["RuntimeDefault", "Unconfined"])),
    capabilities=maps(
        add=st.lists(st.sampled_from(["SYS_ADMIN", "NET_BIND_SERVICE", "NET_RAW"]), unique=True),
        drop=st.lists(st.sampled_from(["ALL", "NET_RAW"]), unique=True),
    ),
)
PORTS = st.lists(
    st.fixed_dictionaries(
        {"containerPort": st.sampled_from([80, 8080, 443])},
        optional={"hostPort": st.just(80), "protocol": st.sampled_from(["TCP", "UDP"]), "name": st.just("http")},
    ),
    max_size=2,
    unique_by=lambda port: port["containerPort"],
)


def containers(least: int) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Containers with names of their own."""
    one = st.fixed_dictionaries(
        {"name": st.sampled_from(["a", "b", "c"]), "image": st.sampled_from(["r.example/a:1", "r.example/a:latest"])},
        optional={
            "securityContext": SECURITY,
            "ports": PORTS,
            "imagePullPolicy": st.sampled_from(["Always", "IfNotPresent"]),
        },
    )
    return st.lists(one, min_size=least, max_size=3, unique_by=lambda container: container["name"])


POD_SPECS = st.fixed_dictionaries(
    {"containers": containers(1)},
    optional={
        "initContainers": containers(0),
        "securityContext": SECURITY,
        "hostNetwork": st.booleans(),
        "hostPID": st.booleans(),
        "automountServiceAccountToken": st.booleans(),
    },
)


def names(value: Any) -> list[Any]:
    """What the containers and their ports are called, in the order in which they stand."""
    if isinstance(value, dict):
        own = [value[key] for key in ("name", "containerPort") if key in value]
        return own + [name for item in value.values() for name in names(item)]
    return [name for item in value for name in names(item)] if isinstance(value, list) else []


REMEDIES = compile_remedies(MENDED, risky=True)


@given(POD_SPECS, st.booleans())
@examples(150)
def test_random_pods_pass_every_mended_check_for_good(spec: JsonObject, templated: bool) -> None:
    """All remediations together: nothing they mend is left, a second time changes nothing, the text reads the same."""
    head = {"metadata": {"name": "x", "namespace": "y"}}
    pod = {"apiVersion": "v1", "kind": "Pod", **head, "spec": spec}
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", **head, "spec": {"template": {"spec": spec}}}
    body = deployment if templated else pod
    once = mend(resource_from(body), REMEDIES, _PLAIN)
    assert not once.left
    assert names(once.resource.body) == names(body)
    assert mend(resource_from(once.resource.body), REMEDIES, _PLAIN).resource.body is once.resource.body
    text = yaml.safe_dump(body, sort_keys=False)
    assert parse_yaml_text(edit_document(text, parse_yaml_text(text), once.resource.body)) == once.resource.body


def test_ports_that_cannot_be_told_apart_are_left() -> None:
    """A merge knows ports by number and protocol, and would lose one of two that leave the protocol out."""
    ports = [{"containerPort": 53, "hostPort": 53, "protocol": "UDP"}, {"containerPort": 53}]
    spec = {"containers": [{"name": "dns", "image": "dns:1", "ports": ports}]}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "dns"}, "spec": spec}
    after = mended(next(check for check in MENDED if check.id == "host-port"), body)
    assert [port["containerPort"] for port in after["spec"]["containers"][0]["ports"]] == [53, 53]


@pytest.mark.parametrize("check", MENDED, ids=lambda check: check.id)
def test_resource_of_a_kind_that_does_not_exist_loses_nothing(check: CheckSpec) -> None:
    """There is no Pod in `apps/v1`, so its lists cannot be merged, and a patch would replace them."""
    container = {"name": "a", "image": "i", "ports": [{"containerPort": 80, "name": "http"}]}
    other = {"name": "b", "image": "i:latest", "imagePullPolicy": "Never", "securityContext": {"privileged": True}}
    spec = {"containers": [container, other], "hostNetwork": True}
    body = {"apiVersion": "apps/v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": spec}
    after = dict(_leaves(mended(check, body)))
    for path, value in _leaves(body):
        assert path[-1] in ("hostNetwork", "privileged", "imagePullPolicy") or after[path] == value


@pytest.mark.parametrize(
    "written",
    [
        "{risk: none, mutate: []}",
        "{risk: behaviour, mutate: [{patchStrategicMerge: {}}]}",
        "{risk: none, warning: mind, mutate: [{patchStrategicMerge: {}}]}",
        "{risk: some, mutate: [{patchStrategicMerge: {}}]}",
        "{risk: none, mutate: [{patchStrategicMerge: {}}], when: now}",
    ],
)
def test_malformed_remediation_is_refused(written: str) -> None:
    with pytest.raises(SpecError):
        read_file(written.encode(), "x.yaml", Remediation)


@pytest.mark.parametrize("check", MENDED, ids=lambda check: check.id)
def test_remediation_is_exported_as_a_policy(check: CheckSpec) -> None:
    policy = export_fix(check)
    assert policy is not None
    assert policy["metadata"]["name"] == f"fix-{check.id}"
    assert all("mutate" in rule and "match" in rule for rule in policy["spec"]["rules"])


def test_checks_without_a_remediation_have_no_policy_of_one() -> None:
    assert all(export_fix(check) is None for check in CHECKS if check.remediation is None)
