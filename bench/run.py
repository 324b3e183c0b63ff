"""Both, in one run: Bartizan beside the peers, on the same input, with the results compared.

Writes `docs/benchmarks.md`. Figures are of this machine; read the ratios.
"""

from __future__ import annotations

import argparse
import compileall
import os
import platform
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.conformance import find_conformance  # noqa: E402
from tools import conformance, gobuild  # noqa: E402

from bench import cel_libraries, corpus, measure, yaml_loading  # noqa: E402 (found from the root, which the line above adds)

MUTATING = 20
"""Policies of the benchmark that mutates."""
VALIDATING = 42
"""Policies of the benchmark of CEL."""
BARTIZAN = Path(sys.executable).with_name("bartizan")


def classic(suite: Path, work: Path, number: int, runs: int) -> list[str]:
    """The two folders of policies over workloads."""
    return scanning(work / "classic", corpus.policies(suite), corpus.workloads(suite, number), runs)


def validating(suite: Path, work: Path, number: int, runs: int) -> list[str]:
    """ValidatingPolicies over workloads; the peer compiles each for every resource, so there are fewer of these."""
    return scanning(work / "cel", corpus.validating(suite, VALIDATING), corpus.workloads(suite, number), runs, "CEL ")


def scanning(work: Path, chosen: list[Path], items: list[dict[str, Any]], runs: int, kind: str = "") -> list[str]:
    """Policies over workloads: time, memory, and every result."""
    peer = gobuild.ensure("kyverno")["kyverno"]
    folder, manifests = work / "policies", work / "workloads.yaml"
    folder.mkdir(parents=True)
    for index, file in enumerate(chosen):
        shutil.copy(file, folder / f"{index:02}-{file.name}")
    corpus.write(items, manifests)
    apply = [str(peer), "apply", str(folder), "--resource", str(manifests), "--policy-report"]
    scan = [str(BARTIZAN), "scan", "-p", str(folder), str(manifests), "-o"]
    theirs = measure.run(apply, work / "peer.yaml", runs)
    ours = measure.run([*scan, "summary"], work / "own.txt", runs * 3)
    full = measure.run(scan[:-1], work / "own-full.txt", runs * 3)
    print("comparing every result", file=sys.stderr)
    measure.run([*scan, "policyreport"], work / "own.yaml", 1)
    left, right = results(work / "peer.yaml"), results(work / "own.yaml")
    different = sum(((left - right) + (right - left)).values())
    return [
        f"## {len(chosen)} {kind}policies on {len(items):,} workloads",
        "",
        "| program | wall | CPU | peak memory |",
        "|---|---|---|---|",
        row("kyverno apply 1.19.1, with its report", theirs),
        row("bartizan scan, summary", ours),
        row("bartizan scan, every finding with its line", full),
        "",
        f"Ratio of wall time: **{theirs.wall_s / ours.wall_s:.0f}** for a summary.",
        f"With every finding and its line: {theirs.wall_s / full.wall_s:.0f}.",
        f"Results: {sum(left.values()):,} of the peer, {sum(right.values()):,} here, **{different:,} different**.",
        "",
    ]


def mutation(suite: Path, work: Path, number: int, runs: int) -> list[str]:
    """Policies that mutate, over workloads: time, memory, and every object that comes out."""
    peer = gobuild.ensure("kyverno")["kyverno"]
    chosen = corpus.mutating(suite, MUTATING)
    folder, manifests = work / "mutating", work / "mutated.yaml"
    folder.mkdir()
    for index, file in enumerate(chosen):
        shutil.copy(file, folder / f"{index:02}-{file.name}")
    corpus.write(corpus.workloads(suite, number), manifests)
    out = work / "peer-objects.yaml"
    command = [str(peer), "apply", str(folder), "--resource", str(manifests), "-o", str(out)]
    theirs = measure.run(command, work / "peer-mutate.txt", runs, before=lambda: out.unlink(missing_ok=True))
    ours = measure.run(
        [str(BARTIZAN), "apply", str(folder), "-r", str(manifests), "-o", "yaml"], work / "own-objects.yaml", runs * 3
    )
    left, right = objects(out), objects(work / "own-objects.yaml")
    different = sum(1 for name in left.keys() | right.keys() if left.get(name) != right.get(name))
    return [
        f"## {len(chosen)} policies that mutate, on {number:,} workloads",
        "",
        "| program | wall | CPU | peak memory |",
        "|---|---|---|---|",
        row("kyverno apply 1.19.1", theirs),
        row("bartizan apply", ours),
        "",
        f"Ratio of wall time: **{theirs.wall_s / ours.wall_s:.0f}**. Both write every object that comes out; the peer",
        "writes it once for each policy.",
        f"Objects: {len(left):,} of the peer, {len(right):,} here, **{different:,} different**.",
        "",
    ]


def objects(file: Path) -> dict[tuple[str, str, str], Any]:
    """The objects in a file, by name; of several states of one the last."""
    found = {}
    for document in yaml.load_all(file.read_text(), Loader=yaml.CSafeLoader):
        if document:
            metadata = document["metadata"]
            found[document["kind"], metadata.get("namespace", ""), metadata["name"]] = document
    return found


def policy_tests(suite: Path, work: Path, runs: int) -> list[str]:
    """The policy library's own tests: of every policy of classic kinds, and of those without CEL alone."""
    peer = gobuild.ensure("kyverno")["kyverno"]
    classic = conformance.classic_folders(suite)
    lines = ["## The policy library's own tests", "", "| program | wall | CPU | peak memory |", "|---|---|---|---|"]
    said = []
    for name, folders in (("classic kinds", classic + conformance.cel_folders(suite)), ("without CEL", classic)):
        named = [str(folder) for folder in folders]
        theirs = measure.run([str(peer), "test", *named], work / "peer-test.txt", runs * 3)
        ours = measure.run([str(BARTIZAN), "test", *named], work / "own-test.txt", runs * 9)
        lines += [row(f"kyverno test 1.19.1, {name}", theirs), row(f"bartizan test, {name}", ours)]
        said += [
            f"Ratio of wall time, {name}: **{theirs.wall_s / ours.wall_s:.1f}**.",
            f"The peer: {last_line(work / 'peer-test.txt')}. Here: {last_line(work / 'own-test.txt')}.",
        ]
    return [*lines, "", *said, ""]


def last_line(file: Path) -> str:
    """The last line of a program's output that says anything."""
    return [line for line in file.read_text().splitlines() if line.strip()][-1].strip().rstrip(".")


def results(file: Path) -> Counter[tuple[str, ...]]:
    """Every result of a policy report: policy, rule, resource, verdict."""
    text = file.read_text()
    found: Counter[tuple[str, ...]] = Counter()
    for document in yaml.load_all(text[text.index("apiVersion:") :], Loader=yaml.CSafeLoader):
        for item in (document or {}).get("results") or ():
            rule = item.get("rule", "")
            rule = "" if rule == item["policy"] else rule  # a policy that is one rule has no name for it
            for resource in item.get("resources") or [document.get("scope")]:
                found[(item["policy"], rule, *_name(resource), item["result"])] += 1
    return found


def _name(resource: dict[str, Any]) -> tuple[str, str, str]:
    return resource["kind"], resource.get("namespace", ""), resource["name"]


def kube_score(suite: Path, work: Path, number: int, runs: int) -> list[str]:
    """The built-in checks beside another linter's."""
    peer = gobuild.ensure("kube-score")["kube-score"]
    manifests = work / "objects.yaml"
    corpus.write(corpus.workloads(suite, number), manifests)
    theirs = measure.run([str(peer), "score", "--output-format", "ci", str(manifests)], work / "score.txt", runs)
    ours = measure.run([str(BARTIZAN), "scan", str(manifests), "-o", "summary"], work / "checks.txt", runs)
    return [
        f"## Built-in checks on {number:,} objects",
        "",
        "| program | wall | CPU | peak memory |",
        "|---|---|---|---|",
        row("kube-score 1.20.0", theirs),
        row("bartizan scan, all checks", ours),
        "",
        f"Ratio of wall time: **{theirs.wall_s / ours.wall_s:.1f}**.",
        "",
    ]


def row(name: str, measured: measure.Measure) -> str:
    """A line of a table."""
    return f"| {name} | {measured.wall_s:.2f} s | {measured.cpu_s:.2f} s | {measured.peak_mib:.0f} MiB |"


def main() -> None:
    """Run all benchmarks and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workloads", type=int, default=2_000)
    parser.add_argument("--objects", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=1)
    options = parser.parse_args()
    suite = find_conformance("kyverno-policies")
    if suite is None:
        sys.exit("the conformance suite `kyverno-policies` is not there: set BARTIZAN_CONFORMANCE")
    # an installed program has its bytecode compiled; a checkout may not
    compileall.compile_dir(str(ROOT / "src"), quiet=2)
    page = [
        "# Benchmarks",
        "",
        "Written by `make bench`. One machine, one run; whole processes, the quickest of their runs.",
        f"Python {platform.python_version()}, {os.cpu_count()} cores.",
        "",
    ]
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        page += classic(suite, work, options.workloads, options.runs)
        page += validating(suite, work, options.workloads // 20, options.runs)
        page += mutation(suite, work, options.workloads, options.runs)
        page += policy_tests(suite, work, options.runs)
        page += kube_score(suite, work, options.objects, options.runs)
        page += cel_libraries.report(work)
        page += yaml_loading.report(suite)
    text = "\n".join(page)
    (ROOT / "docs" / "benchmarks.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
