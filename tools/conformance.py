"""Run the peers' suites and write `docs/conformance.md`, so that its figures are always those of a run."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.conformance import find_conformance  # noqa: E402
from tests.lang.cel.suite import cases as cel_expressions  # noqa: E402
from tests.lang.cel.suite import problem as cel_problem  # noqa: E402

from bartizan.app.policy_tests import Case, Verdict, run_tests  # noqa: E402 (found from the root, which the line above adds)
from bartizan.app.policy_tests.files import TEST_FILE  # noqa: E402
from bartizan.base.errors import SpecError  # noqa: E402
from bartizan.engines.policy.dialects.podsecurity.levels import compile_level  # noqa: E402
from bartizan.lang.jmespath import JmesPathError, compile_expression, standard_functions  # noqa: E402
from bartizan.lang.jmespath.runtime import equal  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterable

PAGE = ROOT / "docs" / "conformance.md"
SUITES = ("kyverno-policies", "kyverno-cli", "pod-security", "jmespath", "cel-spec")
_CEL_FOLDERS = re.compile(r"-(cel|vpol|mpol|gpol|dpol|ivpol)$")


class Count(NamedTuple):
    """One suite's figures; `unsupported` by the construct that is missing."""

    passed: int
    failed: int
    unsupported: dict[str, int]


def classic_folders(suite: Path) -> list[Path]:
    """The folders of classic policies."""
    return sorted(item for item in suite.iterdir() if item.is_dir() and not _CEL_FOLDERS.search(item.name))


def classic_cases(suite: Path) -> list[Case]:
    """Every expectation in the folders of classic policies.

    Raises:
        SpecError: a test file cannot be run.
    """
    return _cases(classic_folders(suite))


def cel_cases(suite: Path) -> list[Case]:
    """Every expectation in the folders of classic policies whose rules are written in CEL.

    Raises:
        SpecError: a test file cannot be run.
    """
    return _cases(cel_folders(suite))


def cel_folders(suite: Path) -> list[Path]:
    """The folders of classic policies whose rules are written in CEL."""
    return _folders(suite, r"-cel$")


def kind_cases(suite: Path) -> list[Case]:
    """Every expectation in the folders of the kinds that are CEL altogether.

    Raises:
        SpecError: a test file cannot be run.
    """
    return _cases(kind_folders(suite))


def kind_folders(suite: Path) -> list[Path]:
    """The folders of the kinds that are CEL altogether."""
    return _folders(suite, r"-(vpol|mpol|gpol|dpol|ivpol)$")


def _folders(suite: Path, ending: str) -> list[Path]:
    return sorted(item for item in suite.iterdir() if item.is_dir() and re.search(ending, item.name))


def _cases(folders: list[Path]) -> list[Case]:
    cases: list[Case] = []
    for outcome in run_tests(folders, TEST_FILE):
        if outcome.problem is not None:
            raise SpecError(outcome.problem.message, at=outcome.problem.at, hint=outcome.problem.hint)
        cases += outcome.cases
    return cases


def command_line_cases(suite: Path) -> list[Case]:
    """Every expectation of the peer's own command-line tests.

    Test files that name files which were kept back are left out; the peer
    cannot run them either.
    """
    return [case for outcome in run_tests([suite], TEST_FILE) for case in outcome.cases]


def fails_at_the_peer(suite: Path, case: Case, known: dict[str, object]) -> bool:
    """Whether the peer's own program fails an expectation when it is offline."""
    failing = known.get(str(Path(case.file).parent.relative_to(suite)), [])
    if not isinstance(failing, list):
        return isinstance(failing, str)
    # what is expected of a policy in CEL names no rule, where the peer's answer has one
    rows = [row.split(" ") for row in failing]
    about = (case.policy, case.resource.rpartition("/")[2])
    return any(about == (policy, name) and case.rule in ("", rule) for policy, rule, name in rows)


def count(cases: Iterable[Case], *, strict: bool) -> Count:
    """Count cases, in the peer's way or strictly."""
    listed = list(cases)
    verdicts = Counter((case.strict if strict else case.compatible) for case in listed)
    missing = Counter(case.reason for case in listed if case.compatible is Verdict.UNSUPPORTED)
    return Count(verdicts[Verdict.PASSED], verdicts[Verdict.FAILED], dict(sorted(missing.items())))


def pod_security(suite: Path) -> Count:
    """Every pod at its level and version."""
    passed = failed = 0
    for file in sorted(suite.glob("*/v*/*/*.yaml")):
        level, version, verdict = file.parts[-4:-1]
        pod = yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)
        refused = bool(compile_level(level, version)(pod["metadata"], pod["spec"]))
        if refused == (verdict == "fail"):
            passed += 1
        else:
            failed += 1
    return Count(passed, failed, {})


def jmespath(suite: Path) -> Count:
    """Every compliance case, on the standard language."""
    functions = standard_functions()
    results = [
        _holds(group["given"], case, functions)
        for file in sorted(suite.glob("*.json"))
        for group in json.loads(file.read_text())
        for case in group["cases"]
    ]
    return Count(results.count(True), results.count(False), {})


def _holds(given: object, case: dict[str, object], functions: object) -> bool:
    try:
        value = compile_expression(str(case["expression"]), functions, missing="null")(given)  # type: ignore[arg-type]  # made above
    except (SpecError, JmesPathError):
        return "error" in case
    return "error" not in case and ("result" not in case or equal(value, case["result"]))


def cel(suite: Path) -> Count:
    """Every test of the language CEL; those that do not pass yet are named, by the reason, in a list of their own."""
    named = yaml.safe_load((ROOT / "tests/cases/cel/conformance.yaml").read_text())
    missing = {name for names in named.values() for name in names}
    results = {case.id: not cel_problem(case) for case in cel_expressions(suite)}
    failed = [name for name, passed in results.items() if not passed and name not in missing]
    unsupported = {reason: len(names) for reason, names in named.items()}
    return Count(sum(results.values()), len(failed), unsupported)


def page(policies: Path, command_line: Path, pods: Path, expressions: Path, language: Path) -> str:
    """The page, from a run of every suite."""
    cases = classic_cases(policies)
    in_cel, kinds = cel_cases(policies), kind_cases(policies)
    known = yaml.safe_load((ROOT / "tests/cases/kyverno/peer_cli.yaml").read_text())
    others = command_line_cases(command_line)
    theirs = [case for case in others if fails_at_the_peer(command_line, case, known)]
    passing = count([case for case in others if case not in theirs], strict=False)
    rows = [
        ("Kyverno policy library, classic folders, compatible", count(cases, strict=False)),
        ("Kyverno policy library, classic folders, strict", count(cases, strict=True)),
        ("Kyverno policy library, folders of classic policies in CEL, compatible", count(in_cel, strict=False)),
        ("Kyverno policy library, folders of classic policies in CEL, strict", count(in_cel, strict=True)),
        ("Kyverno policy library, folders of CEL kinds, compatible", count(kinds, strict=False)),
        ("Kyverno policy library, folders of CEL kinds, strict", count(kinds, strict=True)),
        ("Kyverno command-line tests, those that the peer passes offline", passing),
        ("Pod Security admission", pod_security(pods)),
        ("JMESPath compliance", jmespath(expressions)),
        ("CEL conformance", cel(language)),
    ]
    lines = [
        "# Conformance",
        "",
        "Written by `make conformance`; a test fails when a run gives other figures. Every suite is the peers' own.",
        "",
        "| suite | passed | failed | not supported yet | total |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, figures in rows:
        missing = sum(figures.unsupported.values())
        total = figures.passed + figures.failed + missing
        lines.append(f"| {name} | {figures.passed:,} | {figures.failed:,} | {missing:,} | {total:,} |")
    lines += [
        "",
        "Compatible is how `kyverno test` counts: an expectation passes when the rule gave no answer at all, whatever",
        "was expected. Strict does not let it pass. Of a policy in CEL that is about Pods, the peer counts a row more",
        "wherever the policy itself came before the one made of it for controllers; here a resource is one row.",
        "",
        "No test of CEL is left out: objects of compiled protobuf types are made by types that are described as data.",
        "",
        f"The peer itself fails {len(theirs)} of its command-line tests offline, for they ask public registries,",
        "or its run ends with an error; they are not counted.",
        "",
        *_missing("Not supported yet, of the command-line tests, by construct:", passing.unsupported),
        *_missing("Not supported yet, of the tests of CEL, by what they need:", rows[-1][1].unsupported),
        *_missing("Not supported yet, of the policy library, by construct:", rows[0][1].unsupported),
    ]
    return "\n".join(lines)


def _missing(title: str, constructs: dict[str, int]) -> list[str]:
    return (
        [title, "", *(f"- `{construct}`: {number}" for construct, number in constructs.items()), ""]
        if constructs
        else []
    )


def main() -> None:
    """Run all suites and write the page."""
    found = [find_conformance(name) for name in SUITES]
    if None in found:
        sys.exit("the conformance suites are not there: set BARTIZAN_CONFORMANCE to their folder")
    text = page(*(item for item in found if item is not None))
    PAGE.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
