"""The cases of policies about requests, asked of the peer's own command."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.conformance import peer
from tests.engines.policy.kyverno.authorization import cases, message_of, payload_of, policy_of

if TYPE_CHECKING:
    from pathlib import Path

_NEEDS_US = "https://keys.example/"
CASES = [
    case
    for name in ("envoy", "http", "mcp", "tokens")
    for case in cases(name)
    if "unlike" not in case and _NEEDS_US not in case.get("if", "")
]
REFUSED = [case for case in CASES if "refused" in case]
_PARSED = "mcp.Parse(string(object.attributes.body))"
"""The peer's command does not read a message out of the body by itself, as its server does."""
_OWN_WORDS = {"error"}
"""Results whose messages are ours: an error is worded as the library that ends in it does."""


def _policy(case: dict[str, Any], name: str) -> str:
    text = json.dumps(policy_of(case, name))
    return text.replace("object.mcp.request", _PARSED) if isinstance(case.get("message"), dict) else text


def _asked(program: Path, folder: Path, group: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """What the peer says of one request by several policies, by their names."""
    folder = folder / group[0][0]
    folder.mkdir()
    (folder / "request.json").write_text(json.dumps(payload_of(group[0][1])))
    files = []
    for name, case in group:
        files.append(folder / f"{name}.yaml")
        files[-1].write_text(_policy(case, name))
    option = "--http-payload" if group[0][1]["mode"] == "HTTP" else "--envoy-payload"
    done = subprocess.run(
        [program, "apply", *files, option, folder / "request.json", "--policy-report"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    start = done.stdout.find("apiVersion")
    report = yaml.safe_load(done.stdout[start:]) if start >= 0 else {"results": [], "said": done.stdout + done.stderr}
    return {item["policy"]: item for item in report["results"]} or report


def test_the_peer_says_the_same(tmp_path: Path) -> None:
    program = peer("kyverno")["kyverno"]
    groups: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for number, case in enumerate(CASES):
        if "refused" not in case:
            groups.setdefault(json.dumps([case["mode"], payload_of(case)]), []).append((f"p{number}", case))
    unlike = {}
    with ThreadPoolExecutor(4) as pool:  # it waits most of the time
        answers = list(pool.map(lambda group: _asked(program, tmp_path, group), groups.values()))
    for group, came in zip(groups.values(), answers, strict=True):
        for name, case in group:
            item = came.get(name, {"result": f"nothing: {str(came)[-300:]}", "message": ""})
            said = item["result"] if case["gives"] in _OWN_WORDS else (item["result"], item.get("message", ""))
            wanted = case["gives"] if case["gives"] in _OWN_WORDS else (case["gives"], message_of(case) or said[1])
            if said != wanted:
                unlike[case["name"]] = (said, wanted)
    assert unlike == {}


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["name"])
def test_the_peer_refuses_the_same(case: dict[str, Any], tmp_path: Path) -> None:
    came = _asked(peer("kyverno")["kyverno"], tmp_path, [("p", case)])
    assert "p" not in came
    assert "failed to compile" in str(came)
