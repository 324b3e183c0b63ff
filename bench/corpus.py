"""What the benchmarks run on: workloads made from a suite's resources, and manifests made from nothing."""

from __future__ import annotations

import copy
import itertools
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDERS = ("pod-security", "best-practices")
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


def workloads(suite: Path, number: int) -> list[dict[str, Any]]:
    """`number` workloads: the suite's own, again and again under new names."""
    seeds = list(_seeds(suite))
    made = []
    for count, seed in zip(range(number), itertools.cycle(seeds), strict=False):
        item = copy.deepcopy(seed)
        item["metadata"]["name"] = f"w{count:05}-{seed['metadata']['name']}"[:60]
        item["metadata"]["namespace"] = f"team-{count % 20}"
        made.append(item)
    return made


def _seeds(suite: Path) -> Iterator[dict[str, Any]]:
    for folder in FOLDERS:
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
