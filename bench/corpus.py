"""What the benchmarks run on: workloads made from a suite's resources, and manifests made from nothing."""

from __future__ import annotations

import copy
import itertools
import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDERS = ("pod-security", "best-practices")
_CEL_FOLDERS = ("best-practices-vpol", "pod-security-vpol", "other-vpol")
_ASKS = re.compile(r"\b(resource|image|globalContext|http)\.|parseServiceAccount")
"""Names that ask the world for something."""
_WORKLOADS = frozenset({"Pod", "Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "Job", "CronJob"})
_VERSIONS = frozenset({"v1", "apps/v1", "batch/v1"})
"""Removed versions are left out: the peer gives no answers for them, and kinds of one name would be counted twice."""


def policies(suite: Path) -> list[Path]:
    """The policies of the two folders that validate without CEL."""
    found = []
    for folder in FOLDERS:
        for file in sorted((suite / folder).rglob("*.yaml")):
            if any(part.startswith(".") for part in file.relative_to(suite).parts):
                continue
            documents = [item for item in yaml.load_all(file.read_bytes(), Loader=yaml.CSafeLoader) if item]
            rules = [rule for item in documents for rule in (item.get("spec") or {}).get("rules") or ()]
            if rules and all("validate" in rule and "cel" not in rule["validate"] for rule in rules):
                found.append(file)
    return found


def mutating(suite: Path, number: int) -> list[Path]:
    """`number` policies that mutate workloads and ask nobody for anything."""
    found = []
    for file in sorted(suite.rglob("*.yaml")):
        if any(part.startswith(".") for part in file.relative_to(suite).parts):
            continue
        documents = [item for item in yaml.load_all(file.read_bytes(), Loader=yaml.CSafeLoader) if item]
        rules = [rule for item in documents for rule in (item.get("spec") or {}).get("rules") or ()]
        if rules and all(_mutates_workloads(rule) for rule in rules):
            found.append(file)
    return found[:number]


def _mutates_workloads(rule: dict[str, Any]) -> bool:
    mutate = rule.get("mutate")
    if (
        not isinstance(mutate, dict)
        or "targets" in mutate
        or any("variable" not in item for item in rule.get("context", ()))
    ):
        return False
    filters = rule["match"].get("any") or rule["match"].get("all") or [rule["match"]]
    kinds = {kind for item in filters for kind in (item.get("resources") or {}).get("kinds") or ()}
    return bool(kinds & _WORKLOADS)


def validating(suite: Path, number: int) -> list[Path]:
    """`number` ValidatingPolicies that ask nobody for anything."""
    found = []
    for folder in _CEL_FOLDERS:
        for file in sorted((suite / folder).glob("*/*.yaml")):
            text = file.read_text()
            documents = [item for item in yaml.load_all(text, Loader=yaml.CSafeLoader) if item]
            if all(item.get("kind") == "ValidatingPolicy" for item in documents) and not _ASKS.search(text):
                found.append(file)
    return found[:number]


def workloads(suite: Path, number: int, folders: tuple[str, ...] = FOLDERS) -> list[dict[str, Any]]:
    """`number` workloads: the suite's own, again and again under new names."""
    seeds = list(_seeds(suite, folders))
    made = []
    for count, seed in zip(range(number), itertools.cycle(seeds), strict=False):
        item = copy.deepcopy(seed)
        item["metadata"]["name"] = f"w{count:05}-{seed['metadata']['name']}"[:60]
        item["metadata"]["namespace"] = f"team-{count % 20}"
        made.append(item)
    return made


def _seeds(suite: Path, folders: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for folder in folders:
        for file in sorted((suite / folder).rglob(".kyverno-test/*.yaml")):
            for item in yaml.load_all(file.read_bytes(), Loader=yaml.CSafeLoader):
                if isinstance(item, dict) and _is_seed(item):
                    yield item


def _is_seed(item: dict[str, Any]) -> bool:
    named = (item.get("metadata") or {}).get("name")
    return bool(named) and item.get("kind") in _WORKLOADS and item.get("apiVersion") in _VERSIONS


def write(items: list[dict[str, Any]], file: Path) -> None:
    """Write manifests into one file of many documents."""
    with file.open("w") as out:
        yaml.dump_all(items, out, Dumper=yaml.CSafeDumper, sort_keys=False)
