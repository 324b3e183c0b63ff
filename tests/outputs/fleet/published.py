"""The published schemas that exports must fit, from the packages and modules that carry them.

OSCAL's models are generated from NIST's JSON schemas and refuse fields they do
not know; OCSF's are written after its schema. They are installed into the
user's cache and asked in a process of their own. The definitions of policy
reports are in the Go modules of who owns them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from tests.conformance import missing

_LOCKED = Path(__file__).with_name("requirements.txt")
_MODULES = {
    "policyreport": (
        "github.com/kyverno/kyverno@v1.19.1",
        "config/crds/policyreport/wgpolicyk8s.io_{}policyreports.yaml",
    ),
    "openreports": ("github.com/openreports/reports-api@v0.2.1", "config/crd/openreports.io_{}reports.yaml"),
}
_ASK = """
import json, sys
sys.path.append(sys.argv[1])
kind, refusals = sys.argv[2], []
if kind == "oscal":
    from trestle.oscal.assessment_results import Model
elif kind == "oscal-poam":
    from trestle.oscal.poam import Model
else:
    from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding as Model
for text in json.load(sys.stdin):
    try:
        for document in text.splitlines():
            Model.model_validate_json(document)
        refusals.append("")
    except ValueError as error:
        refusals.append(str(error))
json.dump(refusals, sys.stdout)
"""


def refusals(kind: str, *texts: str) -> list[str]:
    """What the published models say against each text, a document a line; empty where they take it."""
    folder = _install()
    if isinstance(folder, str):
        missing(folder)
    asked = [sys.executable, "-W", "ignore", "-c", _ASK, str(folder), kind]
    given = json.dumps(texts)
    done = subprocess.run(asked, input=given, capture_output=True, text=True, timeout=120, check=True)
    told: list[str] = json.loads(done.stdout)
    return told


def report_schema(name: str, kind: str) -> Draft202012Validator:
    """The schema of a kind of policy report, closed: the API server would drop what it does not know."""
    module, file = _MODULES[name]
    folder = _module(module)
    if isinstance(folder, str):
        missing(folder)
    text = (Path(folder) / file.format("cluster" if kind.startswith("Cluster") else "")).read_text()
    schema = yaml.load(text, yaml.CSafeLoader)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    schema["properties"]["metadata"] = {"type": "object"}
    return Draft202012Validator(_closed(schema))


def _closed(schema: Any) -> Any:
    if isinstance(schema, dict):
        closed = {key: _closed(value) for key, value in schema.items()}
        if schema.get("type") == "object" and "properties" in schema:
            closed["additionalProperties"] = False
        return closed
    return [_closed(one) for one in schema] if isinstance(schema, list) else schema


@cache
def _module(name: str) -> str | Path:
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if go is None:
        return "the definitions of policy reports are in Go modules, and go is not here"
    told = subprocess.run(
        [go, "mod", "download", "-json", name], capture_output=True, text=True, timeout=300, check=False
    )
    if told.returncode:
        return f"go could not get {name}: {told.stdout[-200:]}"
    return Path(json.loads(told.stdout)["Dir"])


@cache
def _install() -> Path | str:
    lock = _LOCKED.read_bytes()
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = caches / "bartizan" / f"published-{sha256(lock).hexdigest()[:12]}"
    if folder.is_dir():
        return folder
    made = folder.with_name(f"{folder.name}.{os.getpid()}")  # two workers may come here at once
    quiet = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
    asked = [sys.executable, "-m", "pip", "install", *quiet, "--target", str(made), "-r", str(_LOCKED)]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        shutil.rmtree(made, ignore_errors=True)
        return f"pip could not install the models of OSCAL and OCSF: {done.stderr.strip()[-200:]}"
    if folder.exists():
        shutil.rmtree(made)
    else:
        made.rename(folder)
    return folder
