"""Ask the peer and Bartizan the same random questions, and show where they answer differently.

`make differential` asks every topic; `python tools/differential/run.py loops
--seed 7 --policies 300` asks one. Policies that the peer refuses are left
out of both. Exit status 1 where anything differs.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tools import gobuild  # noqa: E402 (found from the root, which the line above adds)
from tools.differential import (  # noqa: E402
    cel_admission,
    cel_deleting,
    cel_expressions,
    cel_mutating,
    cel_validating,
    generated,
    mutation,
)
from tools.differential.exceptions import exceptions, pod_exceptions  # noqa: E402
from tools.differential.topics import TOPICS as GENERAL  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.differential.topics import Question

    Key = tuple[str, ...]

TOPICS: Final = {**GENERAL, "exceptions": exceptions, "pod-exceptions": pod_exceptions}
_OTHERS: Final = {
    "mutate": mutation.compare,
    "generate": generated.compare,
    "cel-expressions": cel_expressions.compare,
    "cel-validating": cel_validating.compare,
    "cel-mutating": cel_mutating.compare,
    "cel-deleting": cel_deleting.compare,
    "cel-admission": cel_admission.compare,
}
"""Topics about what comes out of a policy, not about its verdicts."""
_SHARE: Final = 12
"""Policies of one run of the peer, which ends as a whole when it meets one it cannot stand."""
_TIMEOUT_S: Final = 120
_REFUSED: Final = re.compile(r"^\d+\. ([^:/]+/)?(p\d{4}):", re.MULTILINE)


class Peers:
    """Both programs, with the files of one question."""

    def __init__(self, question: Question, folder: Path) -> None:
        self._policies = {policy["metadata"]["name"]: policy for policy in question.policies}
        self._folder = folder
        self._resources = folder / "resources.yaml"
        self._resources.write_text("\n---\n".join(map(json.dumps, question.resources)))
        selectors = [{"name": name, "labels": dict(labels)} for name, labels in question.namespaces.items()]
        head = {"apiVersion": "cli.kyverno.io/v1alpha1", "metadata": {"name": "v"}}
        values = {**head, "kind": "Values", "globalValues": {"none": "x"}, "namespaceSelector": selectors}
        self._values, self._user = folder / "values.yaml", folder / "user.yaml"
        self._values.write_text(json.dumps(values))
        self._has_user = question.user is not None
        self._user.write_text(json.dumps({**head, "kind": "UserInfo", **(question.user or {})}))
        self._exceptions = folder / "exceptions.yaml"
        self._exceptions.write_text("\n---\n".join(map(json.dumps, question.exceptions)))
        self._has_exceptions = bool(question.exceptions)
        self.refused: set[str] = set()

    def ask_peer(self, names: Sequence[str]) -> dict[Key, str]:
        """The peer's verdicts; a share that ends it is asked by halves."""
        program = gobuild.ensure("kyverno")["kyverno"]
        with tempfile.TemporaryDirectory() as folder:
            self._write(Path(folder), names)
            user = ["-u", str(self._user)] if self._has_user else []
            user += ["--exception", str(self._exceptions)] if self._has_exceptions else []
            command = [str(program), "apply", folder, "--resource", str(self._resources), "--policy-report", "-f"]
            try:
                done = subprocess.run(
                    [*command, str(self._values), *user],
                    capture_output=True,
                    text=True,
                    timeout=_TIMEOUT_S,
                    check=False,
                )
                ended = "panic:" in done.stdout + done.stderr
            except subprocess.TimeoutExpired:
                done, ended = None, True
        if done is None or ended:
            if len(names) == 1:
                self.refused.update(names)
                return {}
            half = len(names) // 2
            return self.ask_peer(names[:half]) | self.ask_peer(names[half:])
        self.refused.update(name for _, name in _REFUSED.findall(done.stdout))
        return verdicts(done.stdout)

    def ask_us(self) -> dict[Key, str]:
        """Our verdicts, of all policies."""
        folder = self._folder / "policies"
        folder.mkdir()
        self._write(folder, list(self._policies))
        user = ["--user-info", str(self._user)] if self._has_user else []
        user += ["--exception", str(self._exceptions)] if self._has_exceptions else []
        command = [str(Path(sys.executable).with_name("bartizan")), "scan", str(self._resources), "-p", str(folder)]
        done = subprocess.run(
            [*command, "--values", str(self._values), *user, "-o", "policyreport"],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        return verdicts(done.stdout)

    def policy(self, name: str) -> dict[str, Any]:
        """A policy as it was asked about."""
        return self._policies[name]

    def _write(self, folder: Path, names: Sequence[str]) -> None:
        for name in names:
            (folder / f"{name}.yaml").write_text(json.dumps(self._policies[name]))


def verdicts(text: str) -> dict[Key, str]:
    """The results in a policy report, which may stand after other words."""
    start = re.search(r"apiVersion: (openreports|wgpolicyk8s)", text)  # not always at the start of a line
    found: dict[Key, str] = {}
    for document in yaml.load_all(text[start.start() :] if start else "", Loader=yaml.CSafeLoader):
        for item in (document or {}).get("results") or ():
            for resource in item.get("resources") or [document["scope"]]:
                place = (resource["kind"], resource.get("namespace", ""), resource["name"])
                found[item["policy"].rpartition("/")[2], item.get("rule", ""), *place] = item["result"]
    return found


def compare(topic: str, seed: int, number: int, shown: int) -> int:
    """Ask about one topic; how many answers differ."""
    if topic in _OTHERS:
        return _OTHERS[topic](Random(f"{topic} {seed}"), number, shown)
    question = TOPICS[topic](Random(f"{topic} {seed}"), number)
    with tempfile.TemporaryDirectory() as folder:
        peers = Peers(question, Path(folder))
        names = [policy["metadata"]["name"] for policy in question.policies]
        theirs: dict[Key, str] = {}
        for start in range(0, len(names), _SHARE):
            theirs |= peers.ask_peer(names[start : start + _SHARE])
        ours = {key: verdict for key, verdict in peers.ask_us().items() if key[0] not in peers.refused}
        theirs = {key: verdict for key, verdict in theirs.items() if key[0] not in peers.refused}
        different = sorted(key for key in theirs.keys() | ours.keys() if theirs.get(key) != ours.get(key))
        print(f"{topic}: {len(theirs)} results, {len(different)} different, {len(peers.refused)} policies refused")
        for key in [key for i, key in enumerate(different) if i == 0 or different[i - 1][0] != key[0]][:shown]:
            print(f"  {' '.join(key)}: the peer {theirs.get(key, 'nothing')}, here {ours.get(key, 'nothing')}")
            print(f"    {json.dumps(peers.policy(key[0])['spec']['rules'][0])}")
        return len(different)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("topics", nargs="*", default=[*TOPICS, *_OTHERS], help=f"of {', '.join([*TOPICS, *_OTHERS])}")
    parser.add_argument("--seed", type=int, default=1, help="another seed asks other questions")
    parser.add_argument("--policies", type=int, default=100, help="how many policies a topic")
    parser.add_argument("--show", type=int, default=5, help="how many policies to show that differ")
    given = parser.parse_args()
    unknown = [topic for topic in given.topics if topic not in TOPICS and topic not in _OTHERS]
    if unknown:
        parser.error(f"no such topic: {', '.join(unknown)}")
    differences = [compare(topic, given.seed, given.policies, given.show) for topic in given.topics]
    sys.exit(1 if any(differences) else 0)


if __name__ == "__main__":
    main()
