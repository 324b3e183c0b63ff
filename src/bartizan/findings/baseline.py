"""A baseline: the findings that were there before, so that a scan can speak of what is new.

Any report that Bartizan wrote and that keeps fingerprints is one: JSON,
NDJSON or SARIF. Waived findings are left out of it on purpose: when the
waiver ends, the finding is news.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson

from bartizan.base.errors import SpecError
from bartizan.base.location import Location
from bartizan.findings.fingerprint import SCHEME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bartizan.base.json import Json
    from bartizan.model.finding import Finding

_OPEN: Final = frozenset({"fail", "warn", "error"})
_HINT: Final = "Write one with `bartizan scan -o json=baseline.json`."


def read_baseline(text: bytes, at: Location | None = None) -> frozenset[str]:
    """Take the fingerprints out of a JSON, NDJSON or SARIF report; `at` is the file, for errors.

    Raises:
        SpecError: the text is none of them.
    """
    documents = list(_documents(text, at))
    if len(documents) == 1:
        document = documents[0]
        if isinstance(document, dict) and isinstance(document.get("runs"), list):
            return frozenset(_of_sarif(document["runs"], at))
        if isinstance(document, dict) and "findings" in document:
            return frozenset(_of_findings(document["findings"], at))
    if documents and all(isinstance(line, dict) and "type" in line for line in documents):
        return frozenset(_of_findings([line for line in documents if line["type"] == "finding"], at))
    raise SpecError("the baseline is no report of Bartizan", at=at, hint=_HINT)


def new_only(findings: Iterable[Finding], baseline: frozenset[str]) -> tuple[Finding, ...]:
    """Keep what the baseline does not know; passes and skips are kept, for they are no news."""
    return tuple(finding for finding in findings if finding.result not in _OPEN or finding.fingerprint not in baseline)


def _documents(text: bytes, at: Location | None) -> Iterator[Json]:
    """The one document, or a document a line."""
    try:
        yield orjson.loads(text)
    except orjson.JSONDecodeError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise SpecError(f"the baseline is not JSON: {error.msg}", at=at, hint=_HINT) from error
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                yield _line(line, number, at)


def _line(line: bytes, number: int, at: Location | None) -> Json:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        place = Location(at.file, number) if at else None
        message = f"line {number} of the baseline is not JSON: {error.msg}"
        raise SpecError(message, at=place, hint=_HINT) from error


def _of_findings(findings: Json, at: Location | None) -> Iterator[str]:
    if not isinstance(findings, list):
        raise SpecError("`findings` of the baseline is not a list", at=at, hint=_HINT, pointer="/findings")
    for index, finding in enumerate(findings):
        mark = finding.get("fingerprint") if isinstance(finding, dict) else None
        if not isinstance(mark, str):
            pointer = f"/findings/{index}"
            raise SpecError("a finding of the baseline has no fingerprint", at=at, hint=_HINT, pointer=pointer)
        if mark and not finding.get("waived_by"):
            yield mark


def _of_sarif(runs: list[Json], at: Location | None) -> Iterator[str]:
    for index, run in enumerate(runs):
        results = run.get("results") if isinstance(run, dict) else None
        for place, result in enumerate(results if isinstance(results, list) else ()):
            marks = result.get("partialFingerprints") if isinstance(result, dict) else None
            mark = marks.get(SCHEME) if isinstance(marks, dict) else None
            if isinstance(mark, str):
                if not result.get("suppressions"):
                    yield mark
            elif not isinstance(result, dict) or result.get("kind") not in ("pass", "notApplicable"):
                message = f"a result of the baseline has no fingerprint `{SCHEME}`"
                hint = "Give a SARIF file that Bartizan wrote."
                raise SpecError(message, at=at, hint=hint, pointer=f"/runs/{index}/results/{place}")
