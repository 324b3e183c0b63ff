"""Laws: nothing from outside breaks a format, whatever names and messages say."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from io import StringIO
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from markdown_it import MarkdownIt
from tests.laws import examples
from tests.outputs.hostile import REPORTS, TEXTS
from tests.outputs.schemas import report_schema, sarif_schema

from bartizan.outputs import yaml as plain_yaml
from bartizan.outputs.formats import FORMATS
from bartizan.outputs.text import encodable, xml_characters
from bartizan.outputs.view import View

if TYPE_CHECKING:
    from bartizan.model.report import Report

LAW = examples(40)
ALLOWED = {
    "html": "html head meta title style body a header h1 h2 h3 p time main ul li b svg rect section span "
    "table colgroup col thead tbody tr th td strong code br pre mark form input fieldset legend label select option "
    "button output footer script",
    "html attributes": "lang charset http-equiv content name class href id datetime aria-label aria-hidden aria-live "
    "viewbox preserveaspectratio x width height data-namespace data-level data-policy scope type value checked hidden "
    "placeholder",
    "markdown": "h3 p strong table thead tbody tr th td details summary code br ul li blockquote",
}
HTML_TAGS, HTML_ATTRIBUTES, MARKDOWN_TAGS = (set(words.split()) for words in ALLOWED.values())


def written(name: str, report: Report, view: View | None = None) -> str:
    """The report in one format; every format can be encoded as UTF-8."""
    out = StringIO()
    FORMATS[name].render(report, out, view)
    text = out.getvalue()
    assert text.encode().decode() == text
    return text


class Tags(HTMLParser):
    """Collects elements and attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.comments = 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element."""
        self.tags.append(tag)
        self.attributes += attrs

    def handle_comment(self, data: str) -> None:
        """Count comments, of which there should be none."""
        self.comments += len(data) + 1


@LAW
@given(REPORTS)
def test_json_is_what_its_schema_says(report: Report) -> None:
    document = json.loads(written("json", report))
    Draft202012Validator(report_schema()).validate(document)
    assert [one["message"] for one in document["findings"]] == [encodable(one.message) for one in report.findings]


@LAW
@given(REPORTS)
def test_ndjson_is_a_document_a_line(report: Report) -> None:
    lines = [json.loads(line) for line in written("ndjson", report).split("\n")[:-1]]
    assert [line["type"] for line in lines].count("finding") == len(report.findings) + len(report.waived)
    assert lines[-1]["type"] == "summary"


@LAW
@given(REPORTS)
def test_sarif_is_what_its_schema_says(report: Report) -> None:
    document = json.loads(written("sarif", report))
    sarif_schema().validate(document)
    assert len(document["runs"][0]["results"]) == len(report.findings) + len(report.waived)


@LAW
@given(REPORTS)
def test_junit_is_well_formed_and_counts_right(report: Report) -> None:
    root = ET.fromstring(written("junit", report).encode())  # noqa: S314 (our own text is what is tested)
    assert len(root.findall("./testsuite/testcase")) == int(root.attrib["tests"])
    for tag, key in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        assert len(root.findall(f"./testsuite/testcase/{tag}")) == int(root.attrib[key])
        assert sum(int(suite.attrib[key]) for suite in root) == int(root.attrib[key])


@LAW
@given(TEXTS)
def test_a_name_survives_xml_but_for_what_xml_cannot_hold(name: str) -> None:
    from bartizan.outputs.junit import _attribute

    element = ET.fromstring(f"<x y={_attribute(name)}/>".encode())  # noqa: S314 (our own text is what is tested)
    assert element.attrib["y"] == xml_characters(name)


@LAW
@given(REPORTS)
def test_html_gains_no_elements_and_asks_for_nothing(report: Report) -> None:
    page = Tags(written("html", report))
    assert set(page.tags) <= HTML_TAGS
    assert {key for key, _ in page.attributes} <= HTML_ATTRIBUTES
    assert (page.tags.count("script"), page.tags.count("style"), page.comments) == (1, 1, 0)
    assert all((value or "").startswith("#") for key, value in page.attributes if key == "href")


@LAW
@given(REPORTS)
def test_markdown_gains_no_structure(report: Report) -> None:
    text = written("markdown", report)
    page = Tags(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text))
    assert set(page.tags) <= MARKDOWN_TAGS
    assert {key for key, _ in page.attributes} == set()
    assert (page.comments, page.tags.count("h3")) == (0, 1)
    rows = sum(one.result in ("fail", "warn", "error") for one in report.findings)
    assert page.tags.count("tr") == (rows + 1 if rows else 0)
    assert not re.search(r"@\w", text)


@LAW
@given(REPORTS)
def test_github_gains_no_commands(report: Report) -> None:
    lines = written("github", report).split("\n")
    rows = sum(one.result in ("fail", "warn", "error") for one in report.findings)
    assert len(lines) == rows + len(report.problems) + 2
    assert all(re.match(r"::(error|warning|notice) title=[^:]*::", line) for line in lines[:-2])
    assert lines[-2].startswith("bartizan: ")
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", "".join(lines))


@LAW
@given(REPORTS, st.sampled_from([View(width=40), View(color=True), View(color=True, explain=True, width=200)]))
def test_a_terminal_gets_no_codes_but_ours(report: Report, view: View) -> None:
    text = (
        re.sub(r"\x1b\[[0-9;]+m", "", written("terminal", report, view)) if view.color else written("terminal", report)
    )
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)


@LAW
@given(REPORTS)
def test_the_summary_is_a_few_lines(report: Report) -> None:
    text = written("summary", report)
    assert text.count("\n") <= 6 + len(report.problems)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)


@LAW
@pytest.mark.parametrize("name", ["policyreport", "openreports"])
@given(report=REPORTS)
def test_policy_reports_read_back_as_they_were_meant(name: str, report: Report) -> None:
    documents = list(yaml.load_all(written(name, report), yaml.CSafeLoader))
    results = [result for document in documents for result in document["results"]]
    assert sorted(result.get("message", "") for result in results) == sorted(
        encodable(one.message) for one in (*report.findings, *report.waived)
    )
    for document in documents:
        assert sum(document["summary"].values()) == len(document["results"])
        assert all(ref.get("namespace") == document["metadata"].get("namespace") for ref in _references(document))


def _references(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [reference for result in document["results"] for reference in result["resources"]]


_VALUES = st.recursive(
    st.one_of(TEXTS, st.booleans(), st.integers(min_value=-(2**63), max_value=2**63 - 1), st.none()),
    lambda inner: st.one_of(
        st.lists(st.one_of(TEXTS, st.dictionaries(TEXTS, inner, max_size=2)), max_size=3),
        st.dictionaries(TEXTS, inner, max_size=3),
    ),
    max_leaves=8,
)


@LAW
@given(st.dictionaries(TEXTS, _VALUES, min_size=1, max_size=3))
def test_yaml_reads_back_as_it_was_written(value: dict[str, Any]) -> None:
    text = "\n".join(plain_yaml.lines(value))
    assert yaml.load(text, yaml.CSafeLoader) == _encodable(value)


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, dict):
        return {encodable(key): _encodable(item) for key, item in value.items()}
    return [_encodable(item) for item in value] if isinstance(value, list) else value
