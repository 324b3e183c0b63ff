"""Exports: row for row what the list shows, in formats that others' schemas take, whatever names say."""

from __future__ import annotations

import csv
import json
from contextlib import suppress
from html.parser import HTMLParser
from io import StringIO
from typing import TYPE_CHECKING, Any, get_args
from xml.etree import ElementTree as ET

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.laws import examples
from tests.outputs.fleet.ocsf import COMPLIANCE_FINDING
from tests.outputs.fleet.published import refusals, report_schema
from tests.outputs.schemas import sarif_schema
from tests.plane.api.test_reading import HOSTILE, followed
from tests.stores.fleet import World, observed, pod, rules

from bartizan.base.errors import SpecError
from bartizan.findings.score import recompute
from bartizan.outputs.fleet.formats import FORMATS
from bartizan.plane.api.exporting import FormatName
from bartizan.plane.pages.findings import exports_of, wanted_of
from bartizan.stores.queries.findings import findings
from bartizan.stores.queries.pages import Page
from bartizan.stores.scope import EVERYTHING, Grant

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.plane.api.conftest import Program

    from bartizan.plane.site import Site

ONE_ENGINE = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
"""Formats do not depend on the store."""
ALL_STATES = ["open", "waived", "fixed", "gone"]


@pytest.fixture
def hostile(world: World) -> World:
    """The fleet with objects whose names want to break out, some of them waived and some mended."""
    asked = rules("roots:critical", "host-path:high", "=1+1:low")
    for name in HOSTILE:
        said = observed(pod(name, name), asked, "fvf", name, message=name)
        world.keep(asked, said, cluster="one", hours=31)
    world.keep(asked, observed(pod("x"), asked, "fff"), cluster="one", hours=32)
    world.keep(asked, observed(pod("x"), asked, "ppw"), cluster="one", hours=33)
    return world


def exported(program: Program, form: str, **query: Any) -> str:
    """The text of an export."""
    answer = program.send("GET", "/export/findings", params={"format": form, **query})
    assert answer.status_code == 200, answer.text[:2000]
    assert answer.headers["content-disposition"].startswith('attachment; filename="bartizan-findings-')
    return answer.content.decode()


def keys(form: str, text: str) -> list[tuple[str, int]]:
    """The findings of an export, by cluster and number, in its order."""
    match form:
        case "csv":
            return [
                (row["cluster"].removeprefix("'"), int(row["number"])) for row in csv.DictReader(StringIO(text, ""))
            ]
        case "ndjson":
            return [(one["cluster"], one["number"]) for one in map(json.loads, text.splitlines())]
        case "json":
            return [(one["cluster"], one["number"]) for one in json.loads(text)["items"]]
        case "sarif":
            results = [one["properties"] for run in json.loads(text)["runs"] for one in run["results"]]
            return [(one["cluster"], one["number"]) for one in results]
    raise AssertionError(form)


FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "cluster": st.sampled_from(["one", "two"]),
        "namespace": st.sampled_from(["shop", "batch", "-", "", *HOSTILE[:3]]),
        "team": st.sampled_from(["payments", "data", "-", HOSTILE[1]]),
        "rule": st.sampled_from(["roots", "latest", "probes", "=1+1", "nope"]),
        "kind": st.sampled_from(["Pod", "Node"]),
        "severity": st.sampled_from(["info", "low", "medium", "high", "critical"]),
        "most": st.sampled_from(["medium", "high"]),
        "resource": st.integers(0, 4),
        "state": st.lists(st.sampled_from(ALL_STATES), min_size=1, max_size=4, unique=True),
        "q": st.sampled_from(["is bad", "roots", "<script>", "=cmd", "%", "x", "nothing of this"]),
    },
)


def test_every_format_is_offered() -> None:
    assert set(get_args(FormatName)) == {*FORMATS, "json", "ndjson"}


def test_an_export_is_what_the_list_shows_row_for_row(hostile: World, program: Callable[..., Program]) -> None:
    """M5: the same findings in the same order, all and no others; by cluster where the format has runs."""
    del hostile
    programs = [program(), program("viewer", Grant(teams=("payments", HOSTILE[1])))]

    @settings(examples(40), deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(FILTERS, st.sampled_from(["csv", "ndjson", "json", "sarif"]), st.sampled_from(programs))
    def holds(query: dict[str, Any], form: str, asking: Program) -> None:
        listed = [(one["cluster"], one["number"]) for one in followed(asking, "/findings", limit=4, **query)]
        if form == "sarif":
            listed.sort(key=lambda one: one[0])
        assert keys(form, exported(asking, form, **query)) == listed

    holds()


@ONE_ENGINE
def test_a_page_leads_to_the_export_of_what_it_shows(
    site: Site, hostile: World, program: Callable[..., Program]
) -> None:
    """The links of the findings page are of the same filters, by the same names."""
    del hostile
    asking = program()

    @settings(examples(15), deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(FILTERS)
    def holds(query: dict[str, Any]) -> None:
        given = {name: str(value) for name, value in query.items() if name not in ("q", "state") and value}
        wanted = wanted_of(given)
        with site.store.reading() as connection:
            shown = findings(connection, EVERYTHING, wanted, Page(500)).rows
        for name, link in exports_of(given):
            told = keys(name.lower(), asking.client.get(link).content.decode())
            assert sorted(told) == sorted((one.cluster, one.number) for one in shown)

    holds()


def test_json_has_the_records_of_the_list(hostile: World, program: Callable[..., Program]) -> None:
    del hostile
    asking = program()
    listed = followed(asking, "/findings", state=ALL_STATES, limit=100)
    assert json.loads(exported(asking, "json", state=ALL_STATES))["items"] == listed
    assert [json.loads(line) for line in exported(asking, "ndjson", state=ALL_STATES).splitlines()] == listed


@ONE_ENGINE
def test_csv_holds_every_text_and_no_formula(hostile: World, program: Callable[..., Program]) -> None:
    del hostile
    asking = program()
    text = exported(asking, "csv", state=ALL_STATES)
    assert text.count("\r\n") >= len(text.split("\r\n")) - 1
    listed = followed(asking, "/findings", state=ALL_STATES, limit=100)
    for row, one in zip(csv.DictReader(StringIO(text, "")), listed, strict=True):
        for told, kept in (
            (row["name"], one["object"]["name"]),
            (row["message"], one["message"]),
            (row["rule"], one["rule"]),
        ):
            assert told in (kept, f"'{kept}")
            assert not told.startswith(("=", "+", "-", "@", "\t", "\r"))


@ONE_ENGINE
def test_sarif_fits_the_published_schema(hostile: World, program: Callable[..., Program]) -> None:
    del hostile
    asking = program()
    for query in ({"state": ALL_STATES}, {"rule": "nope"}):
        document = json.loads(exported(asking, "sarif", **query))
        sarif_schema().validate(document)
    document = json.loads(exported(asking, "sarif", state=ALL_STATES))
    assert [run["properties"]["cluster"] for run in document["runs"]] == ["one", "two"]
    results = [one for run in document["runs"] for one in run["results"]]
    assert {one["kind"] for one in results if one["properties"]["state"] == "fixed"} == {"pass"}
    waived = [one for one in results if one["properties"]["state"] == "waived"]
    assert waived
    assert all(one["suppressions"][0]["status"] == "accepted" for one in waived)
    for run in document["runs"]:
        ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        assert all(ids[one["ruleIndex"]] == one["ruleId"] for one in run["results"])


@ONE_ENGINE
def test_oscal_fits_the_published_models(hostile: World, program: Callable[..., Program]) -> None:
    del hostile
    asking = program()
    for form in ("oscal", "oscal-poam"):
        full, empty = exported(asking, form, state=ALL_STATES), exported(asking, form, rule="nope")
        told = refusals(form, full, empty, full.replace('"uuid"', '"uid"', 1))
        assert told[:2] == ["", ""]
        assert told[2] != ""
        assert exported(asking, form, state=ALL_STATES) == full


@ONE_ENGINE
def test_oscal_points_only_to_what_is_there(hostile: World, program: Callable[..., Program]) -> None:
    del hostile
    asking = program()
    results = json.loads(exported(asking, "oscal"))["assessment-results"]["results"][0]
    observations = {one["uuid"] for one in results["observations"]}
    items = {one["uuid"] for one in results["local-definitions"]["inventory-items"]}
    assert len(observations) == len(results["observations"])
    assert {one["subjects"][0]["subject-uuid"] for one in results["observations"]} == items
    for finding in results["findings"]:
        assert {one["observation-uuid"] for one in finding.get("related-observations", ())} <= observations
    by_control = {one["target"]["target-id"]: one["target"]["status"] for one in results["findings"]}
    assert by_control["pss.baseline"] == {"state": "not-satisfied", "reason": "fail"}
    assert by_control["kubernetes-checklist.image-scanning"]["reason"] == "other"
    plan = json.loads(exported(asking, "oscal-poam", state=ALL_STATES))["plan-of-action-and-milestones"]
    statuses = {one["status"] for one in plan["risks"]}
    assert statuses == {"open", "deviation-approved"}
    assert len(plan["poam-items"]) == len(asking.get("/findings", state=["open", "waived"], limit=500)["items"])


@ONE_ENGINE
def test_ocsf_fits_the_published_models(hostile: World, program: Callable[..., Program]) -> None:
    del hostile
    asking = program()
    text = exported(asking, "ocsf", state=ALL_STATES)
    taken, refused = refusals("ocsf", text, text.replace('"finding_info"', '"info"', 1))
    assert taken == ""
    assert refused != ""
    listed = followed(asking, "/findings", state=ALL_STATES, limit=100)
    for line, one in zip(text.splitlines(), listed, strict=True):
        event = json.loads(line)
        COMPLIANCE_FINDING.validate(event)
        assert event["finding_info"]["uid"] == f"{one['cluster']}/{one['fingerprint']}"
        assert event["status"] == {"open": "New", "waived": "Suppressed"}.get(one["state"], "Resolved")


@ONE_ENGINE
@pytest.mark.parametrize("form", ["policyreport", "openreports"])
def test_policy_reports_fit_their_definitions(hostile: World, program: Callable[..., Program], form: str) -> None:
    del hostile
    asking = program()
    documents = list(yaml.load_all(exported(asking, form, cluster="one", state=ALL_STATES), yaml.CSafeLoader))
    for document in documents:
        report_schema(form, document["kind"]).validate(document)
    listed = followed(asking, "/findings", cluster="one", state=ALL_STATES, limit=100)
    told = [result for document in documents for result in document["results"]]
    assert sorted(one["properties"]["fingerprint"] for one in told) == sorted(one["fingerprint"] for one in listed)
    assert asking.send("GET", f"/export/findings?format={form}").status_code == 400


@ONE_ENGINE
def test_junit_is_well_formed(hostile: World, program: Callable[..., Program]) -> None:
    del hostile
    asking = program()
    root = ET.fromstring(exported(asking, "junit", cluster="one").encode())  # noqa: S314 (our own text is what is tested)
    assert int(root.attrib["tests"]) == len(asking.get("/findings", cluster="one", limit=500)["items"])


class Elements(HTMLParser):
    """Collects elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.rows = 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element."""
        del attrs
        self.tags.add(tag)
        self.rows += tag == "tr"


_ALLOWED = (
    "html head meta title style body header h1 h2 p time dl div dt dd table thead tbody tr th td span br code strong"
)


@ONE_ENGINE
def test_the_report_to_print_gains_no_elements(hostile: World, program: Callable[..., Program]) -> None:
    del hostile
    asking = program()
    page = exported(asking, "html", state=ALL_STATES)
    found = Elements(page)
    assert found.tags <= {*_ALLOWED.split(), "footer"}
    assert "http" not in page.replace("http-equiv", "")
    assert "Compliance of the fleet" in page
    assert "Pod Security Standards" in page
    few = Elements(exported(asking, "html", rule="nope"))
    assert found.rows - few.rows == len(followed(asking, "/findings", state=ALL_STATES, limit=100)) - 1


def test_scores_are_worked_out_again_from_their_export(hostile: World, program: Callable[..., Program]) -> None:
    del hostile
    asking = program()
    for query in (
        {},
        {"since": "2026-03-01"},
        {"cluster": "one", "since": "2026-03-02", "until": "2026-03-02"},
        {"team": "data"},
    ):
        answer = asking.send("GET", "/export/scores", params=query)
        assert answer.status_code == 200, answer.text
        assert recompute(answer.content) == answer.content
        changed = answer.content.replace(b'"passed": 1', b'"passed": 2', 1)
        with suppress(SpecError):  # what leads from one day to the other does not lead there any more
            assert recompute(changed) != answer.content
    told = asking.send("GET", "/export/scores").json()["scores"]
    of = {(one["of"], one["name"]): one["pass_rate"] for one in told}
    for kind in ("fleet", "cluster", "team", "framework", "control"):
        for one in asking.get("/scores", of=kind, limit=500)["items"]:
            if one["score"]["pass_rate"] is not None or (kind, one["name"]) in of:
                assert of[kind, one["name"]] == one["score"]["pass_rate"], (kind, one["name"])


@ONE_ENGINE
def test_an_export_of_what_is_not_there_is_refused(hostile: World, program: Callable[..., Program]) -> None:
    del hostile
    asking = program()
    for path, status in (
        ("/export/findings?cluster=nope", 404),
        ("/export/findings?format=pdf", 400),
        ("/export/findings?limit=3", 400),
        ("/export/scores?cluster=nope", 404),
        ("/export/scores?until=9999-01-01", 400),
    ):
        assert asking.send("GET", path).status_code == status, path
    head = asking.send("HEAD", "/export/findings")
    assert (head.status_code, head.content) == (200, b"")
