"""What renderers do beyond their golden files: long reports, empty ones, and what they cost to import."""

from __future__ import annotations

import json
import subprocess
import sys
from io import StringIO

import msgspec
import pytest
import yaml
from tests.conformance import ROOT
from tests.outputs.sample import FINDINGS, REPORT, WEB
from tests.outputs.schemas import sarif_schema

from bartizan.model.report import Counts, Report
from bartizan.model.resource import ResourceId
from bartizan.outputs.formats import FORMATS
from bartizan.outputs.view import View

HEAVY = ("rich", "yaml", "httpx", "click", "http.client", "xml.sax", "importlib.metadata", "asyncio")
EMPTY = Report("1.2.3", REPORT.at, ("k8s",), (), (), (), Counts())
CLEAN = msgspec.structs.replace(EMPTY, rules=REPORT.rules, resources=(WEB,), counts=Counts(passed=5))
PODS = [ResourceId("", "v1", "Pod", "shop", f"web-{number}") for number in range(3000)]
LONG = msgspec.structs.replace(
    REPORT,
    resources=tuple(PODS),
    findings=tuple(msgspec.structs.replace(FINDINGS[2], resource=pod) for pod in PODS),
    counts=Counts(failed=len(PODS)),
)


class Recorder(StringIO):
    """Keeps the size of the largest write; `writelines` goes through `write`, as it does for a file."""

    largest = 0

    def write(self, text: str, /) -> int:
        """Measure and keep."""
        self.largest = max(self.largest, len(text))
        return super().write(text)


def written(name: str, report: Report, view: View | None = None) -> str:
    out = StringIO()
    FORMATS[name].render(report, out, view)
    return out.getvalue()


@pytest.mark.parametrize("name", FORMATS)
def test_a_long_report_is_written_in_pieces(name: str) -> None:
    out = Recorder()
    FORMATS[name].render(LONG, out)
    assert out.largest < 400_000
    assert name in ("summary", "markdown") or out.getvalue().count("web-2999") >= 1


@pytest.mark.parametrize("report", [EMPTY, CLEAN], ids=["nothing was read", "everything is well"])
@pytest.mark.parametrize("name", FORMATS)
def test_a_report_without_findings_is_whole(name: str, report: Report) -> None:
    text = written(name, report)
    assert text.endswith("\n")
    match name:
        case "json":
            assert json.loads(text)["findings"] == []
        case "sarif":
            sarif_schema().validate(json.loads(text))
        case "policyreport" | "openreports":
            assert [document["results"] for document in yaml.safe_load_all(text)] == [[]]
        case "terminal":
            assert ("Nothing was judged" in text) == (report is EMPTY)
            assert ("No findings in 1 resource, judged by 5 rules." in text) == (report is CLEAN)
        case _:
            assert "web-" not in text


def test_the_sample_is_valid_sarif() -> None:
    sarif_schema().validate(json.loads(written("sarif", REPORT)))


def test_sarif_suppresses_what_is_waived() -> None:
    results = json.loads(written("sarif", REPORT))["runs"][0]["results"]
    assert [one["suppressions"][0]["justification"] for one in results if "suppressions" in one] == [
        "the cache is warmed by the node image (waiver `worker-cache` of team-shop, until 2026-06-30)"
    ]


def test_a_comment_says_what_it_has_no_room_for() -> None:
    text = written("markdown", LONG)
    shown = text.count("<details>")
    assert len(text) < 65_536
    assert f"and {len(PODS) - shown:,} more findings that a comment has no room for" in text


def test_github_shows_ten_and_lists_the_rest() -> None:
    lines = written("github", LONG).splitlines()
    assert sum(line.startswith("::error ") for line in lines) == 10  # eight findings, after two problems
    assert f"::group::{len(PODS) - 8:,} more findings" in "\n".join(lines)


def test_a_long_policy_report_is_split() -> None:
    documents = list(yaml.load_all(written("policyreport", LONG), yaml.CSafeLoader))
    assert [(document["metadata"]["name"], len(document["results"])) for document in documents] == [
        ("bartizan", 1000),
        ("bartizan-2", 1000),
        ("bartizan-3", 1000),
        ("bartizan-4", 1),
    ]


def test_the_terminal_page_keeps_to_its_width() -> None:
    text = written("terminal", REPORT, View(width=50))
    assert [line for line in text.splitlines() if len(line) > 50 and " --> " not in line] == []


def test_color_changes_nothing_but_color() -> None:
    import re

    assert re.sub(r"\x1b\[[0-9;]+m", "", written("terminal", REPORT, View(color=True))) == written("terminal", REPORT)


def test_formats_import_nothing_heavy() -> None:
    code = f"import sys, bartizan.outputs.formats; print(*set({HEAVY!r}) & set(sys.modules))"
    environment = {"PYTHONPATH": str(ROOT / "src"), "PATH": ""}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.split() == []
