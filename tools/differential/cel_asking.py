"""Policies of the CEL kinds, asked of the peer and of Bartizan; what is compared is each verdict with its message.

The peer gives up a whole run over one policy that it refuses. So what we
refuse is asked of it alone, and what it refuses of the rest is taken out,
and the others are asked again.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import yaml

from bartizan.app.ambient import ambient
from bartizan.app.policies import compile_document
from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno import expression_compiler
from tools import gobuild

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Document = dict[str, Any]

_TIMEOUT_S: Final = 120
_BATCH: Final = 30
_ALONE: Final = 25
"""How many of the policies that we refuse are asked of the peer, which takes half a second for each."""
_POLICY: Final = re.compile(r"\bp\d{4}\b")

Key = tuple[str, ...]
"""A policy, and the kind, namespace and name of what it judged."""


class Asked(NamedTuple):
    """Policies, with what they are asked about."""

    policies: Sequence[Document]
    resources: Sequence[Document]
    exceptions: Sequence[Document] = ()
    others: Sequence[Document] = ()
    """Documents that stand beside the policies, such as bindings."""
    payload: Document | None = None
    """JSON that is judged instead of resources."""
    namespaces: Mapping[str, Mapping[str, str]] = MappingProxyType({})
    """Labels of namespaces."""
    goes_on: bool = False
    """Whether the peer goes on after an object that it cannot judge, which hides policies that it refuses elsewhere."""


class Answers(NamedTuple):
    """Verdicts with their messages, and why policies were refused."""

    verdicts: dict[Key, str]
    refused: dict[str, str]


def differences(
    topic: str,
    asked: Asked,
    shown: int,
    *,
    same: Callable[[str, str], bool] = str.__eq__,
    us: Callable[[Asked], Answers] | None = None,
) -> tuple[int, int]:
    """Ask both; print what differs, and say how many answers there were and how many differ.

    `us` asks Bartizan, where it is not by a scan.
    """
    ours = (us or ask_us)(asked)
    by_name = {policy["metadata"]["name"]: policy for policy in asked.policies}
    accepted = [policy for name, policy in by_name.items() if name not in ours.refused]
    theirs = Answers({}, {})
    for start in range(0, len(accepted), _BATCH):
        some = ask_peer(asked, accepted[start : start + _BATCH])
        theirs.verdicts.update(some.verdicts)
        theirs.refused.update(some.refused)
    doubtful = list(ours.refused)[:_ALONE]
    for name in doubtful:
        theirs.refused.update(ask_peer(asked, [by_name[name]]).refused)
    judged = {key for key in theirs.verdicts.keys() | ours.verdicts.keys() if key[0] not in theirs.refused}
    # for the peer's command line a namespaced policy is about every namespace
    judged = {key for key in judged if by_name[key[0]]["metadata"].get("namespace") in (None, *key[2:3])}
    wrong = _refusals(ours, theirs, doubtful)
    for key in sorted(judged):
        peer, here = (answers.verdicts.get(key, "nothing") for answers in (theirs, ours))
        if not same(peer, here):
            wrong.setdefault(key[0], []).append(f"{' '.join(key[1:])}\n      peer {peer}\n      here {here}")
    count = sum(map(len, wrong.values()))
    total = len(judged) + len(theirs.refused.keys() | set(doubtful))
    print(f"{topic}: {total} results, {count} different, {len(theirs.refused)} policies refused")
    for name in list(wrong)[:shown]:
        print(f"  {json.dumps(by_name[name]['spec'])}")
        for item in asked.exceptions:
            if any(ref["name"] == name for ref in item["spec"]["policyRefs"]):
                print(f"    exception {json.dumps(item['spec'])}")
        for line in wrong[name][:2]:
            print(f"    {line}")
    return total, count


def _refusals(ours: Answers, theirs: Answers, doubtful: Sequence[str]) -> dict[str, list[str]]:
    """What only one of both refuses, by policy; `doubtful` are those that we refuse, and the peer was asked about."""
    wrong = {name: [f"refused here alone: {ours.refused[name]}"] for name in doubtful if name not in theirs.refused}
    alone = {name: [f"refused by the peer alone: {said}"] for name, said in theirs.refused.items()}
    return wrong | {name: said for name, said in alone.items() if name not in ours.refused}


def ask_us(asked: Asked) -> Answers:
    """What Bartizan says; a policy that does not compile is refused."""
    refused = {}
    compiler = expression_compiler(ambient())
    for policy in asked.policies:
        if policy["apiVersion"].startswith("policies.kyverno.io"):
            try:
                compile_document(policy, compiler, asked.exceptions)
            except SpecError as error:
                refused[policy["metadata"]["name"]] = error.message
    kept = [policy for policy in asked.policies if policy["metadata"]["name"] not in refused]
    program = str(Path(sys.executable).with_name("bartizan"))
    with tempfile.TemporaryDirectory() as folder:
        options = _files(Path(folder), asked, kept)
        subject = ["--json", options["--payload"]] if "--payload" in options else [options["--resource"]]
        command = [program, "scan", *subject, "-p", options["policies"], "-o", "policyreport"]
        for name in ("--exception", "--values"):
            command += [name, options[name]] if name in options else []
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    if done.returncode > 1 and not done.stdout:
        print(done.stderr[-2000:])
    return Answers(_verdicts(done.stdout), refused)


def ask_peer(asked: Asked, policies: Sequence[Document]) -> Answers:
    """What the peer says; what it refuses is taken out, until it runs."""
    program = str(gobuild.ensure("kyverno")["kyverno"])
    refused: dict[str, str] = {}
    left = list(policies)
    while left:
        with tempfile.TemporaryDirectory() as folder:
            options = _files(Path(folder), asked, left)
            command = [program, "apply", options["policies"], "--policy-report"]
            command += ["--continue-on-fail"] if asked.goes_on else []
            command += ["--json", options["--payload"]] if "--payload" in options else []
            command += ["--resource", options["--resource"]] if "--payload" not in options else []
            command += ["--exception", options["--exception"]] if "--exception" in options else []
            command += ["--values-file", options["--values"]] if "--values" in options else []
            done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
        said = done.stdout + done.stderr
        if "Error: " not in done.stderr and "panic:" not in said:
            return Answers(_verdicts(done.stdout), refused)
        found = _POLICY.search(done.stderr)
        names = {policy["metadata"]["name"] for policy in left}
        if found and found[0] in names:
            gone = [found[0]]
        elif len(left) == 1:
            gone = list(names)
        else:
            half = len(left) // 2
            first, second = ask_peer(asked, left[:half]), ask_peer(asked, left[half:])
            return Answers(first.verdicts | second.verdicts, refused | first.refused | second.refused)
        refused.update(dict.fromkeys(gone, done.stderr.strip()))
        left = [policy for policy in left if policy["metadata"]["name"] not in gone]
    return Answers({}, refused)


def _files(folder: Path, asked: Asked, policies: Sequence[Document]) -> Mapping[str, str]:
    """The files of a question, by the option that names them."""
    made = {"policies": _written(folder / "policies.yaml", [*policies, *asked.others])}
    made["--resource"] = _written(folder / "resources.yaml", asked.resources)
    if asked.exceptions:
        made["--exception"] = _written(folder / "exceptions.yaml", asked.exceptions)
    if asked.namespaces:
        selectors = [{"name": name, "labels": dict(labels)} for name, labels in asked.namespaces.items()]
        values = {"apiVersion": "cli.kyverno.io/v1alpha1", "kind": "Values", "metadata": {"name": "v"}}
        made["--values"] = _written(folder / "values.yaml", [values | {"namespaceSelector": selectors}])
    if asked.payload is not None:
        made["--payload"] = _written(folder / "payload.json", [asked.payload])
    return made


def _written(path: Path, documents: Sequence[Document]) -> str:
    path.write_text("\n---\n".join(map(json.dumps, documents)))
    return str(path)


def _verdicts(text: str) -> dict[Key, str]:
    """The results in a policy report, which may stand after other words."""
    start = re.search(r"apiVersion: (openreports|wgpolicyk8s)", text)
    found: dict[Key, str] = {}
    for document in yaml.load_all(text[start.start() :] if start else "", Loader=yaml.CSafeLoader):
        for item in (document or {}).get("results") or ():
            for resource in item.get("resources") or [document.get("scope") or {}]:
                place = (
                    tuple(resource.get(name, "") for name in ("kind", "namespace", "name"))
                    if resource.get("kind")
                    else ()
                )
                found[item["policy"].rpartition("/")[2], *place] = f"{item['result']}: {item.get('message', '')}"
    return found
