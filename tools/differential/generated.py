"""Random rules that generate: the objects the peer writes beside the ones we want, label by label.

Each trigger is alone in its world, as the peer's command line has it, and so
is also what clones are made of.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from bartizan.app.ambient import ambient
from bartizan.base.json import to_text
from bartizan.engines.policy.dialects.kyverno import compile_policy, expression_compiler
from bartizan.engines.policy.lookup import LookupFailedError, ObjectsQuestion
from bartizan.engines.policy.objects import selects
from bartizan.model.outcome import Passed
from bartizan.model.request import Request
from bartizan.model.resource import resource_from
from tools import gobuild

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from bartizan.engines.policy.lookup import Question
    from bartizan.model.resource import Resource

    Document = dict[str, Any]
    Objects = Counter[str]

_SHARE: Final = 12
"""Policies of one run of the peer, which ends as a whole when it meets one it cannot stand."""
_TIMEOUT_S: Final = 120
_REFUSED: Final = re.compile(r"^\d+\. ([^:/]+/)?(p\d{4}):", re.MULTILINE)
_VALUES: Final = (
    *(
        "x",
        "1",
        "",
        "{{ request.object.data.a }}",
        "{{ request.object.data }}",
        "{{ request.object.metadata.namespace }}",
        1,
        True,
    ),
    *("{{ request.object.metadata.name }}-{{ request.operation }}", "$(./../b)", None, [], {}, ["a"], [{"n": 1}]),
    *("{{ request.object.data.none }}", "{{ request.object.data.a || 'else' }}", 1.5, "{{ one }}"),
)
_LISTS: Final = (
    *(
        "request.object.data.list | split(@, ',')",
        "['a', 'b', 'c']",
        "sort(keys(request.object.data))",
        "request.object.data",
    ),
    *(
        "request.object.metadata.labels",
        "request.object.none",
        "[request.object.data, `null`]",
        "`[1, 2]`",
        "abs('a')",
    ),
)
_ELEMENTS: Final = ("{{ element }}", "e{{ elementIndex }}", "e{{ elementIndex0 }}-x", "{{ element0 }}", "same")


class World:
    """One object, and no other."""

    def __init__(self, only: Resource) -> None:
        self._only = only

    def answer(self, question: Question) -> Any:
        """The object, where it is the one that is asked for."""
        if not isinstance(question, ObjectsQuestion):
            raise LookupFailedError("not among the objects of this world")
        return [self._only.body] if selects(question)(self._only) else []


def policies(chance: Random, number: int) -> list[Document]:
    """Policies of one rule each."""
    made = []
    for index in range(number):
        rule: Document = {"name": "r", "match": {"any": [{"resources": {"kinds": ["ConfigMap"]}}]}}
        rule["context"] = [
            {
                "name": "one",
                "variable": {"value": chance.choice(["v", 7, {"deep": "{{ request.object.metadata.name }}"}])},
            }
        ]
        rule["generate"] = _generate(chance)
        if chance.random() < 0.2 and "foreach" not in rule["generate"]:  # the peer's command line forgets them there
            rule["preconditions"] = _conditions(chance)
        spec = {"background": False, "rules": [rule]}
        head = {"apiVersion": "kyverno.io/v1", "kind": "ClusterPolicy", "metadata": {"name": f"p{index:04}"}}
        made.append({**head, "spec": spec})
    return made


def triggers(chance: Random, number: int) -> list[Document]:
    """ConfigMaps with more or less of what a server writes into one."""
    return [_trigger(chance, index) for index in range(number)]


def _trigger(chance: Random, index: int) -> Document:
    metadata: Document = {"name": f"m{index:02}", "namespace": chance.choice(["default", "shop"])}
    extra = {
        "uid": f"u-{index}",
        "labels": {"team": chance.choice(["a", "b"]), "app.kubernetes.io/managed-by": "Helm"},
        "annotations": {"note": "kept"},
        "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "o", "uid": "u"}],
        "creationTimestamp": "2024-01-02T03:04:05Z",
        "resourceVersion": "12",
        "generation": 3,
        "finalizers": ["example.com/last"],
        "managedFields": [{"manager": "kubectl", "operation": "Update"}],
        "selfLink": "/api/v1/x",
    }
    metadata |= {name: value for name, value in extra.items() if chance.random() < 0.5}
    data = {"a": chance.choice(["x", "y"]), "list": "a,b", "b": "z"}
    kept = {name: value for name, value in data.items() if chance.random() < 0.8}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": kept}


def _conditions(chance: Random) -> Document:
    keys = [
        "{{ request.object.data.a }}",
        "{{ request.object.metadata.labels.team }}",
        "{{ one }}",
        "{{ request.object.data.none }}",
    ]
    operator = chance.choice(["Equals", "NotEquals", "AnyIn"])
    return {chance.choice(["any", "all"]): [{"key": chance.choice(keys), "operator": operator, "value": "x"}]}


def _generate(chance: Random) -> Document:
    own = {"synchronize": chance.random() < 0.5}
    if chance.random() < 0.6:
        return {
            **own,
            **_target(
                chance,
                ("copy", "{{ request.object.metadata.name }}", "{{ one }}", "x-{{ request.object.metadata.name }}"),
            ),
        }
    return {**own, "foreach": [_loop(chance) for _ in range(chance.choice([1, 1, 2]))]}


def _loop(chance: Random) -> Document:
    loop: Document = {"list": chance.choice(_LISTS), **_target(chance, _ELEMENTS)}
    if chance.random() < 0.3:
        loop["context"] = [{"name": "mine", "variable": {"value": "{{ element }}-{{ one }}"}}]
    if chance.random() < 0.3:
        key = chance.choice(["{{ element }}", "{{ elementIndex }}", "{{ one }}", "{{ request.object.data.none }}"])
        loop["preconditions"] = {"all": [{"key": key, "operator": "NotEquals", "value": chance.choice(["a", 0, "v"])}]}
    return loop


def _target(chance: Random, names: Sequence[str]) -> Document:
    namespace = chance.choice(["default", "shop", "other", "{{ request.object.metadata.namespace }}"])
    way = chance.random()
    if way < 0.55:
        version, kind = chance.choice([("v1", "ConfigMap"), ("v1", "Secret"), ("example.com/v1", "Thing")])
        made = {"apiVersion": version, "kind": kind, "name": chance.choice(names), "namespace": namespace}
        return {**made, "data": _data(chance)} if chance.random() < 0.95 else made
    if way < 0.8:
        made = {"apiVersion": "v1", "kind": "ConfigMap", "name": chance.choice(names), "namespace": namespace}
        source = chance.choice(["{{ request.object.metadata.name }}", "m01", "nothing"])
        return {
            **made,
            "clone": {
                "namespace": chance.choice(["default", "{{ request.object.metadata.namespace }}"]),
                "name": source,
            },
        }
    selectors: list[Document | None] = [
        None,
        {"matchLabels": {"team": "a"}},
        {"matchLabels": {"team": "{{ request.object.metadata.labels.team }}"}},
        {"matchExpressions": [{"key": "team", "operator": "In", "values": ["b"]}]},
    ]
    selector = chance.choice(selectors)
    sources: Document = {"namespace": chance.choice(["default", "shop"]), "kinds": ["v1/ConfigMap"]}
    return {"namespace": namespace, "cloneList": sources | ({"selector": selector} if selector else {})}


def _data(chance: Random) -> Document:
    data: Document = {"data": _tree(chance, 2)}
    if chance.random() < 0.4:
        data["metadata"] = {
            "labels": chance.choice(
                [{"a": "b"}, {"{{ request.object.metadata.name }}": "x"}, {}, {"generate.kyverno.io/rule-name": "mine"}]
            ),
            "annotations": {"note": "{{ request.object.data.a || 'none' }} \\{{ kept }}"},
            "name": "overruled",
        }
    if chance.random() < 0.2:
        data["apiVersion"] = "v9"
    return data


def _tree(chance: Random, depth: int) -> Document:
    keys = chance.sample(["a", "b", "{{ request.object.metadata.name }}", "c"], chance.randint(0, 3))
    tree = {
        key: _tree(chance, depth - 1) if depth and chance.random() < 0.3 else chance.choice(_VALUES) for key in keys
    }
    if isinstance(tree.get("b"), dict):
        tree["b"] = "x"  # the peer mixes up a reference to a mapping with variables among its keys
    return tree


def ask_us(policy: Document, resources: Sequence[Document]) -> Objects:
    """What a policy makes of each trigger here."""
    compiled = compile_policy(policy, expression_compiler(ambient()))
    found: Objects = Counter()
    for rule in compiled.rules:
        for body in resources:
            trigger = resource_from(body)
            outcome = rule.run(Request(trigger), World(trigger))
            if isinstance(outcome, Passed):
                found.update(to_text(change.after) for change in outcome.changes if change.before is None)
    return found


def ask_peer(asked: Sequence[Document], resources: Path, refused: set[str]) -> dict[str, Objects]:
    """What each policy makes there; a share that ends the peer is asked by halves."""
    program = gobuild.ensure("kyverno")["kyverno"]
    with tempfile.TemporaryDirectory() as name:
        folder, out = Path(name) / "policies", Path(name) / "out"
        folder.mkdir()
        out.mkdir()
        for policy in asked:
            (folder / f"{policy['metadata']['name']}.yaml").write_text(json.dumps(policy))
        command = [str(program), "apply", str(folder), "--resource", str(resources), "--output", f"{out}/"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
            said = done.stdout + done.stderr
        except subprocess.TimeoutExpired:
            said = "panic:"
        if "panic:" not in said:
            refused.update(match[1] for match in _REFUSED.findall(said))
            return {file.name.partition("-")[0]: _read(file) for file in out.iterdir()}
    if len(asked) == 1:
        refused.add(asked[0]["metadata"]["name"])
        return {}
    half = len(asked) // 2
    return ask_peer(asked[:half], resources, refused) | ask_peer(asked[half:], resources, refused)


def _read(file: Path) -> Objects:
    documents = yaml.load_all(file.read_text(), Loader=yaml.CSafeLoader)
    return Counter(to_text(document) for document in documents if document)


def compare(chance: Random, number: int, shown: int) -> int:
    """Ask both about random policies; how many answers differ."""
    asked, resources = policies(chance, number), triggers(chance, 8)
    refused: set[str] = set()
    theirs: dict[str, Objects] = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "resources.yaml"
        file.write_text("\n---\n".join(map(json.dumps, resources)))
        for start in range(0, number, _SHARE):
            theirs |= ask_peer(asked[start : start + _SHARE], file, refused)
    different = []
    for policy in asked:
        name = policy["metadata"]["name"]
        there, here = theirs.get(name, Counter()), ask_us(policy, resources)
        if name not in refused and there != here:
            different.append((policy, there - here, here - there))
    total = sum(sum(found.values()) for found in theirs.values())
    print(f"generate: {total} objects, {len(different)} policies different, {len(refused)} policies refused")
    for policy, there, here in different[:shown]:
        print(f"  {json.dumps(policy['spec']['rules'][0])}")
        for text in list(there)[:2]:
            print(f"    the peer: {text}")
        for text in list(here)[:2]:
            print(f"    here:     {text}")
    return len(different)
