"""YAML as Kubernetes reads it: the same documents through `kubectl`, which decodes as the API server does."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from tests.conformance import ROOT, built

from bartizan.sources.yaml import Document, load_documents

if TYPE_CHECKING:
    from pathlib import Path

CASES = json.loads((ROOT / "tests" / "cases" / "yaml" / "read.json").read_text())
_HEAD = "apiVersion: castle.example/v1\nkind: Odd\nmetadata:\n  name: n{number}\nspec:\n  "
_READ = [
    *(f"value: {text}\n" for text in CASES["scalars"]),
    *(f"{text}: 1\n" for text in CASES["keys"]),
    *CASES["documents"],
]


@pytest.fixture(scope="module")
def kubectl() -> Path:
    """The program, built with the control plane."""
    return built("kubernetes")["kubectl"]


def _read_by_kubectl(program: Path, text: str) -> list[dict[str, Any]]:
    """Every document of `text`, by a command that decodes, changes nothing that matters, and prints."""
    command = [str(program), "annotate", "--local", "-f", "-", "a=b", "-o", "json"]
    done = subprocess.run(command, input=text, text=True, capture_output=True, check=True)
    decoder = json.JSONDecoder()
    found, at = [], 0
    while at < len(done.stdout):
        body, at = decoder.raw_decode(done.stdout, at)
        found += body["items"] if body["kind"] == "List" else [body]
        at += len(done.stdout[at:]) - len(done.stdout[at:].lstrip())
    return found


def _read_here(text: str) -> Any:
    (found,) = load_documents(text.encode(), "case")
    assert isinstance(found, Document), found.error
    return found.body


@pytest.fixture(scope="module")
def theirs(kubectl: Path) -> dict[str, Any]:
    """What kubectl reads, by name of the object."""
    text = "---\n".join(_HEAD.format(number=number) + case for number, case in enumerate(_READ))
    return {body["metadata"]["name"]: body.get("spec") for body in _read_by_kubectl(kubectl, text)}


@pytest.mark.parametrize("number", range(len(_READ)), ids=lambda number: repr(_READ[number]))
def test_read_as_kubectl_reads(theirs: dict[str, Any], number: int) -> None:
    ours = _read_here(_HEAD.format(number=number) + _READ[number])["spec"]
    assert _typed(ours) == _typed(theirs[f"n{number}"])


@pytest.mark.parametrize("spec", CASES["json"])
def test_json_read_as_kubectl_reads(kubectl: Path, spec: str) -> None:
    text = f'{{"apiVersion": "castle.example/v1", "kind": "Odd", "metadata": {{"name": "one"}}, "spec": {spec}}}'
    (there,) = _read_by_kubectl(kubectl, text)
    assert _typed(_read_here(text)["spec"]) == _typed(there["spec"])


@pytest.mark.parametrize("case", CASES["refused"])
def test_refused_here_and_there(kubectl: Path, case: str) -> None:
    text = _HEAD.format(number=0) + f"value: {case}\n"
    (found,) = load_documents(text.encode(), "case")
    assert not isinstance(found, Document)
    assert found.error.at is not None
    if "a: 1, a: 2" not in case:  # duplicate keys: kubectl lets them pass without a server, which refuses them
        with pytest.raises(subprocess.CalledProcessError):
            _read_by_kubectl(kubectl, text)


def _typed(value: Any) -> Any:
    """Values with their types, for to Python 1, 1.0 and True are equal."""
    if isinstance(value, dict):
        return {key: _typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(item) for item in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        value = float(value)  # what is beyond 64 bits is a float in Go, which prints it without a point
    return (type(value).__name__, value)
